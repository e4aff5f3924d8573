"""From a report and the formats asked for to the places that they go to.

This is the only module that knows which format needs what: a terminal's style, the
rules, or where in a repository the run takes place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.console import (
    file_style,
    follows_links,
    style_for,
    write_aside,
    write_file,
    write_output,
)
from kopslint.cli.options import Format
from kopslint.errors import RuleError
from kopslint.report.job_log import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kopslint.cli.options import ColorWhen, Output
    from kopslint.findings import Report, RuleInfo
    from kopslint.report.display import Style
    from kopslint.report.html import Instead
    from kopslint.report.places import Repository
    from kopslint.rulebook.model import Rule

# How what is not plain text writes what a job must not take for a command.
_WRITTEN = {
    Format.JSON: Written.JSON,
    Format.SARIF: Written.JSON,
    Format.GITLAB: Written.JSON,
    Format.JUNIT: Written.XML,
    Format.HTML: Written.XML,
    Format.GITHUB: Written.COMMANDS,
}
# The formats that somebody asks for who reads the result beside a job.
_FOR_JOBS = {Format.GITHUB, Format.MARKDOWN}


def write_reports(
    report: Report,
    outputs: Sequence[Output],
    environment: Mapping[str, str],
    *,
    color: ColorWhen,
    quiet: bool,
    timeline: bool,
    full: bool,
    rules: Sequence[Rule] | None = None,
    mended: Sequence[str] = (),
    instead: Callable[[], Instead | None] | None = None,
    documentation: str | None = None,
) -> None:
    """Write a report in every form that was asked for.

    ``rules`` are all that there are, without it those of the rulebook, and
    ``documentation`` is where their pages are.

    ``quiet``, ``timeline``, ``full`` and the ``mended`` list of commands, a heading and
    its lines, are about the text for people only; ``instead`` says what the page is to
    show beside the list, and is asked only for a page. A job's summary
    on GitHub gets the Markdown as well, if any form was asked for that GitHub shows.

    Raises ``UsageError`` for what cannot be written, except for that summary: it is
    an extra, and a failure there is only said.
    """
    from kopslint.cli.rule_links import links

    link = links(rules, documentation)
    for output in outputs:
        if output.file is None:
            style = style_for(sys.stdout, color, environment)
            if follows_links(sys.stdout, environment):
                style = style._replace(pages=link)
        else:
            style = file_style(color)
        text = _render(
            report,
            output.format,
            style,
            rules,
            quiet=quiet,
            timeline=timeline,
            full=full,
            mended=mended,
            instead=instead,
            link=link,
        )
        if output.file is None:
            write_output(text, _WRITTEN.get(output.format, Written.TEXT))
        else:
            write_file(output.file, text)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary and _FOR_JOBS.intersection(output.format for output in outputs):
        _append_summary(report, summary, link)


def _render(
    report: Report,
    form: Format,
    style: Style,
    rules: Sequence[Rule] | None,
    *,
    quiet: bool,
    timeline: bool,
    full: bool,
    mended: Sequence[str],
    instead: Callable[[], Instead | None] | None,
    link: Callable[[str], str | None],
) -> str:
    match form:
        case Format.JSON:
            from kopslint.report.json_report import render_json

            return render_json(report)
        case Format.SARIF:
            from kopslint.report.sarif import render_sarif

            described = _described_all(rules, link)
            return render_sarif(report, described, repository_of(Path.cwd()))
        case Format.GITHUB:
            from kopslint.report.github import render_github

            here = repository_of(Path.cwd())
            return render_github(report, here, unicode=style.unicode)
        case Format.GITLAB:
            from kopslint.report.gitlab import render_gitlab

            return render_gitlab(report, repository_of(Path.cwd()))
        case Format.JUNIT:
            from kopslint.report.junit import render_junit

            return render_junit(report, _described_all(rules, link))
        case Format.MARKDOWN:
            from kopslint.report.markdown import render_markdown

            return render_markdown(report, unicode=style.unicode, link=link)
        case Format.HTML:
            from kopslint.report.html import render_html

            return render_html(
                report, instead=instead() if instead else None, link=link
            )
        case Format.CONCISE:
            from kopslint.report.text import render_concise

            return render_concise(report, color=style.color, unicode=style.unicode)
        case Format.TEXT:
            from kopslint.report.text import render_findings, render_text

            if quiet:
                return render_findings(
                    report,
                    color=style.color,
                    width=style.width,
                    unicode=style.unicode,
                    link=style.pages,
                )
            return render_text(
                report,
                color=style.color,
                width=style.width,
                unicode=style.unicode,
                timeline=timeline,
                full=full,
                mended=mended,
                link=style.pages,
            )


def repository_of(folder: Path) -> Repository:
    """The repository that a folder lies in; without one, the folder is all there is."""
    from kopslint.report.places import Repository

    found = next(
        (
            place
            for place in (folder, *folder.parents)
            # Path.exists raises where one may not look.
            if os.path.exists(place / ".git")  # noqa: PTH110
        ),
        None,
    )
    return Repository(
        root=(found or folder).as_posix(),
        folder=folder.as_posix(),
        kept=found is not None,
    )


def _described_all(
    rules: Sequence[Rule] | None, link: Callable[[str], str | None]
) -> list[RuleInfo]:
    from kopslint.rulebook.loader import load_rules

    known = load_rules() if rules is None else rules
    return [_described(rule, link(rule.id)) for rule in known]


def _described(rule: Rule, link: str | None) -> RuleInfo:
    from kopslint.findings import RuleInfo

    try:
        prose = rule.readme()
    except RuleError:
        # A rule that lacks its prose has still been asked.
        prose = ""
    return RuleInfo(
        id=rule.id,
        name=rule.name,
        summary=rule.summary,
        category=rule.category,
        severity=rule.severity,
        help=prose,
        link=link,
    )


def _append_summary(
    report: Report, summary: str, link: Callable[[str], str | None]
) -> None:
    from kopslint.report.markdown import render_markdown

    text = render_markdown(report, unicode=True, link=link)
    try:
        with Path(summary).open("a", encoding="utf-8", newline="\n") as file:
            file.write(f"{text}\n")
    except (OSError, ValueError) as error:
        write_aside(f"kopslint: the job summary cannot be written: {error}")
