"""Corrects a command list: the smallest edit that removes its hazards.

An edit is kept only if the check says so: the search proposes, and ``judge`` reads
every proposal like anybody else's list. Nothing is run and no file is opened.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from functools import cached_property
from itertools import accumulate, chain, islice, product
from typing import TYPE_CHECKING, Literal

from kopslint.checks.context import Context
from kopslint.checks.removals import asked_through, functions_for, guarded, who_stays
from kopslint.commands import model
from kopslint.commands.etcd_functions import FUNCTIONS
from kopslint.commands.kops import (
    CreateFromFile,
    CreateInstanceGroup,
    DeleteFromFile,
    DeleteInstance,
    DeleteInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    Reconcile,
    Replace,
    RollingUpdate,
    UpdateCluster,
    UpgradeCluster,
    Validate,
)
from kopslint.commands.model import (
    DeleteVolumes,
    Foreign,
    MemberList,
    NodeCommand,
    Reads,
    Sleep,
    SnapshotSave,
    Unreadable,
)
from kopslint.commands.parse import recognise
from kopslint.findings import Severity, Verdict
from kopslint.inputs.sources import STDIN
from kopslint.model.command_lists import CommandLists
from kopslint.notations.command_list import notation_of, read_commands, simple_commands
from kopslint.planner.control_plane import turnover
from kopslint.planner.intermediate_specs import Spec
from kopslint.planner.milestones import reconciles
from kopslint.planner.steps import PlannedSteps
from kopslint.records import Frozen, Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kopslint.commands.model import Command
    from kopslint.findings import Finding, Report
    from kopslint.kops.spec import Manifest
    from kopslint.model.scenario import Scenario
    from kopslint.model.simulation import Simulation, Step
    from kopslint.model.state import ClusterState
    from kopslint.shell.ast import SimpleCommand
    from kopslint.text import Span

    Judge = Callable[[Source], Report]


# ------------------------------------------------------------------------------------
# A command list as lines that may trade places: what moves, and with what
#
# A command moves with the comments right above it, and with the lines behind it that
# only look or tell. Whatever later lines may depend on (a variable, a folder, a written
# file, a branch) is a wall: it stays, and nothing moves past it.

Role = Literal["gap", "first", "step", "after", "wall"]
Joined = Literal["and", "braces", "never"]

_LOOKS = (Foreign, MemberList, Reads, Sleep, Validate)
_SIMPLE = ("command", "redirected_statement")
"""What tree-sitter calls one program with its arguments."""
_JOINED = (
    *_SIMPLE,
    "case_statement",
    "compound_statement",
    "for_statement",
    "if_statement",
    "pipeline",
    "subshell",
    "while_statement",
)
"""What may stand behind `&&` as it is."""

# Of the programs that have no business with the cluster, those that leave nothing
# behind; any other one may make what the lines below need.
_TALKS = frozenset({":", "date", "echo", "printf", "true"})


class Piece(Record):
    """Lines that stay together, without their ends.

    A "step" is a command that changes something; what is "first" goes with the step
    below it and what is "after" with the one above. A "gap" is blank or a comment by
    itself. ``commands`` are those of a piece that is no wall. ``joined`` is how it can
    be made to run only behind a command that succeeds.
    """

    lines: tuple[str, ...]
    role: Role
    commands: tuple[Command, ...] = ()
    joined: Joined = "braces"

    def behind(self, guard: str) -> Piece:
        """The same piece, run only if the command ``guard`` succeeds."""
        if self.joined == "braces":
            return self._replace(lines=(f"{guard} && {{", *self.lines, "}"))
        return self._replace(lines=(f"{guard} &&", *self.lines))


class Listing(Record):
    """A list of commands in pieces; ``end`` ends its lines, the last only if ``ended``.

    Every piece but one that was put in is made of lines that were read.
    """

    pieces: tuple[Piece, ...]
    end: str
    ended: bool

    @property
    def text(self) -> str:
        """The whole list."""
        lines = [line for piece in self.pieces for line in piece.lines]
        return self.end.join(lines) + (self.end if self.ended else "")

    def at(self, line: int) -> int:
        """The index of the piece that has a line of the text, counted from 1."""
        ends = accumulate(len(piece.lines) for piece in self.pieces)
        return next(index for index, end in enumerate(ends) if line <= end)


class NoListing(Record):
    """That the lines of a source cannot be moved about, and why."""

    reason: str


def read_listing(source: Source) -> Listing | NoListing:
    """The pieces of a shell script or a plain list of commands."""
    if (notation := notation_of(source)) != "shell":
        return NoListing(f"it is written as {notation}; only shell can be corrected")
    script = read_commands(source)
    if script.unread:
        place, reason = script.unread[0].span, script.unread[0].reason
        return NoListing(f"line {place.line} cannot be read: {reason.reason}")
    ends = set(re.findall(r"\r\n|\r|\n", source.text))
    if len(ends) > 1:
        return NoListing("it mixes line endings")
    ended = source.text.endswith(tuple(ends))
    lines = source.lines[:-1] if ended else source.lines
    calls: dict[int, list[SimpleCommand]] = {}
    for call in simple_commands(script.body):
        if call.span.source is source:
            calls.setdefault(call.span.line - 1, []).append(call)
    pieces: list[Piece] = []
    done = 0
    for start, end, kinds in _statements(source):
        simple = all(kind in _SIMPLE for kind in kinds)
        own = [c for line in range(start, end) for c in calls.get(line, ()) if simple]
        top = _comments_above(lines, start, done)
        pieces.extend(_gaps(lines[done:top]))
        piece = _piece(tuple(lines[top:end]), own)
        pieces.append(piece._replace(joined=_joined(kinds)))
        done = end
    pieces.extend(_gaps(lines[done:]))
    return Listing(tuple(pieces), "".join(ends) or "\n", ended)


def _joined(kinds: tuple[str, ...]) -> Joined:
    """How statements on the same lines can be put behind a guard."""
    if "function_definition" in kinds:
        return "never"
    return "and" if len(kinds) == 1 and kinds[0] in _JOINED else "braces"


def _statements(source: Source) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The lines of every statement, from and up to; and of what kind it is.

    Statements that share a line are one, of several kinds; ``&`` is one of them.
    """
    from kopslint.shell.grammar import Fault, parse
    from kopslint.shell.text import whole_text

    text = whole_text(source)
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for node in parse(text):
        if isinstance(node, Fault) or node.type == "comment":
            continue
        if not node.is_named and node.type != "&":
            continue
        span = text.span(node.start_byte, node.end_byte)
        # What is in the background is none the less simple.
        kinds: tuple[str, ...] = (node.type,) if node.is_named else _SIMPLE
        start, end = span.line - 1, span.end_line
        if found and found[-1][1] > start:
            last = found.pop()
            start, end, kinds = last[0], max(end, last[1]), (*last[2], *kinds)
        found.append((start, end, kinds))
    yield from found


