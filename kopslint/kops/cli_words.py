"""Sorting the words of a kops line: the command's name, flags, and the rest.

This is cobra and pflag. What is sorted here is judged elsewhere: whether the
command exists, how many arguments it takes, which cluster it names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.kops.cli_table import Flag, Verb, table
from kopslint.records import Record
from kopslint.syntax.script import Word
from kopslint.syntax.word_cut import cut, head, is_quoted, split_commas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.source.text import Span

FaultKind = Literal[
    "unknown-command",
    "unknown-flag",
    "removed-command",
    "bad-value",
    "missing-argument",
    "extra-argument",
    "name-twice",
    "bool-needs-equals",
]


class Fault(Record):
    """Something wrong with the line; ``refused`` if kops will not run because of it.

    ``suggestion`` is the nearest thing that exists, as it would be typed.
    """

    kind: FaultKind
    message: str
    span: Span
    refused: bool = True
    suggestion: str | None = None


class Line:
    """The words of one line, sorted.

    ``said`` is the last word of the command's name. ``values`` has the values of
    each flag under its canonical name. ``loose`` holds words known only at run time
    that may be any number of flags and arguments. ``unknown_flags`` are kept apart
    from the other faults: they mean little if the command itself is unknown.
    """

    def __init__(self, verb: Verb, said: Word) -> None:
        self.verb = verb
        self.said = said
        self.values: dict[str, list[Word]] = {}
        self.positionals: list[Word] = []
        self.loose: list[Word] = []
        self.faults: list[Fault] = []
        self.unknown_flags: list[Fault] = []
        self.help = False


# A variable of such a name stands for flags, and "$@" for any number of words.
_HOLDS_FLAGS = (
    *("FLAG", "ARGS", "OPTS", "OPTION", "DEFAULTS", "PARAMS", "EXTRA"),
    *("YES", "FORCE", "APPLY", "CONFIRM", "DRY"),
)
_HOLDS_WORDS = ("@", "*")
ELLIPSIS = ("...", "\N{HORIZONTAL ELLIPSIS}")
_DASHES = ("\N{EN DASH}", "\N{EM DASH}")
_FLAG_LIKE = re.compile(r"--?[a-z]")


def sort_words(words: Sequence[Word]) -> Line:
    """Sort the words of a line; the first one is the program.

    Source: cobra command.go (Find, stripFlags), pflag flag.go (Parse).
    """
    line = Line(table().verbs[""], words[0])
    rest = _find(line, words[1:])
    after_bare: Flag | None = None
    while rest:
        word = rest.pop(0)
        start = head(word)
        if word.text == "--":
            line.positionals += rest
            break
        if start.startswith("--"):
            after_bare = _long(line, word, rest)
        elif start.startswith("-") and len(word.shown) > 1:
            after_bare = _short(line, word, rest)
        else:
            _positional(line, word, after_bare)
            after_bare = None
    return line


def _find(line: Line, words: Sequence[Word]) -> list[Word]:
    """Follow the command's name as cobra does, and give the words around it."""
    verbs = table().verbs
    kept, rest = list[Word](), list(words)
    while rest and rest[0].text != "--":
        word = rest.pop(0)
        child = line.verb.children.get(word.text or "")
        if head(word).startswith("-") and len(word.shown) > 1:
            kept.append(word)
            if rest and _takes_next(line.verb, word):
                if word.text is not None and rest[0].text in line.verb.children:
                    _misplaced(line, word, rest[0])
                else:
                    kept.append(rest.pop(0))
        elif child is not None:
            line.verb, line.said = verbs[child], word
        elif word.text is None and any(w.text in line.verb.children for w in rest):
            line.loose.append(word)
        else:
            return [*kept, word, *rest]
    return kept + rest


def _takes_next(verb: Verb, word: Word) -> bool:
    """Whether cobra takes the next word for this flag's value.

    While it looks for the command's name it knows only the flags of the commands
    so far, and takes every other flag for one with a value.
    """
    text = word.shown
    long = text.startswith("--")
    if "=" in text or text in ("-h", "--help") or not (long or len(text) == 2):
        return False
    flag = verb.flags.get(text[2:]) if long else verb.short(text[1])
    return flag is None or flag.bare is None


def _misplaced(line: Line, word: Word, following: Word) -> None:
    line.faults.append(
        Fault(
            "unknown-flag",
            f"before the command's name, kops takes `{following.shown}` for the value"
            f" of {word.shown}: put {word.shown} at the end",
            word.span,
        )
    )


