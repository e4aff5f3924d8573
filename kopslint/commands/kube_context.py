"""Which cluster kubectl speaks to, as far as the name of a context or kubeconfig tells.

``kops export kubeconfig`` calls the context like the cluster, and people who rename it
keep what tells their clusters apart. So a name that has nothing of the cluster's in it
is another cluster's. Source: kops pkg/kubeconfig/create_kubecfg.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.etcd import written
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection

    from kopslint.shell.ast import Word

# What stands in such a name for everybody.
_GENERIC = frozenset(
    {"admin", "arn", "aws", "certs", "ci", "client", "cluster", "clusters", "conf"}
    | {"config", "configs", "context", "contexts", "ctx", "current", "default", "gce"}
    | {"k8s", "kops", "kube", "kubecfg", "kubeconfig", "kubeconfigs", "kubernetes"}
    | {"local", "my", "root", "sso", "temp", "tmp", "user", "yaml", "yml"}
)
_STAGES = (
    r"(?:pre|non)?-?(?:prod|production|live|stag|staging|stage|dev|devel|development)"
    r"|test|testing|qa|uat|sandbox|demo|int|integration|canary|dr"
)
_LEAST = 3


class Meant(Record):
    """The cluster that a name means, and whether it is called so to the letter."""

    cluster: str
    exactly: bool


def cluster_called(word: Word, known: Collection[str]) -> Meant | None:
    """The cluster that a context or a kubeconfig is of; None if its name tells nothing.

    One of ``known``, or else the name as it is written: that of another cluster.
    """
    text = written(word).strip()
    for cluster in sorted(known, key=len, reverse=True):
        ends = r"(?![\w-])(?!\.(?!ya?ml|conf)\w)"
        whole = rf"(?<![\w.-])(?:api\.)?{re.escape(cluster)}{ends}"
        if re.search(whole, text):
            return Meant(cluster, exactly=True)
    parts = _parts(text)
    if not parts:
        return None
    alike = [cluster for cluster in known if _is_like(parts, text, cluster)]
    if len(alike) == 1:
        return Meant(alike[0], exactly=False)
    return Meant(text, exactly=False) if not alike else None


def _parts(text: str) -> list[str]:
    """What in a name may tell a cluster; of a path only its end does."""
    if "/" in text and "@" not in text and ":" not in text:
        text = text.rpartition("/.kube/")[2] or text
        text = text.rpartition("/")[2] if "/.kube/" not in text else text
        text = re.sub(r"\.(ya?ml|conf|config)$", "", text)
    parts = re.findall(r"[a-z0-9]+", text.lower())
    return [p for p in parts if p not in _GENERIC and len(p) >= _LEAST]


def _is_like(parts: list[str], text: str, cluster: str) -> bool:
    """Whether a name may be short for a cluster's.

    It has the first label in it, or begins like it; of two names in full every label
    counts. What tells stages apart must not be that of another one.
    """
    labels = cluster.lower().split(".")
    if "." in text and "/" not in text and text.count(".") >= 2:
        return False
    of_cluster = [p for p in re.findall(r"[a-z0-9]+", cluster.lower()) if len(p) > 1]
    stages = {p for p in parts if re.fullmatch(_STAGES, p)}
    theirs = {p for p in of_cluster if re.fullmatch(_STAGES, p)}
    if stages and theirs and not any(_begins(a, b) for a in stages for b in theirs):
        return False
    first = re.findall(r"[a-z0-9]+", labels[0])
    rest = [p for label in labels[1:-1] for p in re.findall(r"[a-z0-9]+", label)]
    if any(_begins(part, label) for part in parts for label in first):
        return True
    return not stages and any(
        _begins(p, r) for p in parts for r in rest if r not in _GENERIC
    )


def _begins(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= _LEAST and long.startswith(short)