def _piece(lines: tuple[str, ...], calls: Sequence[SimpleCommand]) -> Piece:
    commands = tuple(command for call in calls for command in recognise(call))
    if not commands or any(map(_leaves_traces, _outermost(calls))):
        return Piece(lines, "wall")
    if all(isinstance(c, _LOOKS) for c in commands):
        return Piece(lines, "after", commands)
    if all(isinstance(c, NodeCommand | SnapshotSave) for c in commands):
        return Piece(lines, "first", commands)
    return Piece(lines, "step", commands)


def _outermost(calls: Sequence[SimpleCommand]) -> Iterator[SimpleCommand]:
    """The calls that are not in the arguments of another one."""
    spans = [(c.span.order[:3], c.span.order[3:]) for c in calls]
    for call, (start, end) in zip(calls, spans, strict=True):
        if not any(
            s <= start and end <= e and (s, e) != (start, end) for s, e in spans
        ):
            yield call


def _leaves_traces(call: SimpleCommand) -> bool:
    """Whether later lines may need what a call leaves: a job, a file, a folder."""
    writes = any(
        redirect.operator.endswith(">") and redirect.target.shown != "/dev/null"
        for redirect in call.redirects
        if redirect.target is not None
    )
    return call.background or writes or any(map(_may_do_more, recognise(call)))


def _may_do_more(command: Command) -> bool:
    """Whether a command may do something that is not known here."""
    talks = not isinstance(command, Foreign) or command.program in _TALKS
    return isinstance(command, Unreadable) or not talks


