"""What an operator can set: the kinds of value, and the fields with their defaults and meanings.

`config.py` reads environment and files into them; the README's tables are made from them.
"""
