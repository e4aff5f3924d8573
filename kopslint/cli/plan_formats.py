"""A plan for programs: one JSON object in the shape of ``report.plan_schema``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kopslint.cli.plan_script import (
    chain,
    changes_members,
    checks_before,
    checks_in_shell,
    preamble,
    procedure,
    run_lines,
    step_function,
    summary,
    told,
    traces,
)
from kopslint.planner.runbook import NoWay
from kopslint.report.display import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.findings import EtcdView
    from kopslint.planner.runbook import Runbook, Step
    from kopslint.report.display import Style


SCHEMA = "kopslint/plan-v1"


def plan_json(result: Runbook | NoWay) -> str:
    """The plan as a JSON object that ends with a line end."""
    return json.dumps(plan_object(result), indent=2) + "\n"


def plan_object(result: Runbook | NoWay) -> dict[str, object]:
    """The plan as the values that ``kopslint/plan-v1`` is made of."""
    shared: dict[str, object] = {
        "schema": SCHEMA,
        "cluster": result.cluster,
        "state_store": result.store,
        "search_cut": result.cut,
    }
    if isinstance(result, NoWay):
        return {
            **shared,
            "result": "none",
            "reasons": list(result.reasons),
            "procedure": [line.strip() for line in procedure(result)],
            "notes": [],
            "warnings": [],
            "setup": [],
            "tolerance": None,
            "outage": None,
            "files": [],
            "steps": [],
        }
    return {
        **shared,
        "result": "plan" if result.steps else "nothing-to-do",
        "reasons": [],
        "procedure": [],
        "notes": [note.strip() for note in result.notes],
        "warnings": list(result.warnings),
        "setup": list(preamble(result)) if result.steps else [],
        "tolerance": result.tolerance if result.steps else None,
        "outage": result.outage,
        "files": [
            {"path": spec.files[0], "text": spec.text} for spec in result.written
        ],
        "steps": [
            _step(number, step, asks=changes_members(result))
            for number, step in enumerate(result.steps, 1)
        ],
    }


def _step(number: int, step: Step, *, asks: bool) -> dict[str, object]:
    deed = step.deed
    return {
        "number": number,
        "kind": deed.kind,
        "about": deed.about,
        "etcd_cluster": deed.etcd_cluster,
        "reason": deed.reason,
        "confirm": {
            name: list(view.members) for name, view in checks_before(step, asks=asks)
        },
        "checks": list(checks_in_shell(step, asks=asks)),
        "commands": [command.text for command in deed.commands],
        "script": "\n".join(chain(step, asks=asks)),
        "tolerance": step.tolerance,
        "outage": step.outage,
        "etcd": _views(step.after),
    }


def _views(views: Mapping[str, EtcdView]) -> dict[str, object]:
    return {
        name: {
            "members": list(view.members),
            "alive": list(view.alive),
            "quorum": view.quorum,
            "tolerance": view.tolerance,
            "published": view.published,
            "writable": view.writable,
        }
        for name, view in views.items()
    }


# ------------------------------------------------------------------------------------
# A runbook as Markdown with a box to tick for every step
#
# The blocks can be pasted one after another into one shell; the reader of runbooks
# takes them for the list of commands that they are.


def markdown(runbook: Runbook, style: Style) -> str:
    """The runbook as a Markdown document."""
    return "\n".join(_lines(runbook, style)) + "\n"


def _lines(runbook: Runbook, style: Style) -> Iterator[str]:
    yield f"# {style.safe(runbook.cluster)}"
    yield ""
    if not runbook.steps:
        yield "Nothing to do: both specs are the same."
        return
    text = summary(runbook)
    yield f"{text[0].upper()}{text[1:]}"
    yield ""
    yield (
        "Nothing of this has been run. Start a `bash` in the folder of this document"
        " and paste all blocks into it. The blocks of the steps only define"
        " functions; the last one runs them and stops at the first command that"
        " fails. Fix what it reports; `go_on 3` continues with step 3."
    )
    yield ""
    for note in runbook.notes:
        # A command is a block of its own, so that it can be pasted.
        yield (
            f"    {style.safe(note.strip())}" if note[:2] == "  " else style.safe(note)
        )
        yield ""
    if warnings := told(runbook):
        yield "What the check says about this order:"
        yield ""
        yield from (f"- {style.safe(warning)}" for warning in warnings)
        yield ""
    asks = changes_members(runbook)
    yield from _block(preamble(runbook))
    for number, step in enumerate(runbook.steps, 1):
        yield ""
        yield f"- [ ] **{number}.** {style.safe(step.deed.reason)}"
        yield ""
        yield from _block(step_function(number, step, asks=asks), "  ")
        yield ""
        yield from _block(
            (line.removeprefix("# ") for line in traces(step.after, style)),
            "  ",
            "text",
        )
    yield ""
    yield "- [ ] All of it:"
    yield ""
    yield from _block(run_lines(runbook, "go_on {step}"), "  ")


def _block(
    lines: Iterable[str], indent: str = "", language: str = "bash"
) -> Iterator[str]:
    yield f"{indent}```{language}"
    for text in lines:
        yield from (f"{indent}{line}".rstrip() for line in text.split("\n"))
    yield f"{indent}```"


def _paragraph(line: str) -> str:
    """A sentence, or a command, which is indented."""
    return f"    {line.strip()}" if line.startswith("  ") else f"\n{line}\n"


def no_way_markdown(no_way: NoWay) -> str:
    """Why there is no safe order, and the procedure that remains."""
    lines = [
        f"# {visible(no_way.cluster)}",
        "",
        "There is no plan for this change.",
        "",
    ]
    lines += [f"- {visible(reason)}" for reason in no_way.reasons]
    if no_way.cut:
        lines.append("- The search was stopped early, so an order may exist.")
    lines.append("")
    lines += map(_paragraph, procedure(no_way))
    return "\n".join(lines) + "\n"