def _comments_above(lines: Sequence[str], start: int, done: int) -> int:
    """Where the comments right above a line begin; the first line's ``#!`` is none."""
    while start > done and lines[start - 1].lstrip().startswith("#"):
        if lines[start - 1].startswith("#!"):
            break
        start -= 1
    return start


def _gaps(lines: Iterable[str]) -> Iterator[Piece]:
    return (Piece((line,), "gap") for line in lines)


# ------------------------------------------------------------------------------------
# The edits that may fix a command list: lines put in, and lines that trade places
#
# No line is ever changed or left out. Every edit gives a whole list; whether it is a
# better one is for others to judge. The cheapest edits of each kind come first.

MOST_EXCHANGES = 5_000
"""How many exchanges of neighbours between two walls are looked at, the short first."""

_STORES = (
    CreateFromFile,
    CreateInstanceGroup,
    EditCluster,
    EditInstanceGroup,
    Replace,
    UpgradeCluster,
)
_KINDS: tuple[tuple[str, tuple[type[Command], ...]], ...] = (
    ("store", _STORES),
    ("apply", (Reconcile, model.Terraform, UpdateCluster)),
    ("roll", (RollingUpdate,)),
    ("remove", (model.MemberRemove,)),
    (
        "end",
        (
            DeleteFromFile,
            DeleteInstance,
            DeleteInstanceGroup,
            model.ResizeCloudGroup,
            model.StopInstances,
        ),
    ),
)

_RIGHT = {("store", "apply"), ("store", "roll"), ("apply", "roll"), ("remove", "end")}
_WRONG = {(below, above) for above, below in _RIGHT} | {("store", "end")}
"""What stands above what: a spec is stored, then applied, then rolled out; a member is
out before its machine ends; and kops refuses a spec that leaves out the members of a
group as long as the group is there."""


def with_removals(
    listing: Listing, source: Source, simulation: Simulation
) -> Iterator[Listing]:
    """The list with every member that it leaves dead removed before its machine goes.

    ``source`` holds the list, and ``simulation`` is what it does. At most one list
    comes of it: the removals only make sense together.
    """
    above: dict[int, list[tuple[str, str]]] = {}
    for etcd_cluster, member, place in _killed(simulation):
        if place.source is source:
            above.setdefault(listing.at(place.line), []).append((member, etcd_cluster))
    plan = simulation.plan
    via = asked_through(
        plan.specs, [pair for pairs in above.values() for pair in pairs]
    )
    names = re.findall(r"^ *(?:function +)?(\w+) *\(\)", listing.text, re.MULTILINE)
    if via is None or not above or not {*names}.isdisjoint(FUNCTIONS):
        return
    pieces = list(listing.pieces)
    leaving = [pair for pairs in above.values() for pair in pairs]
    staying = who_stays(plan.specs, leaving)
    for index, pairs in above.items():
        if pieces[index].joined == "never":
            return
        # Without its member of main, an API server has no data.
        last = sorted(pairs, key=lambda pair: (pair[0], pair[1] == "main"))
        pieces[index] = pieces[index].behind(
            guarded(via, last, gone=_others(plan, pairs), staying=staying)
        )
    first = next(i for i, piece in enumerate(pieces) if piece.role != "gap")
    functions = Piece((*functions_for(plan.specs), ""), "wall")
    yield listing._replace(pieces=(*pieces[:first], functions, *pieces[first:]))


