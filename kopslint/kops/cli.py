"""How kops reads its command line: the grammar of cobra and pflag over its table.

What a command does is not known here. A line that kops would refuse still gives
its best reading, with the faults beside it, so that people learn all at once.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.kops.cli_checks import (
    check_arguments,
    check_command,
    cluster_of,
    names_command,
    removed_command,
)
from kopslint.kops.cli_table import TRUE, table
from kopslint.kops.cli_words import ELLIPSIS, Fault, Line, sort_words
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kopslint.syntax.script import Unknown, Word

# An unknown value of one of these decides whether a command acts, or how.
_DECISIVE = ("yes", "dry-run", "force", "cloudonly", "target")


class Call(Record):
    """One kops command line.

    ``path`` is the canonical name of the command (``edit instancegroup``), that of
    a removed command, or as far as it could be followed. ``values`` has the values
    of each flag in order, under its canonical name, lists already split; a flag
    that stands without a value has the one it then means. ``cluster`` is the name
    of the cluster if the line or KOPS_CLUSTER_NAME gives one. ``undecided`` is a
    part known only at run time that decides whether and how the command acts.
    """

    path: str
    positionals: tuple[Word, ...] = ()
    values: Mapping[str, tuple[Word, ...]] = MappingProxyType({})
    cluster: Word | None = None
    faults: tuple[Fault, ...] = ()
    help: bool = False
    undecided: Unknown | None = None

    def value(self, flag: str) -> Word | None:
        """The value of a flag (the last one wins), or None if it is not given."""
        given = self.values.get(flag)
        return given[-1] if given else None

    def all(self, flag: str) -> tuple[Word, ...]:
        """All values of a flag, in order."""
        return self.values.get(flag, ())

    def is_on(self, flag: str) -> bool:
        """Whether a boolean flag is on, as given or by default; unknown is off."""
        value = self.value(flag)
        if value is not None:
            return value.text in TRUE
        verb = table().verbs.get(self.path)
        known = verb.flags.get(flag) if verb is not None else None
        return known is not None and known.default == "true"


def parse(words: Sequence[Word], default_cluster: Word | None = None) -> Call:
    """Read a kops command line; ``words`` starts with the program itself.

    ``default_cluster`` is the value of KOPS_CLUSTER_NAME. Never raises: what kops
    would refuse is a fault of the call. Source: kops cmd/kops/root.go and its
    commands' files, over cobra and pflag.
    """
    line = sort_words(words)
    if line.help:
        return Call(line.verb.path, tuple(line.positionals), help=True)
    path, unknown_name = line.verb.path, None
    if names_command(line):
        line.faults += line.unknown_flags
        check_arguments(line)
    elif (removed := removed_command(line)) is not None:
        path = removed
    else:
        unknown_name = _unknown_name(line)
        if unknown_name is None:
            check_command(line)
    cluster = cluster_of(line, default_cluster)
    return Call(
        path=path,
        positionals=tuple(line.positionals),
        values={name: tuple(values) for name, values in line.values.items()},
        cluster=cluster,
        faults=tuple(sorted(line.faults, key=lambda fault: fault.span.order)),
        undecided=unknown_name or _undecided(line),
    )


def _unknown_name(line: Line) -> Unknown | None:
    """What stands in the place of a command's name and is known only at run time."""
    loose = [word for word in line.loose if word.shown not in ELLIPSIS]
    first = line.positionals[:1] or loose[:1]
    return first[0].unknown if first else None


def _undecided(line: Line) -> Unknown | None:
    for name in _DECISIVE:
        for value in line.values.get(name, [])[-1:]:
            if value.unknown is not None:
                return value.unknown
    if "yes" in line.verb.flags and "yes" not in line.values:
        # An ellipsis stands for what its author thinks does not matter here.
        unknowns = (w.unknown for w in line.loose if w.shown not in ELLIPSIS)
        return next((unknown for unknown in unknowns if unknown is not None), None)
    return None
