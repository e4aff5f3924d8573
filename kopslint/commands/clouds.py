"""The clouds' own command lines, where they touch machines, disks, groups, backups.

The table beside this module says which commands matter; everything else that such
a program does is ``Reads``: it is no part of the control plane.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.commands.cloud_table import (
    EXPIRES,
    GROUP_STOPS,
    GROUPS,
    HARMLESS,
    MIRRORS,
    ROWS,
    SCHEDULED,
    SERVICES,
    STOPS,
    TAGS_OF_VOLUMES,
    UNREPLAYED,
    VOLUMES,
)
from kopslint.commands.invocation import arguments, skip_options
from kopslint.commands.model import (
    DeleteBackups,
    DeleteVolumes,
    Reach,
    Reads,
    ResizeCloudGroup,
    StopInstances,
)
from kopslint.shell.ast import Unknown, Word, cut, split_commas

if TYPE_CHECKING:
    from kopslint.commands.invocation import Arguments, Invocation
    from kopslint.commands.model import Command

_AWS_GLOBAL = (
    "profile region output endpoint-url query color ca-bundle cli-read-timeout"
    " cli-connect-timeout cli-binary-format"
)
_S3_OPTIONS = f"{_AWS_GLOBAL} exclude include page-size request-payer"
_OPTIONS = (
    "zone region project format filter size instances instance name n resource-group g"
    " new-capacity ids subscription o output account configuration disk os-cloud"
    " boot-disk context config access-token t as-user ids tag-name tags set"
    " container-name c account-name account-key source s destination pattern prefix"
    " lifecycle-file stack volume-id image image-id flavor timeout cwd C"
)

_TABLE = sorted(ROWS, key=len, reverse=True)
_LONGEST = 6

# How people name what holds a kops state store and the etcd backups in it.
_STORE = re.compile(
    r"backup|kops|state|etcd|k8s|kube|cluster|\bpki\b|secret|\$|/[\w-]+\.[\w-]+\.[\w.-]+",
    re.IGNORECASE,
)
_BUCKET = re.compile(r"[\w+.-]+:(?://)?[\w.-]|[a-z0-9][\w.-]+(?:/|$)")
_VOLUME = re.compile(r"vol|etcd|disk", re.IGNORECASE)

# Objects of a state store that kops, or an etcd-manager, reads.
# Source: kops pkg/client/simple/vfsclientset, and controlstore in etcd-manager.
_OBJECT = re.compile(
    r"(?:://|\$).*/(?:(?:instancegroup|control)/[^/]+|cluster(?:-completed)?\.spec)$"
    r"|://.*/config$"
)
_WRITES = frozenset({"cp", "mv", "rm"})


def read_provider(invocation: Invocation) -> Command:
    """The command that a cloud's own command line, or one of its kind, asks for."""
    names, given = _parse(invocation)
    line = " ".join([invocation.program, *names])
    known = next((e for e in _TABLE if f"{line} ".startswith(f"{e} ")), None)
    if _edits_store(given):
        return invocation.unreadable(
            Unknown(invocation.text, "it changes the state store behind kops's back"),
            Reach.STATE_STORE,
        )
    rest = _released(given)[len(known.split()) - 1 :] if known is not None else ()
    if invocation.program == "scw":
        # Its options are words like zone=fr-par-1.
        rest = tuple(word for word in rest if "=" not in word.shown)
    verb = " ".join([invocation.program, *names[:2]])
    reads = Reads(text=invocation.text, span=invocation.span, verb=verb)
    if given.has("dry-run", "dryrun", "dry_run") and invocation.program != "aws-nuke":
        return reads
    if known is not None:
        return _change(invocation, known, rest, given) or reads
    return _unknown(invocation, names, given) or reads


def _unknown(
    invocation: Invocation, names: list[str], given: Arguments
) -> Command | None:
    """A command without a row of its own, if it may reach what kops made."""
    line = " ".join([invocation.program, *names])
    services = [s for s in SERVICES if f"{line} ".startswith(f"{s} ")]
    if not services or given.has("help", "h"):
        return None
    service = max(services, key=len)
    after = names[len(service.split()) - 1 :]
    verb = after[0] if after else ""
    if not verb or verb in HARMLESS or verb.partition("-")[0] in HARMLESS:
        return None
    return invocation.unreplayed(
        f"kopslint does not know what `{service} {verb}` does to the control plane",
        SERVICES[service],
        about=_about(given, _released(given)[len(service.split()) :]),
    )


def _about(given: Arguments, rest: tuple[Word, ...]) -> tuple[Word, ...]:
    """What a command names: machines, groups or disks, by option or as they come."""
    return given.all(*_NAMING) or rest


_NAMING = (
    *("auto-scaling-group-name", "auto-scaling-group-names", "instance-ids"),
    *("instance-id", "instances", "volume-id", "volume-ids", "resources", "ids"),
    *("name", "n"),
)


