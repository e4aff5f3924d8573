"""Requests to the APIs of clouds and of etcd, past their own command lines.

Only what changes something counts: a method other than GET, or data that is sent.
Sources: the manuals of curl, wget and grpcurl; the API references of the clouds that
kops runs on; etcd's gRPC gateway (api/etcdserverpb/rpc.proto).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.model import Reach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.commands.invocation import Invocation
    from kopslint.commands.model import Command


_APIS = (
    (r"api\.hetzner\.cloud/v1/(?:servers|networks|firewalls)", Reach.MACHINE),
    (r"api\.hetzner\.cloud/v1/volumes", Reach.VOLUME),
    (r"api\.digitalocean\.com/v2/(?:droplets|firewalls)", Reach.MACHINE),
    (r"api\.digitalocean\.com/v2/volumes", Reach.VOLUME),
    (r"api\.linode\.com/v4/linode", Reach.MACHINE),
    (r"api\.linode\.com/v4/volumes", Reach.VOLUME),
    (r"api\.scaleway\.com/instance/", Reach.MACHINE),
    (r"compute\.googleapis\.com/compute/.*/(?:instances|instanceGroup)", Reach.MACHINE),
    (r"compute\.googleapis\.com/compute/.*/disks", Reach.VOLUME),
    (r"management\.azure\.com/.*/virtualMachine", Reach.MACHINE),
    (r"management\.azure\.com/.*/disks", Reach.VOLUME),
    (r"//(?:ec2|autoscaling)\.[\w.-]*amazonaws\.com", Reach.MACHINE),
    (r":8774/v2[\w./-]*/servers", Reach.MACHINE),
    (r":(?:2379|400[1-4])/v3\w*/(?:kv/(?:put|deleterange|txn)|cluster/)", Reach.ETCD),
    (r":(?:2379|400[1-4])/v3\w*/(?:auth/|maintenance/defrag)", Reach.ETCD),
    (r":(?:2379|400[1-4])/v2/(?:keys|members)", Reach.ETCD),
    (r"/api/v1/nodes(?:/|$)|/pods/etcd-manager", Reach.MACHINE),
    (r"/apis/kops\.k8s\.io/", Reach.KOPS),
    (r"api\.cloudflare\.com/.*/dns_records|route53\.amazonaws\.com", Reach.ELSEWHERE),
    (r"dns\.hetzner\.com/api/v1/(?:records|zones)", Reach.ELSEWHERE),
    (r"/(?:buildWithParameters|dispatches|trigger/pipeline)\b", Reach.ELSEWHERE),
    (r"etcdserverpb\.(?:Cluster/Member(?!List)|KV/(?!Range)|Auth/)", Reach.ETCD),
)
_SENDS = re.compile(
    r"-d|--data(?:-\w+)?|--json|-F|--form|-T|--upload-file|--post-data|--body-data"
)
_METHOD = re.compile(r"(?:-X|--request|--method)[= ]?(?P<method>[A-Za-z]*)")


def read_request(invocation: Invocation) -> Command | None:
    """What a request changes, if it is to such an API and changes something."""
    words = [word.shown for word in invocation.words[1:]]
    found = next(
        (reach for url, reach in _APIS for word in words if re.search(url, word)), None
    )
    if found is None or not (invocation.program == "grpcurl" or _changes(words)):
        return None
    return invocation.unreplayed(
        "kopslint does not know what this request does to the control plane", found
    )


def _changes(words: Sequence[str]) -> bool:
    for word, value in zip(words, [*words[1:], ""], strict=True):
        method = _METHOD.fullmatch(word)
        if method is not None:
            return (method["method"] or value).upper() not in ("GET", "HEAD", "OPTIONS")
        if word.upper() in ("DELETE", "POST", "PUT", "PATCH"):
            return True
    sends = any(_SENDS.fullmatch(word.partition("=")[0]) for word in words)
    return sends and "-G" not in words and "--get" not in words
