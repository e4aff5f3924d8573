"""What a simulation is about: both sides of a change, the list, the files it names.

Here the questions are answered that a single command leaves open but the change
does not: which member an unknown id stands for, which objects a file holds, which
group a variable may name. Every answer that is an assumption is handed back as
one, so that it can be said.
"""

from __future__ import annotations

import posixpath
import re
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from kopslint.commands.kops import (
    CreateCluster,
    CreateInstanceGroup,
    DeleteInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    EncryptionConfig,
)
from kopslint.commands.model import MemberRemove
from kopslint.findings import Severity
from kopslint.kops.clouds import cloud_named
from kopslint.kops.etcd_manager import member_name
from kopslint.model.assumptions import Kind, assume
from kopslint.model.spec_files import SpecFiles, file_name, key
from kopslint.records import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.commands.member_ids import Found
    from kopslint.commands.model import Command
    from kopslint.kops.encryption import Keys
    from kopslint.kops.spec import Manifest
    from kopslint.model.assumptions import Assumption
    from kopslint.shell.ast import Word
    from kopslint.text import Span

_MEMBER_NAMED = re.compile(r"etcdMembers\[[*\d]+\]\.name=(.+)")
_TOKENS = re.compile(r"[0-9A-Za-z]+")
_VARIABLE = r"\$\{?\w+\}?"
_NOISE = re.compile(r"(?<![\w-])-\w\b|\$\d")
"""Short options and the fields of awk, which name nobody."""
_ROLE = re.compile(
    r"(?:k8s\.io/role/|node-role\.kubernetes\.io/)([a-z-]+)"
    r"|\broles?\b\W{0,6}==\W{0,3}([a-z-]+)"
)
"""A machine's role as its tags, a node's labels, or kops's own output have it.

Sources: kops awsup/aws_cloud.go, nodelabels/builder.go, cmd/kops/get_instances.go.
"""
_WORKER = re.compile(r"(?i)(?<![a-z])(workers?|bastions?)(?![a-z])")
_PERSISTENT = re.compile(r"(?i)(?<![a-z])pvc?s?(?![a-z])|persistent")
_CONTROL_PLANE = re.compile(r"(?i)master|control[-_]?plane|etcd")


