"""Whose settings, rules, baseline count in a check of a change in git.

Those of the base, because whoever writes the change could switch off its check with
its own. What a folder of rules holds on the base is read from the disk where that is
the same, and else written into a folder of its own.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kopslint.cli.settings import configuration_for, first_file, named_configuration
from kopslint.config.load import configuration_in, inner_path, read_in
from kopslint.config.own_change import Places, own_changes
from kopslint.errors import InputError, UsageError
from kopslint.inputs.decode import shown
from kopslint.records import Record
from kopslint.rulebook.loader import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import ExitStack

    from kopslint.cli.check_options import CheckOptions
    from kopslint.config.load import Configuration
    from kopslint.config.own_change import OwnChange
    from kopslint.inputs.git_change import Change
    from kopslint.text import Source

BASE, HEAD = "base", "head"
_KEPT_OF_A_RULE = (MANIFEST, "README.md")


class Decided(Record):
    """What a check of a change goes by.

    ``options`` are those given, without what does not count. ``baseline`` is the text
    of the one that they name, if it is not as on the disk. ``changes`` are what of the
    change is about the check itself.
    """

    configuration: Configuration
    options: CheckOptions
    baseline: Source | None
    changes: tuple[OwnChange, ...]


def decide(
    change: Change,
    options: CheckOptions,
    environment: Mapping[str, str],
    stack: ExitStack,
) -> Decided:
    """What a check of ``change`` goes by; folders made for it last as ``stack``.

    Raises ``UsageError`` for options that exclude each other, and ``InputError`` for
    a configuration that is not as it must be.
    """
    whose = options.config_from or BASE
    if options.config_from not in (None, HEAD, BASE) and (
        options.config is not None or options.no_config
    ):
        raise UsageError(
            "--config-from FILE names the configuration, and so does another option",
            hint="leave out --config and --no-config",
        )
    decision = _Decision(change, options, environment)
    if whose == HEAD:
        configuration = configuration_for(
            decision.inputs,
            environment,
            config=options.config,
            no_config=options.no_config,
        )
        return Decided(configuration, options, None, decision.changes(configuration))
    configuration = decision.configuration(whose)
    folders = [
        *(Path(configuration.layout.folder, each) for each in configuration.rule_paths),
        *options.house,
    ]
    house = tuple(decision.rules(folders, stack))
    baseline = decision.baseline()
    kept = (
        None
        if baseline is None and decision.is_brought(options.baseline)
        else (options.baseline)
    )
    return Decided(
        configuration._replace(rule_paths=()),
        options.replaced(house=house, baseline=kept),
        baseline,
        decision.changes(configuration),
    )


class _Decision:
    """One decision: what lies where on the base, and what the change says of it."""

    def __init__(
        self, change: Change, options: CheckOptions, environment: Mapping[str, str]
    ) -> None:
        self._change = change
        self._base = change.base
        self._options = options
        self._environment = environment
        self.inputs = (*options.states_after, *options.commands)
        self._new = {file.new for file in change.files if file.new} | {*change.links}

    def configuration(self, whose: str) -> Configuration:
        """The configuration of the base, or of a file that was named for it."""
        options, environment = self._options, self._environment
        if options.no_config:
            return configuration_for(
                (), environment, no_config=True, config=options.config
            )
        if whose != BASE:
            return configuration_for((), environment, config=Path(whose))
        named = named_configuration(options.config, environment)
        if named is None:
            return configuration_in(self._base, first_file(self.inputs))
        inner = inner_path(self._base.root, named)
        if inner is not None:
            found = read_in(self._base, inner, Path.cwd())
            if found is not None:
                return found
            if str(inner) in self._new:
                return configuration_for((), environment, no_config=True)
        return configuration_for((), environment, config=named)

    def baseline(self) -> Source | None:
        """The baseline that was named, as the base has it; None if it has none."""
        path = self._options.baseline
        inner = None if path is None else inner_path(self._base.root, path)
        place = None if inner is None else self._base.followed(str(inner))
        if place is None:
            return None
        return self._base.read([place], lambda _: True).get(place)

    def is_brought(self, path: Path | None) -> bool:
        """Whether a file or folder comes with the change."""
        inner = None if path is None else inner_path(self._base.root, path)
        if inner is None:
            return False
        return any(
            new == str(inner) or new.startswith(f"{inner}/") for new in self._new
        )

    def rules(self, folders: Sequence[Path], stack: ExitStack) -> Iterator[Path]:
        """The folders of rules as they are on the base."""
        for folder in folders:
            inner = inner_path(self._base.root, folder)
            if inner is None:
                # It is none of the repository's.
                yield folder
                continue
            kept = self._kept_rules(inner)
            if not kept:
                # Git may not know it at all; what the change brings does not count.
                if not self.is_brought(folder):
                    yield folder
            elif all(_is_on_disk(folder, *each) for each in kept.items()) and (
                _manifests_on_disk(folder) <= kept.keys()
            ):
                yield folder
            else:
                from tempfile import TemporaryDirectory

                made = Path(stack.enter_context(TemporaryDirectory(prefix="kopslint-")))
                yield _written(made / folder.name, kept)

    def _kept_rules(self, inner: PurePosixPath) -> dict[PurePosixPath, Source]:
        """The rules below a folder of the base, by path from there."""
        place = self._base.followed(str(inner))
        if place is None:
            raise InputError(
                f"{inner} of {self._base.title} is a link that leads out of the"
                " repository",
                hint="put the rules there, not a link",
            )
        below = "" if place == "." else f"{place}/"
        wanted = {
            path: PurePosixPath(path.removeprefix(below))
            for path in self._base.files
            if path.startswith(below)
        }
        read = self._base.read(
            (
                path
                for path, own in wanted.items()
                if own.name in _KEPT_OF_A_RULE and len(own.parts) < 3
            ),
            lambda _: True,
        )
        found = {wanted[path]: source for path, source in read.items()}
        return found if any(each.name == MANIFEST for each in found) else {}

    def changes(self, configuration: Configuration) -> tuple[OwnChange, ...]:
        """What of the change is about the check itself."""
        options = self._options
        named = named_configuration(options.config, self._environment)
        settings = [named] if named is not None and not options.no_config else []
        if configuration.path is not None and options.config_from != HEAD:
            settings.append(Path(configuration.path))
        folder = Path(configuration.layout.folder)
        rules = [folder / each for each in configuration.rule_paths]
        places = Places(
            settings=frozenset(self._inner(settings)),
            rules=frozenset(self._inner([*rules, *options.house])),
            baseline=frozenset(
                self._inner([options.baseline] if options.baseline else [])
            ),
            any_settings=not options.no_config,
        )
        return tuple(own_changes(self._change, places, self._counts()))

    def _inner(self, paths: Iterable[Path]) -> Iterator[str]:
        """The paths in the repository, each also as what it leads to on the base."""
        for path in paths:
            inner = inner_path(self._base.root, path)
            if inner is not None:
                yield str(inner)
                yield self._base.followed(str(inner)) or str(inner)

    def _counts(self) -> str:
        whose = self._options.config_from or BASE
        if whose == BASE:
            return (
                f"This check used the settings of {self._base.title}, not those of the"
                " change; --config-from head tries the new ones."
            )
        if whose == HEAD:
            return "This check used the settings after the change."
        return f"This check used the settings of {shown(Path(whose))}."


def _is_on_disk(folder: Path, name: PurePosixPath, source: Source) -> bool:
    try:
        path = folder / name
        return not path.is_symlink() and path.read_bytes() == source.text.encode()
    except OSError:
        return False


def _manifests_on_disk(folder: Path) -> set[PurePosixPath]:
    found = (*folder.glob(MANIFEST), *folder.glob(f"*/{MANIFEST}"))
    return {PurePosixPath(path.relative_to(folder).as_posix()) for path in found}


def _written(folder: Path, files: Mapping[PurePosixPath, Source]) -> Path:
    """A folder with these files in it."""
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.text.encode())
    return folder


__all__ = ["BASE", "HEAD", "Decided", "decide"]