def _others(
    plan: Scenario, pairs: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """The members on the same machines that the list itself takes out of etcd."""
    groups = {plan.group_of(etcd, member) for member, etcd in pairs}
    for etcd, names in plan.members.items():
        for name in names:
            if plan.group_of(etcd, name) in groups and (name, etcd) not in pairs:
                yield name, etcd


def _killed(simulation: Simulation) -> Iterator[tuple[str, str, Span]]:
    """Members that are dead for good at the end, and where their machine is taken.

    Not those that the spec after keeps: removed, they could never join again with the
    disk that they have. By step and member, so that the lines for one member stand
    together.
    """
    found = []
    kept = {
        (etcd.name, member.name)
        for etcd in simulation.plan.after.etcd_clusters
        for member in etcd.members
    }
    for etcd_cluster, names in simulation.plan.members.items():
        for index, name in enumerate(names):
            if (etcd_cluster, name) in kept:
                continue
            group = simulation.plan.group_of(etcd_cluster, name)
            step = _taking(simulation, group) if group is not None else None
            if step and any(_dead(s, etcd_cluster, name) for s in simulation.final):
                found.append((step.number, index, etcd_cluster, name, step))
    for *_, etcd_cluster, name, step in sorted(found, key=lambda killed: killed[:2]):
        yield etcd_cluster, name, step.command.span


def _taking(simulation: Simulation, group: str) -> Step | None:
    """The first step after which a group may have no machine any more."""
    for step in simulation.steps:
        had = any(s.cloud.get(group, 0) > 0 for s in step.before)
        if had and any(s.cloud.get(group, 0) < 1 for s in step.after):
            return step
    return None


def _dead(state: ClusterState, etcd_cluster: str, name: str) -> bool:
    state_set = state.etcd.get(etcd_cluster)
    if state_set is None or name not in state_set.names:
        return False
    index = state_set.index(name)
    return index not in state_set.returns and any(
        possible.names[index].dead for possible in state_set.settled
    )


def exchanges(listing: Listing) -> Iterator[Listing]:
    """The list with two neighbouring stretches in each other's place.

    Only where that puts right a pair of commands in a wrong order and none the other
    way round. Those come first that move the fewest lines, and not far.
    """
    pieces = listing.pieces
    found = []
    for units in _between_walls(pieces):
        for i, j, k in islice(_thirds(len(units)), MOST_EXCHANGES):
            a, b = units[i][0], units[j - 1][1]
            c, d = units[j][0], units[k - 1][1]
            pairs = _pairs(pieces[a:b], pieces[c:d])
            if pairs & _WRONG and not pairs & _RIGHT:
                heights = sorted((_height(pieces[a:b]), _height(pieces[c:d])))
                found.append((heights, a, b, c, d))
    for _, a, b, c, d in sorted(found):
        order = (pieces[:a], pieces[c:d], pieces[b:c], pieces[a:b], pieces[d:])
        yield listing._replace(pieces=tuple(piece for part in order for piece in part))


def _thirds(count: int) -> Iterator[tuple[int, int, int]]:
    """The ends of every two neighbouring stretches among so many, the short first."""
    for span in range(2, count + 1):
        for start in range(count - span + 1):
            for middle in range(start + 1, start + span):
                yield start, middle, start + span


def _pairs(above: Iterable[Piece], below: Iterable[Piece]) -> set[tuple[str, str]]:
    """What kinds of commands stand above what others."""
    return set(product(_kinds(above), _kinds(below)))


def _kinds(pieces: Iterable[Piece]) -> set[str]:
    commands = [command for piece in pieces for command in piece.commands]
    return {kind for c in commands for kind, made in _KINDS if isinstance(c, made)}


def _height(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.lines) for piece in pieces)


def _between_walls(pieces: Sequence[Piece]) -> Iterator[list[tuple[int, int]]]:
    """The units between walls, each from an index up to another.

    A unit is a step with what goes with it; gaps inside belong to it.
    """
    units: list[tuple[int, int]] = []
    start: int | None = None
    for index, piece in enumerate(pieces):
        match piece.role:
            case "wall":
                yield units
                units, start = [], None
            case "first":
                start = index if start is None else start
            case "step":
                units.append((index if start is None else start, index + 1))
                start = None
            case "after" if units and start is None:
                units[-1] = (units[-1][0], index + 1)
    yield units


def insertions(listing: Listing, plan: Scenario) -> Iterator[Listing]:
    """The list with one command more that the change needs and the list lacks.

    A preview of it becomes the command with ``--yes``, right below; any other one
    comes before the first step or behind one, the earliest place first.
    """
    pieces = listing.pieces
    steps = [i for i, piece in enumerate(pieces) if piece.role == "step"]
    places = [*steps[:1], *(i + 1 for i in steps)]
    for wanted in _missing(plan):
        previews = [
            (index + 1, _in_earnest(piece))
            for index, piece in enumerate(pieces)
            if [type(command) for command in piece.commands] == [type(wanted)]
            and not _works(piece.commands[0])
        ]
        lines = (_with_state(wanted.text, plan),)
        for place, put in previews or [(place, lines) for place in places]:
            put_in = Piece(put, "step", (wanted,))
            above, below = pieces[:place], pieces[place:]
            if (
                not _pairs(above, [put_in]) & _WRONG
                and not _pairs([put_in], below) & _WRONG
            ):
                yield listing._replace(pieces=(*above, put_in, *below))