class Scenario(Frozen):
    """Both sides of the change, all commands of the list in order, and spec files.

    ``kops_version`` is the kops that runs the commands, None if nobody said. ``ids``
    are the members of each etcd cluster by the id that was observed.
    """

    before: Manifest
    after: Manifest
    commands: tuple[Command, ...] = ()
    files: SpecFiles = SpecFiles()
    kops_version: str | None = None
    ids: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    @cached_property
    def memory(self) -> dict[object, Any]:
        """Answers about objects that are asked for again and again, by question."""
        return {}

    @property
    def specs(self) -> tuple[Manifest, ...]:
        """Everything that may be stored: before, after, and what the files hold."""
        return (self.before, self.after, *self.files.objects.values())

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Every member name of each etcd cluster, those of before first.

        One that an edit gives may be in any of them.
        """
        names: dict[str, dict[str, None]] = {}
        for spec in self.specs:
            for etcd in spec.etcd_clusters:
                known = names.setdefault(etcd.name, {})
                known.update({member.name: None for member in etcd.members})
        for edit in self.commands:
            for word in edit.sets if isinstance(edit, EditCluster) else ():
                match = _MEMBER_NAMED.search(word.text or "")
                if match is not None:
                    for known in names.values():
                        known[match[1]] = None
        for etcd_cluster, seen in self.ids.items():
            known = names.setdefault(etcd_cluster, {})
            known.update(dict.fromkeys(seen.values()))
        return MappingProxyType({etcd: tuple(known) for etcd, known in names.items()})

    @cached_property
    def leaving(self) -> Mapping[str, frozenset[str]]:
        """The members of each etcd cluster that the change takes out of the spec."""
        return MappingProxyType(
            {
                etcd.name: frozenset(member.name for member in etcd.members)
                - frozenset(
                    member.name
                    for again in self.after.etcd_clusters
                    if again.name == etcd.name
                    for member in again.members
                )
                for etcd in self.before.etcd_clusters
            }
        )

    @cached_property
    def handled_groups(self) -> frozenset[str]:
        """Groups that some command of the list deletes, creates or edits by name."""
        named = (
            command.group.text
            for command in self.commands
            if isinstance(
                command, DeleteInstanceGroup | CreateInstanceGroup | EditInstanceGroup
            )
            and command.group is not None
        )
        return frozenset(name for name in named if name)

    def deleted_after(self, command: Command) -> Iterator[str]:
        """The groups that the list deletes by name after a command, in order."""
        place = next((i for i, c in enumerate(self.commands) if c is command), 0)
        for other in self.commands[place:]:
            if isinstance(other, DeleteInstanceGroup) and other.group is not None:
                yield other.group.text or ""

    def group_of(self, etcd_cluster: str, member: str) -> str | None:
        """The group that a member name belongs to, as before says, or else after."""
        for spec in self.specs:
            for etcd in spec.etcd_clusters:
                found = etcd.member(member) if etcd.name == etcd_cluster else None
                if found is not None:
                    return found.group
        return None

    def meant_members(self, etcd_cluster: str, word: Word | None) -> tuple[str, ...]:
        """The members that an argument may stand for; empty if nobody can tell.

        A member's name means that member, and what is looked up in a member list
        those that it finds. Anything else (an id, a variable) is taken to mean a member
        that it spells out, or one that the change removes, narrowed by what the
        list handles and the variable is called; failing that, one whose group the list
        handles.
        """
        names = self.members.get(etcd_cluster, ())
        observed = self._with_id(etcd_cluster, word)
        if observed is not None:
            return (observed,)
        found = self.looked_up(etcd_cluster, word, names)
        if found is not None:
            return found.members
        meant = _meant(word, names)
        if len(meant) == 1:
            return meant
        leaving = [n for n in names if n in self.leaving.get(etcd_cluster, ())]
        handled = [
            name
            for name in names
            if self.group_of(etcd_cluster, name) in self.handled_groups
        ]
        both = [name for name in leaving if name in handled]
        candidates = both or leaving or handled
        return tuple(self._hinted(etcd_cluster, candidates, word) or candidates)

    def names_member(self, etcd_cluster: str, word: Word | None) -> bool:
        """Whether an argument leaves no doubt which member it stands for.

        It is the member's name, or picks its id from the member list. In clouds where
        etcd has names of its own, an expression that spells out one name does as well.
        """
        names = self.members.get(etcd_cluster, ())
        if self._with_id(etcd_cluster, word) is not None:
            return True
        found = self.looked_up(etcd_cluster, word, names)
        if found is not None:
            return len(found.members) == 1
        plain = word is not None and word.text is not None
        return (plain or self._called_by_volume) and len(_meant(word, names)) == 1

    def _with_id(self, etcd_cluster: str, word: Word | None) -> str | None:
        """The member that was observed with this id."""
        text = word.text if word is not None else None
        if text is None:
            return None
        plain = text.lower().removeprefix("0x").lstrip("0")
        return self.ids.get(etcd_cluster, {}).get(plain)

    def looked_up(
        self, etcd_cluster: str, word: Word | None, listed: Iterable[str]
    ) -> Found | None:
        """What an argument is that is picked from a member list with these members.

        None if it is no such thing, or if nobody can tell what is picked.
        """
        if word is None or word.text is not None or self._called_by_volume:
            return None
        from kopslint.commands.member_ids import looked_up

        names = {member_name(etcd_cluster, name): name for name in listed}
        return looked_up(word, names, etcd_cluster, self.before.name)

    @cached_property
    def _called_by_volume(self) -> bool:
        clouds = filter(None, (cloud_named(spec.cloud) for spec in self.specs))
        return any(cloud.members_are != "names" for cloud in clouds)

    def etcd_clusters_of_id(self, id_: str | None) -> frozenset[str]:
        """The etcd clusters in which the list removes a member by this id."""
        return frozenset(
            command.etcd_cluster
            for command in self.commands
            if isinstance(command, MemberRemove)
            and command.etcd_cluster is not None
            and command.member is not None
            and id_ is not None
            and command.member.text == id_
        )

    def meant_groups(
        self, word: Word | None, existing: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The groups among ``existing`` that an unknown argument may stand for.

        Those that the change removes, else those whose name the variable hints
        at, else every one of them.
        """
        gone = [name for name in existing if name not in self.after.groups]
        hinted = [name for name in existing if _hints(word, name)]
        return tuple(gone or hinted or existing)

    def meant_machines(self, words: tuple[Word, ...]) -> tuple[str, ...]:
        """The control-plane groups whose machine or disk the arguments may name.

        Ids say nothing; they are taken to mean a group that the change removes or that
        the list handles.
        """
        old = [group.name for group in self.before.control_plane]
        removed = [g for g in old if g not in self.after.groups]
        handled = [g for g in old if g in self.handled_groups]
        told = self.told_machines(words)
        return tuple(dict.fromkeys(told or removed or handled))

    def told_machines(self, words: tuple[Word, ...]) -> tuple[str, ...]:
        """The control-plane groups that the arguments themselves tell of.

        A word that is a group's name, or spells it out, means that group; a variable
        may be called like one.
        """
        groups = self._control_plane
        named = self.named_machines(words)
        spelt = [g for word in words for g in _spelt(_with_origin(word), groups)]
        hinted = [g for g in groups if any(_hints(word, g) for word in words)]
        return tuple(dict.fromkeys(named or spelt or hinted))

    def assumed_machines(
        self, words: tuple[Word, ...], meant: tuple[str, ...]
    ) -> tuple[Assumption, ...]:
        """That ids which say nothing are those of the groups that are ``meant``."""
        told = self.named_machines(words) or [
            g for word in words for g in _spelt(word, self._control_plane)
        ]
        if set(told) >= set(meant):
            return ()
        shown = " ".join(word.shown for word in words)
        text = f"{shown} is the machine of {' or '.join(meant)}"
        return (assume(Kind.MACHINE, shown, text),)

    def named_machines(self, words: tuple[Word, ...]) -> tuple[str, ...]:
        """The control-plane groups that some arguments are, to the letter."""
        said = {word.text for word in words}
        return tuple(group for group in self._control_plane if group in said)

    def names_workers(self, word: Word) -> bool:
        """Whether a word says that it is about machines which run no etcd.

        It has the tag of that role in it, or the name of such a group.
        """
        said = _with_origin(word).shown
        roles = {one or other for one, other in _ROLE.findall(said)}
        if roles:
            return roles <= {"node", "bastion"}
        every = (g for spec in self.specs for g in spec.groups.values())
        groups = tuple(dict.fromkeys(group.name for group in every))
        meant = _spelt(_with_origin(word), groups)
        if meant:
            return not any(name in self._control_plane for name in meant)
        return bool(_WORKER.search(said)) and not _CONTROL_PLANE.search(said)

    def names_other_disks(self, word: Word) -> bool:
        """Whether a word says that it is about disks which are none of etcd.

        They are of such machines, or those of persistent volumes.
        """
        said = _with_origin(word).shown
        return self.names_workers(word) or bool(_PERSISTENT.search(said))

    @cached_property
    def _control_plane(self) -> tuple[str, ...]:
        every = (group.name for spec in self.specs for group in spec.control_plane)
        return tuple(dict.fromkeys(every))

    def objects_of(self, word: Word) -> Manifest | None:
        """The objects that a file argument holds; None if nobody knows the file."""
        return self.files.objects.get(key(word))

    def keys_of(self, command: EncryptionConfig) -> Keys | None:
        """The keys that a command stores; None if nobody knows its file."""
        from kopslint.kops.encryption import keys_in

        known = self.files.secrets.get(key(command.file)) if command.file else None
        return keys_in(known) if known is not None else None

    @cached_property
    def new_keys(self) -> EncryptionConfig | None:
        """The first command that replaces the keys with which Secrets are encrypted."""
        cluster = self.before.cluster
        if cluster is None:
            return None
        # Most lists replace none.
        first = next(
            (c for c in self.commands if isinstance(c, EncryptionConfig) and c.force),
            None,
        )
        if first is None:
            return None
        from kopslint.kops.encryption import encrypts

        return first if encrypts(cluster) else None

    @property
    def rotated(self) -> Span | None:
        """Where a list stores keys as a rotation does: several, or to be read only.

        That those in use are among them is what a reader of the file takes, too.
        """
        first = self.new_keys
        keys = self.keys_of(first) if first is not None else None
        if first is None or keys is None or not keys.every:
            return None
        return first.span if len(keys.every) > 1 or not keys.writes else None

    def made_by_kops(self, group: str) -> Assumption | None:
        """What is assumed of a group that no file has, if the list creates a cluster.

        ``kops create cluster`` makes groups of its own, called by their zones or not,
        as its release does. Source: kops upup/pkg/fi/cloudup/new_cluster.go.
        """
        if not any(
            isinstance(command, CreateCluster) and not command.dry_run
            for command in self.commands
        ):
            return None
        made = "a group that `kops create cluster` makes"
        return assume(Kind.GROUP, group, f"{group} is {made}")

    def taken_for(self, word: Word, held: Manifest) -> Manifest:
        """The objects that a file which nobody has is taken to hold.

        One that is called like a group holds that group of ``held``, any other file
        all of ``held``.
        """
        group = self.group_called(word)
        if group is None:
            return held
        groups = {group: held.groups[group]} if group in held.groups else {}
        return held.replaced(cluster=None, groups=MappingProxyType(groups))

    def assumed_of(self, words: tuple[Word, ...], held: str) -> tuple[Assumption, ...]:
        """The assumption that files which are missing or unreadable hold ``held``."""
        said = {}
        for word in words:
            doubt = self.files.doubted.get(key(word))
            if key(word) in self.files.objects:
                if doubt is not None:
                    what = "what it holds now"
                    said[word.shown] = f"{word.shown} holds {what}: {doubt}"
                continue
            group = self.group_called(word)
            why = doubt or self.files.unread.get(key(word), "the file is not here")
            what = held if group is None else f"the group {group}"
            said[word.shown] = f"{word.shown} holds {what}: {why}"
        if not said:
            return ()
        told = "; ".join(said.values())
        if any(key(word) in self.files.reshaped for word in words):
            # Whoever takes members out of the file may store what breaks the cluster.
            return (assume(Kind.SPEC, " ".join(said), told, severity=Severity.WARNING),)
        return (assume(Kind.SPEC, " ".join(said), told),)

    def group_called(self, word: Word) -> str | None:
        """The group that a file is called like: ``ig-nodes.yaml`` is ``nodes``."""
        stem = posixpath.basename(file_name(word) or "").partition(".")[0]
        called = {stem, stem.removeprefix("ig-"), stem.removesuffix("-ig")}
        every = (name for spec in self.specs for name in spec.groups)
        return next((name for name in every if name in called), None)

    def _hinted(
        self, etcd_cluster: str, candidates: list[str], word: Word | None
    ) -> list[str]:
        found = []
        for name in candidates:
            group = self.group_of(etcd_cluster, name) or ""
            if _hints(word, name) or _hints(word, group):
                found.append(name)
        return found

    def edited_again(self, command: Command, group: str) -> bool:
        """Whether a later command of the list opens the same group in an editor."""
        place = next((i for i, c in enumerate(self.commands) if c is command), -1)
        return any(
            isinstance(other, EditInstanceGroup)
            and other.group is not None
            and other.group.text == group
            for other in self.commands[place + 1 :]
        )


