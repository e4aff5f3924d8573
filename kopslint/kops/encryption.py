"""What an API server decrypts with: the keys of an encryption configuration.

Source: kubernetes.io, "Encrypting Confidential Data at Rest": what is stored is
encrypted with the first key of the first provider, and read with any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.syntax.yaml import YamlMapping, YamlSequence, find, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster
    from kopslint.syntax.yaml import Node
    from kopslint.text import Source


class Keys(Record):
    """The keys of a configuration, in its order; ``writes`` is whether the first does.

    It does not where ``identity`` stands first: what is stored then is plain.
    """

    every: tuple[str, ...]
    writes: bool

    @property
    def of_writer(self) -> str | None:
        """The key with which Secrets are stored, if any."""
        return self.every[0] if self.writes and self.every else None


def encrypts(cluster: Cluster) -> bool:
    """Whether API servers of a cluster have an encryption configuration."""
    return text_at(cluster.node, "spec", "encryptionConfig") == "true"


def keys_in(source: Source) -> Keys | None:
    """The keys for Secrets; None if the text is no encryption configuration."""
    from kopslint.errors import InputError
    from kopslint.syntax.yaml import read_yaml

    try:
        documents = read_yaml(source)
    except InputError:
        return None
    for document in documents:
        for resource in _items(find(document.root, "resources")):
            named = [text_at(one) for one in _items(find(resource, "resources"))]
            if {"secrets", "*.", "*.*", ""} & {name or "" for name in named}:
                providers = list(_items(find(resource, "providers")))
                found = [list(_keys(provider)) for provider in providers]
                every = tuple(key for keys in found for key in keys)
                return Keys(every, bool(found and found[0]))
    return None


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, YamlSequence) else ()


def _keys(provider: Node) -> Iterator[str]:
    """What identifies each key of a provider: its secret, or who has it."""
    if not isinstance(provider, YamlMapping):
        return
    for entry in provider.entries:
        kind = entry.key.text
        if kind == "kms":
            named = (text_at(entry.value, field) for field in ("name", "endpoint"))
            yield " ".join([kind, *filter(None, named)])
        for key in _items(find(entry.value, "keys")):
            yield f"{kind} {text_at(key, 'secret') or text_at(key, 'name')}"