def _in_earnest(piece: Piece) -> tuple[str, ...]:
    """The lines of a preview with ``--yes``, without comments."""
    *most, last = (line for line in piece.lines if not line.lstrip().startswith("#"))
    command, blank, _ = last.partition(" #")
    return (*most, f"{command.rstrip() if blank else last} --yes")


def _with_state(text: str, plan: Scenario) -> str:
    """A kops command with the state store that the commands of the list are given."""
    said = [re.search(r" --state[ =][^\s;]+", c.text) for c in plan.commands]
    stores = {found[0] for found in said if found}
    return (
        text + stores.pop() if len(stores) == 1 and text.startswith("kops ") else text
    )


def _missing(plan: Scenario) -> list[Command]:
    """The commands that store the new spec, apply it and roll, as far as none does."""
    before, after = plan.before, plan.after
    unchanged = before.cluster is after.cluster and before.groups == after.groups
    if after.cluster is None or unchanged:
        return []
    terraform = any(isinstance(command, model.Terraform) for command in plan.commands)
    deeds = PlannedSteps(after.name, after.cluster.cloud, terraform=terraform)
    files = _files(after)
    deed = deeds.apply_and_roll(
        Spec(files, after, after.sources), "", reconcile=reconciles(before, after)
    )
    there = {type(command) for command in plan.commands if _works(command)}
    if not files or there & set(_STORES):
        there.add(Replace)
    return [command for command in deed.commands if type(command) not in there]


def _works(command: Command) -> bool:
    """Whether a command does more than to show what it would do."""
    return bool(getattr(command, "yes", True))


def _files(manifest: Manifest) -> tuple[str, ...]:
    """The files to store, that of the Cluster first; none if they are not at hand."""
    assert manifest.cluster is not None  # noqa: S101 (asked for before)
    home = manifest.cluster.node.span.source
    sources = sorted(manifest.sources, key=lambda source: source is not home)
    at_hand = all(s.revision is None and s.path != STDIN for s in sources)
    return tuple(source.path for source in sources) if at_hand else ()


# ------------------------------------------------------------------------------------
# One list of commands on trial: what it does, and what the check says of it
#
# How such lists are come by, and in which words a refusal is reported, is not known
# here.

MENDED = (Severity.ERROR, Severity.WARNING)
"""How bad the findings are that a list may be rid of, the worst first."""

# What judging costs besides reading, in characters that are read in the same time.
_PER_WORLD = 25
_PER_COMMAND = 300
_PER_TRY = 6_000


class Change(Record):
    """Both sides of one cluster, and the files that its commands name besides."""

    before: Manifest
    after: Manifest
    at_hand: tuple[Source, ...] = ()

    def replay(self, source: Source) -> Simulation:
        """What a list of commands does to the cluster."""
        lists = CommandLists(
            (source,), {self.after.name}, partial=False, at_hand=self.at_hand
        )
        return lists.replay(self.before, self.after)

    @property
    def planning(self) -> tuple[str, ...]:
        """The kopslint call that prints a whole safe order, if there may be one."""
        return Context(self.after, self.before).planning

    def chars(self, source: Source) -> int:
        """How much has to be read to judge a list."""
        sources = (*self.before.sources, *self.after.sources, *self.at_hand, source)
        return sum(len(each.text) for each in sources)


