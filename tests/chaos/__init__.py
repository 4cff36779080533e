"""The fault suite: it runs the real service under faults and audits every tick afterwards.

`script/chaos` starts it. Nothing here imports the service's code. The auditor uses only the
settings of the service, its log lines and what is in the store.
"""
