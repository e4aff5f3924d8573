"""``kopslint init`` and ``kopslint doctor``: how kopslint is set up here."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.cli.check_options import CheckOptions
from kopslint.cli.settings import configuration_for, fail_on_for, settings_for
from kopslint.errors import KopslintError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kopslint.config.load import Configuration

_LIBRARIES = ("deepdiff", "markdown-it-py", "pydantic", "tree-sitter-bash", "typer")
# So many files are named; the rest is counted.
_NAMED = 10


def write_starter(folder: Path) -> Path:
    """Write a configuration in which everything is explained and nothing is set.

    Raises ``UsageError`` if there is one already, or if it cannot be written.
    """
    import kopslint.config
    from kopslint.config.load import NAME

    starter = Path(kopslint.config.__file__).with_name("starter.yaml")
    path = folder / NAME
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(starter.read_text(encoding="utf-8"))
    except FileExistsError:
        raise UsageError(
            f"there is a {NAME} here already", hint="edit it, or remove it first"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return path


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
            f"{title if n == 0 else '':<15}{line}" for n, line in enumerate(told)
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
    return f"no: PyYAML {yaml.__version__} was built without it, and reads slowly"


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

        yield "not configured: found by what files hold, in the repository or here"
        found = found_in(state_here())
        if found.plain:
            yield from _listed(sorted({Path(source.path) for source in found.plain}))
        elif not found.rendered:
            yield "no file holds a kops object"
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
    else:
        yield "not configured"


def _listed(files: Sequence[Path]) -> Iterator[str]:
    if not files:
        yield "no file matches the patterns"
    else:
        yield "1 file" if len(files) == 1 else f"{len(files)} files"
    for path in files[:_NAMED]:
        yield f"  {os.path.relpath(path)}"
    if len(files) > _NAMED:
        yield f"  and {len(files) - _NAMED} more"
