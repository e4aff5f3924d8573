"""``kopslint init`` and ``kopslint doctor``: how kopslint is set up here."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.cli.check_options import CheckOptions
from kopslint.cli.settings import configuration_for, fail_on_for, settings_for
from kopslint.errors import KopslintError, UsageError
from kopslint.report.display import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from kopslint.cli.found_lists import FoundList
    from kopslint.config.load import Configuration
    from kopslint.config.starter import Findings
    from kopslint.discovery.found import Found

_LIBRARIES = ("deepdiff", "markdown-it-py", "pydantic", "tree-sitter-bash", "typer")
# So many files are named; the rest is counted.
_NAMED = 10
# What explains a repository is no list that anybody runs as a whole.
_README = re.compile(r"(?i)(?:^|/)readme[^/]*$")


def write_starter(folder: Path) -> Path:
    """Write a configuration in which everything is explained, and what is here is set.

    Raises ``UsageError`` if there is one already, or if it cannot be written.
    """
    from kopslint.config.load import NAME
    from kopslint.config.starter import starter_text

    path = folder / NAME
    text = "" if os.path.lexists(path) else starter_text(_found_below(folder))
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{NAME} already exists here", hint="edit it, or remove it first"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _found_below(folder: Path) -> Findings:
    """What is found below a folder, for its configuration; nothing if git fails."""
    from kopslint.cli.found_lists import lists_in
    from kopslint.cli.inputs import owners_of
    from kopslint.config.starter import Findings
    from kopslint.discovery.found import found_in, state_here
    from kopslint.inputs.kops_version import said_versions

    try:
        state = state_here()
        root = os.path.realpath(getattr(state, "root", "."))
        below = Path(os.path.relpath(os.path.realpath(folder), root)).as_posix()
        found = found_in(state, below)
        lists = [each for each in lists_in(state, below) if not each.only_builds]
        said = said_versions((), [each.source for each in lists])
    except KopslintError:
        return Findings()
    specs = {source.path for source in found.specs if source.unread is None}
    owners = owners_of(found)
    minors = {version.minor for version in said}
    return Findings(
        # Of several ways to write a cluster, only what finds them by content makes one.
        specs=()
        if any(len(sources) > 1 for sources in owners.values())
        else tuple(sorted(filter(_is_below, specs))),
        templates=tuple(_with_values(found)),
        commands=tuple(
            (_only_cluster(each, owners), each.source.path)
            for each in lists
            if _is_below(each.source.path) and not _README.search(each.source.path)
        ),
        kops_version=f"1.{minors.pop()}" if len(minors) == 1 else None,
    )


def _only_cluster(each: FoundList, known: Collection[str]) -> str | None:
    """The cluster that a list is for, where there are others; None for all."""
    (name, *others) = each.clusters or ("",)
    return name if name in known and not others and len(known) > 1 else None


def _is_below(path: str) -> bool:
    return not path.startswith(("..", "/"))


def _with_values(found: Found) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The templates with values beside them that nobody has said to be theirs."""
    for each in found.rendered:
        if each.guessed and each.source is not None and len(each.inputs) > 1:
            template, *values = (source.path for source in each.source.inputs)
            if all(map(_is_below, (template, *values))):
                yield template, tuple(values)


def diagnosis(
    inputs: Sequence[str], environment: Mapping[str, str], config: Path | None
) -> tuple[str, bool]:
    """What a check of ``inputs`` would work with, and whether it could work at all."""
    lines = [
        f"kopslint       {__version__}",
        f"Python         {platform.python_version()} on {platform.system()}",
        f"libraries      {', '.join(_versions())}",
        f"libyaml        {_libyaml()}",
    ]
    works = True

    def add(title: str, tell: Callable[[], Iterator[str]]) -> None:
        nonlocal works
        try:
            told = list(tell())
        except KopslintError as error:
            works, told = False, [f"ERROR: {error}"]
        lines.extend(
            f"{title if n == 0 else '':<15}{visible(line)}"
            for n, line in enumerate(told)
        )

    def configured() -> Configuration:
        return configuration_for(inputs, environment, config=config)

    add("git", _git)
    add("rulebook", _rulebook)
    add("configuration", lambda: _configuration(configured(), environment))
    if works:
        add("specs", lambda: _specs(configured()))
        add("commands", lambda: _commands(configured()))
    return "\n".join(lines) + "\n", works


