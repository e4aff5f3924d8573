"""The whole tool as one pure call: sources in, report out.

``check`` reads both sides of a change and the commands, replays the commands on
every cluster, asks every rule, and hands back what was found. It opens no file,
runs no program and prints nothing. Reading and asking (``examine``) can be done for
some clusters at a time (``portions``); what takes all of them together is ``conclude``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.config.settings import DEFAULT
from kopslint.engine.aggregate import conclude
from kopslint.engine.examine import NO_CLUSTER, Base, Examiner, Request
from kopslint.engine.written import as_written

if TYPE_CHECKING:
    from kopslint.config.settings import Settings
    from kopslint.findings import Report


def check(request: Request, settings: Settings = DEFAULT) -> Report:
    """Check everything in ``request`` as ``settings`` say, by default as the rulebook.

    Raises ``InputError`` for sources that cannot be read as what they are, and
    ``NothingCheckedError`` if no source holds a kops cluster.
    """
    examiner = Examiner(request, settings)
    report = conclude(request, settings, examiner.examine(request))
    if request.base is not None and request.before and report.findings:
        from kopslint.engine.existing import told_apart

        report = told_apart(report, request, settings, examiner)
    return as_written(report, request)


__all__ = ["NO_CLUSTER", "Base", "Request", "check"]
