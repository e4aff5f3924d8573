"""What kopslint says: findings, the timeline, and the report that holds both.

Checks make these and reports print them; neither knows the other. Everything
here is plain data and already in words.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kopslint.text import Span


class Severity(StrEnum):
    """How bad it is; ``rank`` orders them, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for an error, 1 for a warning, 2 for information."""
        return ("error", "warning", "info").index(self.value)


class Certainty(StrEnum):
    """Whether it holds in every possible run of the commands or only in some."""

    CERTAIN = "certain"
    POSSIBLE = "possible"


class Verdict(StrEnum):
    """The one word about a whole report; the words are a contract."""

    SAFE = "SAFE"
    CAUTION = "CAUTION"
    UNSAFE = "UNSAFE"
    NOT_PROVEN = "NOT PROVEN"
    NOT_CHECKED = "NOT CHECKED"


NOT_FOLLOWED = "KL901"
"""The rule about what cannot be followed: an error of it proves nothing unsafe."""

TOO_MUCH = "KL903"
"""The rule about what takes too long to follow; an error of it proves nothing."""

TAKEN_FOR_GRANTED = "KL902"
"""The rule whose findings are the assumptions that a verdict rests on."""

Writable = Literal["yes", "no", "maybe"]
Status = Literal["applied", "refused", "no-op", "unknown"]


class Location(Record):
    """A place and what it has to do with the finding."""

    span: Span
    label: str


class EtcdView(Record):
    """One etcd cluster at one moment, in the worst of the possible states.

    ``members`` are the registered members; ``alive`` those that vote; ``joining``
    those registered but not started yet; ``expelled`` names that run outside the
    member list. ``tolerance`` is how many more members may fail before writes
    stop. ``published`` is the member count in the control spec. ``writable`` is
    "maybe" where the possible states differ.
    """

    members: tuple[str, ...]
    alive: tuple[str, ...]
    quorum: int
    tolerance: int
    published: int
    writable: Writable
    joining: tuple[str, ...] = ()
    expelled: tuple[str, ...] = ()


class TraceLine(Record):
    """The quorum trace of a finding: one etcd cluster before and after its step."""

    etcd_cluster: str
    before: EtcdView | None
    after: EtcdView
    note: str


class Draft(Record):
    """A finding as a check gives it: without its rule, otherwise like ``Finding``.

    ``severity`` is set only where it differs from the rule's own.
    """

    message: str
    why: str
    locations: tuple[Location, ...]
    subject: str
    severity: Severity | None = None
    certainty: Certainty = Certainty.CERTAIN
    fix: tuple[str, ...] = ()
    step: int | None = None
    etcd_cluster: str | None = None
    trace: tuple[TraceLine, ...] = ()
    story: tuple[str, ...] = ()


class Finding(Record):
    """One thing to know, complete: where, how bad, why, and what to do instead.

    ``locations`` has the primary place first. ``fix`` holds commands to paste, or
    lines that start with ``#``. ``subject`` names what the finding is about by
    identity and never by position, so that fingerprints survive edits elsewhere.
    ``story`` is the shortest course of events that leads there, if it is only
    possible. ``follows`` are rules of which a finding may be the cause of this one.
    ``existing`` says that it stands on the base of a change in git as well.
    """

    rule: str
    name: str
    severity: Severity
    certainty: Certainty
    message: str
    why: str
    locations: tuple[Location, ...]
    subject: str
    fix: tuple[str, ...] = ()
    step: int | None = None
    cluster: str | None = None
    etcd_cluster: str | None = None
    trace: tuple[TraceLine, ...] = ()
    story: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    existing: bool = False

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What it is about, without any position: what a fingerprint is made of."""
        return self.rule, self.cluster or "", self.etcd_cluster or "", self.subject


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by place and rule: the order of every report that a program reads.

    The same findings always come in the same order, however they arrive.
    """
    return tuple(sorted(findings, key=order))


def order(finding: Finding) -> tuple[object, ...]:
    """The key of ``in_order``."""
    span = finding.locations[0].span if finding.locations else None
    return (
        (span.source.path, span.line, span.column) if span else ("", 0, 0),
        finding.rule,
        finding.cluster or "",
        finding.etcd_cluster or "",
        finding.subject,
        finding.message,
        finding.severity.rank,
    )


class Suppression(Record):
    """Why a finding does not count: a comment in the text, or a baseline.

    ``span`` is the place of the comment; a baseline has none.
    """

    kind: Literal["comment", "baseline"]
    reason: str
    span: Span | None = None


class Meanwhile(Record):
    """A moment inside a step: the machine of ``group`` is away, and etcd is like this.

    A rolling update has one for each control-plane group that it replaces.
    """

    group: str
    etcd: Mapping[str, EtcdView]


class TimelineEntry(Record):
    """One step of the simulated list; step 0 is the state before it.

    ``etcd`` is what the step leaves behind, ``during`` what it passes through.
    """

    step: int
    command: str
    span: Span | None
    status: Status
    etcd: Mapping[str, EtcdView]
    cluster: str
    note: str = ""
    title: str | None = None
    during: tuple[Meanwhile, ...] = ()


class Observed(Record):
    """One output of what was seen on the cluster, as far as it was read.

    ``taken`` is when it was taken in ISO 8601 and UTC, None where it does not say so;
    ``etcd_cluster`` and ``node`` are None where it is about none or any.
    """

    command: str
    form: str
    path: str
    etcd_cluster: str | None
    node: str | None
    taken: str | None


class Summary(Record):
    """What was looked at, so that a clean result can be believed.

    ``clusters`` are the cluster names; ``before`` and ``after`` count the
    control-plane groups on each side, when both are known; ``worlds`` is the most
    possible states any step had; ``skipped`` are files that are not kops specs;
    ``paths`` are all inputs, ``lists`` those that hold the commands. ``unread`` are
    lists from which no command could be read, where there was no other list: so no
    order was checked. ``observed`` are outputs that were read of the cluster itself.
    ``ambient`` is the first command that changes something, where the list names no
    cluster and so rests on the one that the shell is on. ``rotated`` is the first that
    stores keys of encrypted Secrets as a rotation does: with those in use among them.
    """

    clusters: tuple[str, ...] = ()
    specs: int = 0
    commands: int = 0
    rules: int = 0
    worlds: int = 0
    skipped: tuple[str, ...] = ()
    before: int | None = None
    after: int | None = None
    paths: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    observed: tuple[Observed, ...] = ()
    ambient: Span | None = None
    rotated: Span | None = None


def _taken(message: str, span: Span, label: str, subject: str) -> Finding:
    """What a verdict rests on and that is no finding, said once."""
    return Finding(
        rule=TAKEN_FOR_GRANTED,
        name="taken-for-granted",
        severity=Severity.INFO,
        certainty=Certainty.CERTAIN,
        message=f"assumed: {message}",
        why="",
        locations=(Location(span, label),),
        subject=subject,
    )


class Report(Record):
    """The result of one check; ``suppressed`` findings do not count as findings.

    Nor do those that are ``existing``: they stand on the base of the change as well.
    """

    findings: tuple[Finding, ...]
    timeline: tuple[TimelineEntry, ...] = ()
    summary: Summary = Summary()
    suppressed: tuple[tuple[Finding, Suppression], ...] = ()
    existing: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What all of it comes to; suppressed and existing findings do not count.

        Nothing checked is never a pass, and what was found for certain is found,
        however much else could not be followed.
        """
        errors = {f.rule for f in self.findings if f.severity is Severity.ERROR}
        if errors - {NOT_FOLLOWED, TOO_MUCH}:
            return Verdict.UNSAFE
        if self.summary.unread or not self.summary.clusters:
            return Verdict.NOT_CHECKED
        if errors:
            return Verdict.NOT_PROVEN
        return Verdict.CAUTION if self.count(Severity.WARNING) else Verdict.SAFE

    @property
    def assumptions(self) -> tuple[Finding, ...]:
        """What the verdict rests on that the text does not say."""
        every = (*self.findings, *self.existing)
        taken = [f for f in every if f.rule == TAKEN_FOR_GRANTED]
        if (span := self.summary.ambient) is not None:
            said = "kops and kubectl are on this cluster: the list names none"
            label = "on whatever cluster the shell is"
            taken.append(_taken(said, span, label, "ambient-cluster"))
        if (span := self.summary.rotated) is not None:
            said = "the key with which Secrets are encrypted now is among those stored"
            label = "stored in place of the keys in use"
            taken.append(_taken(said, span, label, "rotated-keys"))
        return tuple(taken)

    def counting_all(self) -> Report:
        """The same with existing findings among those that count."""
        every = in_order((*self.findings, *self.existing))
        return self._replace(findings=every, existing=())

    def count(self, severity: Severity) -> int:
        """How many findings have exactly this severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def suppressed_by(self, kind: Literal["comment", "baseline"]) -> int:
        """How many findings are suppressed in this way."""
        return sum(suppression.kind == kind for _, suppression in self.suppressed)


class RuleInfo(Record):
    """A rule as reports describe it; ``help`` is its prose in Markdown.

    ``link`` is the address of its page, if it has one.
    """

    id: str
    name: str
    summary: str
    category: str
    severity: Severity
    help: str
    link: str | None = None