def _edits_store(given: Arguments) -> bool:
    """Whether an object of a state store is removed, or copied over."""
    words = [word.shown for word in given.positionals]
    verb = next((word for word in words if word in _WRITES), None)
    if verb is None or given.has("dry-run", "dryrun"):
        return False
    changed = words[-1:] if verb == "cp" else words
    return any(_OBJECT.search(word) for word in changed)


def _parse(invocation: Invocation) -> tuple[list[str], Arguments]:
    """The known leading words (service, verb), and all arguments."""
    words = invocation.words[1:]
    if invocation.program == "aws":
        words = words[skip_options(words, _AWS_GLOBAL) :]
        s3 = words[:1] and words[0].text == "s3"
        # `aws` takes all words up to the next option for a list's items.
        given = arguments(words, _S3_OPTIONS) if s3 else arguments(words, many=True)
    else:
        # Several words may follow such an option of `az`.
        given = arguments(words, _OPTIONS)
    names: list[str] = []
    for word in _released(given)[:_LONGEST]:
        if word.text is None:
            break
        names.append(word.text)
    return names, given


def _released(given: Arguments) -> tuple[Word, ...]:
    """The positional arguments without the release track that gcloud takes first."""
    words = given.positionals
    return words[1:] if words and words[0].text in ("alpha", "beta") else words


