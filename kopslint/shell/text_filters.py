"""What ``grep``, ``awk``, ``cut`` and their like make of a text that is known.

Only the ways in which people pick a line and a field are carried out, and those
exactly. Whatever else a filter is told gives None: then nobody knows what it prints.
"""

from __future__ import annotations

import base64
import re
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kopslint.shell.ast import SimpleCommand

LONGEST_PATTERN = 200
_MOST_REPEATS = 3


def filtered(command: SimpleCommand, text: str) -> str | None:
    """What a filter prints for an input; None if that is not worked out here."""
    words = [word.text for word in command.words]
    known = [word for word in words if word is not None]
    if len(known) < len(words) or command.redirects:
        return None
    name, rest = known[0].rpartition("/")[2], known[1:]
    reader = _FILTERS.get(name)
    return reader(rest, text) if reader is not None else None


def lines_of(text: str) -> list[str]:
    """The lines of a text; the last one needs no line end."""
    return text.removesuffix("\n").split("\n") if text else []


def as_text(lines: Sequence[str]) -> str:
    """Lines as a text."""
    return "".join(f"{line}\n" for line in lines)


def pattern(written: str, *, basic: bool = False) -> re.Pattern[str] | None:
    """A regular expression of ``grep`` or ``awk``; None if Python reads it otherwise.

    A text from a pull request must not keep the matcher busy: there are few repeats,
    and none of a group.
    """
    if len(written) > LONGEST_PATTERN or re.search(r"\[[:.=]|\\[1-9<>K]|\(\?", written):
        return None
    if basic:
        # Without a backslash these are plain, with one they are operators.
        written = re.sub(
            r"\\([|(){}+?])|([|(){}+?])", lambda m: m[1] or f"\\{m[2]}", written
        )
    plain = re.sub(r"\\.|\[\^?\]?[^]]*\]", "x", written)
    repeats = re.findall(r"[*+?{]", plain)
    if len(repeats) > _MOST_REPEATS or re.search(r"\)[*+?{]|[*+?}][*+?{]", plain):
        return None
    try:
        return re.compile(written)
    except (re.error, OverflowError):
        return None


def _grep(words: list[str], text: str, mode: str = "") -> str | None:
    letters, rest, wanted = mode, list(words), []
    most: int | None = None
    operands: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if word in ("-e", "--regexp") and rest:
            wanted.append(rest.pop(0))
        elif re.fullmatch(r"-m\d+", word) or (word == "-m" and rest):
            most = int(word[2:]) if word != "-m" else _number(rest.pop(0))
            if most is None:
                return None
        elif re.fullmatch(r"-[EFGiowvxh]+", word):
            letters += word[1:]
        elif word.startswith("-") and word not in ("--color=never", "--no-messages"):
            return None
        elif not word.startswith("-"):
            operands.append(word)
    if not wanted:
        wanted, operands = operands[:1], operands[1:]
    if operands not in ([], ["-"]) or len(wanted) != 1:
        return None
    written = re.escape(wanted[0]) if "F" in letters else wanted[0]
    found = pattern(written, basic="E" not in letters and "F" not in letters)
    if found is None:
        return None
    source = found.pattern
    if "w" in letters:
        source = rf"(?<!\w)(?:{source})(?!\w)"
    if "x" in letters:
        source = rf"^(?:{source})$"
    matcher = re.compile(source, re.IGNORECASE if "i" in letters else 0)
    picked = [
        line
        for line in lines_of(text)
        if bool(matcher.search(line)) is not ("v" in letters)
    ][:most]
    if "o" in letters:
        if "v" in letters:
            return None
        picked = [m[0] for line in picked for m in matcher.finditer(line) if m[0]]
    return as_text(picked)


def _cut(words: list[str], text: str) -> str | None:
    options = _joined_options(words, "dfc")
    if options is None:
        return None
    if set(options) == {"c"}:
        found = re.fullmatch(r"(\d+)?-(\d+)|(\d+)", options["c"])
        if found is None:
            return None
        start = int(found[1] or found[3] or 1) - 1
        end = int(found[2] or found[3])
        return as_text([line[start:end] for line in lines_of(text)])
    if not {"f"} <= set(options) <= {"d", "f"}:
        return None
    delimiter = options.get("d", "\t")
    fields = options["f"].split(",")
    if len(delimiter) != 1 or not all(re.fullmatch(r"[1-9]\d?", f) for f in fields):
        return None
    wanted = sorted({int(field) - 1 for field in fields})
    cut = []
    for line in lines_of(text):
        parts = line.split(delimiter)
        kept = [parts[at] for at in wanted if at < len(parts)]
        cut.append(delimiter.join(kept) if len(parts) > 1 else line)
    return as_text(cut)


def _joined_options(words: Sequence[str], names: str) -> dict[str, str] | None:
    """Options of one letter with their values, in the same word or in the next."""
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not re.match(rf"-[{names}]", word):
            return None
        value = word[2:] or (rest.pop(0) if rest else "")
        found[word[1]] = value
    return found


