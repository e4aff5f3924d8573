"""Lines that remove a member as a careful list does: addressed, by name, guarded."""

from __future__ import annotations


def removal(etcd_cluster: str, member: str, otherwise: str = " || exit 1") -> str:
    """The line that takes a member out of one etcd cluster, or ends the list."""
    name = (
        f"etcd-{member}" if etcd_cluster == "main" else f"etcd-{etcd_cluster}-{member}"
    )
    id_ = f'$(etcdctl member list | grep " {name}," | cut -d, -f1)'
    pod = f"kubectl -n kube-system exec etcd-manager-{etcd_cluster}-cp --"
    return f"{pod} sh -c 'etcdctl member remove {id_}'{otherwise}\n"
