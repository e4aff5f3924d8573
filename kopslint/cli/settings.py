"""The command line, the environment and the configuration file, in that order.

The first of them that sets something wins.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from re import fullmatch
from typing import TYPE_CHECKING

from kopslint.cli.options import FailOn
from kopslint.errors import InputError, KopslintError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kopslint.cli.check_options import CheckOptions
    from kopslint.config.load import Configuration, Named
    from kopslint.config.settings import Settings
    from kopslint.engine import Request
    from kopslint.findings import Severity
    from kopslint.inputs.git import Snapshot
    from kopslint.inputs.kops_version import SaidVersion
    from kopslint.rulebook.model import Rule
    from kopslint.text import Source


# ------------------------------------------------------------------------------------
# Where a team's own rules come from: the configuration, and the command line


def all_rules(
    configuration: Configuration, folders: Sequence[Path] = ()
) -> tuple[Rule, ...]:
    """The rulebook and the rules of the configured and the given folders.

    Raises ``RuleError`` for a folder that does not hold what it must.
    """
    configured = [
        Path(configuration.layout.folder, p) for p in configuration.rule_paths
    ]
    if not configured and not folders:
        from kopslint.rulebook.loader import load_rules

        return load_rules()
    from kopslint.rulebook.loader import with_house_rules

    return with_house_rules([*map(_from_here, configured), *folders])


def _from_here(folder: Path) -> Path:
    """The folder as people see it from where they are, if it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


_NOT_FILES = ("-", "git:")


def configuration_for(
    inputs: Sequence[str],
    environment: Mapping[str, str],
    *,
    config: Path | None = None,
    no_config: bool = False,
) -> Configuration:
    """The configuration of a run that checks ``inputs``.

    ``config`` and then ``KOPSLINT_CONFIG`` name a file; otherwise it is looked for
    from the first input on the disk upwards, or from the current folder.

    Raises ``UsageError`` for options that exclude each other, and ``InputError`` for
    a configuration that is not as it must be.
    """
    from kopslint.config.load import (
        Configuration,
        find_configuration,
        read_configuration,
    )
    from kopslint.config.patterns import Layout

    if no_config:
        if config is not None:
            raise UsageError(
                "--config and --no-config cannot be used together",
                hint="remove one of them",
            )
        return Configuration(Layout(str(Path.cwd())))
    config = named_configuration(config, environment)
    if config is not None:
        return read_configuration(config)
    return find_configuration(first_file(inputs))


def named_configuration(
    config: Path | None, environment: Mapping[str, str]
) -> Path | None:
    """The configuration that the option or else the environment names."""
    if config is None and environment.get("KOPSLINT_CONFIG"):
        return Path(environment["KOPSLINT_CONFIG"])
    return config


def first_file(inputs: Sequence[str]) -> Path:
    """The first input on the disk, from which a configuration is looked for."""
    files = (each for each in inputs if each and not each.startswith(_NOT_FILES))
    return Path(next(files, "."))


def settings_for(
    configuration: Configuration,
    environment: Mapping[str, str],
    options: CheckOptions,
) -> Settings:
    """How the engine is to check, as the options and the configuration say.

    Rules that are selected anew, in the environment or on the command line, count
    whatever was ignored before that. Raises ``UsageError`` or ``InputError``, with
    the nearest names, for a rule that does not exist or cannot be ignored, and if
    no rule is left; ``RuleError`` for a rule of a team's own that cannot be loaded.
    """
    from kopslint.config.settings import Override, Settings, selected

    rules = all_rules(configuration, options.house)
    layers = (
        (configuration.select, configuration.ignore),
        (
            _named(_variable(environment, "KOPSLINT_SELECT"), "KOPSLINT_SELECT"),
            _named(_variable(environment, "KOPSLINT_IGNORE"), "KOPSLINT_IGNORE") or (),
        ),
        (
            _named(options.select, "--select"),
            _named(options.ignore, "--ignore") or (),
        ),
    )
    kept = selected(
        rules,
        [
            (
                None if chosen is None else _ids(rules, chosen),
                _ignored_ids(rules, left_out),
            )
            for chosen, left_out in layers
        ],
    )
    if not kept:
        raise UsageError(
            "no rule is selected", hint="select more rules or ignore fewer"
        )
    return Settings(
        rules=kept,
        severities=_severities(rules, configuration.severity),
        overrides=tuple(
            Override(
                override.files,
                frozenset(_ignored_ids(rules, override.ignore)),
                _severities(rules, override.severity),
            )
            for override in configuration.overrides
        ),
        root=configuration.layout.folder,
        folder=str(Path.cwd()),
        kops_version=valid_version(options.kops_version) or configuration.kops_version,
        kops_asked=options.kops_version is not None,
        etcd_volumes=options.etcd_volumes,
        ignores=options.ignores,
        shard=options.shard,
        today=(now := datetime.now().astimezone()).date(),
        now=now,
        known=rules,
        retired=frozenset(configuration.retired),
        documentation=configuration.documentation,
    )