def _change(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    if known in STOPS or known in GROUP_STOPS:
        return _stop(invocation, known, rest, given)
    if known in VOLUMES:
        return _volumes(invocation, VOLUMES[known], rest, given)
    if known in GROUPS or known in SCHEDULED:
        return _resize(invocation, known, rest, given)
    if known in UNREPLAYED:
        return _unreplayed(invocation, known, rest, given)
    return _removal(invocation, known, rest, given)


def _stop(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command:
    text, span = invocation.text, invocation.span
    if known in GROUP_STOPS:
        group = given.all("auto-scaling-group-name", "name", "n") or rest
        return StopInstances(
            text=text,
            span=span,
            verb=GROUP_STOPS[known],
            instances=group,
            many=any(word.text is None for word in group),
        )
    named = given.all("instance-ids", "instance-id", "instances", "ids", "name", "n")
    if known.startswith("gcloud") and known.split()[2] != "instances":
        # The positional argument of these is the group.
        rest = ()
    if known.startswith("az"):
        # Every word behind `--ids` is one more.
        named, rest = (*named, *rest), ()
    tags = given.all("tag-name", "tags")
    words = tuple(i for w in (*named, *rest, *tags) for i in split_commas(w))
    if known == "aws autoscaling set-instance-health" and not any(
        word.text == "Unhealthy" for word in given.all("health-status")
    ):
        return Reads(text=text, span=span, verb=known)
    return StopInstances(
        text=text,
        span=span,
        verb=STOPS[known],
        instances=words,
        many=bool(tags) or not words or given.has("all", "ids"),
        for_good=known in _TAKE_ONE_AWAY
        or given.has("should-decrement-desired-capacity"),
    )


_TAKE_ONE_AWAY = ("gcloud compute instance-groups managed delete-instances",)
"""What makes a group ask for one machine less."""


def _volumes(
    invocation: Invocation,
    verb: Literal["delete", "detach", "retag"],
    rest: tuple[Word, ...],
    given: Arguments,
) -> Command | None:
    if verb == "retag":
        volumes = tuple(w for w in given.all("resources") if _is_volume(w))
        machines = [w for w in given.all("resources") if w.shown.startswith("i-")]
        if machines and not _tags_of_ones_own(given):
            return invocation.unreplayed(
                "kops and etcd-manager find machines by their tags", Reach.MACHINE
            )
        if not volumes or _tags_of_ones_own(given):
            return None
    else:
        volumes = given.all("volume-id", "disk", "ids", "name", "n") or rest
    return DeleteVolumes(
        text=invocation.text,
        span=invocation.span,
        verb=verb,
        volumes=volumes,
        note="\n".join(invocation.places),
    )


def _tags_of_ones_own(given: Arguments) -> bool:
    """Whether tags are named, and kops and etcd-manager read none of them."""
    tags = given.all("tags")
    return bool(tags) and all(
        "Key" in (word.text or "") and not re.search(TAGS_OF_VOLUMES, word.shown)
        for word in tags
    )


def _resize(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    sizes = ("desired-capacity", "max-size", "min-size", "size", "new-capacity")
    size = next((w for w in map(given.value, sizes) if w is not None), None)
    for word in given.all("set"):
        # az vmss update --set sku.capacity=0
        if word.shown.startswith("sku.capacity="):
            size = cut(word, len("sku.capacity="))
    deletes = "delete" in known
    if size is None and not deletes:
        other = given.has(*_OF_NEXT_MACHINES)
        if known == "az vmss update" or known in SCHEDULED or other:
            reason = f"kopslint does not know what `{known}` does to the control plane"
            return invocation.unreplayed(
                reason, Reach.MACHINE, about=_about(given, rest)
            )
        return None
    group = given.value("auto-scaling-group-name", "name", "n")
    return ResizeCloudGroup(
        text=invocation.text,
        span=invocation.span,
        group=group if group is not None else next(iter(rest), None),
        size=size,
        deletes=deletes,
        later=known in SCHEDULED,
    )


_OF_NEXT_MACHINES = (
    *("launch-template", "launch-configuration-name", "vpc-zone-identifier"),
    *("availability-zones", "mixed-instances-policy", "max-instance-lifetime"),
)
"""What changes where the next machines of a group come up, and what they are."""


def _unreplayed(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    if known == "aws-nuke" and not given.has("no-dry-run"):
        return None
    reach, reason = UNREPLAYED[known]
    return invocation.unreplayed(
        reason, reach, about=_about(given, rest) if "autoscaling" in known else ()
    )


def _removal(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    """What removes objects from a store, now or after a time."""
    if known in MIRRORS:
        options = MIRRORS[known]
        if options and not given.has(*options):
            return None
        # What is missing at the source is removed at the destination, the second.
        rest = rest[1:] or given.all("destination", "d")
    if known in _EMPTY_ONLY and not given.has("force", "recursive", "r"):
        return None
    if known in ("aws s3 mv", "gsutil mv", "gcloud storage mv", "s3cmd mv", "s5cmd mv"):
        rest = rest[:1]
    targets = _in_bucket(given) or rest
    if known in EXPIRES:
        targets = _expired(invocation, given, targets)
    # A state store may have any name: where the spec says it, that is compared.
    found = [w for w in targets if _STORE.search(w.shown) or _BUCKET.match(w.shown)]
    if not found:
        return None
    return DeleteBackups(
        text=invocation.text,
        span=invocation.span,
        target=found[0],
        others=tuple(found[1:]),
        below=known not in _ONE_OBJECT or given.has(*_RECURSIVE) or _is_glob(found[0]),
        expires=known in EXPIRES,
    )


# What removes one object unless it is told to go on below it.
_ONE_OBJECT = (
    *("aws s3 rm", "aws s3 mv", "aws s3api delete-object", "gcloud storage rm"),
    *(
        "gsutil rm",
        "gsutil mv",
        "s3cmd del",
        "s3cmd rm",
        "s3cmd mv",
        "mc rm",
        "mcli rm",
    ),
    *("azcopy remove", "azcopy rm", "az storage blob delete", "rclone deletefile"),
    *("linode-cli obj del", "linode-cli obj rm", "openstack object delete", "mc mv"),
)
# What the store refuses as long as anything is in there, unless it is told to empty it.
_EMPTY_ONLY = (
    *("aws s3 rb", "aws s3api delete-bucket", "gsutil rb", "mc rb"),
    *("gcloud storage buckets delete", "s3cmd rb", "s5cmd rb", "mcli rb"),
    *("openstack container delete", "scw object bucket delete", "linode-cli obj rb"),
)
_RECURSIVE = ("recursive", "r", "R", "rf", "fr", "f", "force", "all", "m")


def _is_glob(word: Word) -> bool:
    return "*" in word.shown


def _in_bucket(given: Arguments) -> tuple[Word, ...]:
    """The path that a bucket and the key or prefix in it make."""
    bucket = given.value("bucket", "container-name", "c", "source", "s")
    if bucket is None:
        return ()
    key = given.value("key", "prefix", "name", "n", "pattern")
    if key is None:
        return (bucket,)
    return (Word((*bucket.pieces, "/", *key.pieces), bucket.raw, bucket.span),)


_CURRENT = re.compile(r"\bExpiration\b|<Expiration>|\bDelete\b|\"age\"")


def _expired(
    invocation: Invocation, given: Arguments, targets: tuple[Word, ...]
) -> tuple[Word, ...]:
    """The paths below which a lifecycle removes what is current.

    One that ends unfinished uploads and earlier versions alone removes nothing.
    """
    said = " ".join(word.shown for word in invocation.words)
    if invocation.program == "gcloud":
        return targets if given.has("lifecycle-file") else ()
    literal = "{" in said or "<" in said
    if literal and not _CURRENT.search(said):
        return ()
    prefixes = re.findall(r"[\"']?Prefix[\"']?\s*[:=>]\s*[\"']?([\w./-]*)", said)
    if not prefixes or not targets:
        return targets[-1:]
    bucket = targets[0]
    return tuple(
        Word((*bucket.pieces, f"/{prefix}"), bucket.raw, bucket.span)
        if prefix
        else bucket
        for prefix in prefixes
    )


def _is_volume(word: Word) -> bool:
    if word.text is not None:
        return word.text.startswith("vol-")
    return _VOLUME.search(word.shown) is not None
