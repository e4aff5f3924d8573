"""The model of etcd held to etcd itself: the same operations on both, compared.

Run it as ``python -m verify``. It needs Debian's etcd-server (``/usr/bin/etcd``),
talks to 127.0.0.1 only, and stops every server that it started. It must not know
kops, YAML or commands: only ``kopslint.etcd``. There is no etcd-manager here, so of
the moves that happen by themselves only a member's joining is etcd's own.
"""