def _versions() -> Iterator[str]:
    from importlib.metadata import version

    return (f"{name} {version(name)}" for name in _LIBRARIES)


def _libyaml() -> str:
    import yaml

    if hasattr(yaml, "CSafeLoader"):
        return f"yes, with PyYAML {yaml.__version__}"
    return f"no: PyYAML {yaml.__version__} was built without it and is slow"


def _git() -> Iterator[str]:
    from kopslint.errors import InputError
    from kopslint.inputs.git import Git, git_version
    from kopslint.inputs.git_change import default_branch

    try:
        yield git_version()
    except InputError:
        yield "not installed, so only files can be read"
        return
    try:
        git = Git()
    except InputError as error:
        yield f"no repository here: {error.message}"
        return
    yield f"repository {git.root}"
    branch = (default_branch(git) or "").removeprefix("refs/heads/")
    name = branch.removeprefix("refs/remotes/")
    yield f"default branch {name}" if name else "no default branch: name a --base"


def _rulebook() -> Iterator[str]:
    from kopslint.rulebook.loader import bundle, load_rules

    yield f"{bundle()}, {len(load_rules())} rules"


def _configuration(
    configuration: Configuration, environment: Mapping[str, str]
) -> Iterator[str]:
    yield configuration.path or "none; 'kopslint init' writes one"
    settings = settings_for(configuration, environment, CheckOptions())
    yield f"{len(settings.rules or ())} rules selected"
    yield f"fails on {fail_on_for(None, configuration, environment)}"
    for name in sorted(environment):
        if name.startswith("KOPSLINT_"):
            yield f"{name}={environment[name]}"


def _specs(configuration: Configuration) -> Iterator[str]:
    from kopslint.config.patterns import spec_files

    layout = configuration.layout
    if layout.specs is None:
        from kopslint.discovery.found import found_in, state_here

        yield "not configured: found by content, in the repository or here"
        found = found_in(state_here(), given=layout.templates)
        if found.plain:
            yield from _listed(sorted({Path(source.path) for source in found.plain}))
        elif not found.rendered:
            yield "no file contains a kops object"
        for each in found.rendered[:_NAMED]:
            fails = (
                f": {each.error.message}" if each.source is None and each.error else ""
            )
            yield f"  rendered from {each.key}{fails}"
        if len(found.rendered) > _NAMED:
            yield f"  and {len(found.rendered) - _NAMED} more from templates"
    else:
        yield from _listed(spec_files(layout))


def _commands(configuration: Configuration) -> Iterator[str]:
    from kopslint.config.patterns import command_files

    if configuration.layout.commands:
        yield from _listed(command_files(configuration.layout))
        return
    from kopslint.cli.found_lists import lists_in
    from kopslint.discovery.found import state_here

    found = list(lists_in(state_here()))
    if not found:
        yield "not configured, and no file here has a command of kops that changes"
        return
    yield "not configured, so none is replayed; these have commands of kops"
    for each in found[:_NAMED]:
        whose = ", ".join(each.clusters[:3]) or "the cluster at hand"
        builds = ", builds or deletes it" if each.only_builds else ""
        yield f"  {each.source.path} for {whose}{builds}"
    if len(found) > _NAMED:
        yield f"  and {len(found) - _NAMED} more"


def _listed(files: Sequence[Path]) -> Iterator[str]:
    if not files:
        yield "no file matches the patterns"
    else:
        yield "1 file" if len(files) == 1 else f"{len(files)} files"
    for path in files[:_NAMED]:
        yield f"  {os.path.relpath(path)}"
    if len(files) > _NAMED:
        yield f"  and {len(files) - _NAMED} more"
