"""``--fix`` and ``--diff``: the corrected list as a file, as a patch, or in the report.

How a list is corrected is decided by ``kopslint.planner.fix``; here are the inputs that
it needs and the places that the result goes to.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.console import write_file
from kopslint.engine import NO_CLUSTER, check
from kopslint.errors import UsageError
from kopslint.findings import Severity, Verdict
from kopslint.inputs.decode import decode
from kopslint.inputs.sources import STDIN
from kopslint.kops.decode import read_fleet
from kopslint.planner.fix import Change, Fixed, NotFixed, mend
from kopslint.records import Record
from kopslint.report.display import visible
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.cli.console import Voice
    from kopslint.config.settings import Settings
    from kopslint.engine import Request
    from kopslint.findings import Report

_BOM = "\ufeff"


class _Mending(Record):
    """A list of commands and what it is corrected to."""

    source: Source
    mended: Fixed

    @property
    def result(self) -> Source:
        """The corrected list."""
        return Source(self.source.path, self.mended.text)

    @property
    def summary(self) -> str:
        """What becomes of the list, in a few words."""
        added, moved = self.mended.added, self.mended.moved
        counts = [(added, "added"), (moved, "moved")]
        return ", ".join(
            f"{count} line{'' if count == 1 else 's'} {verb}"
            for count, verb in counts
            if count
        )

    @property
    def patch(self) -> str:
        """The unified diff, as ``patch -p1`` and ``git apply`` take it."""
        path = _below_here(self.source.path)
        # A tab ends a name that has blanks in it.
        end = "\t" if " " in path else ""
        lines = [
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in self._difference()
        ]
        return "".join([f"--- a/{path}{end}\n+++ b/{path}{end}\n", *lines])

    @property
    def lines(self) -> tuple[str, ...]:
        """The same for people, without places."""
        lines = [line.rstrip("\r\n") for line in self._difference()[1:]]
        return tuple("..." if line.startswith("@@") else line for line in lines)

    def _difference(self) -> list[str]:
        texts = self.source.text, self.mended.text
        old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in texts)
        return [*unified_diff(old, new)][2:]


def shown(request: Request, report: Report, settings: Settings) -> tuple[str, ...]:
    """The corrected list of a request for its report: a heading and lines, or nothing.

    ``report`` is that of the request, here and below.
    """
    if len(request.commands) != 1:
        return ()
    result = _mended(request, report, settings)
    if isinstance(result, NotFixed):
        return ()
    path = result.source.path
    to_write = "" if _is_elsewhere(result.source) else ", --fix writes it"
    heading = f"{path} can be corrected, {result.summary}: --diff prints it{to_write}"
    return (heading, *result.lines)


def patch_for(
    request: Request, report: Report, settings: Settings, voice: Voice
) -> str:
    """The patch that corrects the only list of a request; empty if there is none.

    Says on the standard error why. Raises ``UsageError`` unless there is one list.
    """
    _only_list(request)
    result = _mended(request, report, settings)
    if isinstance(result, NotFixed):
        voice.remark(_refusal(request, report, result))
        return ""
    if not sys.stdout.isatty():
        return result.patch
    # A terminal obeys what a list may hold; whoever applies a patch needs every byte.
    lines = result.patch.removesuffix("\n").split("\n")
    return "\n".join(visible(line.rstrip("\r")) for line in lines) + "\n"


def fixed(request: Request, report: Report, settings: Settings, voice: Voice) -> Report:
    """Write the corrected list into its file, and give the report of what is left.

    Says on the standard error what was written, or why nothing was. Raises
    ``UsageError`` unless there is one list in a file that can be written and has not
    changed since it was read.
    """
    source = _only_list(request)
    if _is_elsewhere(source):
        raise UsageError(
            f"--fix needs a file to write to, and {source.path} is not a file",
            hint="name the file, or print the corrected list with --diff",
        )
    result = _mended(request, report, settings)
    if isinstance(result, NotFixed):
        voice.remark(_refusal(request, report, result))
        return report
    _write(result)
    voice.remark(f"{source.path} is corrected: {result.summary}")
    return check(request._replace(commands=(result.result,)), settings)


def _only_list(request: Request) -> Source:
    if len(request.commands) == 1:
        return request.commands[0]
    many = f"there are {len(request.commands)}" if request.commands else "there is none"
    raise UsageError(
        f"--fix and --diff correct one list of commands, and {many}",
        hint="name one file with --commands",
    )


def _is_elsewhere(source: Source) -> bool:
    """Whether a source is no file on the disk."""
    return source.revision is not None or source.path.startswith(STDIN)


def _refusal(request: Request, report: Report, result: NotFixed) -> str:
    """Why a list is not corrected, and what else may help."""
    change = _change(request, report)
    told = f"{request.commands[0].path} is not corrected: {result.reason}"
    if isinstance(change, Change) and report.count(Severity.ERROR):
        for command in change.planning:
            told += f"; for a whole order: {command.partition('  #')[0]}"
    return told


def _mended(
    request: Request, report: Report, settings: Settings
) -> _Mending | NotFixed:
    (source,) = request.commands
    change = _change(request, report)
    if isinstance(change, NotFixed):
        return change

    def judge(proposal: Source) -> Report:
        if proposal is source:
            return report
        return check(request._replace(commands=(proposal,)), settings)

    result = mend(change, source, judge)
    if isinstance(result, Fixed) and _is_worse_than_the_plan(result, change, settings):
        return NotFixed("the correction would leave warnings; the plan has none")
    return result if isinstance(result, NotFixed) else _Mending(source, result)


def _is_worse_than_the_plan(result: Fixed, change: Change, settings: Settings) -> bool:
    """Whether a plan of the change lacks the warnings that a corrected list keeps."""
    if result.verdict is Verdict.SAFE or not change.planning:
        return False
    from kopslint.cli.plan import kops_of_check, make_plan
    from kopslint.cli.plan_options import PlanOptions
    from kopslint.planner.runbook import Runbook

    options = PlanOptions(before=(), after=())
    named = kops_of_check(settings)
    plan = make_plan(change.before, change.after, options, named=named)
    return isinstance(plan, Runbook) and bool(plan.steps) and not plan.warnings


def _change(request: Request, report: Report) -> Change | NotFixed:
    """The one cluster that the request is about, on both sides."""
    names = [name for name in report.summary.clusters if name != NO_CLUSTER]
    if len(names) != 1:
        return NotFixed(f"the specs are about {len(names)} clusters, not one")
    (name,) = names
    before = read_fleet(request.before or ()).manifests
    after = read_fleet(request.after or ()).manifests
    old = before if request.before is not None else after
    new = after if request.after is not None else before
    if name not in old or name not in new:
        return NotFixed(f"cluster {name} is only on one side of the change")
    return Change(old[name], new[name], request.at_hand)


def _write(mending: _Mending) -> None:
    """Put the corrected list in the place of its file, whose permissions stay."""
    path = Path(mending.source.path)
    try:
        data = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read again: {error.strerror}", hint="nothing is written"
        ) from error
    if decode(mending.source.path, data).text != mending.source.text:
        raise UsageError(
            f"{path} changed while it was checked, so it was not corrected",
            hint="check it again",
        )
    if not os.access(path, os.W_OK):
        raise UsageError(
            f"{path} cannot be written", hint="make it writable, or use --diff"
        )
    bom = _BOM if data.startswith(_BOM.encode()) else ""
    write_file(path, bom + mending.mended.text, mode)


def _below_here(path: str) -> str:
    """A path as seen from the current folder, if it lies below it."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else path
    if relative.startswith(".."):
        relative = path
    return Path(relative).as_posix().lstrip("/")
