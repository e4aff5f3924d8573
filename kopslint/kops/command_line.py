"""How kops reads its command line: the grammar of cobra and pflag over its table.

What a command does is not known here. A line that kops would refuse still gives
its best reading, with the faults beside it, so that people learn all at once.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.kops.command_table import TRUE, Flag, Verb, table
from kopslint.kops.rejection import of_line
from kopslint.records import Record
from kopslint.shell.ast import Word, cut, head, is_quoted, split_commas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kopslint.kops.rejection import Rejection
    from kopslint.shell.ast import Unknown


# ------------------------------------------------------------------------------------
# Sorting the words of a kops line: the command's name, flags, and the rest
#
# This is cobra and pflag. What is sorted here is judged elsewhere: whether the
# command exists, how many arguments it takes, which cluster it names.


class Line:
    """The words of one line, sorted.

    ``said`` is the last word of the command's name. ``values`` has the values of
    each flag under its canonical name, and ``spelled`` how long flags are written.
    ``loose`` holds words known only at run time
    that may be any number of flags and arguments. ``unknown_flags`` are kept apart
    from the other faults: they mean little if the command itself is unknown.
    """

    def __init__(self, verb: Verb, said: Word) -> None:
        self.verb = verb
        self.said = said
        self.values: dict[str, list[Word]] = {}
        self.spelled: list[str] = []
        self.positionals: list[Word] = []
        self.loose: list[Word] = []
        self.faults: list[Rejection] = []
        self.unknown_flags: list[Rejection] = []
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
        of_line(
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
            of_line(
                "bool-needs-equals",
                f"--{after_bare.name} takes its value with `=`: kops reads"
                f" `{word.shown}` as an argument of its own",
                word.span,
                hint=f"--{after_bare.name}={word.shown}",
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
            of_line(
                "unknown-flag",
                f"`{word.shown}` starts with a dash and not with two hyphens: kops"
                " reads it as an argument",
                word.span,
                hint=meant if known else "",
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
            of_line("missing-argument", f"{spelling} needs a value", word.span)
        )
        return None
    value = rest.pop(0)
    if _FLAG_LIKE.match(head(value)):
        line.faults.append(
            of_line(
                "bad-value",
                f"{spelling} needs a value; kops accepts `{value.shown}` for it",
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
            of_line(
                "bad-value",
                f"`{value.shown}` is not a value for {spelling}: it needs {expected}",
                value.span,
            )
        )
    line.spelled.append(spelling[2:] if spelling.startswith("--") else flag.name)
    items = split_commas(value) if flag.type == "strings" else (value,)
    line.values.setdefault(flag.name, []).extend(items)


def _unknown(line: Line, spelling: str, word: Word) -> Flag | None:
    """Note a flag that does not exist, and give the one that was meant, if any."""
    shown = [f"--{name}" for name, flag in line.verb.flags.items() if not flag.hidden]
    from difflib import get_close_matches

    near = get_close_matches(spelling, shown, 1) if len(spelling) > 2 else []
    line.unknown_flags.append(
        of_line(
            "unknown-flag",
            f"`kops {line.verb.path}` has no flag {spelling}",
            cut(word, 0, len(spelling)).span if spelling[1] == "-" else word.span,
            hint=near[0] if near else "",
        )
    )
    return line.verb.flags[near[0][2:]] if near else None


# ------------------------------------------------------------------------------------
# What kops makes of a sorted line: does the command exist, do the arguments fit
#
# Every function here adds what kops would complain about to the line's faults.

# The objects of these come from files, which name their own cluster.
_FROM_FILES = ("create", "delete", "replace")
_GROUP_ALIASES = ("ig", "instancegroups")


def names_command(line: Line) -> bool:
    """Whether the line names a command that runs, and not only a group of them."""
    verb = line.verb
    if not verb.children or verb.most != 0:
        return True
    return verb.runs and not line.positionals


def removed_command(line: Line) -> str | None:
    """The path of a command that older kops had; takes its name off the arguments."""
    names = [
        "instancegroup" if w.text in _GROUP_ALIASES else w.text or ""
        for w in line.positionals
    ]
    for length in (1, 2):
        path = " ".join([*line.verb.path.split(), *names[:length]])
        instead = table().removed.get(path)
        if instead is None or len(names) < length:
            continue
        said = line.positionals[:length]
        del line.positionals[:length]
        line.faults.append(
            of_line(
                "removed-command",
                f"current kops has no `kops {path}`"
                + (f": use `kops {instead}`" if instead else ""),
                said[0].span.to(said[-1].span),
                # A kops that still has the command does what it says.
                harmless=True,
                hint=f"kops {instead}" if instead else "",
            )
        )
        return path
    return None


def check_command(line: Line) -> None:
    """Say that the line names no command, and which one is nearest.

    kops fails for an unknown command; of a group of commands it only prints the
    help, and succeeds, unless a flag is wrong too. Source: cobra args.go,
    legacyArgs.
    """
    verb = line.verb
    group = f"kops {verb.path}".rstrip()
    if line.positionals:
        word = line.positionals[0]
        from difflib import get_close_matches

        near = get_close_matches(word.shown, list(verb.children), 1)
        meant = near[0] if near else None
        if not verb.path:
            meant = table().instead.get(word.shown, meant)
        line.faults.append(
            of_line(
                "unknown-command",
                f"`{group}` has no command `{word.shown}`",
                word.span,
                harmless=bool(verb.path) and not verb.runs and not line.unknown_flags,
                hint=f"{group} {meant}" if meant else "",
            )
        )
    elif verb.path:
        known = sorted({path.rpartition(" ")[2] for path in verb.children.values()})
        line.faults.append(
            of_line(
                "missing-argument",
                f"`{group}` alone does nothing: it needs one of {', '.join(known)}",
                line.said.span,
                harmless=not line.unknown_flags,
                hint=f"{group} {known[0]}" if len(known) == 1 else "",
            )
        )


def check_arguments(line: Line) -> None:
    """Check the required flags and the number of positional arguments.

    An unquoted variable may be empty or hold flags: it is surplus for sure only if
    nothing else is, and moves to the loose words before anything known is blamed.
    """
    verb, most = line.verb, line.verb.most
    named = verb.takes_cluster and "name" in line.values
    room = most - named if most else most
    for word in reversed(list(line.positionals)):
        if room is not None and len(line.positionals) > room and not _is_certain(word):
            line.positionals.remove(word)
            line.loose.append(word)
    if not line.loose:
        missing = [f"--{name}" for name in verb.required if name not in line.values]
        if len(line.positionals) < verb.least:
            missing.append(verb.arguments)
        line.faults += (
            of_line(
                "missing-argument",
                f"`kops {verb.path}` needs {what}",
                line.said.span,
            )
            for what in missing
        )
    takes = f"only {verb.arguments}" if verb.arguments else "none"
    for word in line.positionals[most:] if most is not None else ():
        line.faults.append(
            of_line(
                "extra-argument",
                f"`{word.shown}` is one argument too many for `kops {verb.path}`,"
                f" which takes {takes}",
                word.span,
            )
        )


def cluster_of(line: Line, default: Word | None) -> Word | None:
    """The word that names the cluster; ``default`` is that of KOPS_CLUSTER_NAME.

    With ``create -f``, ``replace -f`` and ``delete -f`` it is None: the files name
    it, and --name is ignored. Source: kops cmd/kops/root.go, ProcessArgs, and
    replace.go, RunReplace.
    """
    if line.verb.path in _FROM_FILES:
        return None
    flag = line.values.get("name", [])[-1:]
    named = flag[0] if flag else default
    if not line.verb.takes_cluster or not line.positionals:
        return named
    positional = line.positionals[0]
    if named is not None and named.text and _is_certain(positional):
        line.faults.append(
            of_line(
                "name-twice",
                f"{'--name' if flag else 'KOPS_CLUSTER_NAME'} names the cluster, and so"
                f" does `{positional.shown}`: kops takes only one of the two",
                positional.span,
            )
        )
    return flag[0] if flag else positional


def _is_certain(word: Word) -> bool:
    """Whether a word is exactly one argument, whatever it holds."""
    return word.text is not None or is_quoted(word)


# An unknown value of one of these decides whether a command acts, or how.
_DECISIVE = ("yes", "dry-run", "force", "cloudonly", "target")


class Call(Record):
    """One kops command line.

    ``path`` is the canonical name of the command (``edit instancegroup``), that of
    a removed command, or as far as it could be followed. ``values`` has the values
    of each flag in order, under its canonical name, lists already split; a flag
    that stands without a value has the one it then means. ``flags`` are their names as
    they are written. ``cluster`` is the name
    of the cluster if the line or KOPS_CLUSTER_NAME gives one. ``undecided`` is a
    part known only at run time that decides whether and how the command acts.
    """

    path: str
    positionals: tuple[Word, ...] = ()
    values: Mapping[str, tuple[Word, ...]] = MappingProxyType({})
    flags: tuple[str, ...] = ()
    cluster: Word | None = None
    faults: tuple[Rejection, ...] = ()
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
        flags=tuple(line.spelled),
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


def lacking(path: str, flags: tuple[str, ...], kops: int) -> str | None:
    """What kops 1.``kops`` has no command or no flag for yet, said in a sentence.

    kops fails for an unknown flag before it does anything, and for an unknown command
    too, where no other is above it. Source: cobra args.go, legacyArgs, and pflag.
    """
    from kopslint.kops.releases import command_since, flag_since

    first = path.partition(" ")[0]
    if (since := command_since(first)) > kops:
        return f"kops 1.{kops} has no command `kops {first}`: it came with 1.{since}"
    for flag in flags:
        if (since := flag_since(path, flag)) > kops:
            return (
                f"`kops {path}` of kops 1.{kops} has no flag --{flag}: it came with"
                f" 1.{since}"
            )
    return None
