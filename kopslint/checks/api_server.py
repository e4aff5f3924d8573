"""What the API server was started with and what was stored or signed under it.

Sources: kops nodeup/pkg/model/kube_apiserver.go (the encryption provider), and
pkg/model/components/discovery.go (who issues the tokens of service accounts).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.api_access import public_name, public_name_field
from kopslint.checks.context import Context, Draft
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.encryption import encrypts
from kopslint.syntax.yaml import YamlSequence, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.kops import EncryptionConfig
    from kopslint.kops.spec import Cluster
    from kopslint.text import Span

_API_SERVER = ("spec", "kubeAPIServer")
_ISSUER = (*_API_SERVER, "serviceAccountIssuer")
_DISCOVERY = ("spec", "serviceAccountIssuerDiscovery")
_EVERYWHERE = ("0.0.0.0/0", "::/0")

_READ = re.compile(r"kubectl\b.*\bget\s+secrets?\b.*(\s-A\b|--all-namespaces)")
_WRITTEN = re.compile(r"kubectl\b.*\breplace\b.*-f\s*-")


def encryption_config_removed(context: Context) -> Iterator[Draft]:
    """API servers lose the keys with which Secrets in etcd were encrypted.

    A list that writes all Secrets anew before is the way that Kubernetes documents.
    """
    pair = pairs.cluster(context)
    if pair is None or not encrypts(pair[0]) or encrypts(pair[1]):
        return
    if _rewrites_secrets(context):
        return
    field = ("spec", "encryptionConfig")
    yield Draft(
        message="encryptionConfig is switched off: API servers no longer decrypt what "
        "is encrypted in etcd",
        why="Every Secret that was stored encrypted stays encrypted. A rolled API"
        " server cannot read them, so whatever needs one fails, validation fails"
        " and the roll stops. Nothing is lost as long as the encryptionconfig"
        " secret is kept.",
        locations=(
            Location(pair[1].at(*field), "after: not encrypted"),
            Location(pair[0].at(*field), "before: encrypted"),
        ),
        subject="encryptionConfig",
        certainty=Certainty.POSSIBLE,
        fix=(
            "# leave encryptionConfig: true. To switch it off, put the identity",
            "# provider first (kops create secret encryptionconfig --force), roll, run",
            "# kubectl get secrets --all-namespaces -o json | kubectl replace -f -",
            "# and only then set it to false and roll again",
        ),
    )


def encryption_key_dropped(context: Context) -> Iterator[Draft]:
    """The keys that a list stores are without one that encrypts Secrets.

    Which key that is, only the list tells: the first one of what it stored before.
    Until all Secrets are stored anew, some are encrypted with a key of before the list.
    """
    from kopslint.commands.kops import EncryptionConfig

    simulation = context.simulation
    cluster = (context.before or context.after).cluster
    if simulation is None or cluster is None or not encrypts(cluster):
        return
    numbers = {id(step.command): step.number for step in simulation.steps}
    used: dict[str, Span] = {}
    stored: str | None = None
    old_secrets, read = True, False
    for command in simulation.plan.commands:
        read = read or _READ.search(command.text) is not None
        if read and _WRITTEN.search(command.text):
            used = {stored: used[stored]} if stored is not None else {}
            old_secrets = read = False
        if not isinstance(command, EncryptionConfig) or not command.force:
            continue
        keys = simulation.plan.keys_of(command)
        if keys is None:
            used, stored, old_secrets = {}, None, True
            continue
        dropped = [span for key, span in used.items() if key not in keys.every]
        if dropped or (old_secrets and not keys.every):
            number = numbers.get(id(command))
            yield _dropped(command, dropped, number, keys.every)
        stored = keys.of_writer
        if stored is not None:
            used = {**used, stored: command.span}


def _dropped(
    command: EncryptionConfig,
    before: list[Span],
    number: int | None,
    keys: tuple[str, ...],
) -> Draft:
    shown = command.file.shown if command.file is not None else "what is stored"
    message = (
        f"{shown} drops the key with which this list had Secrets encrypted"
        if before
        else f"{shown} holds no key, and Secrets are encrypted"
    )
    return Draft(
        message=message,
        why="An API server that starts with it cannot read one of these Secrets, and so"
        " lists none: what needs a Secret fails, validation fails and the roll stops."
        " Only the old key brings them back, and kops keeps no copy of it.",
        locations=(
            Location(command.span, "without the old key" if keys else "no key"),
            *(Location(span, "encrypts with it from here on") for span in before),
        ),
        subject=f"{shown}/{len(before)}",
        step=number,
        fix=(
            "# keep the old key behind the new one, update and roll, then",
            "# kubectl get secrets --all-namespaces -o json | kubectl replace -f -",
            "# and leave it out only after that",
        ),
        certainty=Certainty.CERTAIN if before else Certainty.POSSIBLE,
    )


def _rewrites_secrets(context: Context) -> bool:
    """Whether the list stores every Secret anew.

    Source: kubernetes.io, "Encrypting Confidential Data at Rest", decrypt all data.
    """
    if context.simulation is None:
        return False
    texts = [command.text for command in context.simulation.plan.commands]
    return any(map(_READ.search, texts)) and any(map(_WRITTEN.search, texts))


def service_account_issuer_changed(context: Context) -> Iterator[Draft]:
    """Tokens of service accounts are issued under another name than before.

    What API servers took as a further issuer before may become the first one, and the
    first one may stay as a further one: that is the order that kops documents.
    """
    pair = pairs.cluster(context)
    if pair is None:
        return
    (old, old_field), (new, new_field) = map(_issuer, pair)
    if _same(old, new):
        return
    stays = any(_same(old, other) for other in _others(pair[1]))
    known = any(_same(new, other) for other in _others(pair[0]))
    if (stays and known) or _in_stages(context):
        return
    yield Draft(
        severity=Severity.WARNING if stays else None,
        message=f"the service-account issuer changes from {old} to {new}",
        why=_WHILE_ROLLING if stays else _REFUSED,
        locations=(
            Location(pair[1].at(*new_field), f"after: {new}"),
            Location(pair[0].at(*old_field), f"before: {old}"),
        ),
        subject=f"{old}/{new}",
        fix=(
            "# three steps, each updated and rolled: the new issuer first in",
            (
                "# kubeAPIServer.additionalServiceAccountIssuers, then the two"
                " swapped, and"
            ),
            "# after a day the old one removed",
        ),
    )


_REFUSED = (
    "A rolled API server refuses every token that was issued before. Pods on nodes"
    " that are not rolled yet, network pods first, get 'Unauthorized', validation"
    " fails, and the roll stops after its first machine."
)
_WHILE_ROLLING = (
    "Rolled API servers issue tokens that the others do not accept yet, so pods fail"
    " now and then until the whole control plane is rolled."
)


def _in_stages(context: Context) -> bool:
    # What knows commands is only loaded where a change asks for it.
    from kopslint.checks.rolls import stored_in_stages

    return stored_in_stages(context)


def _issuer(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    """Who issues the tokens, and the field that says so.

    Source: kops pkg/model/components/discovery.go, BuildOptions and supportsPublicJWKS.
    """
    for field in (
        _ISSUER,
        (*_DISCOVERY, "discoveryStore"),
        (*_DISCOVERY, "discoveryService", "url"),
    ):
        said = text_at(cluster.node, *field)
        if said:
            return said.rstrip("/"), field
    anonymous = text_at(cluster.node, *_API_SERVER, "anonymousAuth") == "true"
    if anonymous and any(cidr in _EVERYWHERE for cidr in _access(cluster)):
        return f"https://{public_name(cluster)}", public_name_field(cluster)
    return f"https://api.internal.{cluster.name}", _DISCOVERY


def _access(cluster: Cluster) -> tuple[str, ...]:
    if cluster.version == "v1alpha3":
        return _texts(cluster, "spec", "api", "access")
    return _texts(cluster, "spec", "kubernetesApiAccess")


def _others(cluster: Cluster) -> tuple[str, ...]:
    """The further issuers whose tokens API servers take."""
    return _texts(cluster, *_API_SERVER, "additionalServiceAccountIssuers")


def _texts(cluster: Cluster, *path: str) -> tuple[str, ...]:
    node = cluster.get(*path)
    items = node.items if isinstance(node, YamlSequence) else ()
    return tuple(text for item in items if (text := text_at(item)))


def _same(one: str, other: str) -> bool:
    """Whether two issuers are one; a store is known by its bucket and its folder.

    Source: kops util/pkg/vfs, GetHTTPsUrl of s3fs.go and gsfs.go.
    """
    stores = [issuer for issuer in (one, other) if re.match("s3://|gs://", issuer)]
    if len(stores) != 1:
        return one.rstrip("/") == other.rstrip("/")
    _, _, path = stores[0].partition("://")
    bucket, _, folder = path.strip("/").partition("/")
    url = other if stores[0] is one else one
    return bucket in url and url.rstrip("/").endswith(folder)
