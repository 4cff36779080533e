"""The settings that an operator can change: their types, defaults and meanings.

`config.load` reads them from the environment and from files. The tables in the documentation are
generated from them.
"""
