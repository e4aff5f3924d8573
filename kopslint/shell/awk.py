"""The one-liners of awk that pick lines and print fields, carried out exactly.

One rule: a condition on fields, and an action that prints. Source: POSIX, awk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.shell.text_filters import as_text, lines_of, pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEXEME = (
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<field>\$(?:NF|\d{1,2}|[A-Za-z_]\w*))"
    r"|(?P<number>\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||==|!=|!~|[!~(){};,]))"
)
_REGEX = r"\s*/((?:[^/\\]|\\.)+)/"


class _UnreadableError(Exception):
    """Something that is not carried out here."""


def awk(words: list[str], text: str) -> str | None:
    """What ``awk`` with these arguments prints for a text, if that is worked out."""
    separator, names = " ", {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        option, value = word[:2], word[2:]
        if option not in ("-F", "-v") or not (value or rest):
            return None
        value = value or rest.pop(0)
        if option == "-F":
            separator = value
            continue
        name, _, held = value.partition("=")
        if "\\" in held:
            return None
        if name == "FS":
            separator = held
        names[name] = held
    if len(rest) != 1:
        return None
    try:
        return _Program(rest[0], separator, names).run(text)
    except _UnreadableError:
        return None


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    if not line:
        return []
    if len(separator) == 1 and separator != "\\":
        return line.split("\t" if separator == "t" else separator)
    found = pattern(separator)
    if found is None or found.search(""):
        raise _UnreadableError
    return found.split(line)


class _Program:
    """One program, read anew for every line, as it is short."""

    def __init__(self, code: str, separator: str, names: Mapping[str, str]) -> None:
        self._code = code.strip()
        self._separator = separator
        self._names = names

    def run(self, text: str) -> str:
        printed: list[str] = []
        for number, line in enumerate(lines_of(text), 1):
            fields = [line, *_fields(line, self._separator)]
            turn = _Turn(self._code, fields, self._names, number)
            printed += turn.run()
            if turn.exits:
                break
        return as_text(printed)


class _Turn:
    """The program on one line."""

    def __init__(
        self, code: str, fields: list[str], names: Mapping[str, str], number: int
    ) -> None:
        self._code = code
        self._at = 0
        self._fields = fields
        self._names = names
        self._number = number
        self.exits = False

    def run(self) -> list[str]:
        chosen = True
        if not self._sees("{"):
            chosen = self._either()
        if self._rest() == "":
            return [self._fields[0]] if chosen else []
        printed = self._action(does=chosen)
        if self._rest():
            raise _UnreadableError
        return printed

    # --- reading ---------------------------------------------------------------

    def _rest(self) -> str:
        return self._code[self._at :].strip()

    def _sees(self, *signs: str) -> bool:
        return self._rest().startswith(signs)

    def _takes(self, sign: str) -> bool:
        found = re.compile(r"\s*" + re.escape(sign)).match(self._code, self._at)
        if found is None:
            return False
        self._at = found.end()
        return True

    def _needs(self, sign: str) -> None:
        if not self._takes(sign):
            raise _UnreadableError

    # --- the condition ----------------------------------------------------------

    def _either(self) -> bool:
        found = self._both()
        while self._takes("||"):
            found = self._both() or found
        return found

    def _both(self) -> bool:
        found = self._one()
        while self._takes("&&"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._takes("("):
            found = self._either()
            self._needs(")")
            return found
        if not self._sees("!~", "!=") and self._takes("!"):
            return not self._one()
        if (regex := self._regex()) is not None:
            return regex.search(self._fields[0]) is not None
        left = self._value()
        for sign in ("==", "!=", "!~", "~"):
            if self._takes(sign):
                return self._compared(left, sign)
        raise _UnreadableError

    def _compared(self, left: str, sign: str) -> bool:
        if "~" in sign:
            regex = self._regex() or pattern(self._value())
            if regex is None:
                raise _UnreadableError
            return (regex.search(left) is not None) is (sign == "~")
        right = self._value()
        return (left == right) is (sign == "==")

    def _regex(self) -> re.Pattern[str] | None:
        found = re.compile(_REGEX).match(self._code, self._at)
        if found is None:
            return None
        self._at = found.end()
        regex = pattern(found[1].replace(r"\/", "/"))
        if regex is None:
            raise _UnreadableError
        return regex

    def _value(self) -> str:
        """One value, or several that stand side by side and are joined."""
        parts: list[str] = []
        while (part := self._part()) is not None:
            parts.append(part)
        if not parts:
            raise _UnreadableError
        return "".join(parts)

    def _part(self) -> str | None:
        found = re.compile(_LEXEME).match(self._code, self._at)
        if found is None or found["sign"]:
            return None
        self._at = found.end()
        if found["string"]:
            held = found["string"][1:-1]
            if "\\" in held.replace(r"\"", "").replace(r"\.", ""):
                raise _UnreadableError
            return held.replace(r"\"", '"')
        if found["number"]:
            return found["number"]
        if found["field"]:
            return self._field(found["field"][1:])
        if found["name"] == "NR":
            return str(self._number)
        if found["name"] not in self._names:
            raise _UnreadableError
        return self._names[found["name"]]

    def _field(self, name: str) -> str:
        if name == "NF":
            return self._fields[-1]
        if not name.isdigit():
            raise _UnreadableError
        return self._fields[int(name)] if int(name) < len(self._fields) else ""

    # --- the action -------------------------------------------------------------

    def _action(self, *, does: bool) -> list[str]:
        self._needs("{")
        printed: list[str] = []
        while not self._takes("}"):
            if self._takes(";"):
                continue
            found = re.compile(r"\s*(print|exit|gsub|sub)\b").match(
                self._code, self._at
            )
            if found is None:
                raise _UnreadableError
            self._at = found.end()
            act: Callable[[], list[str]] = {
                "print": self._print,
                "exit": self._exit,
                "gsub": self._substitute,
                "sub": self._substitute,
            }[found[1]]
            fields = list(self._fields)
            made = act()
            if does:
                printed += made
            else:
                self._fields, self.exits = fields, False
        return printed

    def _print(self) -> list[str]:
        if self._rest()[:1] in (";", "}"):
            return [self._fields[0]]
        values = [self._value()]
        while self._takes(","):
            values.append(self._value())
        return [" ".join(values)]

    def _exit(self) -> list[str]:
        self.exits = True
        return []

    def _substitute(self) -> list[str]:
        """``gsub(/,/, "", $1)`` and ``sub``, of a single field by a plain text."""
        every = self._code[: self._at].endswith("gsub")
        self._needs("(")
        old = self._regex() or pattern(self._value())
        self._needs(",")
        new = self._value() if not self._takes('""') else ""
        field = 0
        if self._takes(","):
            found = re.compile(r"\s*\$(\d{1,2})").match(self._code, self._at)
            if found is None:
                raise _UnreadableError
            self._at = found.end()
            field = int(found[1])
        self._needs(")")
        if old is None or re.search(r"[&\\]", new) or field >= len(self._fields):
            raise _UnreadableError
        if field == 0 and self._rest()[:1] != "}":
            # The fields would be found anew.
            self._fields[1:] = []
        times = 0 if every else 1
        self._fields[field] = old.sub(lambda _: new, self._fields[field], count=times)
        return []
