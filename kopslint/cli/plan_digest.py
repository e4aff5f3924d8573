"""What is printed of a plan whose script is in a folder: what it comes to, in short."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.cli.plan_script import summary, told
from kopslint.commands.kops import Validate
from kopslint.planner.releases import said
from kopslint.report.display import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.planner.runbook import Runbook, Step
    from kopslint.report.display import Style

_WIDTH = 80


def digest(runbook: Runbook, folder: str, name: str, style: Style) -> str:
    """The plan that is in file ``name`` of a folder: its steps and what to know first.

    Text of files is made safe for a terminal; every line but a command fits on it.
    """
    lines = [*_lines(runbook, folder, name, style)]
    return "\n".join(lines) + "\n"


def _lines(runbook: Runbook, folder: str, name: str, style: Style) -> Iterator[str]:
    def paragraph(text: str, first: str = "", rest: str = "") -> Iterator[str]:
        room = _WIDTH - len(first)
        for number, line in enumerate(wrap(style.safe(text), room)):
            yield (rest if number else first) + line

    yield from paragraph(f"{runbook.cluster}: {summary(runbook)}")
    warnings = told(runbook)
    for text in (*runbook.notes, *warnings):
        yield ""
        if text.startswith("  "):
            yield style.safe(text)
        else:
            mark = "Warning: " if text in warnings else ""
            yield from paragraph(mark + text)
    yield ""
    digits = len(str(len(runbook.steps)))
    for number, step in enumerate(runbook.steps, 1):
        first = f"{number:>{digits}}. "
        indent = " " * len(first)
        yield from paragraph(_reason(step), first, indent)
        if step.kops:
            yield f"{indent}It is for {said(step.kops)}."
        for command in step.deed.commands:
            if step.deed.kind != "remove" and not isinstance(command, Validate):
                text = command.text.partition("\n")[0]
                yield f"{indent}  {style.safe(text)}"
    files = [name, *(spec.files[0] for spec in runbook.written)]
    yield ""
    yield from paragraph(f"Written into {folder}: {', '.join(files)}")
    path = quote(f"{folder}/{name}")
    if name.endswith(".sh"):
        yield f"Read it, then run it: bash {style.safe(path)}"
    else:
        yield f"Read it, then paste its blocks: {style.safe(path)}"


def _reason(step: Step) -> str:
    """Why a step is taken; what is the same for all removals is in the script."""
    reason = step.deed.reason
    return reason.partition(":")[0] + "." if step.deed.kind == "remove" else reason
