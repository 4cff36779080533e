"""The proof that every tick counts: the real service under faults, and an independent auditor.

`script/chaos` runs it. Nothing here imports the service's code: what the auditor knows of it are
its settings, its log lines and what it stores.
"""
