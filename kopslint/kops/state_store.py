"""Which part of a cluster's state store a path is: the whole, its backups, its keys.

Below the cluster's name kops keeps its objects, the certificates with their keys and
the secrets, and etcd-manager its backups, with the member count and the marker that
the cluster was created. Sources: kops pkg/client/simple/vfsclientset/clientset.go,
upup/pkg/fi/vfs_castore.go and secrets/vfs_secretstore.go,
pkg/model/components/etcdmanager/options.go.
"""

from __future__ import annotations

import re
from enum import StrEnum
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.shell.ast import head
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, EtcdCluster, Manifest
    from kopslint.shell.ast import Word


class Part(StrEnum):
    """What a path is to a cluster; ``MAYBE`` where only run time knows the path."""

    WHOLE = "whole"
    BACKUPS = "backups"
    KEYS = "keys"
    REST = "rest"
    MAYBE = "maybe"


# `s3://`, `do://`, and the remotes of rclone: `s3:bucket`.
_SCHEME = re.compile(r"^[\w+.-]+:(//)?")
# All backups, those of one etcd cluster, or its orders: not one backup alone.
_BACKUPS = re.compile(r"backups(/etcd(/[^/]+(/control(/.*)?)?)?)?")
_UNKNOWN_BACKUPS = re.compile(r"(^|/)backups(/etcd(/[^/]+(/control(/.*)?)?)?)?$")
_KEYS = ("pki", "secrets")
_UNKNOWN_KEYS = re.compile(r"[/}\w](?:/)(pki|secrets)(/.*)?$")
# How people call what holds a state store.
_CALLED = re.compile(r"(?i)kops|state|etcd|k8s|kube|cluster")
_STATE_VARIABLE = re.compile(r"\$\{?(KOPS_STATE(_STORE)?|STATE_STORE|KOPS_STORE)\}?")


def part_of(word: Word, cluster: Cluster | None, name: str) -> Part | None:
    """The part of the state store of cluster ``name`` that a path is or has in it.

    None if it is no part of it. ``cluster`` tells where its store is, if it says.
    """
    parts = _parts(word.shown)
    path = "/".join(parts)
    apart = _kept_apart(word, parts, cluster) if cluster is not None else None
    if apart is not None:
        return apart
    if _is_elsewhere(word, parts, cluster):
        return None
    if name in parts:
        return _below(parts[parts.index(name) + 1 :])
    if _UNKNOWN_BACKUPS.search(path):
        return Part.BACKUPS
    base = store_of(cluster) if cluster is not None else None
    if word.text is None:
        if _STATE_VARIABLE.fullmatch(path):
            return Part.WHOLE
        if _UNKNOWN_KEYS.search(path):
            return Part.KEYS
        return Part.MAYBE if path.startswith("$") or _leads(word, base) else None
    if base is not None:
        held = _parts(base)
        # The name of a configured store comes first in `mc rm minio/bucket`.
        ways = (parts, parts[1:]) if len(parts) > 1 else (parts,)
        found = any(way == held[: len(way)] for way in ways)
        return Part.WHOLE if found and path else None
    return Part.MAYBE if len(parts) < 2 and _CALLED.search(path) else None


def _parts(address: str) -> list[str]:
    """The folders of an address without its scheme, the bucket first.

    A pattern for everything that is at its end says nothing more.
    """
    return re.sub(r"/?\*+$", "", _SCHEME.sub("", address)).strip("/").split("/")


def _kept_apart(word: Word, parts: list[str], cluster: Cluster) -> Part | None:
    """The part that a path is of what the spec keeps in a place of its own.

    Keys and secrets may be in another bucket, and so may the backups of each etcd.
    Source: kops pkg/client/simple/vfsclientset/clientset.go, KeyStore and SecretStore.
    """
    if word.text is None:
        return None
    # The name of a configured store comes first in `mc rm minio/bucket`.
    ways = (parts, parts[1:]) if not _SCHEME.match(word.text) else (parts,)
    for place, part in _places(cluster):
        held = _parts(place)
        for way in filter(None, ways):
            if way == held[: len(way)]:
                return part
            below = way[len(held) :] if way[: len(held)] == held else None
            if below and (part is Part.KEYS or below[0] == "control"):
                return part
    return None


