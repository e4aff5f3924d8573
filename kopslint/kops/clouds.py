"""How the clouds that kops runs on differ for etcd; by their names in v1alpha2.

Which commands the clouds have themselves is not known here.
"""

from __future__ import annotations

CALLED_BY_VOLUME = frozenset({"digitalocean", "hetzner", "linode", "scaleway"})
"""Where etcd calls a member by its volume, and not as the spec does.

Source: etcd-manager pkg/volumes, ``EtcdName`` of each cloud.
"""

MOUNTED_BY_GROUP = frozenset({"hetzner", "linode", "scaleway"})
"""Where a machine mounts the etcd volumes of its own group alone.

Elsewhere it mounts any of its zone. Source: kops
pkg/model/components/etcdmanager/model.go, ``VolumeNameTag``.
"""

APPLIED_BY_ROLLS = frozenset(
    {"azure", "digitalocean", "hetzner", "openstack", "scaleway"}
)
"""Where a rolling update applies the state store after every machine.

Source: kops pkg/instancegroups/instancegroups.go, ``reconcileInstanceGroup``.
"""
