"""The edits that may mend a command list: lines put in, and lines that trade places.

No line is ever changed or left out. Every edit gives a whole list; whether it is a
better one is for others to judge. The cheapest edits of each kind come first.
"""

from __future__ import annotations

import re
from itertools import islice, product
from typing import TYPE_CHECKING

from kopslint.checks.removals import removals
from kopslint.commands import model
from kopslint.commands.etcd import PORTS
from kopslint.commands.recognise import recognise
from kopslint.etcd.world import DEAD
from kopslint.plan.deeds import Deeds
from kopslint.plan.mend_lines import Piece
from kopslint.plan.specs import Spec
from kopslint.plan.waypoints import reconciles
from kopslint.source.collect import STDIN
from kopslint.source.text import Source
from kopslint.syntax.command_list import read_commands, simple_commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.commands.command import Command
    from kopslint.kops.spec import Manifest
    from kopslint.plan.mend_lines import Listing
    from kopslint.simulate.plan import Plan
    from kopslint.simulate.record import Simulation, Step
    from kopslint.simulate.situation import Situation
    from kopslint.source.text import Span

MOST_EXCHANGES = 5_000
"""How many exchanges of neighbours between two walls are looked at, the short first."""

_STORES = (
    model.CreateFromFile,
    model.CreateInstanceGroup,
    model.EditCluster,
    model.EditInstanceGroup,
    model.Replace,
    model.UpgradeCluster,
)
_KINDS: tuple[tuple[str, tuple[type[Command], ...]], ...] = (
    ("store", _STORES),
    ("apply", (model.Reconcile, model.Terraform, model.UpdateCluster)),
    ("roll", (model.RollingUpdate,)),
    ("remove", (model.MemberRemove,)),
    (
        "end",
        (
            model.DeleteFromFile,
            model.DeleteInstance,
            model.DeleteInstanceGroup,
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
    above: dict[int, list[str]] = {}
    for etcd_cluster, member, place in _killed(simulation):
        if place.source is source:
            lines = above.setdefault(listing.at(place.line), [])
            lines.append(_removal(listing, simulation.plan, etcd_cluster, member))
    if above:
        pieces = (p.under(above.get(i, ())) for i, p in enumerate(listing.pieces))
        yield listing._replace(pieces=tuple(pieces))


def _removal(listing: Listing, plan: Plan, etcd_cluster: str, member: str) -> str:
    """A line that removes a member from one etcd cluster.

    It is made like a line of the list that does so and spells out whom and where, so
    that wrappers and options stay: with the other names, and the other port.
    """
    where, ours = removals(plan.specs, [(member, etcd_cluster)])
    for piece in listing.pieces:
        line = piece.lines[-1]
        # What a variable holds is true of its own line only.
        known = not re.search(r"\$\{?[A-Za-z_]", line)
        for here, whom in _removed(piece.commands, plan) if known else ():
            theirs = removals(plan.specs, [(whom, here)])[1]
            if theirs in line:
                like = line.replace(theirs, ours)
            else:
                like = re.sub(rf"(?<![\w-]){re.escape(whom)}(?![\w-])", member, line)
            like = _elsewhere(like, here, etcd_cluster)
            if _read(like, plan) == [(etcd_cluster, member)]:
                return like
    return f"{ours}  {where.removesuffix(':')}"


def _elsewhere(line: str, here: str, there: str) -> str:
    """A line with another etcd cluster in the place of one, its port included."""
    ports = {name: port for port, name in PORTS.items()}
    for old, new in ((here, there), (ports.get(here), ports.get(there))):
        if old and new:
            line = re.sub(rf"(?<![A-Za-z0-9]){old}(?![A-Za-z0-9])", new, line)
    return line


def _read(line: str, plan: Plan) -> list[tuple[str, str]]:
    """What a line by itself removes, as ``_removed`` says it."""
    calls = simple_commands(read_commands(Source("line.sh", line)).body)
    return [*_removed((c for call in calls for c in recognise(call)), plan)]


def _removed(commands: Iterable[Command], plan: Plan) -> Iterator[tuple[str, str]]:
    """The etcd cluster and the member of every removal that spells out both."""
    for command in commands:
        match command:
            case model.MemberRemove(etcd_cluster=str(where), member=word):
                for member in plan.meant_members(where, word):
                    yield where, member


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


def _dead(situation: Situation, etcd_cluster: str, name: str) -> bool:
    worlds = situation.etcd.get(etcd_cluster)
    if worlds is None or name not in worlds.names:
        return False
    index = worlds.index(name)
    return index not in worlds.returns and any(
        world.names[index] in DEAD for world in worlds.settled
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


def insertions(listing: Listing, plan: Plan) -> Iterator[Listing]:
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


def _with_state(text: str, plan: Plan) -> str:
    """A kops command with the state store that the commands of the list are given."""
    said = [re.search(r" --state[ =][^\s;]+", c.text) for c in plan.commands]
    stores = {found[0] for found in said if found}
    return (
        text + stores.pop() if len(stores) == 1 and text.startswith("kops ") else text
    )


def _missing(plan: Plan) -> list[Command]:
    """The commands that store the new spec, apply it and roll, as far as none does."""
    before, after = plan.before, plan.after
    unchanged = before.cluster is after.cluster and before.groups == after.groups
    if after.cluster is None or unchanged:
        return []
    terraform = any(isinstance(command, model.Terraform) for command in plan.commands)
    deeds = Deeds(after.name, after.cluster.cloud, terraform=terraform)
    files = _files(after)
    deed = deeds.apply_and_roll(
        Spec(files, after, after.sources), "", reconcile=reconciles(before, after)
    )
    there = {type(command) for command in plan.commands if _works(command)}
    if not files or there & set(_STORES):
        there.add(model.Replace)
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
