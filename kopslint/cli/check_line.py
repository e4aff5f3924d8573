"""The line of an ordinary check, read without typer.

A hook checks at every commit, and typer with what it needs takes longer to start than
all the rest takes together. What is read here means what typer makes of it, and a test
holds that. Whatever is not plain is left to typer, which has the words for it: a wrong
line after all, or a question for help.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.checking import CheckOptions
from kopslint.cli.console import Voice
from kopslint.cli.inputs import GitOptions
from kopslint.cli.options import ColorWhen, FailOn, StdinAs, read_outputs

if TYPE_CHECKING:
    from collections.abc import Sequence

SWITCHES = {"--changed", "--diff", "--fix", "--no-config", "--no-etcd-volumes"}
SWITCHES |= {"--no-ignores", "--no-timeline", "--quiet", "-q", "--staged"}
SWITCHES |= {"--statistics", "--verbose"}
ONCE = {"--base", "--baseline", "--color", "--config", "--fail-on", "--head"}
ONCE |= {"--kops-version", "--stdin-as", "--write-baseline"}
OFTEN = {"--after", "--before", "--commands", "--format", "--ignore", "--rules"}
OFTEN |= {"--select"}
_CHOICES = {"--color": ColorWhen, "--fail-on": FailOn, "--stdin-as": StdinAs}
_SPECS = ""


def read_line(words: Sequence[str]) -> tuple[CheckOptions, Voice] | None:
    """What the words behind ``kopslint check`` ask for; None if they are not plain.

    Raises ``UsageError`` as ``read_outputs``.
    """
    given = _given(words)
    if given is None:
        return None
    once = {name: values[0] for name, values in given.items() if name in ONCE}
    paths = {name: Path(value) for name, value in once.items()}
    options = CheckOptions(
        before=given.get("--before", ()),
        after=[*given.get(_SPECS, ()), *given.get("--after", ())],
        commands=given.get("--commands", ()),
        stdin_as=StdinAs(once["--stdin-as"]) if "--stdin-as" in once else None,
        git=GitOptions(
            base=once.get("--base"),
            head=once.get("--head"),
            staged="--staged" in given,
            changed="--changed" in given,
        ),
        config=paths.get("--config"),
        no_config="--no-config" in given,
        select=given.get("--select", ()),
        ignore=given.get("--ignore", ()),
        kops_version=once.get("--kops-version"),
        etcd_volumes="--no-etcd-volumes" not in given,
        house=[Path(folder) for folder in given.get("--rules", ())] or (),
        ignores="--no-ignores" not in given,
        baseline=paths.get("--baseline"),
        write_baseline=paths.get("--write-baseline"),
        fail_on=FailOn(once["--fail-on"]) if "--fail-on" in once else None,
        outputs=read_outputs(given.get("--format", [])),
        color=ColorWhen(once.get("--color", ColorWhen.AUTO)),
        timeline="--no-timeline" not in given,
        statistics="--statistics" in given,
        fix="--fix" in given,
        diff="--diff" in given,
    )
    return options, Voice(bool({"--quiet", "-q"} & given.keys()), "--verbose" in given)


def _given(words: Sequence[str]) -> dict[str, list[str]] | None:
    """The values by option, and what is no option as ``_SPECS``."""
    given: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word in SWITCHES:
            given[word] = []
            continue
        if word == "-" or not word.startswith("-"):
            name, value = _SPECS, word
        elif not equals:
            # Nothing is as little a value as the next option.
            value = next(rest, "--")
            if value != "-" and value.startswith("-"):
                return None
        known = name in ONCE or name in OFTEN or name == _SPECS
        if not known or (name in ONCE and name in given):
            return None
        if name in _CHOICES and value not in list(_CHOICES[name]):
            return None
        given.setdefault(name, []).append(value)
    return given