def _sed(words: list[str], text: str) -> str | None:
    quiet = extended = False
    scripts: list[str] = []
    for word in words:
        if re.fullmatch(r"-[nEr]+", word):
            quiet |= "n" in word
            extended |= "E" in word or "r" in word
        elif word.startswith("-"):
            return None
        else:
            scripts.append(word)
    if len(scripts) != 1:
        return None
    found = re.fullmatch(
        r"(?:/(?P<at>(?:[^/\\]|\\.)*)/\s*)?"
        r"(?:s(?P<d>[/|,#])(?P<old>(?:(?!(?P=d))[^\\]|\\.)*)(?P=d)"
        r"(?P<new>[^\\&/|#]*)(?P=d)(?P<how>g?p?)|(?P<p>p))",
        scripts[0].strip(),
    )
    if found is None:
        return None
    address = pattern(found["at"], basic=not extended) if found["at"] else None
    old = pattern(found["old"], basic=not extended) if found["old"] else None
    if (found["at"] and address is None) or (old is None and not found["p"]):
        return None
    out: list[str] = []
    for line in lines_of(text):
        chosen = address is None or address.search(line) is not None
        made, changed = line, chosen
        if chosen and old is not None:
            times = 0 if "g" in found["how"] else 1
            made, count = old.subn(lambda _: found["new"], line, count=times)
            changed = count > 0
        prints = bool(found["p"]) or "p" in (found["how"] or "")
        out += [made] * ((not quiet) + (prints and changed))
    return as_text(out)


def _tr(words: list[str], text: str) -> str | None:
    if len(words) != 2 or words[0] not in ("-d", "--delete"):
        return None
    known = {"[:space:]": " \t\n", "[:blank:]": " \t", r"\n": "\n", r"\r": "\r"}
    wanted = known.get(words[1], words[1])
    if re.search(r"[\\\[]|.-.", wanted):
        return None
    return "".join(char for char in text if char not in wanted)


def _some(words: list[str], text: str, *, first: bool) -> str | None:
    found = re.fullmatch(r"(?:-n|--lines=)? ?-?(\d{1,3})", " ".join(words) or "10")
    if found is None:
        return None
    lines, number = lines_of(text), int(found[1])
    return as_text(lines[:number] if first else lines[len(lines) - number :])


def _xargs(words: list[str], text: str) -> str | None:
    """``xargs`` alone puts everything on one line; behind it ``printf`` may stand."""
    if words and words[0] in ("-n1", "-r"):
        words = words[1:]
    if words[:1] in ([], ["echo"]) and len(words) < 2:
        return " ".join(text.split()) + "\n" if text.split() else "\n"
    if words[0] == "printf" and len(words) == 2:
        return hexadecimal(words[1], text.split())
    return None


def hexadecimal(form: str, numbers: Sequence[str]) -> str | None:
    """What ``printf '%x'`` prints for decimal numbers."""
    if not re.fullmatch(r"%x(?:\\n)?", form):
        return None
    if not all(re.fullmatch(r"\d{1,20}", number) for number in numbers):
        return None
    end = "\n" if form.endswith("n") else ""
    return "".join(f"{int(number):x}{end}" for number in numbers)


def _same(words: list[str], text: str) -> str | None:
    return text if not words else None


def _sort(words: list[str], text: str) -> str | None:
    if words not in ([], ["-u"]):
        return None
    lines = lines_of(text)
    return as_text(sorted(set(lines)) if words else sorted(lines))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,3}", text) else None


# ------------------------------------------------------------------------------------
# awk: one rule, which is a condition on fields and an action that prints
#
# Source: POSIX, awk.

_LEXEME = (
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|(?P<field>\$(?:NF|\d{1,2}|[A-Za-z_]\w*))"
    r"|(?P<number>\d+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>&&|\|\||==|!=|!~|[!~(){};,]))"
)
_REGEX = r"\s*/((?:[^/\\]|\\.)+)/"


class _UnreadableError(Exception):
    """Something that is not carried out here."""


def _awk(words: list[str], text: str) -> str | None:
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


def _base64(words: list[str], text: str) -> str | None:
    if not words or not all(w in ("-d", "-D", "-di", "--decode", "-i") for w in words):
        return None
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return None


def _hexadecimal(words: list[str], text: str) -> str | None:
    """``xxd -r -p``."""
    letters = "".join(word[1:] for word in words if word.startswith("-"))
    if {*letters} != {"r", "p"} or len(words) > 2:
        return None
    try:
        return bytes.fromhex(text).decode()
    except ValueError:
        return None


def _reversed(words: list[str], text: str) -> str | None:
    return None if words else as_text([line[::-1] for line in lines_of(text)])


_FILTERS: Mapping[str, Callable[[list[str], str], str | None]] = {
    "awk": _awk,
    "base64": _base64,
    "cat": _same,
    "cut": _cut,
    "egrep": partial(_grep, mode="E"),
    "fgrep": partial(_grep, mode="F"),
    "gawk": _awk,
    "grep": _grep,
    "head": partial(_some, first=True),
    "mawk": _awk,
    "rev": _reversed,
    "sed": _sed,
    "sort": _sort,
    "tail": partial(_some, first=False),
    "tee": lambda _, text: text,
    "tr": _tr,
    "uniq": _same,
    "xargs": _xargs,
    "xxd": _hexadecimal,
}
