"""The report as one page that can be opened, sent and printed.

The page needs nothing but itself: its style and its script stand in it, and its policy
allows these two and nothing else, by their hashes. Every text goes through the
template, which escapes it; only pictures are put in as they are, and those escape their
own. Without the script everything is still there, one below the other.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.findings import Severity, Verdict
from kopslint.records import Record
from kopslint.report import pictures, sentences, verdict
from kopslint.report.display import Style
from kopslint.report.order import told, worst_first
from kopslint.report.quorum import rows, words
from kopslint.report.text import fix_of, places_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.findings import EtcdView, Finding, Report, TimelineEntry
    from kopslint.report.order import Told
    from kopslint.report.quorum import Row
    from kopslint.text import Source

_PAGE = Path(__file__).parent / "page"

# A page of everything helps nobody; what is left out is counted.
_MOST_CLUSTERS = 50
_MOST_GROUPS = 300
_MOST_LINES = 2_000
_MOST_EXISTING = 300

_STYLE = Style(color=False, unicode=True, width=96)

_LOOKS = {
    Verdict.SAFE: ("good", "✓", "Nothing was found."),
    Verdict.CAUTION: ("fair", "!", "It works, but know the risk before you run it."),
    Verdict.UNSAFE: ("bad", "✗", "Do not run it like this."),
    Verdict.NOT_PROVEN: (
        "fair",
        "?",
        "Something that touches the control plane could not be checked.",
    ),
    Verdict.NOT_CHECKED: (
        "fair",
        "?",
        "Nothing was checked. This does not mean that it is safe.",
    ),
}


class PlanStep(Record):
    """A step of the order to take: why, what is run, and etcd behind it."""

    reason: str
    commands: tuple[str, ...]
    etcd: Mapping[str, EtcdView]


class Instead(Record):
    """What to run instead: a plan in steps, a corrected list as lines of a patch.

    ``command`` prints the plan as a script.
    """

    summary: str = ""
    steps: tuple[PlanStep, ...] = ()
    command: str = ""
    heading: str = ""
    patch: tuple[str, ...] = ()


def render_html(
    report: Report,
    *,
    instead: Instead | None = None,
    link: Callable[[str], str | None] | None = None,
) -> str:
    """The report as an HTML document; the same report gives the same bytes.

    ``link`` gives the address of a rule's page, if there is one.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    css = pictures.COLOURS + pictures.STYLE + pictures.SCROLL + _file("report.css")
    script = _file("report.js")
    page = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    ).get_template("report.html")
    view = _View(report, link or (lambda _: None))
    return page.render(
        # The two are files of this package, and their hashes are in the policy.
        css=Markup(css),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=_policy(css, script),
        version=__version__,
        verdict=view.verdict(mended=instead is not None and bool(instead.patch)),
        clusters=view.clusters(Markup),
        left_out=view.left_out(),
        groups=view.groups(),
        groups_left=view.groups_left(),
        lists=view.lists(),
        instead=_instead(instead),
        existing=view.existing(),
        counted=_safe(_counted(report)),
        skipped=_safe(", ".join(report.summary.skipped[:10])),
    )


def _counted(report: Report) -> str:
    """How much was found, and what was seen of the cluster itself."""
    told = sentences.counted(report)
    seen = sentences.observed(report) if report.summary.observed else ""
    return f"{told}; {seen}" if seen else told