class Try(Frozen):
    """One list and what the check says of it."""

    listing: Listing
    source: Source
    report: Report
    change: Change

    @cached_property
    def simulation(self) -> Simulation:
        """What the list does."""
        return self.change.replay(self.source)

    def told(self, severity: Severity) -> list[Finding]:
        """The findings about the list."""
        findings = self.report.findings
        return [
            f for f in findings if f.severity is severity and is_about(f, self.source)
        ]

    @property
    def harm(self) -> tuple[int, ...]:
        """How many findings there are, the worst first."""
        return tuple(self.report.count(severity) for severity in MENDED)

    @property
    def effort(self) -> int:
        """About how much it took to judge, in characters read."""
        looked = self.report.summary
        replay = looked.commands * (_PER_COMMAND + looked.worlds * _PER_WORLD)
        return _PER_TRY + self.change.chars(self.source) + replay

    def beats(self, other: Try) -> bool:
        """Whether this list is less harmful, or as much so and comes further."""
        if self.harm != other.harm:
            return self.harm < other.harm
        return self.lacks < other.lacks

    @cached_property
    def commands(self) -> Counter[str]:
        """Every command that is about the cluster."""
        return Counter(command.text for command in self.simulation.plan.commands)

    @cached_property
    def lacks(self) -> frozenset[str]:
        """What of the new spec is not reached at the end, in any possible course."""
        final = self.simulation.final
        after = self.simulation.plan.after
        return frozenset(lack for s in final for lack in _lacking(s, after))

    def accepted(self, start: Try) -> bool:
        """Whether this list may take the place of the one at the start."""
        known = {f.rule for f in start.report.findings if f.severity in MENDED}
        found = {f.rule for f in self.report.findings if f.severity in MENDED}
        return (
            not errors(self.report)
            and self.report.verdict is not Verdict.NOT_PROVEN
            and found <= known
            and self.lacks <= start.lacks
            and self.commands >= start.commands
        )


def errors(report: Report) -> list[Finding]:
    """The findings that make a list unfit to be run."""
    return [f for f in report.findings if f.severity is Severity.ERROR]


def is_about(finding: Finding, source: Source) -> bool:
    """Whether the first place of a finding is in a list."""
    return bool(finding.locations) and finding.locations[0].span.source is source


def _lacking(state: ClusterState, after: Manifest) -> Iterator[str]:
    """What of a spec a state has not reached, in words that tell things apart."""
    registry, applied = state.registry, state.applied
    if registry.cluster is not after.cluster:
        yield "the Cluster in the state store"
    if applied.cluster is not after.cluster:
        yield "the Cluster in the cloud"
    for name in {*registry.groups, *after.groups}:
        if registry.groups.get(name) is not after.groups.get(name):
            yield f"group {name} in the state store"
    for name in {*state.cloud, *after.groups}:
        group = after.groups.get(name)
        if state.cloud.get(name, 0) != (group.size if group else 0):
            yield f"group {name} in the cloud"
    for etcd in after.etcd_clusters:
        state_set = state.etcd.get(etcd.name)
        columns = (
            zip(*(possible.names for possible in state_set.settled), strict=True)
            if state_set
            else ()
        )
        names = state_set.names if state_set else ()
        votes = {
            name
            for name, seen in zip(names, columns, strict=False)
            if all(member.votes for member in seen)
        }
        for member in etcd.members:
            if member.name not in votes:
                yield f"member {member.name} of {etcd.name}"


_WRITABLE = re.compile(r"[A-Za-z0-9._-]+")

MOST_LINES = 1_000
"""Longer lists are no lists of steps that somebody wrote."""

MOST_TRIES = 50
"""How many lists are judged at most."""

MOST_EFFORT = 700_000
"""How much is read again for that at most, in characters; a state is some of them."""


class Fixed(Record):
    """A list that the check accepts, made of the same lines and some more.

    ``added`` counts the lines put in, ``moved`` those in another place; ``verdict`` is
    what the check says of it.
    """

    text: str
    added: int
    moved: int
    verdict: Verdict


class NotFixed(Record):
    """That no edit was found, and why, as the end of a sentence with "because"."""

    reason: str


