"""Command lines inside a word: what ``sh -c``, ``ssh`` and ``eval`` are given.

Such a text is read as a script of its own, by a shell that knows nothing of the one
around it. Its commands count one after another, whatever its control flow.

Other programs run a text that stands in the middle of something else: ``awk
'BEGIN{system("kops ...")}'``, ``vim -c '!kops ...'``. What is found there is read in
the same way. Nothing here knows what the commands do. Sources: the manuals of the
programs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.cloud_table import PROVIDERS
from kopslint.commands.invocation import is_option, unknown_word
from kopslint.kops.command_line import parse
from kopslint.kops.command_table import table
from kopslint.notations.command_list import simple_commands
from kopslint.shell.ast import Unknown, Word
from kopslint.shell.read import read_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kopslint.commands.invocation import Invocation
    from kopslint.shell.ast import SimpleCommand

# A NUL stands for an unknown piece of a word.
_UNKNOWN = "\0"
_FIRST = (
    *("kops", "etcdctl", "etcd-manager-ctl", "kubectl", "terraform", "tofu"),
    *("reboot", "shutdown", "poweroff", "systemctl", "crictl", "pkill", "ssh"),
    *sorted(PROVIDERS),
)
# Where a command begins: at the start, or behind what a shell text begins behind.
_CALL = re.compile(
    r"(?:(?<=^)|(?<=[\s;&|!(\"'`=,{:]))"
    r"(?P<call>(?:(?:sudo|exec|nohup|command|env)\s+)?(?:[\w./~-]*/)?"
    rf"(?P<program>{'|'.join(map(re.escape, _FIRST))})(?=[\s\"']))"
)
# The same program in a list of strings: `["kops", "delete", "ig"]`.
_LISTED = re.compile(
    r"""["'](?:[\w./-]*/)?(?P<program>kops|etcdctl|terraform|aws|kubectl)["']\s*,"""
    r"""\s*(?P<rest>(?:["'][^"']*["']\s*,?\s*)+)"""
)
_VERBS: Mapping[str, frozenset[str]] = {
    "etcdctl": frozenset(
        {"member", "del", "rm", "auth", "defrag", "snapshot", "put", "endpoint"}
    ),
    "etcd-manager-ctl": frozenset(
        {"restore-backup", "list-backups", "list-commands", "delete-command"}
    ),
    "kubectl": frozenset(
        {"drain", "cordon", "uncordon", "delete", "exec", "debug", "get", "apply"}
    ),
    "terraform": frozenset({"apply", "destroy", "plan", "init"}),
    "tofu": frozenset({"apply", "destroy", "plan", "init"}),
    "systemctl": frozenset(
        {"stop", "restart", "start", "kill", "disable", "mask", "reboot", "poweroff"}
    ),
    "crictl": frozenset({"stop", "stopp", "rm", "rmp", "exec", "ps"}),
}

# What these are given is a text of a shell only in certain places.
SHELL_TEXT_IN: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("awk", "gawk", "mawk", "nawk"),
        re.compile(r"\bsystem\s*\(|\|\s*getline|\|\s*\"(?:ba|da|z)?sh\"|\|\s*\""),
    ),
    # The command `e`, and the flag of the same name behind a substitution.
    **dict.fromkeys(
        ("sed", "gsed"),
        re.compile(r"(?:^|[;{}\n\d$/])\s*e\s+\S|[/|,#]\w*e\w*\s*(?:;|$)"),
    ),
    **dict.fromkeys(("vi", "vim", "nvim", "ex", "view"), re.compile(r"!|\bsystem\(")),
    "git": re.compile(r"^alias\.[^=]+=?!?|^!|^(?:core|diff|merge)\.[\w.]+=|--exec="),
    "less": re.compile(r"^\+!"),
    "man": re.compile(r"^-P|--pager"),
    "ed": re.compile(r"!"),
}


def hidden(command: Invocation) -> tuple[Invocation, ...] | None:
    """The commands that arguments of a program hold, in order, None if none do.

    A script that is handed a command line may do anything with it, and more besides.
    """
    if _is_script(command):
        return None
    where = SHELL_TEXT_IN.get(command.program)
    words = list(command.words[1:])
    if command.program in _READS_STDIN:
        if command.stdin is not None:
            words.append(command.stdin)
        elif command.upstream:
            like = command.words[0]
            words.append(Word((command.upstream,), like.raw, like.span))
    found: list[Invocation] = []
    for before, word in zip(command.words, words, strict=False):
        literal = _literal(word)
        if _FOR_PEOPLE.fullmatch(before.shown):
            continue
        if not re.search(r"[\s\"',]", literal) or (
            where is not None and not where.search(literal)
        ):
            continue
        found += _inside(command, word, literal)
    return tuple(one for one in found if one.program not in _OF_EXPECT) or None


