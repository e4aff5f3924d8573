"""The clouds' own command lines, where they touch machines, disks, groups, backups.

The table beside this module says which commands matter; everything else that such
a program does is ``Reads``: it is no part of the control plane.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.invocation import arguments, skip_options
from kopslint.commands.model import (
    DeleteBackups,
    DeleteVolumes,
    Reach,
    Reads,
    ResizeCloudGroup,
    StopInstances,
    Unreadable,
)
from kopslint.commands.provider_table import GROUPS, REMOVES, STOPS, VOLUMES
from kopslint.syntax.script import Unknown, Word
from kopslint.syntax.word_cut import split_commas

if TYPE_CHECKING:
    from kopslint.commands.command import Command
    from kopslint.commands.invocation import Arguments, Invocation

_AWS_GLOBAL = (
    "profile region output endpoint-url query color ca-bundle cli-read-timeout"
    " cli-connect-timeout cli-binary-format"
)
_S3_OPTIONS = f"{_AWS_GLOBAL} exclude include page-size request-payer"
_OPTIONS = (
    "zone region project format filter size instances instance name n resource-group g"
    " new-capacity ids subscription o output account configuration disk os-cloud"
    " boot-disk context config access-token t as-user"
)

_TABLE = sorted((*STOPS, *VOLUMES, *GROUPS, *REMOVES), key=len, reverse=True)

# How people name what holds a kops state store and the etcd backups in it.
_STORE = re.compile(r"backup|kops|state|etcd", re.IGNORECASE)
_VOLUME = re.compile(r"vol|etcd|disk", re.IGNORECASE)

# Objects of a state store that kops, or an etcd-manager, reads.
# Source: kops pkg/client/simple/vfsclientset, and controlstore in etcd-manager.
_OBJECT = re.compile(
    r"(?:://|\$).*/(?:(?:instancegroup|control)/[^/]+|cluster(?:-completed)?\.spec)$"
    r"|://.*/config$"
)
_WRITES = frozenset({"cp", "mv", "rm"})


def read_provider(invocation: Invocation) -> Command:
    """The command that a cloud's own command line asks for."""
    names, given = _parse(invocation)
    line = " ".join([invocation.program, *names])
    known = next((e for e in _TABLE if f"{line} ".startswith(f"{e} ")), None)
    if line.startswith("aws ssm send-command"):
        return Unreadable(
            text=invocation.text,
            span=invocation.span,
            reason=Unknown(invocation.text, "it runs commands on machines"),
            reach=Reach.MACHINE,
        )
    if _edits_store(given):
        return Unreadable(
            text=invocation.text,
            span=invocation.span,
            reason=Unknown(invocation.text, "it changes the state store past kops"),
            reach=Reach.STATE_STORE,
        )
    rest = given.positionals[len(known.split()) - 1 :] if known is not None else ()
    if invocation.program == "scw":
        # Its options are words like zone=fr-par-1.
        rest = tuple(word for word in rest if "=" not in word.shown)
    if known is not None and not given.has("dry-run", "dryrun"):
        command = _change(invocation, known, rest, given)
        if command is not None:
            return command
    verb = " ".join([invocation.program, *names[:2]])
    return Reads(text=invocation.text, span=invocation.span, verb=verb)


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
        given = arguments(words, _OPTIONS)
    names: list[str] = []
    for word in given.positionals[:4]:
        if word.text is None:
            break
        names.append(word.text)
    return names, given


def _change(
    invocation: Invocation, known: str, rest: tuple[Word, ...], given: Arguments
) -> Command | None:
    text, span = invocation.text, invocation.span
    if known in STOPS:
        named = given.all("instance-ids", "instance-id", "instances", "name", "n")
        if known.startswith("gcloud") and known.split()[2] != "instances":
            # The positional argument of these is the group.
            rest = ()
        return StopInstances(
            text=text,
            span=span,
            verb=STOPS[known],
            instances=tuple(i for w in (*named, *rest) for i in split_commas(w)),
        )
    if known in VOLUMES:
        verb = VOLUMES[known]
        if verb == "retag":
            volumes = tuple(w for w in given.all("resources") if _is_volume(w))
            if not volumes:
                return None
        else:
            volumes = given.all("volume-id", "disk", "name", "n") or rest
        return DeleteVolumes(
            text=text,
            span=span,
            verb=verb,
            volumes=volumes,
            note="\n".join(invocation.places),
        )
    if known in GROUPS:
        sizes = ("desired-capacity", "max-size", "min-size", "size", "new-capacity")
        size = next((w for w in map(given.value, sizes) if w is not None), None)
        deletes = "delete" in known
        if size is None and not deletes:
            return None
        group = given.value("auto-scaling-group-name", "name", "n")
        return ResizeCloudGroup(
            text=text,
            span=span,
            group=group if group is not None else next(iter(rest), None),
            size=size,
            deletes=deletes,
        )
    if known.endswith(("sync", "rsync")):
        if not given.has("delete", "d"):
            return None
        # What is missing at the source is removed at the destination, the second.
        rest = rest[1:]
    target = given.value("bucket") if known.startswith("aws s3api") else None
    removed = [w for w in ((target,) if target else rest) if _STORE.search(w.shown)]
    if not removed:
        return None
    return DeleteBackups(text=text, span=span, target=removed[0])


def _is_volume(word: Word) -> bool:
    if word.text is not None:
        return word.text.startswith("vol-")
    return _VOLUME.search(word.shown) is not None