def mend(change: Change, source: Source, judge: Judge) -> Fixed | NotFixed:
    """The list of ``source`` with the fewest lines moved and added that make it safe.

    Safe means that ``judge`` finds no error in it, no warning of a kind that the list
    did not have, and that it brings the cluster as far as before. A list without
    errors is corrected for its warnings, as far as possible. The result depends on
    nothing but the arguments.
    """
    report = judge(source)
    elsewhere = next((f for f in errors(report) if not is_about(f, source)), None)
    if elsewhere is not None:
        place = elsewhere.locations[0].span.source.path if elsewhere.locations else "-"
        return NotFixed(
            f"{elsewhere.rule} is about {place}, which no order of these commands"
            f" changes: {elsewhere.message}"
        )
    if len(source.lines) > MOST_LINES:
        return NotFixed(f"it has more than {MOST_LINES:,} lines")
    listing = read_listing(source)
    if isinstance(listing, NoListing):
        return NotFixed(listing.reason)
    start = Try(listing=listing, source=source, report=report, change=change)
    goal = next((severity for severity in MENDED if start.told(severity)), None)
    if goal is None:
        return NotFixed("there is nothing to correct in it")
    reason = _hopeless(start.simulation)
    if reason is not None:
        return NotFixed(reason)
    found = _Search(start, judge, goal).run()
    if found.accepted(start) and found.harm < start.harm:
        return _mended(source, found)
    left = (found.told(goal) or start.told(goal))[0]
    return NotFixed(f"no order that was tried fixes {left.rule}: {left.message}")


def _mended(original: Source, found: Try) -> Fixed:
    """The result, and what became of the lines of the original."""
    old, new = original.lines, found.source.lines
    matcher = SequenceMatcher(None, old, new)
    moved = len(old) - sum(block.size for block in matcher.get_matching_blocks())
    added = len(new) - len(old)
    return Fixed(found.source.text, added, moved, found.report.verdict)


def _hopeless(simulation: Simulation) -> str | None:
    """Why no order of the commands can be proved safe, if that is clear at once."""
    plan = simulation.plan
    if simulation.truncated:
        return "it has too many possible states"
    for name in (plan.after.name, *plan.members, *chain(*plan.members.values())):
        if not _WRITABLE.fullmatch(name):
            return f"{name!r} cannot be written into a script safely"
    for command in plan.commands:
        refused = next((p for p in command.problems if not p.harmless), None)
        if refused is not None:
            return (
                f"line {refused.span.line} is refused in every position:"
                f" {refused.message}"
            )
    if any(isinstance(command, DeleteVolumes) for command in plan.commands):
        return None
    moves = turnover(plan.before, plan.after)
    for old in moves.leaving:
        for new in moves.joining:
            zones = plan.before.zones_of(old.group), plan.after.zones_of(new.group)
            if zones[0] == zones[1] or old.collides(new):
                return (
                    f"the machine of {new.name} would mount the etcd volumes of"
                    f" {old.name}, which have to be deleted first"
                )
    return None


class _Search:
    """Climbs from one list to a better one, edit by edit, within a fixed effort."""

    def __init__(self, start: Try, judge: Judge, goal: Severity) -> None:
        self._start = start
        self._judge = judge
        self._goal = goal
        self._tries = MOST_TRIES
        self._effort = MOST_EFFORT

    def run(self) -> Try:
        """The best list found; the first one if there is no better."""
        best = self._start
        while (better := self._better(best)) is not None:
            best = better
        return best

    def _better(self, best: Try) -> Try | None:
        if self._is_done(best):
            if not best.lacks or not any(best.harm):
                return None
            # What is stored and never applied is a step that is missing.
            kinds = [insertions(best.listing, best.simulation.plan)]
        else:
            kinds = [
                with_removals(best.listing, best.source, best.simulation),
                exchanges(best.listing),
                insertions(best.listing, best.simulation.plan),
            ]
            if len(best.listing.pieces) > len(self._start.listing.pieces):
                # A list that lacked one step mostly lacks the one after it, too.
                kinds.insert(1, kinds.pop())
        for kind in kinds:
            found = self._least(kind, best)
            if found is not None:
                return found
        return None

    def _least(self, listings: Iterable[Listing], best: Try) -> Try | None:
        """The best of some lists, if it is better than ``best``; the first of equals.

        The lists come with the smallest edits first, so one without fault is enough.
        """
        least = best
        for listing in listings:
            if self._tries < 1 or self._effort < 1:
                break
            source = Source(self._start.source.path, listing.text)
            tried = Try(
                listing=listing,
                source=source,
                report=self._judge(source),
                change=best.change,
            )
            self._tries -= 1
            self._effort -= tried.effort
            if tried.beats(least):
                least = tried
                if self._is_done(least):
                    break
        return None if least is best else least

    def _is_done(self, tried: Try) -> bool:
        """Whether nothing is left of what is to be fixed."""
        accepted = tried.accepted(self._start)
        return accepted and not tried.told(self._goal)
