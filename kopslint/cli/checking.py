"""``kopslint check`` from its options to a written report.

This is the order in which things happen: the configuration is read before the
inputs, all inputs before anything is checked, and everything is checked before the
first report is written.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kopslint.cli.emit_report import told
from kopslint.cli.inputs import (
    change_of,
    found_here,
    read_changed,
    read_commands,
    read_observed,
    read_request,
)
from kopslint.cli.options import Format
from kopslint.cli.remarks import remarks_on
from kopslint.cli.settings import (
    configuration_for,
    fail_on_for,
    settings_for,
    with_said_version,
    with_version_of_change,
)
from kopslint.errors import InputError, NothingCheckedError, UsageError
from kopslint.findings import Report, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.cli.check_options import CheckOptions
    from kopslint.cli.console import Voice
    from kopslint.cli.options import Output
    from kopslint.cli.settings_source import Decided
    from kopslint.config.load import Configuration
    from kopslint.config.settings import Settings
    from kopslint.engine import Request
    from kopslint.inputs.git_change import Change
    from kopslint.report.html import Instead


def run_check(options: CheckOptions) -> bool:
    """Check what the options name, write the reports, and say whether it is in order.

    Raises ``KopslintError`` if that is not possible.
    """
    _refuse_unfit(options)
    if options.timeout is not None:
        from kopslint.cli.time_limit import limit

        limit(options.timeout)
    if options.git.wanted:
        return _run_on_change(options)
    voice = options.voice
    inputs = [*options.states_after, *options.before, *options.commands]
    configuration = configuration_for(
        inputs, os.environ, config=options.config, no_config=options.no_config
    )
    settings = settings_for(configuration, os.environ, options)
    fail_on = fail_on_for(options.fail_on, configuration, os.environ)
    if configuration.path is not None:
        voice.detail(f"configuration: {configuration.path}")
    outputs = options.outputs
    patch = ""
    mended: tuple[str, ...] = ()
    found = _found(options, configuration)
    if len(found) > 1:
        # Each way to write a cluster is a state of its own.
        several = [("specs found here", each) for each in found]
        settings = with_said_version(settings, inputs, ())
        report = check_all(several, settings, voice)
        return told(report, options, settings, fail_on, outputs)
    request = found[0] if found else _request(options, configuration)
    settings = with_said_version(settings, inputs, request.commands)
    try:
        report = _checked(request, settings, options.jobs, voice)
        _refuse_nothing_after(request, report)
    except NothingCheckedError:
        told(Report(()), options, settings, fail_on, _for_programs(outputs))
        raise
    _refuse_unreadable(options, request, report)
    for remark in remarks_on(request, report):
        voice.remark(remark)
    if options.shard is not None and not report.summary.clusters:
        voice.remark(f"nothing to check: no cluster is in shard {options.shard}")
        outputs = _for_programs(outputs)
    read = not voice.quiet and any(o.format is Format.TEXT for o in outputs)
    if options.mends or (
        read
        and options.shard is None
        and request.commands
        and report.count(Severity.ERROR)
    ):
        from kopslint.cli.fix import fixed, patch_for, shown

        if options.diff:
            patch = patch_for(request, report, settings, voice)
            mended = ("the list can be corrected, --fix writes it",) if patch else ()
        elif options.fix:
            report = fixed(request, report, settings, voice)
        else:
            mended = shown(request, report, settings)

    def beside() -> Instead | None:
        from kopslint.cli.instead import instead_of

        return instead_of(request, report, settings)

    return told(
        report,
        options,
        settings,
        fail_on,
        outputs,
        mended=mended,
        patch=patch,
        instead=beside,
    )


def _run_on_change(options: CheckOptions) -> bool:
    """``run_check`` for what changed in git: the settings are those of its base."""
    from contextlib import ExitStack

    from kopslint.cli.settings_source import decide

    if options.before:
        raise UsageError(
            "the state before is taken from git, so --before cannot name it",
            hint="remove --before, or the git options",
        )
    change = change_of(options.git)
    with ExitStack() as stack:
        decided = decide(change, options, os.environ, stack)
        options, configuration = decided.options, decided.configuration
        settings = settings_for(configuration, os.environ, options)
        fail_on = fail_on_for(options.fail_on, configuration, os.environ)
        if configuration.path is not None:
            options.voice.detail(f"configuration: {configuration.path}")
        report = _check_change(change, decided, settings)
        outputs = options.outputs
        if not report.summary.clusters and not report.findings:
            # There is nothing to tell people that has not been said; a program that
            # waits for a report still gets one.
            outputs = _for_programs(outputs)
        baseline = decided.baseline
        return told(report, options, settings, fail_on, outputs, baseline=baseline)


def _for_programs(outputs: Sequence[Output]) -> tuple[Output, ...]:
    """The reports that are written even if there is nothing to tell people."""
    return tuple(o for o in outputs if o.file or o.format != Format.TEXT)


def _checked(
    request: Request, settings: Settings, jobs: int | None, voice: Voice
) -> Report:
    """Check a request, a large one with all the cores there are."""
    if not request.is_fleet or request.observed is not None:
        from kopslint.engine import check

        return check(request, settings)
    from kopslint.engine import pool

    def say(done: int, portions: int) -> None:
        voice.progress(f"checking: {100 * done // portions} %")

    try:
        return pool.check(request, settings, jobs, say)
    finally:
        voice.progress("")


def _refuse_nothing_after(request: Request, report: Report) -> None:
    """Raise ``NothingCheckedError`` if no file named for after holds a kops object.

    It may be so if a list deletes all of them, or the configuration has retired them.
    """
    paths = sorted({source.path for source in request.after or ()})
    vanished = any(finding.rule == "KL232" for finding in report.findings)
    if vanished and paths and {*report.summary.skipped}.issuperset(paths):
        raise NothingCheckedError(
            f"no kops object was found after the change in {', '.join(paths[:3])}, so"
            " nothing was checked",
            hint="did a template render to nothing? If the cluster was deleted, do so"
            " in the list, or set retired: [NAME] in the configuration",
        )


def _refuse_unreadable(options: CheckOptions, request: Request, report: Report) -> None:
    """Raise ``InputError`` for a file that was named and is no YAML.

    In a folder it may be anything; who names it wants it to be checked.
    """
    named = {*options.states_after, *options.before} & {*report.summary.skipped}
    if not named:
        return
    from kopslint.syntax.yaml import read_yaml

    for source in (*(request.before or ()), *(request.after or ())):
        if source.path in named:
            read_yaml(source)


def _refuse_unfit(options: CheckOptions) -> None:
    """Raise ``UsageError`` for options that do not go together."""
    if options.config_from is not None and not options.git.wanted:
        raise UsageError(
            "--config-from applies only to a change in git",
            hint="remove it; to name a configuration, use --config FILE",
        )
    if options.write_baseline is not None and options.git.wanted:
        raise UsageError(
            "a baseline of a change would not contain the other findings",
            hint="write it from a check of all specs, without the git options",
        )
    if options.mends and options.git.wanted:
        raise UsageError(
            "--fix and --diff correct one list, not whatever changed in git",
            hint="name both sides and the list: --before, --after and --commands",
        )
    if options.shard is not None and options.git.wanted:
        raise UsageError(
            "--shard splits a fleet between jobs and does not work for a change in git",
            hint="remove --shard, or name the specs",
        )
    if options.shard is not None and options.mends:
        raise UsageError(
            "--fix and --diff correct one list, but --shard checks part of a fleet",
            hint="leave out --shard",
        )
    if options.shard is not None and options.write_baseline is not None:
        raise UsageError(
            "a baseline of one shard would not contain the other findings",
            hint="write it from a check of all clusters, without --shard",
        )
    for output in options.outputs if options.diff else ():
        if output.file is None and output.format is not Format.TEXT:
            raise UsageError(
                f"the patch and the {output.format} report would both go to standard"
                " output",
                hint=f"write the report to a file: --format {output.format}=FILE",
            )


def _found(options: CheckOptions, configuration: Configuration) -> list[Request]:
    """What there is to check where nobody names anything, and no configuration does."""
    named = options.before or options.states_after or options.commands
    if named or options.observed or configuration.layout.specs is not None:
        return []
    return found_here(configuration.layout.templates)


def _request(options: CheckOptions, configuration: Configuration) -> Request:
    """What the options name or else, as one state, the configured specs."""
    after: Sequence[str] = options.states_after
    if not (options.before or after or options.commands):
        from kopslint.config.patterns import spec_files

        after = [os.path.relpath(path) for path in spec_files(configuration.layout)]
        if configuration.layout.specs and not after:
            raise UsageError(
                f"{configuration.path}: no file matches the patterns in specs",
                hint="correct them; 'kopslint doctor' shows what they match",
            )
    return read_request(
        options.before,
        after,
        options.commands,
        options.stdin_as,
        options.observed,
        configuration.layout.templates,
    )


def _check_change(change: Change, decided: Decided, settings: Settings) -> Report:
    """Check what changed in git. The report is without clusters if nothing did."""
    from kopslint.engine.aggregate import with_own_changes

    options, voice = decided.options, decided.options.voice
    commands = read_commands(options.commands, options.stdin_as)
    layout = decided.configuration.layout
    changed = read_changed(change, layout, options.states_after, commands)
    requests = _with_observed(changed.requests, options)
    if requests:
        voice.detail(changed.summary)
    else:
        voice.remark(changed.summary)
    for remark in changed.remarks:
        voice.remark(remark)
    said = [
        with_version_of_change(settings, request, change.after)
        for _, request in requests
    ]
    report = check_all(requests, settings, voice, said)
    if options.all_findings:
        report = report.counting_all()
    if changed.requests and not report.summary.clusters:
        voice.remark("nothing to check: the changed files contain no kops object")
    own = decided.changes
    if changed.lost_lists:
        from kopslint.config.own_change import lost_lists

        own = (*own, *lost_lists(changed.lost_lists))
    return with_own_changes(report, own, settings)


def _with_observed(
    requests: Sequence[tuple[str, Request]], options: CheckOptions
) -> Sequence[tuple[str, Request]]:
    """The requests, each with what was seen on its cluster."""
    observed = read_observed(options.observed)
    if observed is None:
        return requests
    if observed.cluster is None and len(requests) > 1:
        raise UsageError(
            "the outputs do not say which cluster they are from, and several changed",
            hint=(
                "limit the check to the files of one cluster: kopslint check FOLDER"
                " --changed"
            ),
        )
    return [(title, request._replace(observed=observed)) for title, request in requests]


def check_all(
    requests: Sequence[tuple[str, Request]],
    settings: Settings,
    voice: Voice,
    own: Sequence[Settings] = (),
) -> Report:
    """Check several clusters, of which those without a kops object do not count.

    ``own`` are the settings of each, if they differ. The report is empty if none
    counts.
    """
    from kopslint.engine import check
    from kopslint.engine.aggregate import about_unread, together

    reports: list[Report] = []
    unread: list[InputError] = []
    for number, (title, request) in enumerate(requests, 1):
        if len(requests) > 1:
            voice.progress(f"checking {number} of {len(requests)}: {title}")
        voice.detail(
            f"{title}: files before: {len(request.before or ())},"
            f" after: {len(request.after or ())};"
            f" command lists: {len(request.commands)}"
        )
        try:
            report = check(request, own[number - 1] if own else settings)
            reports.append(report)
        except NothingCheckedError:
            voice.detail(f"{title}: its files contain no kops object")
        except InputError as error:
            unread.append(error)
    if len(requests) > 1:
        voice.progress("")
    if unread and not any(report.summary.clusters for report in reports):
        raise unread[0]
    reports += (about_unread(error, settings) for error in unread)
    return together(reports, rules=len(settings.rules or ()))
