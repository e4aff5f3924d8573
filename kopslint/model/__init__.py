"""Commands to worlds: registry, cloud, control spec and etcd after every step.

This room must not know messages, rules or severities.
"""