def _places(cluster: Cluster) -> Iterator[tuple[str, Part]]:
    """Where a spec says that its keys, secrets and backups are, each with its part."""
    old = cluster.version != "v1alpha3"
    for own, of_store in (("keyStore", "keypairs"), ("secretStore", "secrets")):
        field = ("spec", own) if old else ("spec", "configStore", of_store)
        if place := text_at(cluster.node, *field):
            yield place, Part.KEYS
    for etcd in cluster.etcd_clusters:
        if place := text_at(etcd.node, "backups", "backupStore"):
            yield place, Part.BACKUPS


def _is_elsewhere(word: Word, parts: list[str], cluster: Cluster | None) -> bool:
    """Whether a path is in another bucket than the store's: a copy, somewhere else."""
    base = store_of(cluster) if cluster is not None else None
    if base is None or word.text is None or not _SCHEME.match(word.text):
        return False
    return _parts(base)[0] not in parts


def is_in_store(word: Word, cluster: Cluster | None, name: str) -> bool:
    """Whether a path that nobody takes for that of a bucket leads to the state store.

    It does if the bucket's name is in it, and behind it the cluster's or nothing: a
    folder of the cluster's name alone may be a copy.
    """
    base = store_of(cluster) if cluster is not None else None
    if base is None or word.text is None:
        return False
    bucket, parts = _parts(base)[0], _parts(word.text)
    if bucket not in parts:
        return False
    below = parts[parts.index(bucket) + 1 :]
    return not below or name in below


def _leads(word: Word, base: str | None) -> bool:
    """Whether what is known of a path leads to the store, and the rest may go on."""
    known = _SCHEME.sub("", head(word))
    return bool(known and base and f"{_SCHEME.sub('', base)}/".startswith(known))


def _below(parts: list[str]) -> Part | None:
    path = "/".join(parts)
    if not path:
        return Part.WHOLE
    if _BACKUPS.fullmatch(path):
        return Part.BACKUPS
    if parts[0] in _KEYS:
        return Part.KEYS
    return None if parts[0] == "backups" else Part.REST


def store_of(cluster: Cluster) -> str | None:
    """Where the cluster's part of the state store is, if its spec says."""
    if cluster.version == "v1alpha3":
        return text_at(cluster.node, "spec", "configStore", "base")
    return text_at(cluster.node, "spec", "configBase")


def backup_store(manifest: Manifest, etcd: EtcdCluster) -> str | None:
    """Where the backups of an etcd cluster are, and below them its control files.

    Source: kops pkg/model/components/etcdmanager/options.go.
    """
    own = text_at(etcd.node, "backups", "backupStore")
    base = store_of(manifest.cluster) if manifest.cluster is not None else None
    if own is not None or base is None:
        return own
    return f"{base.rstrip('/')}/backups/etcd/{etcd.name}"


def backups_of(manifest: Manifest, etcd: EtcdCluster) -> str:
    """The same to be printed, with a placeholder where the spec does not say it."""
    default = f"STATE_STORE/{manifest.name}/backups/etcd/{etcd.name}"
    return backup_store(manifest, etcd) or default


def listing_of(store: str) -> str | None:
    """The call that lists what is right below a store, as far as one is known.

    A backup is called after its time in UTC: etcd-manager pkg/backup/vfs.go. The stores
    of DigitalOcean, Linode and others are S3 behind an address that only the one who
    runs it knows.
    """
    scheme, _, path = store.rstrip("/").partition("://")
    bucket, _, below = path.partition("/")
    below = quote(f"{below}/")
    match scheme:
        case "s3":
            return f"aws s3 ls {quote(store.rstrip('/') + '/')}"
        case "gs":
            return f"gcloud storage ls {quote(store.rstrip('/') + '/')}"
        case "swift":
            return f"openstack object list {quote(bucket)} --prefix {below}"
        case "azureblob":
            return (
                f"az storage blob list --container-name {quote(bucket)} "
                f"--prefix {below} --output table"
            )
        case "file":
            return f"ls {quote(path)}"
        case _:
            return None
