"""`flask check --stack`: compare this service's configuration with that of its neighbours.

`reader` turns a folder into a `StackConfiguration`. The rules compare its parts. They are pure:
each yields what is wrong, with a fix, and what is right. Only the command imports this package,
because the service needs neither a YAML nor a JavaScript parser.
"""