def _file(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _policy(css: str, script: str) -> str:
    """What the page may do: be shown with this style, and run this script."""

    def mark(text: str) -> str:
        digest = b64encode(sha256(text.encode()).digest()).decode("ascii")
        return f"'sha256-{digest}'"

    return (
        f"default-src 'none'; style-src {mark(css)}; script-src {mark(script)};"
        " img-src data:; base-uri 'none'; form-action 'none'"
    )


class _View:
    """What the template shows, in the words of the template."""

    def __init__(self, report: Report, link: Callable[[str], str | None]) -> None:
        self._report = report
        self._link = link
        self._told = told(report.findings)
        self._ident: dict[Finding, str] = {}
        for number, group in enumerate(self._told[:_MOST_GROUPS], 1):
            for finding in group.findings:
                self._ident[finding] = f"finding-{number}"
            for place, finding in enumerate(group.leads_to, 1):
                self._ident[finding] = f"finding-{number}-{place}"
        names = list(dict.fromkeys(entry.cluster for entry in report.timeline))
        self._names = [*sorted(names, key=self._is_quiet)]

    def _is_quiet(self, cluster: str) -> bool:
        return all(f.cluster != cluster for f in self._report.findings)

    def verdict(self, *, mended: bool) -> dict[str, object]:
        report = self._report
        look, mark, means = _LOOKS[report.verdict]
        if report.verdict is Verdict.SAFE and report.assumptions:
            means = "Nothing was found, on these assumptions:"
        return {
            "word": report.verdict.value,
            "look": look,
            "mark": mark,
            "means": means,
            "about": [*map(_safe, verdict.subject(report))],
            "points": [
                {
                    "label": _safe(point.label),
                    "text": _safe(point.text),
                    "paste": point.paste,
                    "href": self._href(point.findings),
                }
                for point in verdict.points(report, mended=mended)
            ],
        }

    def _href(self, findings: Sequence[Finding]) -> str:
        known = (self._ident[each] for each in findings if each in self._ident)
        return next((f"#{ident}" for ident in known), "")

    def clusters(self, markup: Callable[[str], object]) -> list[dict[str, object]]:
        return [
            self._cluster(number, name, markup)
            for number, name in enumerate(self._names[:_MOST_CLUSTERS], 1)
        ]

    def left_out(self) -> str:
        left = len(self._names) - _MOST_CLUSTERS
        return f"The steps of {left} more clusters are not shown." if left > 0 else ""

    def _entries(self, cluster: str) -> list[TimelineEntry]:
        return [entry for entry in self._report.timeline if entry.cluster == cluster]

    def _found(self, cluster: str) -> list[Finding]:
        return [f for f in self._report.findings if f.cluster in (cluster, None)]

    def _cluster(
        self, number: int, name: str, markup: Callable[[str], object]
    ) -> dict[str, object]:
        ident = f"cluster-{number}"
        entries = self._entries(name)
        found = self._found(name)
        etcds = list(dict.fromkeys(etcd for entry in entries for etcd in entry.etcd))
        told_by = {etcd: pictures.moments(entries, etcd) for etcd in etcds}
        drawn: dict[str, list[str]] = {}
        for etcd in etcds:
            same = next((e for e in drawn if told_by[e] == told_by[etcd]), etcd)
            drawn.setdefault(same, []).append(etcd)
        every = [moment for etcd in told_by.values() for moment in etcd]
        left = pictures.left_of(every, etcds)
        states = [
            *dict.fromkeys(s for t in told_by.values() for s in pictures.legend(t))
        ]
        moments = [
            self._moment(ident, place, entry, row, found)
            for place, (entry, row) in enumerate(
                (entry, row) for entry in entries for row in rows(entry)
            )
        ]
        return {
            "ident": ident,
            "name": _safe(name),
            "moments": moments,
            "courses": [*self._courses(ident, entries, found)],
            "pictures": [
                {
                    "name": _safe(etcd),
                    "names": markup(pictures.names_alone(etcd, told_by[etcd], left)),
                    "svg": markup(
                        pictures.quorum(
                            etcd, told_by[etcd], f"{ident}-etcd-{place}", left=left
                        )
                    ),
                    "like": _like(same[1:], etcd),
                }
                for place, (etcd, same) in enumerate(drawn.items(), 1)
            ],
            "legend": [
                {"sign": markup(pictures.sign(s)), "words": pictures.WORDS[s]}
                for s in pictures.WORDS
                if s in states
            ],
        }

    def _moment(
        self,
        ident: str,
        place: int,
        entry: TimelineEntry,
        row: Row,
        found: Sequence[Finding],
    ) -> dict[str, object]:
        here = [f for f in found if f.step == entry.step and f.step is not None]
        looks = [_look(view) for view in row.etcd.values()]
        look = next((each for each in ("lost", "thin") if each in looks), "")
        status = "" if entry.status == "applied" else entry.status
        note = ": ".join(filter(None, (status, entry.note)))
        return {
            "ident": f"{ident}-moment-{place}",
            "title": "Before the list" if entry.step == 0 else f"Step {entry.step}",
            "during": _safe(row.label),
            "command": _safe(entry.command) if entry.span is not None else "",
            "place": _safe(str(entry.span)) if entry.span is not None else "",
            "note": _safe(note),
            "look": look,
            "states": [
                {
                    "name": " and ".join(map(_safe, names)),
                    "words": words(view, _STYLE, row.back.get(names[0], ())),
                    "look": _look(view),
                }
                for view, names in _alike(row.etcd)
            ],
            "findings": [
                {
                    "severity": finding.severity.value,
                    "rule": finding.rule,
                    "href": self._href([finding]) or "#findings",
                    "message": _headline(finding),
                    "fix": _pasted(finding.fix),
                }
                for finding in worst_first(here)
                # What the step passes through and what it leaves are told apart.
                if row.leads or finding.severity is not Severity.INFO
            ],
        }

    def _courses(
        self, ident: str, entries: Sequence[TimelineEntry], found: Sequence[Finding]
    ) -> Iterator[dict[str, object]]:
        """The courses of events that lead to what is only possible."""
        steps = [entry.step for entry in entries for _ in rows(entry)]
        for number, finding in enumerate(f for f in worst_first(found) if f.story):
            known = finding.step in steps
            yield {
                "ident": f"{ident}-course-{number}",
                "moment": steps.index(finding.step or 0) if known else "",
                "href": self._href([finding]) or "#findings",
                "rule": finding.rule,
                "title": _safe(finding.message),
                "story": [*map(_safe, finding.story)],
                "trace": [
                    f"{_safe(line.etcd_cluster)}: {words(line.after, _STYLE)}"
                    for line in finding.trace
                ],
            }

    def groups(self) -> list[dict[str, object]]:
        return [*map(self._group, self._told[:_MOST_GROUPS])]

    def groups_left(self) -> str:
        left = self._told[_MOST_GROUPS:]
        return f"{len(left)} more findings are not shown." if left else ""

    def _group(self, group: Told) -> dict[str, object]:
        first = group.first
        every = [f.locations[0].span for f in group.findings if f.locations]
        places = [f"{span.source.path}:{span.line}" for span in every]
        rest = len(places) - 8
        return {
            "ident": self._ident[first],
            "severity": first.severity.value,
            "rule": first.rule,
            "link": self._link(first.rule),
            "message": _headline(first),
            "places": [*map(_safe, dict.fromkeys(places[:8]))],
            "more": f"and {rest} more places" if rest > 0 else "",
            "frames": "\n".join(places_of(group, _STYLE)),
            "why": [_safe(line) for line in first.why.split("\n") if line],
            "leads": [
                {
                    "ident": self._ident[each],
                    "severity": each.severity.value,
                    "rule": each.rule,
                    "link": self._link(each.rule),
                    "where": _line_of(each),
                    "message": _headline(each),
                }
                for each in group.leads_to
            ],
            "fix": _pasted(fix_of(group)),
            "step": self._step_of(first),
        }

    def _step_of(self, finding: Finding) -> str:
        """The address of the card of the step that a finding is about."""
        for number, name in enumerate(self._names[:_MOST_CLUSTERS], 1):
            if finding.step is None or finding.cluster != name:
                continue
            steps = [e.step for e in self._entries(name) for _ in rows(e)]
            if finding.step in steps:
                return f"#cluster-{number}-moment-{steps.index(finding.step)}"
        return ""

    def lists(self) -> list[dict[str, object]]:
        """The lists of commands, with the rules that have a finding in a line."""
        spans = [e.span for e in self._report.timeline if e.span is not None]
        sources = {span.source.path: span.source for span in spans}
        return [
            self._list(source)
            for path, source in sorted(sources.items())
            if path in self._report.summary.lists
        ]

    def _list(self, source: Source) -> dict[str, object]:
        marks: dict[int, dict[str, Finding]] = {}
        for finding in worst_first(self._report.findings):
            span = finding.locations[0].span if finding.locations else None
            if span is not None and span.source.path == source.path:
                marks.setdefault(span.line, {}).setdefault(finding.rule, finding)
        lines = source.text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        left = len(lines) - _MOST_LINES
        return {
            "path": _safe(source.path),
            "left": f"and {left} more lines" if left > 0 else "",
            "lines": [
                {
                    "number": number,
                    "text": _safe(line.expandtabs(4)),
                    "look": _worst(marks.get(number, {}).values()),
                    "marks": [
                        {"rule": rule, "href": self._href([finding]) or "#findings"}
                        for rule, finding in marks.get(number, {}).items()
                    ],
                }
                for number, line in enumerate(lines[:_MOST_LINES], 1)
            ],
        }

    def existing(self) -> dict[str, object] | None:
        report = self._report
        if not report.existing:
            return None
        shown = worst_first(report.existing)
        left = len(shown) - _MOST_EXISTING
        return {
            "title": f"{sentences.existing(report)}, not counted",
            "left": f"and {left} more" if left > 0 else "",
            "findings": [
                {
                    "severity": finding.severity.value,
                    "rule": finding.rule,
                    "place": _safe(str(finding.locations[0].span))
                    if finding.locations
                    else "",
                    "message": _headline(finding),
                }
                for finding in shown[:_MOST_EXISTING]
            ],
        }


def _instead(instead: Instead | None) -> dict[str, object] | None:
    if instead is None:
        return None
    return {
        "heading": _safe(instead.heading),
        "summary": _safe(instead.summary),
        "command": _safe(instead.command),
        "patch": [
            {"text": _safe(line.expandtabs(4)), "look": _patched(line)}
            for line in instead.patch
        ],
        "steps": [
            {
                "reason": _safe(step.reason),
                "commands": _pasted(step.commands),
                "after": "; ".join(
                    f"{' and '.join(map(_safe, names))}: {words(view, _STYLE)}"
                    for view, names in _alike(step.etcd)
                ),
            }
            for step in instead.steps
        ],
    }


def _patched(line: str) -> str:
    return {"+": "added", "-": "removed", ".": "gap"}.get(line[:1], "")


def _worst(findings: Iterable[Finding]) -> str:
    ranks = [finding.severity.rank for finding in findings]
    return {0: "lost", 1: "thin"}.get(min(ranks), "") if ranks else ""


def _look(view: EtcdView) -> str:
    if view.writable == "no":
        return "lost"
    risky = view.writable == "maybe" or (view.tolerance <= 0 and len(view.members) > 1)
    return "thin" if risky else ""


def _alike(etcd: Mapping[str, EtcdView]) -> list[tuple[EtcdView, list[str]]]:
    """The states of etcd clusters, each with the names of those that are in it."""
    found: dict[EtcdView, list[str]] = {}
    for name, view in etcd.items():
        found.setdefault(view, []).append(name)
    return [*found.items()]


def _like(names: Sequence[str], etcd: str) -> str:
    if not names:
        return ""
    shown = " and ".join(map(_safe, names))
    verb = "is" if len(names) == 1 else "are"
    return f"{shown} {verb} the same as {_safe(etcd)} at every step."


def _headline(finding: Finding) -> str:
    return sentences.headline(finding, _STYLE)


def _line_of(finding: Finding) -> str:
    return f"in line {finding.locations[0].span.line}" if finding.locations else ""


def _pasted(lines: Iterable[str]) -> str:
    """Lines to paste; what was several lines stays so."""
    return "\n".join(_safe(part) for line in lines for part in line.split("\n"))


def _safe(text: str) -> str:
    return _STYLE.safe(text)