# What follows these is for people to read.
_FOR_PEOPLE = re.compile(
    r"--(?:message|comment|title|summary|description|desc|body|reason|notes?|text"
    r"|subject|annotation)"
)
_INTERPRETERS = ("python", "python3", "perl", "ruby", "node", "sh", "bash", "zsh")
_SCRIPT = re.compile(r".+\.(?:sh|bash|py|rb|pl|js|ts|ps1|exp|expect)|\.{1,2}/.*|~/.*")


def _is_script(command: Invocation) -> bool:
    """Whether a file runs that is not at hand, by itself or by its interpreter."""
    first = command.words[0].shown
    after = command.words[1:2]
    run = command.program in _INTERPRETERS and after and not is_option(after[0])
    return bool(run) or _SCRIPT.fullmatch(first) is not None


_READS_STDIN = frozenset(
    {"at", "batch", "crontab", "python", "python3", "perl", "ruby", "node", "expect"}
    | {"ed", "ex", "vim", "tclsh"}
)


_OF_EXPECT = frozenset({"expect", "interact", "send", "close"})
"""What ``expect`` does itself, between the programs that it starts."""


def _literal(word: Word) -> str:
    return "".join(p if isinstance(p, str) else _UNKNOWN for p in word.pieces)


def _inside(command: Invocation, word: Word, literal: str) -> Iterator[Invocation]:
    """The commands in one argument, cut out where they begin."""
    call = _first_call(literal)
    if call is not None:
        start, end = call
        text, end = _whole(word, literal, start, end)
        inner = commands_in(command._replace(stdin=None), text) or ()
        if all(map(_is_taken, inner)):
            yield from inner
        if end < len(literal):
            # Another text may stand behind: system("a"); system("b").
            rest = _part(word, end + 1, len(literal))
            yield from _inside(command, rest, literal[end + 1 :])
        return
    listed = _LISTED.search(literal)
    if listed is not None:
        strings = re.findall(r"""["']([^"']*)["']""", listed["rest"])
        words = (listed["program"], *strings)
        yield command._replace(
            words=tuple(Word((text,), word.raw, word.span) for text in words),
            stdin=None,
        )


def _is_taken(command: Invocation) -> bool:
    """Whether kops takes a command line: what it would refuse is a sentence."""
    if command.program != "kops":
        return True
    return all(fault.harmless for fault in parse(command.words, None).faults)


_CLOSES = {"'": "'", '"': '"', "`": "`", "(": ")", "{": "}"}


def _first_call(literal: str) -> tuple[int, int] | None:
    """Where the first command of a text begins and ends, if it has one."""
    for match in _CALL.finditer(literal):
        start = match.start("call")
        closes = _CLOSES.get(literal[start - 1] if start else "")
        end = len(literal)
        if closes is not None:
            closing = re.compile(rf"(?<!\\){re.escape(closes)}").search(literal, start)
            end = closing.start() if closing is not None else end
        typed = re.search(r"(?:\\[nr]|\^M|\$'\\n')+$", literal[start:end])
        end = start + typed.start() if typed is not None else end
        if _is_call(match["program"], literal[match.end() : end]):
            return start, end
    return None


def _whole(word: Word, literal: str, start: int, end: int) -> tuple[Word, int]:
    """A text with what is joined to it in the language around it, and its end."""
    part = _part(word, start, end)
    pieces = list(part.pieces)
    quote = literal[end : end + 1]
    while quote in ("'", '"') and end < len(literal):
        # Between this quote and the next one is what only run time knows.
        opening = literal.find(quote, end + 1)
        between = literal[end + 1 : opening if opening >= 0 else len(literal)]
        value = re.match(r"\s*[+.]?\s*([$\w.\[\]]+)\s*[+.]?\s*", between)
        if value is None:
            break
        name = value[1]
        pieces.append(Unknown(name, f"{name} is only known at run time"))
        if opening < 0 or value.end() < len(between):
            break
        closing = literal.find(quote, opening + 1)
        closing = closing if closing >= 0 else len(literal)
        pieces += _part(word, opening + 1, closing).pieces
        end = closing
    filled = [part for piece in pieces for part in _filled(piece)]
    return Word(tuple(filled) or ("",), word.raw, word.span), end


