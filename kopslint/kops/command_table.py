"""kops's commands and flags as a table: what exists, not how a line is read.

The table is data (``cli.json``), carried over from kops's generated reference and
its sources. Beside what ``kops --help`` shows it has the flags that kops hides but
still takes (klog's, deprecated names, those behind feature gates), so that nobody
is told that a flag does not exist when it does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.records import Keyed, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

# strconv.ParseBool of Go, which pflag uses.
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_INTEGER = r"[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|[0-9_]+)"
_TARGETS = ("direct", "dryrun", "terraform")


class Flag(Record):
    """One flag.

    ``name`` is the canonical name, also for a deprecated or normalised spelling.
    ``bare`` is its value when it stands without one, None if it needs a value.
    ``hidden`` flags work but are not suggested to anyone.
    """

    name: str
    type: str
    short: str | None
    bare: str | None
    default: str | None
    hidden: bool

    def objection(self, text: str) -> str | None:
        """What the flag takes instead, if it does not take this value."""
        match self.type:
            case "bool" if text not in TRUE and text not in _FALSE:
                return "true or false"
            case "int" | "int32" | "Level" if not re.fullmatch(_INTEGER, text):
                return "a whole number"
            case "duration" if go_seconds(text) is None:
                return "a duration such as 10m or 1h30m"
            # Source: kops upup/pkg/fi/cloudup/target.go.
            case "target" if text.lower() not in _TARGETS:
                return "direct or terraform"
            case _:
                return None


class Verb(Record):
    """One command.

    ``path`` is its canonical name without ``kops`` (``edit instancegroup``).
    ``flags`` are those that it takes, inherited ones included, by every long
    spelling. ``children`` are its subcommands by name and alias. ``arguments`` is
    the usage of its positional arguments, of which it takes ``least`` to ``most``
    (None: any number). ``runs`` is false for a command that only groups others:
    kops prints its help and exits with 0.
    """

    path: str
    flags: Mapping[str, Flag]
    children: Mapping[str, str]
    arguments: str
    least: int
    most: int | None
    required: tuple[str, ...]
    runs: bool

    def short(self, letter: str) -> Flag | None:
        """The flag of a one-letter spelling, if there is one."""
        return next((f for f in self.flags.values() if f.short == letter), None)

    @property
    def takes_cluster(self) -> bool:
        """Whether its first positional argument is the cluster's name."""
        return self.arguments.startswith("[CLUSTER")


class Table(Record):
    """All of kops: its commands by canonical path; the root is ``""``.

    ``removed`` has commands that older kops had, with what replaces them ("" if
    nothing does); ``instead`` has commands that kops never had, but people try.
    """

    verbs: Mapping[str, Verb]
    removed: Mapping[str, str]
    instead: Mapping[str, str]


class _FlagEntry(Keyed, total=False):
    type: str
    short: str
    bare: str
    default: str
    hidden: bool
    persistent: bool
    use: str


class _VerbEntry(Keyed, total=False):
    aliases: list[str]
    arguments: str
    count: tuple[int, int | None]
    required: list[str]
    flags: dict[str, _FlagEntry]


class _Entries(Keyed):
    source: str
    instead: dict[str, str]
    removed: dict[str, str]
    commands: dict[str, _VerbEntry]


@cache
def table() -> Table:
    """The table of this version of kopslint, read once.

    Source: kops docs/cli/*.md; for hidden flags cmd/kops/root.go,
    create_cluster.go and rolling-update_cluster.go.
    """
    text = Path(__file__).with_name("cli.json").read_text(encoding="utf-8")
    entries: _Entries = json.loads(text)
    commands = entries["commands"]
    return Table(_Verbs(commands), entries["removed"], entries["instead"])


class _Verbs(Mapping[str, Verb]):
    """The commands by canonical path, each made when it is first asked for.

    A list uses a few of them, and all of them have 1,600 flags.
    """

    def __init__(self, commands: Mapping[str, _VerbEntry]) -> None:
        self._commands = commands
        self._made: dict[str, Verb] = {}

    def __getitem__(self, path: str) -> Verb:
        if path not in self._made:
            self._made[path] = _verb(path, self._commands)
        return self._made[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


def _verb(path: str, commands: Mapping[str, _VerbEntry]) -> Verb:
    entry = commands[path]
    flags: dict[str, Flag] = {}
    for ancestor in _ancestors(path):
        for name, flag in commands[ancestor].get("flags", {}).items():
            if flag.get("persistent"):
                flags[name] = _flag(name, flag)
    # A command's own flag hides an inherited one of the same name, as in pflag.
    for name, flag in entry.get("flags", {}).items():
        flags[name] = _flag(name, flag)
    children: dict[str, str] = {}
    for child, below in commands.items():
        parent, _, name = child.rpartition(" ")
        if child and parent == path:
            children |= dict.fromkeys((name, *below.get("aliases", [])), child)
    least, most = entry.get("count", (0, 0))
    return Verb(
        path=path,
        flags=flags,
        children=children,
        arguments=entry.get("arguments", ""),
        least=least,
        most=most,
        required=tuple(entry.get("required", [])),
        runs=not children or (bool(path) and "flags" in entry),
    )


def _ancestors(path: str) -> list[str]:
    names = path.split()
    return [" ".join(names[:length]) for length in range(len(names) + 1)]


def _flag(name: str, entry: _FlagEntry) -> Flag:
    kind = entry["type"]
    return Flag(
        name=entry.get("use", name),
        type=kind,
        short=entry.get("short"),
        bare=entry.get("bare", "true" if kind == "bool" else None),
        default=entry.get("default"),
        hidden=entry.get("hidden", False),
    )
