"""One etcd cluster under etcd-manager: states, transitions, and what can be reached.

Members are names here; kops, YAML and commands belong to the rooms around.
"""
