"""What a command list does: registry, cloud, control spec and etcd after every step.

A list is replayed as a model checker does it: from an initial state, every action leads
to all states that may follow. Messages, rules and severities belong to the checks.
"""
