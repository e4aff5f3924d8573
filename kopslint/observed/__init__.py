"""What was seen on a cluster: outputs of etcdctl, kops and kubectl, as values.

``observation`` has the values, the other modules read them. This room knows specs and
texts, and nothing of what etcd does next.
"""
