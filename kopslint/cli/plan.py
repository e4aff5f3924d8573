"""``kopslint plan`` from its sources to the text that is printed and the files.

A plan counts only after the check has read it back: the printed script and the
specs on the way are checked like anybody else's list. The modules
beside this one do the printing.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.console import write_file
from kopslint.cli.inputs import both_sides, read_request
from kopslint.cli.plan_formats import markdown, no_way_markdown, plan_json
from kopslint.cli.plan_options import PlanFormat, Target
from kopslint.cli.plan_script import no_way_script, script
from kopslint.cli.settings import configuration_for, valid_version
from kopslint.config.settings import Settings
from kopslint.engine import Request, check
from kopslint.errors import InputError, NothingCheckedError, UsageError
from kopslint.findings import Severity
from kopslint.inputs.boundary import boundary_here
from kopslint.inputs.sources import STDIN
from kopslint.kops.versions import minor_of
from kopslint.planner.plan import Options, plan_route
from kopslint.planner.runbook import NoWay, Runbook
from kopslint.records import Record
from kopslint.report.display import Style
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.cli.plan_options import PlanOptions
    from kopslint.kops.spec import Manifest
    from kopslint.observed.observation import Observation


_NAMES = {
    PlanFormat.TEXT: "plan.sh",
    PlanFormat.MARKDOWN: "plan.md",
    PlanFormat.JSON: "plan.json",
}
"""What the plan itself is called in the folder of its specs."""


class Planned(Record):
    """What to print, whether a plan was found, and the files that it still needs."""

    text: str
    found: bool
    missing: tuple[str, ...] = ()


def run_plan(options: PlanOptions, style: Style) -> Planned:
    """Make the plan that the options ask for; write it and the specs that it needs.

    Raises ``KopslintError`` for inputs that are not both sides of one cluster.
    """
    names = both_sides(options.specs, options.before, options.after, options.base)
    request = read_request(*names, (), observed=options.observed)
    before, after = sides(request.before or (), request.after or ())
    named = _named(options, names)
    result = make_plan(before, after, options, request.observed, named)
    text = _render(result, options.form, style)
    missing: tuple[str, ...] = ()
    if isinstance(result, Runbook):
        if options.out is None:
            missing = tuple(spec.files[0] for spec in result.written)
        elif result.steps:
            name = _NAMES[options.form]
            _write(result, options.out, name, text)
            if options.form is not PlanFormat.JSON:
                from kopslint.cli.plan_digest import digest

                text = digest(result, _named_from_here(options.out), name, style)
    return Planned(text, isinstance(result, Runbook), missing)


class NamedKops(Record):
    """The kops that somebody names for a plan, by its minor, and who names it.

    None is the minor where two are named.
    """

    minor: int | None
    by: str


def _named(
    options: PlanOptions, names: tuple[Sequence[str], Sequence[str]]
) -> NamedKops | None:
    """The kops that runs the plan, as ``check`` takes it.

    That is what the command line, or else the configuration, or else the repository on
    the disk says, from beside the spec after upwards.
    """
    if (asked := valid_version(options.kops_version)) is not None:
        return NamedKops(minor_of(asked), "--kops-version")
    configuration = configuration_for(names[1], os.environ)
    if configuration.kops_version is not None:
        by = os.path.relpath(configuration.path or "the configuration")
        return NamedKops(minor_of(configuration.kops_version), by)
    from kopslint.inputs.kops_version import said_versions

    found = {each.minor: each.span for each in said_versions(names[1], ())}
    if not found:
        return None
    places = [f"{span.source.path}:{span.line}" for span in found.values()]
    if len(found) > 1:
        named = zip(places, found, strict=True)
        return NamedKops(None, " and ".join(f"{p} (1.{m})" for p, m in named))
    return NamedKops(next(iter(found)), places[0])


def kops_of_check(settings: Settings) -> NamedKops | None:
    """The kops of a check, for a plan that is shown beside it."""
    version = settings.kops_version
    return NamedKops(minor_of(version), "the check") if version is not None else None


def make_plan(
    before: Manifest,
    after: Manifest,
    options: PlanOptions,
    observed: Observation | None = None,
    named: NamedKops | None = None,
) -> Runbook | NoWay:
    """The runbook, read back by the check; or that there is none, and why.

    Where something is wrong with what was ``observed``, there is none. The kops that
    is ``named`` runs the steps that it can run; the others say which kops they need.
    """
    files, text = _files(after)
    folder = _named_from_here(options.out) if options.out is not None else ""
    if text is None and folder:
        files = tuple(_named_from(folder, file) for file in files)
    version = valid_version(options.kops_version)
    if observed is not None:
        rescue = _rescued(before, after, observed, files, folder, version)
        if rescue is not None:
            return rescue
    wanted = Options(options.target is Target.TERRAFORM, text, version)
    result = plan_route(before, after, files, wanted)
    if isinstance(result, Runbook) and result.steps and named is not None:
        result, runs_all = _for_kops(result, named)
        version = f"1.{named.minor}" if runs_all else version
    if isinstance(result, Runbook) and result.steps:
        request = read_back(before, after, result, folder)
    elif isinstance(result, NoWay) and result.etcd_clusters:
        # Before a restore is offered, the spec after has to be a sound one.
        request = Request(None, after.sources)
    elif observed is None:
        return result
    else:
        request = Request(before.sources, after.sources)
    request = request._replace(observed=observed)
    told: dict[Severity, list[str]] = {severity: [] for severity in Severity}
    settings = Settings(kops_version=version)
    for finding in check(request, settings).findings:
        told[finding.severity].append(f"{finding.rule}: {finding.message}")
    # What was observed may have to be mended though both specs say the same.
    stuck = isinstance(result, Runbook) and not result.steps
    refused = told[Severity.ERROR] or (told[Severity.WARNING] if stuck else [])
    if refused:
        reasons = tuple(dict.fromkeys(refused))
        return NoWay(before.name, result.store, reasons, files=files, cut=result.cut)
    if isinstance(result, Runbook):
        warnings = tuple(dict.fromkeys(told[Severity.WARNING]))
        return result._replace(warnings=warnings)
    return result


def _for_kops(runbook: Runbook, named: NamedKops) -> tuple[Runbook, bool]:
    """The runbook for a kops, as far as that runs its steps; and whether it runs all.

    A step that any kops runs is for this one, too.
    """
    if named.minor is None:
        note = f"Two kops releases are named, so neither is used: {named.by}."
        return runbook._replace(notes=(note, *runbook.notes)), False
    steps = tuple(
        step._replace(kops=(named.minor,)) if named.minor in step.kops else step
        for step in runbook.steps
    )
    others = [step for step in steps if step.kops and named.minor not in step.kops]
    note = f"It is made for kops 1.{named.minor}, from {named.by}."
    if others:
        number = len(others)
        note = f"{named.by} names kops 1.{named.minor}, and {number} of the steps " + (
            "needs another one." if number == 1 else "need another one."
        )
    return runbook._replace(steps=steps, notes=(note, *runbook.notes)), not others


def _rescued(
    before: Manifest,
    after: Manifest,
    observed: Observation,
    files: tuple[str, ...],
    folder: str,
    version: str | None,
) -> Runbook | NoWay | None:
    """The way back of a cluster that was seen broken; None if it is whole.

    It leads to the spec before, as far as that differs from the one after: the change
    is planned from there.
    """
    from kopslint.model.initial import aligned
    from kopslint.observed.matching import matched
    from kopslint.planner.plan import state_store
    from kopslint.planner.rescue_plan import plan_rescue

    one, other = aligned(before, after)
    same = one.cluster is other.cluster and one.groups == other.groups
    if not same:
        ours, text = _files(before)
        files = ours if text is None else files
    seen = matched(observed, [before, after])
    result = plan_rescue(before, files, seen, state_store(before), version)
    if not isinstance(result, Runbook):
        return result
    if not same:
        note = (
            "This repairs the cluster to match the spec before. Then observe it again"
            " and plan the change from there."
        )
        result = result._replace(notes=(note, *result.notes))
    request = read_back(before, before, result, folder)._replace(observed=observed)
    found = check(request, Settings(kops_version=version)).findings
    errors = [
        f"{finding.rule}: {finding.message}"
        for finding in found
        if finding.severity is Severity.ERROR and finding.step is not None
    ]
    if errors:
        return NoWay(before.name, result.store, tuple(dict.fromkeys(errors)))
    return result


def read_back(
    before: Manifest, after: Manifest, runbook: Runbook, folder: str = ""
) -> Request:
    """The runbook as it is printed into ``folder``, to be checked as a whole."""
    plain = Style(color=False, unicode=True, width=100)
    name = _NAMES[PlanFormat.TEXT]
    path = f"{folder}/{name}" if folder else name
    return Request(
        before.sources,
        after.sources,
        (Source(path, script(runbook, plain)),),
        at_hand=tuple(
            Source(posixpath.join(folder, spec.files[0]), spec.text or "")
            for spec in runbook.written
        ),
    )


def _named_from_here(folder: Path) -> str:
    """A folder as the commands name it: below the current one it is relative."""
    here = Path.cwd()
    if folder.is_absolute() and folder.is_relative_to(here):
        folder = folder.relative_to(here)
    return folder.as_posix()


def _named_from(folder: str, file: str) -> str:
    """A file as the commands name it that are started in a folder."""
    if posixpath.isabs(folder) != posixpath.isabs(file):
        return Path(file).resolve().as_posix()
    return posixpath.relpath(file, folder)


def sides(
    before: tuple[Source, ...], after: tuple[Source, ...]
) -> tuple[Manifest, Manifest]:
    """Both sides of the one cluster that the sources describe, each whole."""
    from kopslint.kops.decode import read_fleet

    old, new = read_fleet(before).manifests, read_fleet(after).manifests
    if not old or not new:
        side = "before" if not old else "after"
        raise NothingCheckedError(
            f"no kops cluster was found in the spec {side}, so nothing was planned",
            hint=f"pass files with kind: Cluster and its groups with --{side}",
        )
    if len(old) > 1 or set(old) != set(new):
        names = ", ".join(sorted({*old, *new}))
        raise UsageError(
            f"a plan is for one cluster, but these specs are about {names}",
            hint="pass the files of one cluster on both sides; a new cluster needs no"
            " plan",
        )
    ((_, one),), ((_, other),) = old.items(), new.items()
    for manifest, side in ((one, "before"), (other, "after")):
        if manifest.cluster is None or not manifest.control_plane:
            what = "Cluster" if manifest.cluster is None else "control-plane group"
            raise InputError(
                f"the spec {side} of {manifest.name} has no {what}",
                span=manifest.sources[0].whole(),
                hint="plan needs whole specs: kops get all -o yaml",
            )
        for name in _names(manifest):
            if not name.isprintable():
                raise InputError(
                    f"{name!r} is no name for an object or a member",
                    span=manifest.sources[0].whole(),
                    hint="it would be written into a script",
                )
    return one, other


def _names(manifest: Manifest) -> Iterator[str]:
    """Every name of a spec that a plan may print."""
    yield manifest.name
    yield from manifest.groups
    for etcd in manifest.etcd_clusters:
        yield etcd.name
        yield from (member.name for member in etcd.members)


def _files(after: Manifest) -> tuple[tuple[str, ...], str | None]:
    """The files of the after side for the commands, that of the Cluster first.

    If one of them is no file on the disk, all of them become one to be written,
    whose text comes along.
    """
    assert after.cluster is not None  # noqa: S101 (whole specs were asked for)
    home = after.cluster.node.span.source
    sources = sorted(after.sources, key=lambda source: source is not home)
    if all(s.revision is None and s.path != STDIN for s in sources):
        return tuple(source.path for source in sources), None
    text = "\n---\n".join(source.text.strip("\n") for source in sources) + "\n"
    return ("after.yaml",), text


def _write(runbook: Runbook, folder: Path, name: str, text: str) -> None:
    boundary_here(without_git=True).refuse_what_leads_out(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder}: cannot be made: {error.strerror}",
            hint="name a folder that you can write to with --out",
        ) from error
    for spec in runbook.written:
        write_file(folder / spec.files[0], spec.text or "")
    write_file(folder / name, text)


def _render(result: Runbook | NoWay, form: PlanFormat, style: Style) -> str:
    if form is PlanFormat.JSON:
        return plan_json(result)
    plain = style._replace(color=False)
    if isinstance(result, NoWay):
        return (
            no_way_script(result)
            if form is PlanFormat.TEXT
            else no_way_markdown(result)
        )
    if form is PlanFormat.TEXT:
        return script(result, plain)
    return markdown(result, plain)
