"""What kops makes of a sorted line: does the command exist, do the arguments fit.

Every function here adds what kops would complain about to the line's faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.cli_table import table
from kopslint.kops.cli_words import Fault
from kopslint.syntax.word_cut import is_quoted

if TYPE_CHECKING:
    from kopslint.kops.cli_words import Line
    from kopslint.syntax.script import Word

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
            Fault(
                "removed-command",
                f"current kops has no `kops {path}`"
                + (f": use `kops {instead}`" if instead else ""),
                said[0].span.to(said[-1].span),
                # A kops that still has the command does what it says.
                refused=False,
                suggestion=f"kops {instead}" if instead else None,
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
            Fault(
                "unknown-command",
                f"`{group}` has no command `{word.shown}`",
                word.span,
                refused=not verb.path or verb.runs or bool(line.unknown_flags),
                suggestion=f"{group} {meant}" if meant else None,
            )
        )
    elif verb.path:
        known = sorted({path.rpartition(" ")[2] for path in verb.children.values()})
        line.faults.append(
            Fault(
                "missing-argument",
                f"`{group}` alone does nothing: it needs one of {', '.join(known)}",
                line.said.span,
                refused=bool(line.unknown_flags),
                suggestion=f"{group} {known[0]}" if len(known) == 1 else None,
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
            Fault(
                "missing-argument",
                f"`kops {verb.path}` needs {what}",
                line.said.span,
            )
            for what in missing
        )
    takes = f"only {verb.arguments}" if verb.arguments else "none"
    for word in line.positionals[most:] if most is not None else ():
        line.faults.append(
            Fault(
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
            Fault(
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
