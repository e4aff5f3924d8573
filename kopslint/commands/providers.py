"""The clouds' own command lines, where they touch machines, disks, groups, backups.

One table says which commands matter and what they do to what; everything else
that such a program does is ``Reads``: it is no part of the control plane.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.commands.invocation import arguments, skip_options
from kopslint.commands.model import (
    DeleteBackups,
    DeleteVolumes,
    Reads,
    ResizeCloudGroup,
    StopInstances,
    Unreadable,
)
from kopslint.syntax.script import Unknown, Word
from kopslint.syntax.word_cut import split_commas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.commands.command import Command
    from kopslint.commands.invocation import Arguments, Invocation

_AWS_GLOBAL = (
    "profile region output endpoint-url query color ca-bundle cli-read-timeout"
    " cli-connect-timeout cli-binary-format"
)
_S3_OPTIONS = f"{_AWS_GLOBAL} exclude include page-size request-payer"
_OPTIONS = (
    "zone region project format filter size instances instance name n resource-group g"
    " new-capacity ids subscription o account configuration disk os-cloud boot-disk"
)

_Stop = Literal["terminate", "stop", "reboot", "start"]
_STOPS: Mapping[str, _Stop] = {
    "aws ec2 terminate-instances": "terminate",
    "aws ec2 stop-instances": "stop",
    "aws ec2 reboot-instances": "reboot",
    "aws ec2 start-instances": "start",
    "aws autoscaling terminate-instance-in-auto-scaling-group": "terminate",
    "gcloud compute instances delete": "terminate",
    "gcloud compute instances stop": "stop",
    "gcloud compute instances suspend": "stop",
    "gcloud compute instances reset": "reboot",
    "gcloud compute instances start": "start",
    "gcloud compute instance-groups managed delete-instances": "terminate",
    "gcloud compute instance-groups managed recreate-instances": "terminate",
    "az vm delete": "terminate",
    "az vm deallocate": "stop",
    "az vm stop": "stop",
    "az vm restart": "reboot",
    "az vm start": "start",
    "az vmss delete-instances": "terminate",
    "openstack server delete": "terminate",
    "openstack server stop": "stop",
    "openstack server reboot": "reboot",
    "openstack server start": "start",
}
_Change = Literal["delete", "detach", "retag"]
_VOLUMES: Mapping[str, _Change] = {
    "aws ec2 delete-volume": "delete",
    "aws ec2 detach-volume": "detach",
    "aws ec2 create-tags": "retag",
    "aws ec2 delete-tags": "retag",
    "gcloud compute disks delete": "delete",
    "gcloud compute instances detach-disk": "detach",
    "az disk delete": "delete",
    "az vm disk detach": "detach",
    "openstack volume delete": "delete",
}
_GROUPS = (
    "aws autoscaling set-desired-capacity",
    "aws autoscaling update-auto-scaling-group",
    "aws autoscaling delete-auto-scaling-group",
    "gcloud compute instance-groups managed resize",
    "gcloud compute instance-groups managed delete",
    "az vmss scale",
    "az vmss delete",
)
_REMOVES = (
    "aws s3 rm",
    "aws s3 rb",
    "aws s3 mv",
    "aws s3 sync",
    "aws s3api delete-object",
    "aws s3api delete-objects",
    "aws s3api delete-bucket",
    "gcloud storage rm",
    "gsutil rm",
    "gsutil mv",
    "gsutil rsync",
)
_TABLE = sorted((*_STOPS, *_VOLUMES, *_GROUPS, *_REMOVES), key=len, reverse=True)

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
        )
    if _edits_store(given):
        return Unreadable(
            text=invocation.text,
            span=invocation.span,
            reason=Unknown(invocation.text, "it changes the state store past kops"),
        )
    rest = given.positionals[len(known.split()) - 1 :] if known is not None else ()
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
    if known in _STOPS:
        named = given.all("instance-ids", "instance-id", "instances", "name", "n")
        if known.startswith("gcloud") and known.split()[2] != "instances":
            # The positional argument of these is the group.
            rest = ()
        return StopInstances(
            text=text,
            span=span,
            verb=_STOPS[known],
            instances=tuple(i for w in (*named, *rest) for i in split_commas(w)),
        )
    if known in _VOLUMES:
        verb = _VOLUMES[known]
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
    if known in _GROUPS:
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
