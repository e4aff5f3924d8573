"""What a page shows beside a list: the list corrected, or else the order to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.cli.fix import shown
from kopslint.cli.plan import NamedKops, kops_of_check, make_plan, sides
from kopslint.cli.plan_options import PlanOptions
from kopslint.cli.plan_script import summary
from kopslint.errors import KopslintError
from kopslint.findings import Severity, Verdict
from kopslint.planner.runbook import Runbook
from kopslint.report.html import Instead, PlanStep

if TYPE_CHECKING:
    from kopslint.config.settings import Settings
    from kopslint.engine import Request
    from kopslint.findings import Report

_ENOUGH = {Verdict.SAFE, Verdict.NOT_CHECKED}


def instead_of(request: Request, report: Report, settings: Settings) -> Instead | None:
    """What to run instead of the list of a request, where there is something better."""
    if request.is_fleet or report.verdict in _ENOUGH:
        return None
    instead = None
    if request.before and request.after:
        instead = _planned(request, kops_of_check(settings))
    if request.commands and report.count(Severity.ERROR):
        heading, *patch = shown(request, report, settings) or ("",)
        if patch:
            known = instead or Instead()
            return known._replace(heading=heading, patch=tuple(patch))
    return instead


def _planned(request: Request, named: NamedKops | None) -> Instead | None:
    """The order that ``kopslint plan`` finds, if it finds one."""
    sources = request.before or (), request.after or ()
    try:
        options = PlanOptions(before=(), after=())
        result = make_plan(*sides(*sources), options, request.observed, named)
    except KopslintError:
        # What plan needs is whole specs of one cluster, and a report is about any.
        return None
    if not isinstance(result, Runbook) or not result.steps:
        return None
    steps = tuple(
        PlanStep(
            step.deed.reason,
            tuple(command.text for command in step.deed.commands),
            step.after,
        )
        for step in result.steps
    )
    names = [
        f" --{side} {source.path}"
        for side, given in zip(("before", "after"), sources, strict=True)
        for source in given
    ]
    return Instead(
        summary(result),
        steps=steps,
        command=f"kopslint plan{''.join(names)}",
    )
