"""Real etcd servers that are broken, and mended by what ``kopslint plan`` prints.

Machines, disks and etcd-manager are played here; every etcd is a real one, asked by a
real etcdctl. Printed scripts run in bash, on stand-ins for kops, kubectl and the cloud.
"""
