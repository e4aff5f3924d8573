"""What a simulation is about: both sides of the change and every command of the list.

Here the questions are answered that a single command leaves open but the change
does not: which member an unknown id stands for, which objects a file holds, which
group a variable may name. Every answer that is an assumption is handed back as
one, so that it can be said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.commands.model import (
    CreateInstanceGroup,
    DeleteInstanceGroup,
    EditInstanceGroup,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.commands.command import Command
    from kopslint.kops.spec import Manifest
    from kopslint.syntax.script import Word

_TOKENS = re.compile(r"[0-9A-Za-z]+")
_NOISE = re.compile(r"(?<![\w-])-\w\b|\$\d")
"""Short options and the fields of awk, which name nobody."""


@dataclass(frozen=True)
class Plan:
    """Both sides of the change and all commands of the list, in order."""

    before: Manifest
    after: Manifest
    commands: tuple[Command, ...] = field(repr=False, default=())

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Every member name of each etcd cluster, those of before first."""
        names: dict[str, dict[str, None]] = {}
        for side in (self.before, self.after):
            for etcd in side.etcd_clusters:
                known = names.setdefault(etcd.name, {})
                known.update({member.name: None for member in etcd.members})
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

    def group_of(self, etcd_cluster: str, member: str) -> str | None:
        """The group that a member name belongs to, as before or after says."""
        for side in (self.before, self.after):
            for etcd in side.etcd_clusters:
                found = etcd.member(member) if etcd.name == etcd_cluster else None
                if found is not None:
                    return found.group
        return None

    def meant_members(self, etcd_cluster: str, word: Word | None) -> tuple[str, ...]:
        """The members that an argument may stand for; empty if nobody can tell.

        A member's name means that member, and so does an expression that spells out
        one name. Anything else (an id, a variable) is taken to mean a member that
        the change removes, narrowed by what the variable is called; failing that,
        one whose group the list handles.
        """
        names = self.members.get(etcd_cluster, ())
        meant = _meant(word, names)
        if len(meant) == 1:
            return meant
        leaving = [n for n in names if n in self.leaving.get(etcd_cluster, ())]
        handled = [
            name
            for name in names
            if self.group_of(etcd_cluster, name) in self.handled_groups
        ]
        candidates = leaving or handled
        return tuple(self._hinted(etcd_cluster, candidates, word) or candidates)

    def names_member(self, etcd_cluster: str, word: Word | None) -> bool:
        """Whether an argument leaves no doubt which member it stands for.

        It is the member's name, or an expression that spells exactly one name out.
        """
        return len(_meant(word, self.members.get(etcd_cluster, ()))) == 1

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

        A word that holds a group's name means that group. Ids say nothing; they
        are taken to mean a group that the change removes or that the list handles.
        """
        groups = [group.name for group in self.before.control_plane]
        named = [g for g in groups if any(g in word.shown for word in words)]
        hinted = [g for g in groups if any(_hints(word, g) for word in words)]
        removed = [g for g in groups if g not in self.after.groups]
        handled = [g for g in groups if g in self.handled_groups]
        return tuple(named or hinted or removed or handled)

    def meant_manifest(self, word: Word | None) -> Manifest:
        """The objects that a file argument holds: those of the side it belongs to.

        A file that is not among the inputs is taken to hold the after spec.
        """
        if not self.holds(self.after, word) and self.holds(self.before, word):
            return self.before
        return self.after

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

    @staticmethod
    def holds(manifest: Manifest, word: Word | None) -> bool:
        """Whether a file argument names one of the files of ``manifest``."""
        tail = word.shown.removeprefix("./") if word is not None else ""
        return bool(tail) and any(
            source.path == tail or source.path.endswith("/" + tail)
            for source in manifest.sources
        )


def _hints(word: Word | None, name: str) -> bool:
    """Whether what is unknown about a word is called like ``name``.

    ``$ID_MAIN_4`` hints at ``master-4``: the last part of the name is enough.
    """
    if word is None or word.unknown is None or not name:
        return False
    last = _parts(name)[-1:]
    return _spells(word, name) or bool(last and last[0] in _parts(word.shown))


def _meant(word: Word | None, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a word is, or that an expression spells out.

    A name that is part of another one which is spelt out is not meant itself.
    """
    if word is None or word.text is not None:
        return tuple(name for name in names if word is not None and word.text == name)
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
