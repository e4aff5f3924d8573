"""The rules as data: identity, severity, sources, prose and examples.

Each rule names the function in ``checks`` that looks for it.
"""