def _with_origin(word: Word) -> Word:
    """The word with what its unknown pieces come from.

    `kubectl get nodes` is about all machines, and no group that is called nodes.
    """
    return word._replace(
        pieces=tuple(
            p
            if isinstance(p, str)
            else p._replace(name=_EVERY_NODE.sub("", f"{p.name} {p.of}".strip()))
            for p in word.pieces
        )
    )


_EVERY_NODE = re.compile(r"\b(?:get|describe|top)\s+(?:nodes?|no)\b")


def _hints(word: Word | None, name: str) -> bool:
    """Whether what is unknown about a word is called like ``name``.

    ``$ID_MAIN_4`` hints at ``master-4``: of a variable the last part of the name is
    enough. In a whole command that part may stand for anything.
    """
    if word is None or word.unknown is None or not name:
        return False
    if _spells(word, name):
        return True
    last = _parts(name)[-1:]
    named = re.fullmatch(_VARIABLE, word.unknown.name)
    return bool(named and last and last[0] in _parts(word.shown))


def _meant(word: Word | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a word is, or that an expression spells out."""
    if word is None or word.text is not None:
        return tuple(name for name in names if word is not None and word.text == name)
    return _spelt(word, names)


def _spelt(word: Word, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a word spells out, and not as a part of a longer one."""
    spelt = {name: _parts(name) for name in names if _spells(word, name)}
    return tuple(
        name
        for name, parts in spelt.items()
        if not any(
            len(longer) > len(parts) and _holds(longer, parts)
            for longer in spelt.values()
        )
    )


def _spells(word: Word, name: str) -> bool:
    """Whether a word has all parts of ``name`` in it, one after another."""
    return _holds(_parts(word.shown), _parts(name))


def _holds(said: list[str], parts: list[str]) -> bool:
    return any(said[i : i + len(parts)] == parts for i in range(len(said)))


def _parts(text: str) -> list[str]:
    return _TOKENS.findall(_NOISE.sub(" ", text.lower()))
