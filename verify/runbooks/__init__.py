"""Printed scripts run on a cluster that only exists in memory, under every fault.

The programs that a script calls (kops, kubectl, etcdctl, terraform and the clouds' own)
are stand-ins that keep one world: members, groups, machines, volumes, and the counts
that are published. What must never be is noted as it happens, and a fault may be put
at any call. ``python -m verify.runbooks`` tries a large sample.
"""
