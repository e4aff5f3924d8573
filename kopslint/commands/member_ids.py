"""Which member an id is that a list looks up: ``$(etcdctl member list | awk ...)``.

The filter is carried out on the member list that etcd would print for members of known
names. Ids and addresses are not known, so two lists are made that differ in them: what
is printed for both alike is certain, and anything else is not known.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

from kopslint.commands.ids import is_hexadecimal
from kopslint.commands.model import MemberList
from kopslint.commands.parse import recognise
from kopslint.notations.command_list import simple_commands
from kopslint.records import Record
from kopslint.shell.ast import (
    AndOr,
    ErrExit,
    Group,
    Pipeline,
    SimpleCommand,
    Statements,
)
from kopslint.shell.output import NOTHING, printed
from kopslint.shell.text_filters import filtered, hexadecimal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.shell.ast import Statement, Word

# Ids of one list with letters, and of one without: a filter may look at them too.
_ALPHABETS = ("9f3cab5de1", "9631487527")
_JQ_NAMED = (
    r"\.members\s*\[\]\s*\|\s*select\(\s*\.name\s*(?:"
    r"==\s*(?:\"(?P<equal>[^\"\\]*)\"|\$(?P<name>\w+))"
    r"|\|\s*(?P<how>endswith|startswith|contains|test)\(\"(?P<part>[^\"\\]*)\"\))\s*\)"
    r"\s*(?:\|\s*)?\.ID(?:\s*\|\s*tostring)?"
)


class Found(Record):
    """What a looked-up id is: the members that it is of, in order.

    ``words`` is how many words the shell makes of it, and ``wrong`` what is printed
    instead of an id, if anything is. ``rounded`` is whether a number went through jq:
    1.6 rounds ids, and later ones do not.
    """

    members: tuple[str, ...]
    words: int
    wrong: str = ""
    rounded: bool = False


def looked_up(
    word: Word, names: Mapping[str, str], etcd_cluster: str, cluster: str
) -> Found | None:
    """What an argument stands for that the list looks up in a member list.

    ``names`` are the members of the etcd cluster, by etcd's names of them, and
    ``cluster`` is the name of the Kubernetes cluster. None if the argument is no such
    thing, or if what picks the id is not read exactly.
    """
    if len(word.pieces) != 1 or word.unknown is None:
        return None
    statement = word.unknown.printed_by
    if statement is None:
        return None
    first, second = (
        _Lookup([*names], etcd_cluster, cluster, kind).found(statement)
        for kind in (0, 1)
    )
    if first is None or second is None or first != second:
        return None
    return first._replace(members=tuple(names[member] for member in first.members))


class _Lookup:
    """One member list, and what statements make of it."""

    def __init__(
        self, names: list[str], etcd_cluster: str, cluster: str, kind: Literal[0, 1]
    ) -> None:
        self._names = names
        self._etcd_cluster = etcd_cluster
        self._cluster = cluster
        self._elsewhere = ""
        self._kind = kind
        self._rounded = False
        digits = _ALPHABETS[kind]
        self._ids = {
            name: f"{digits[number % 10 :]}{digits[: number % 10]}{number:06}"
            for number, name in enumerate(names, 1)
        }

    def found(self, statement: Statement) -> Found | None:
        text = self._output(statement)
        if text is None:
            return None
        by_id = {id_: name for name, id_ in self._ids.items()}
        members: list[str] = []
        words = text.split()
        if self._elsewhere:
            return Found((), 1, f"an id of etcd {self._elsewhere}")
        wrong = ""
        for word in words:
            if word in by_id:
                members.append(by_id[word])
            elif not wrong:
                wrong = self._instead(word)
        return Found(tuple(members), len(words), wrong, self._rounded)

    def _instead(self, word: str) -> str:
        for id_ in self._ids.values():
            if word == str(int(id_, 16)):
                return "the id in decimal"
            if word.strip(",:;'\"") == id_:
                return f"the id with {word.replace(id_, '')!r}"
        return "no id" if is_hexadecimal(word) else "not a hexadecimal number"

    # --- what statements print ------------------------------------------------------

    def _output(self, statement: Statement) -> str | None:
        match statement:
            case SimpleCommand():
                return self._of_command(statement)
            case Group(body=body, background=False):
                return self._output(body)
            case Group(background=True) if _only_waits(statement):
                return ""
            case ErrExit():
                return ""
            case AndOr(left=left, operator="||", right=right) if right == NOTHING:
                # Only assigns, or is what a substitution in an argument runs.
                quiet = isinstance(left, Group) or _is_test(left)
                return "" if quiet else None
            case Statements(items=items):
                outputs = [self._output(item) for item in items]
                known = [output for output in outputs if output is not None]
                return "".join(known) if len(known) == len(outputs) else None
            case Pipeline(items=(first, *filters), negated=False):
                text = self._output(first)
                for item in map(_alone, filters):
                    if text is None or item is None:
                        return None
                    text = self._through(item, text)
                return text
        return None

    def _of_command(self, command: SimpleCommand) -> str | None:
        if _is_test(command) or _is_quiet(command):
            return ""
        if command.words[0].text == "printf":
            return self._converted(command)
        pieces = printed(command)
        if pieces is not None:
            text = "".join(p for p in pieces if isinstance(p, str))
            return text if len(pieces) < 2 else None
        asked = recognise(command)
        if len(asked) != 1 or not isinstance(asked[0], MemberList):
            return None
        if asked[0].etcd_cluster not in (None, self._etcd_cluster):
            self._elsewhere = asked[0].etcd_cluster or ""
        return self._printed_as(asked[0].printed_as)

    def _converted(self, command: SimpleCommand) -> str | None:
        """``printf '%x' $(...)``."""
        if len(command.words) != 3 or command.words[1].text is None:
            return None
        inner = command.words[2].unknown
        if len(command.words[2].pieces) != 1 or inner is None or not inner.printed_by:
            return None
        text = self._output(inner.printed_by)
        numbers = text.split() if text is not None else []
        if text is None:
            return None
        return hexadecimal(command.words[1].text, numbers or ["0"])

    def _through(self, command: SimpleCommand, text: str) -> str | None:
        if command.words[0].text == "jq":
            return self._jq([word.text for word in command.words[1:]], text)
        return filtered(command, text)

    def _jq(self, words: list[str | None], text: str) -> str | None:
        raw, names, rest = False, {}, list(words)
        while rest and (rest[0] or "").startswith("-"):
            option = rest.pop(0) or ""
            if option == "--arg" and len(rest) > 2 and None not in rest[:2]:
                names[rest.pop(0)] = rest.pop(0)
            elif option in ("-r", "--raw-output", "-c", "-rc"):
                raw |= "r" in option
            else:
                return None
        found = re.fullmatch(_JQ_NAMED, (rest[0] or "").strip()) if rest else None
        if found is None or len(rest) != 1 or not text.startswith("{"):
            return None
        wanted = found["equal"] or names.get(found["name"]) or found["part"]
        if wanted is None or (found["how"] == "test" and re.search(r"[^\w-]", wanted)):
            return None
        ids = [
            member["ID"]
            for member in json.loads(text)["members"]
            if _picks(found["how"], wanted, member["name"])
        ]
        self._rounded |= any(isinstance(id_, int) for id_ in ids)
        quoted = (
            f'"{id_}"' if isinstance(id_, str) and not raw else id_ for id_ in ids
        )
        return "".join(f"{id_}\n" for id_ in quoted)

    # --- what etcdctl prints ----------------------------------------------------------

    def _printed_as(self, form: str | None) -> str | None:
        """Sources: etcd etcdctl/ctlv3/command/printer_simple.go, printer_table.go."""
        rows = [self._row(name) for name in self._names]
        match form:
            case "simple":
                return "".join(", ".join(row) + "\n" for row in rows)
            case "table":
                return "".join(f"| {' | '.join(row)} |\n" for row in rows)
            case "json" | "hex":
                members = [
                    {"ID": id_ if form == "hex" else int(id_, 16), "name": name}
                    for name, id_ in self._ids.items()
                ]
                return json.dumps({"members": members})
        return None

    def _row(self, name: str) -> tuple[str, ...]:
        host = f"{name}.internal.{self._cluster}"
        if self._kind:
            host = f"10.0.0.{self._names.index(name) + 1}"
        urls = (f"https://{host}:{port}" for port in (2380, 4001))
        return (self._ids[name], "started", name, *urls, "false")


_QUIET = frozenset({":", "kill", "shift", "sleep", "test", "trap", "true", "wait", "["})


def _is_quiet(call: SimpleCommand) -> bool:
    """Whether a program prints nothing, whatever it does."""
    return bool(call.words) and call.words[0].text in _QUIET


def _only_waits(statement: Statement) -> bool:
    """Whether a job only ends another one after a time, which it reads."""
    calls = list(simple_commands(statement))
    return all(_is_quiet(call) or call.words[0].text == "date" for call in calls)


def _is_test(statement: Statement) -> bool:
    return isinstance(statement, SimpleCommand) and statement.words[0].text in (
        "[",
        "[[",
        "test",
    )


def _alone(statement: Statement) -> SimpleCommand | None:
    """The only command of a statement, None if there are more or none."""
    while isinstance(statement, Group | Statements):
        inner = statement.items if isinstance(statement, Statements) else ()
        if isinstance(statement, Group):
            inner = (statement.body,)
        if len(inner) != 1:
            return None
        (statement,) = inner
    return statement if isinstance(statement, SimpleCommand) else None


def _picks(how: str | None, wanted: str, name: str) -> bool:
    """Whether jq picks a member by its name: by all of it, or by a part."""
    match how:
        case "endswith":
            return name.endswith(wanted)
        case "startswith":
            return name.startswith(wanted)
        case "contains" | "test":
            return wanted in name
    return name == wanted
