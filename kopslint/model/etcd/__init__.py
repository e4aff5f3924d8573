"""One etcd cluster under etcd-manager: membership, quorum, and every possible move.

This room must not know kops, YAML or commands; members are names.
"""