def _filled(piece: str | Unknown) -> Iterator[str | Unknown]:
    """A literal without the places that a language fills: ``{name}``, ``%s``."""
    if isinstance(piece, Unknown):
        yield piece
        return
    for at, part in enumerate(re.split(r"((?<!\$)\{\w+\}|%s)", piece)):
        if at % 2:
            yield Unknown(part, f"{part} is only known at run time")
        elif part:
            yield part


def _is_call(program: str, rest: str) -> bool:
    """Whether what follows a program's name makes it a call: one of its commands."""
    words = rest.split()
    verbs = (
        table().verbs[""].children.keys() if program == "kops" else _VERBS.get(program)
    )
    if verbs is None:
        return bool(words) or program in ("reboot", "poweroff")
    option = False
    for word in (word.strip("\"'") for word in words[:8]):
        if word in verbs:
            return True
        if not word.startswith("-") and not option:
            return False
        option = word.startswith("-") and "=" not in word
    return False


def _part(word: Word, start: int, end: int) -> Word:
    """A part of a word by offsets in its literal text, at the place of the whole."""
    pieces: list[str | Unknown] = []
    offset = 0
    for piece in word.pieces:
        length = len(piece) if isinstance(piece, str) else 1
        if isinstance(piece, str):
            text = piece[max(start - offset, 0) : max(end - offset, 0)]
            pieces += [text] if text else []
        elif start <= offset < end:
            pieces.append(piece)
        offset += length
    return Word(tuple(pieces) or ("",), word.raw, word.span)


def stands_for(word: Word) -> Word | None:
    """The program that a pattern for a file's name is, if it fits one of these.

    ``/usr/bin/k?ps`` is found by the shell when it runs.
    """
    text = word.text
    if text is None or not re.search(r"[?*\[]", text) or word.raw[:1] in ("'", '"'):
        return None
    from fnmatch import fnmatchcase

    name = text.rpartition("/")[2]
    if len(name) < 3:
        return None
    found = (program for program in _FIRST if fnmatchcase(program, name))
    program = next(found, None)
    return Word((program,), word.raw, word.span) if program is not None else None


_ON_MACHINES = re.compile(
    r"/proc/sysrq|/dev/(?!null|std|tty|fd)|/etc/(?:kubernetes/|hosts$)|/sys/fs/cgroup"
)


def written_by(call: SimpleCommand, command: Invocation) -> Iterator[Invocation]:
    """What redirections of a call write to files that a machine runs with."""
    for redirect in call.redirects:
        target = redirect.target
        if target is None or redirect.operator[:1] != ">":
            continue
        if _ON_MACHINES.match(target.shown):
            words = (Word(("tee",), target.raw, target.span), target)
            said = " ".join(word.shown for word in call.words)
            yield command._replace(words=words, stdin=call.stdin, upstream=said)


_SPECIAL = r"[\s;&|<>$`]"


def resplit(
    command: Invocation, words: tuple[Word, ...]
) -> tuple[Invocation, ...] | None:
    """The commands in words that a second shell joins and reads again.

    Words in which that shell finds nothing to do keep their own places.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    if any(re.search(_SPECIAL, literal) for literal in literals):
        return commands_in(command, *words)
    return (command._replace(words=words),)


def commands_in(command: Invocation, *words: Word) -> tuple[Invocation, ...] | None:
    """The commands in the text that the words make, joined by blanks.

    Every word in them has the span of the whole text, and a part that cannot be read
    is a program that is not known. None if all of it is known only at run time.
    """
    literals = (p for word in words for p in word.pieces if isinstance(p, str))
    if not "".join(literals).strip():
        return None
    script = read_words(words)
    calls = tuple(simple_commands(script.body))
    found = [
        command._replace(
            words=call.words,
            stdin=call.stdin,
            upstream=call.upstream or command.upstream,
            environment={
                **command.environment,
                **{given.name: given.value for given in call.environment},
            },
        )
        for call in calls
    ]
    found += [one for call in calls for one in written_by(call, command)]
    for part in script.unread:
        unknown = unknown_word(part.reason.name, part.reason.reason, words[0])
        found.append(command._replace(words=(unknown,)))
    return tuple(found)