def _positional(line: Line, word: Word, after_bare: Flag | None) -> None:
    """Take a word that is no flag; ``after_bare`` is a boolean flag just before."""
    name = word.unknown.name if word.unknown is not None else ""
    name = name if name == word.shown else ""
    if after_bare is not None and word.text in ("true", "false"):
        line.faults.append(
            Fault(
                "bool-needs-equals",
                f"--{after_bare.name} takes its value with `=`: kops reads"
                f" `{word.shown}` as an argument of its own",
                word.span,
                suggestion=f"--{after_bare.name}={word.shown}",
            )
        )
    elif (
        word.shown in ELLIPSIS
        or any(part in name for part in _HOLDS_WORDS)
        or (name and not is_quoted(word) and _may_be_flags(word))
    ):
        line.loose.append(word)
    elif head(word).startswith(_DASHES):
        meant = "--" + word.shown.lstrip("-" + "".join(_DASHES))
        known = meant[2:].partition("=")[0] in line.verb.flags
        line.faults.append(
            Fault(
                "unknown-flag",
                f"`{word.shown}` starts with a dash and not with two hyphens:"
                " kops takes it for an argument",
                word.span,
                suggestion=meant if known else None,
            )
        )
    else:
        line.positionals.append(word)


def _may_be_flags(word: Word) -> bool:
    unknown = word.unknown
    if unknown is None:
        return False
    # ``${params.IG}`` is a group.
    name = re.sub(r"\b[\w-]+\.(?=\w)", "", unknown.name).upper()
    return unknown.option or any(part in name for part in _HOLDS_FLAGS)


def _long(line: Line, word: Word, rest: list[Word]) -> Flag | None:
    """Read ``--flag``; gives a boolean flag back if it stands without a value."""
    name, equals, _ = head(word)[2:].partition("=")
    flag = line.verb.flags.get(name)
    if not equals and word.text is None:
        line.loose.append(word)
    elif name == "help":
        line.help = True
    elif flag is None:
        near = _unknown(line, f"--{name}", word)
        if near is not None and near.bare is None and not equals and rest:
            # The value of a misspelt flag is no argument of the command.
            rest.pop(0)
    elif equals:
        _set(line, flag, f"--{name}", cut(word, len(name) + 3))
    else:
        return _without_equals(line, flag, f"--{name}", word, rest)
    return None


def _short(line: Line, word: Word, rest: list[Word]) -> Flag | None:
    """Read ``-y``, ``-v10``, ``-f x``; gives the last flag back as ``_long`` does."""
    letters = head(word)
    for at in range(1, len(letters)):
        flag, spelling = line.verb.short(letters[at]), f"-{letters[at]}"
        last = at + 1 == len(word.shown)
        if letters[at] == "h" and flag is None:
            line.help = True
            return None
        if flag is None:
            _unknown(line, spelling, word)
            return None
        if letters[at + 1 : at + 2] == "=":
            _set(line, flag, spelling, cut(word, at + 2))
            return None
        if flag.bare is None and not last:
            _set(line, flag, spelling, cut(word, at + 1))
            return None
        if last:
            return _without_equals(line, flag, spelling, word, rest)
        _set(line, flag, spelling, _means(word, flag.bare or ""))
    return None


def _without_equals(
    line: Line, flag: Flag, spelling: str, word: Word, rest: list[Word]
) -> Flag | None:
    if flag.bare is not None:
        _set(line, flag, spelling, _means(word, flag.bare))
        return flag if flag.type == "bool" else None
    if not rest:
        line.faults.append(
            Fault("missing-argument", f"{spelling} needs a value", word.span)
        )
        return None
    value = rest.pop(0)
    if _FLAG_LIKE.match(head(value)):
        line.faults.append(
            Fault(
                "bad-value",
                f"{spelling} needs a value, and kops takes `{value.shown}` for it",
                word.span.to(value.span),
            )
        )
    _set(line, flag, spelling, value)
    return None


def _means(word: Word, value: str) -> Word:
    return Word((value,), word.raw, word.span)


def _set(line: Line, flag: Flag, spelling: str, value: Word) -> None:
    expected = flag.objection(value.text) if value.text is not None else None
    if expected is not None:
        line.faults.append(
            Fault(
                "bad-value",
                f"`{value.shown}` is not a value for {spelling}: it takes {expected}",
                value.span,
            )
        )
    items = split_commas(value) if flag.type == "strings" else (value,)
    line.values.setdefault(flag.name, []).extend(items)


def _unknown(line: Line, spelling: str, word: Word) -> Flag | None:
    """Note a flag that does not exist, and give the one that was meant, if any."""
    shown = [f"--{name}" for name, flag in line.verb.flags.items() if not flag.hidden]
    from difflib import get_close_matches

    near = get_close_matches(spelling, shown, 1) if len(spelling) > 2 else []
    line.unknown_flags.append(
        Fault(
            "unknown-flag",
            f"`kops {line.verb.path}` has no flag {spelling}",
            cut(word, 0, len(spelling)).span if spelling[1] == "-" else word.span,
            suggestion=near[0] if near else None,
        )
    )
    return line.verb.flags[near[0][2:]] if near else None