def with_said_version(
    settings: Settings, inputs: Sequence[str], lists: Sequence[Source]
) -> Settings:
    """The settings with the kops that the repository or a list says, if one is said.

    What the command line or the configuration names counts. Two versions that
    contradict each other leave it open, and are said.
    """
    if settings.kops_version is not None:
        return settings
    from kopslint.inputs.kops_version import said_versions

    return _with_said(settings, said_versions(inputs, lists))


def with_version_of_change(
    settings: Settings, request: Request, after: Snapshot
) -> Settings:
    """The same for a cluster that changes in git, as the state after the change says.

    The lists are run once the change is there, by the kops that is named then.
    """
    if settings.kops_version is not None:
        return settings
    from kopslint.inputs.kops_version import said_in_snapshot

    top = os.path.realpath(after.root)
    paths = [
        Path(os.path.relpath(os.path.realpath(source.path), top)).as_posix()
        for source in request.after or ()
    ]
    return _with_said(settings, said_in_snapshot(paths, request.commands, after))


def _with_said(settings: Settings, found: Sequence[SaidVersion]) -> Settings:
    if not found:
        return settings
    said = tuple((each.version, each.span) for each in found)
    minors = {each.minor for each in found}
    version = f"1.{minors.pop()}" if len(minors) == 1 else None
    return settings._replace(kops_version=version, kops_said=said)


def valid_version(version: str | None) -> str | None:
    """The version of ``--kops-version``; UsageError if it is none."""
    if version is not None and not fullmatch(r"1\.[0-9]+(\.[0-9]+)?", version):
        raise UsageError(
            f"--kops-version {version} is not a version of kops",
            hint="write it like 1.34",
        )
    return version


def fail_on_for(
    option: FailOn | None,
    configuration: Configuration,
    environment: Mapping[str, str],
) -> FailOn:
    """The least severity that gives exit status 1.

    Raises ``UsageError`` if the environment asks for one that does not exist.
    """
    if option is not None:
        return option
    variable = environment.get("KOPSLINT_FAIL_ON")
    if variable:
        if variable not in list(FailOn):
            raise UsageError(
                f"KOPSLINT_FAIL_ON is {variable}",
                hint=f"set it to one of {', '.join(FailOn)}",
            )
        return FailOn(variable)
    return FailOn(configuration.fail_on or FailOn.ERROR)


def _variable(environment: Mapping[str, str], name: str) -> Sequence[str]:
    value = environment.get(name)
    return [value] if value else []


def _named(values: Sequence[str], origin: str) -> tuple[Named, ...] | None:
    """What was given, with commas or several times; None if nothing was."""
    from kopslint.config.load import Named

    words = [word.strip() for value in values for word in value.split(",")]
    return tuple(Named(word, origin=origin) for word in words if word) or None


def _ids(rules: Sequence[Rule], named: Iterable[Named]) -> set[str]:
    return {rule for each in named for rule in _rule_ids(rules, each)}


def _ignored_ids(rules: Sequence[Rule], named: Iterable[Named]) -> set[str]:
    named = tuple(named)
    always = {rule.id for rule in rules if not rule.ignorable}
    for each in named:
        if _rule_ids(rules, each) <= always:
            raise _refused(each, f"{each.text} cannot be ignored", "remove it")
    return _ids(rules, named) - always


def _severities(rules: Sequence[Rule], named: Iterable[Named]) -> dict[str, Severity]:
    """Severities by rule id; what names fewer rules is meant more than the rest."""
    found: dict[str, Severity] = {}
    meant = [(_rule_ids(rules, each), each.severity) for each in named]
    for ids, severity in sorted(meant, key=lambda each: -len(each[0])):
        if severity is not None:
            found.update(dict.fromkeys(ids, severity))
    return found


def _rule_ids(rules: Sequence[Rule], named: Named) -> set[str]:
    from kopslint.config.settings import UnknownRuleError, rule_ids

    try:
        return rule_ids(rules, named.text)
    except UnknownRuleError as error:
        raise _refused(named, str(error), error.hint) from None


def _refused(named: Named, message: str, hint: str) -> KopslintError:
    if named.span is not None:
        return InputError(message, span=named.span, hint=hint)
    return UsageError(f"{named.origin}: {message}", hint=hint)
