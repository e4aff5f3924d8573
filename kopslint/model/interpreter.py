"""The course of a command list: sequences, conditions, loops, and what stops it.

A statement maps states to states. Where only run time decides, every way
is followed; where a command certainly fails under ``set -e``, what comes after it
does not run. What a single command does is not known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, assert_never

from kopslint.budget import spend
from kopslint.commands.kops import (
    CreateFromFile,
    DeleteInstance,
    Replace,
    UpdateCluster,
    Validate,
)
from kopslint.commands.model import (
    DeleteVolumes,
    Foreign,
    MemberList,
    MemberRemove,
    Reach,
    Reads,
    ResizeCloudGroup,
    Sleep,
    StopInstances,
    Unreadable,
    Unreplayed,
    most_reached,
)
from kopslint.model.assumptions import Kind, assume
from kopslint.model.guards import ASKING, asks_etcd, failing, relies, relying
from kopslint.model.simulation import Moment, Step, Undecided
from kopslint.model.state import ClusterState, Ending, merged
from kopslint.notations.command_list import simple_commands
from kopslint.notations.program_names import names_a_call
from kopslint.shell.ast import (
    EMPTY,
    AndOr,
    Choice,
    Condition,
    ErrExit,
    Exit,
    Group,
    Loop,
    Opaque,
    Parallel,
    Pipeline,
    Repeat,
    SimpleCommand,
    Statement,
    Statements,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kopslint.commands.model import Command
    from kopslint.model.actions.machines import Watch
    from kopslint.model.assumptions import Assumption
    from kopslint.model.state import Result
    from kopslint.shell.ast import Unknown
    from kopslint.text import Span

    Recognise = Callable[[SimpleCommand], tuple[Command, ...]]
    Effect = Callable[[Command, ClusterState, Watch], list[Result]]


# ------------------------------------------------------------------------------------
# ClusterStates on the courses of a list: who succeeded, who has left, who answers what
#
# Pure questions about states that the walk through a list asks at every turn.

Asked = Literal["no", "or", "yes"]
"""Who looks at a command's status: nobody, an ``||`` or ``&&``, or a condition."""


def is_step(command: Command) -> bool:
    """Whether a command can change what is simulated, and so is a step."""
    return not isinstance(command, Foreign | Reads | MemberList | Unreadable)


def lists_members(commands: Iterable[Command]) -> bool:
    """Whether one of them prints a member list of etcd, which is never empty."""
    return any(isinstance(command, MemberList) for command in commands)


def other_way(
    here: list[ClusterState], asks: Iterable[Command], then: Iterable[Command]
) -> list[ClusterState]:
    """The same states had a test come out otherwise, where that is to be followed.

    Validation looks at nodes and pods too, which no file shows, so it may fail, or
    succeed, where etcd gives no reason. That matters where something is changed then,
    and not where the list ends, waits or prints.
    """
    if not any(isinstance(command, Validate) for command in asks):
        return []
    follow = acts(then)
    return [s._replace(ok=not s.ok) for s in here if follow and s.ended is None]


def acts(commands: Iterable[Command]) -> bool:
    """Whether one of them may change the cluster, as far as anybody can read it."""
    return any(command.meaning.planes for command in commands)


def has_turns(loop: Repeat) -> bool:
    """Whether a loop is taken to have a turn: what it goes through is there.

    An etcd cluster always has members, and a list that deletes the disks it looks up
    by their tags means some that are there.
    """
    return "member list" in loop.items.name or _looks_up_disks(loop)


def is_open(loop: Repeat, commands: Iterable[Command]) -> bool:
    """Whether something is to be said of what a loop goes through.

    Not if nothing in it can change anything, and of members and machines not either:
    which they are taken to be is said where they are used.
    """
    changing = [command for command in commands if acts([command])]
    if "member list" in loop.items.name:
        return False
    if _looks_up_disks(loop):
        return bool(changing)
    stored = [c for c in changing if _stores_what_is_not_at_hand(c)]
    # To apply once more what is applied already changes nothing.
    by_name = (*_BY_NAME, UpdateCluster) if stored else _BY_NAME
    return not all(isinstance(c, by_name) or c in stored for c in changing)


def found_by(loop: Repeat) -> Assumption | None:
    """What is taken for granted of what a loop goes through, if anything is."""
    if not _looks_up_disks(loop):
        return None
    text = "the loop finds the disks that it searches for"
    return assume(Kind.DISK, loop.items.name, text, span=loop.span)


_BY_NAME = (DeleteInstance, DeleteVolumes, ResizeCloudGroup, StopInstances, Unreplayed)
"""What is followed for any machine, group or disk, where only run time knows which."""


def _stores_what_is_not_at_hand(command: Command) -> bool:
    """Whether files are stored that only run time knows: what they hold is said."""
    return isinstance(command, CreateFromFile | Replace) and all(
        word.text is None for word in command.files
    )


def _looks_up_disks(loop: Repeat) -> bool:
    return "describe-volumes" in loop.items.name and "tag" in loop.items.name


def reads_lines(commands: Iterable[Command]) -> bool:
    """Whether a loop that asks them goes through lines, and so comes to its end."""
    return any(isinstance(c, Foreign) and c.program == "read" for c in commands)


def split(
    states: list[ClusterState],
) -> tuple[list[ClusterState], list[ClusterState]]:
    """Those whose last command succeeded, or that have ended, and the others."""
    good = [s for s in states if s.ok or s.ended is not None]
    bad = [s for s in states if not s.ok and s.ended is None]
    return good, bad


def past(state: ClusterState, scope: str | None) -> ClusterState:
    """A state behind the end of a scope, if that is what it has left."""
    ended = state.ended
    if ended is None or scope is None:
        return state
    if scope == "block":
        # Whoever types on has a shell again, and it is a new one.
        return state._replace(ended=None, ok=not ended.failed, errexit=False)
    if ended.levels > 1 and scope == "loop":
        # What leaves several loops, or a turn of an outer one, leaves this loop.
        return state._replace(ended=ended._replace(levels=ended.levels - 1))
    if ended.leaves != scope or ended.levels > 1:
        return state
    return state._replace(ended=None, ok=not ended.failed)


def in_background(state: ClusterState) -> ClusterState:
    """A state inside a job in the background that starts there."""
    return state._replace(job=state.job or "nothing")


def beside(state: ClusterState, before: ClusterState) -> ClusterState:
    """A state beside a job in the background, which was started in ``before``."""
    job = state.job if before.job is not None else None
    replacing = state.replacing or state.job == "replaced"
    return state._replace(job=job, replacing=replacing)


def turned(
    states: list[ClusterState],
) -> tuple[list[ClusterState], list[ClusterState], list[ClusterState]]:
    """After one turn of a loop: those that go on, that left it, and that ended."""
    going, broken, ended = [], [], []
    for state in (past(s, "turn") for s in states):
        behind = past(state, "loop")
        if state.ended is None:
            going.append(state)
        elif behind.ended is None:
            broken.append(behind)
        else:
            ended.append(behind)
    return going, broken, ended


def answers(
    command: Foreign | Reads | MemberList, going: list[ClusterState], asked: Asked
) -> list[ClusterState]:
    """The exit status of a program that changes nothing.

    Where somebody asks for it, both answers are followed; where nobody does, the
    program is taken to succeed.
    """
    if isinstance(command, Foreign) and command.program == "wait":
        # `wait -n` is for one job of several.
        one = "-n" in command.text.split()
        return [s._replace(ok=True, replacing=s.replacing and one) for s in going]
    if isinstance(command, Foreign) and command.status is not None:
        return [s._replace(ok=command.status) for s in going]
    good = [s._replace(ok=True) for s in going]
    program = command.program if isinstance(command, Foreign) else ""
    if asked == "yes" or (asked == "or" and program in ASKING):
        return [*good, *(s._replace(ok=False) for s in going)]
    return good


def alone(state: ClusterState, errexit: bool) -> ClusterState:
    """A state behind a shell of its own, whose end ends nothing else."""
    ok = state.ok if state.ended is None else not state.ended.failed
    return state._replace(ended=None, ok=ok, errexit=errexit)


def rejoined(
    state: ClusterState, group: Group, errexit: bool, asked: Asked
) -> ClusterState:
    """A state back in the shell that started ``group``, which had ``errexit``."""
    outside = alone(state, errexit)
    stops = not outside.ok and errexit and asked == "no" and not group.background
    return outside._replace(
        ended=state.ended if stops else None, ok=outside.ok or group.background
    )


MAX_TURNS = 3
"""How often a loop body is followed; by then its states no longer change.

A loop within a loop is followed once less: the outer one brings it round again, and
turns within turns would be as many as a power of the depth.
"""

MAX_COURSES = 500
"""How many courses are followed at once; more is said, never dropped silently."""


class Flow:
    """One run through a command list; collects the steps as it goes.

    ``recognise`` gives the commands of a program call that concern this cluster,
    ``effect`` what one of them does in one state. ``relied_on`` are removals of
    members that nothing makes sure of, each with the first step that relies on it.
    """

    def __init__(self, recognise: Recognise, effect: Effect) -> None:
        self._recognise = recognise
        self._effect = effect
        self._steps: dict[tuple[int, int], Step] = {}
        self.undecided: dict[tuple[Span, str], Undecided] = {}
        self.assumptions: dict[Assumption, None] = {}
        self.relied_on: dict[int, int] = {}
        self._chained = False
        self.truncated = False
        self._reading_members = False
        self._loops = 0
        self.running: Command | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, in the order in which they first ran."""
        return tuple(self._steps.values())

    def run(
        self, statement: Statement, states: list[ClusterState], asked: Asked = "no"
    ) -> list[ClusterState]:
        """Run a statement; courses that have ended pass through untouched."""
        over = [s for s in states if s.ended is not None]
        going = [s for s in states if s.ended is None]
        if not going:
            return over
        after = merged([*over, *self._statement(statement, going, asked)])
        if len(after) > MAX_COURSES:
            self.truncated = True
            return after[:MAX_COURSES]
        return after

    def _statement(
        self, statement: Statement, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        match statement:
            case SimpleCommand():
                return self._simple(statement, going, asked)
            case Statements():
                for item in statement.items[:-1]:
                    going = self.run(item, going)
                last = statement.items[-1:]
                if not last:
                    # An assignment, which succeeds.
                    return [s._replace(ok=True) for s in going]
                return self.run(last[0], going, asked)
            case AndOr():
                return self._and_or(statement, going, asked)
            case Pipeline():
                return self._pipeline(statement, going, asked)
            case Condition():
                test, otherwise = statement.test, statement.otherwise
                good, bad = split(self._told(test, self.run(test, going, "yes")))
                good = good or self._unlikely(bad, test, statement.then)
                if otherwise is None:
                    bad = [s._replace(ok=True) for s in bad]
                else:
                    bad = bad or self._unlikely(good, test, otherwise)
                    bad = self.run(otherwise, bad, asked)
                return [*self.run(statement.then, good, asked), *bad]
            case Choice() if statement.key:
                return self._chosen(statement, going, asked)
            case Choice():
                ways = [self.run(b, going, asked) for b in statement.branches]
                ways += [] if statement.exhaustive else [going]
                return [state for way in ways for state in way]
            case Loop():
                return self._loop(statement, going)
            case Repeat():
                self._look_at(statement)
                return self._repeat(statement, going)
            case Group():
                return self._group(statement, going, asked)
            case Parallel():
                return self._at_once(statement, going, asked)
            case ErrExit():
                return [s._replace(errexit=statement.on, ok=True) for s in going]
            case Exit():
                failed = statement.status is not None and statement.status.text != "0"
                ending = Ending(
                    len(self._steps),
                    statement.span,
                    failed,
                    statement.leaves,
                    statement.levels,
                )
                return [s._replace(ended=ending) for s in going]
            case Opaque():
                self.note(statement.span, statement.reason, _reach_of(statement))
                return [s._replace(ok=True) for s in going]
            case _:
                assert_never(statement)

    def _chosen(
        self, statement: Choice, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        """A call with a word that has one of several values, the same all the way."""
        if not any(is_step(command) for command in self._within(statement)):
            return self.run(statement.branches[0], going, asked)
        after: list[ClusterState] = []
        name, ways = statement.reason.name, statement.reason.ways
        for at, branch in enumerate(statement.branches):
            value = " ".join(ways[at]) or "empty"
            this = {statement.key: (at, f"{name} is {value}")}
            here = [
                s._replace(chosen={**this, **s.chosen})
                for s in going
                if s.chosen.get(statement.key, (at, ""))[0] == at
            ]
            after += self.run(branch, here, asked)
        return after

    def _and_or(
        self, statement: AndOr, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        outside = self._chained
        self._chained = outside or statement.operator == "&&"
        left = self.run(statement.left, going, "yes" if asked == "yes" else "or")
        self._chained = outside
        if statement.right != EMPTY:
            # Else it is what a substitution in an argument runs, and nobody asks.
            left = self._told(statement.left, left)
        good, bad = split(left)
        if statement.operator == "&&":
            return [*self.run(statement.right, good, asked), *bad]
        bad = bad or self._unlikely(good, statement.left, statement.right)
        return [*good, *self.run(statement.right, bad, asked)]

    def _pipeline(
        self, statement: Pipeline, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        *first, last = statement.items
        guarded: Asked = "or" if asked == "no" and statement.negated else asked
        for item in first:
            going = self.run(item, going, asked if statement.pipefail else "or")
            if not statement.pipefail:
                going = [s._replace(ok=True) for s in going]
        outside = self._reading_members
        self._reading_members = lists_members(self._within(*first))
        going = self.run(last, going, guarded)
        self._reading_members = outside
        if statement.negated:
            going = [s if s.ended else s._replace(ok=not s.ok) for s in going]
        return going

    def _loop(self, statement: Loop, going: list[ClusterState]) -> list[ClusterState]:
        """``while`` and ``until``: until nothing new can come of another turn.

        Courses that can only go round for ever end here: a script that waits for
        what never happens hangs.
        """
        left: list[ClusterState] = []
        over: list[ClusterState] = []
        lines = reads_lines(self._within(statement.test))
        one_turn = self._each if lines else self.run
        # The test is asked again at least once: what a turn waits for has come then.
        turns = max(self._turns(), 2)
        self._loops += 1
        for turn in range(turns):
            before = going
            answered = self.run(statement.test, going, "yes")
            good, bad = split(self._told(statement.test, answered))
            leaving, going = (bad, good) if statement.kind == "while" else (good, bad)
            if turn or not (lines and self._reading_members):
                left.extend(s._replace(ok=True) for s in leaving)
            if not turn:
                going = going or self._unlikely(leaving, statement.test, statement.body)
            going, broken, ended = turned(one_turn(statement.body, going))
            left.extend(broken)
            over.extend(ended)
            if not (leaving or broken) or going == before:
                break
        self._loops -= 1
        ending = None if lines else Ending(len(self._steps), None, failed=True)
        rest = (s._replace(ok=lines or s.ok, ended=ending) for s in going)
        return [*left, *over, *rest]

    def _turns(self) -> int:
        """How many turns of a loop are followed, fewer the deeper it is."""
        return max(MAX_TURNS - self._loops, 1)

    def _repeat(
        self, statement: Repeat, going: list[ClusterState]
    ) -> list[ClusterState]:
        reached = [] if has_turns(statement) else list(going)
        turns = self._turns()
        self._loops += 1
        for _ in range(turns):
            before = going
            going, broken, ended = turned(self._each(statement.body, going))
            reached.extend((*going, *broken, *ended))
            if going == before:
                break
        self._loops -= 1
        return reached

    def _each(self, body: Statement, going: list[ClusterState]) -> list[ClusterState]:
        """One turn for something that only run time knows."""
        inside = self.run(body, [s._replace(each_unknown=True) for s in going])
        outside = any(s.each_unknown for s in going)
        return [s._replace(each_unknown=outside) for s in inside]

    def _told(self, test: Statement, after: list[ClusterState]) -> list[ClusterState]:
        """ClusterStates behind a test: one of etcd's members tells if removals worked.

        Whoever asks does not go on if they did not.
        """
        if not any(s.unproven or s.failing for s in after):
            return after
        if not asks_etcd(test, self._recognise):
            return after
        working = [s for s in after if not s.failing] or after
        return [s._replace(unproven=frozenset(), failing=False) for s in working]

    def _within(self, *statements: Statement) -> Iterator[Command]:
        for call in (c for s in statements for c in simple_commands(s)):
            yield from self._recognise(call)

    def _unlikely(
        self, here: list[ClusterState], test: Statement, then: Statement
    ) -> list[ClusterState]:
        while isinstance(test, Statements | Pipeline) and test.items:
            test = test.items[-1]
        asks = self._recognise(test) if isinstance(test, SimpleCommand) else ()
        return other_way(here, asks, self._within(then))

    def _group(
        self, statement: Group, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        apart = statement.subshell or statement.background
        started = going[0]
        if statement.background:
            going = [in_background(s) for s in going]
        after = self.run(statement.body, going, "or" if statement.background else asked)
        if not apart:
            return [past(s, statement.scope) for s in after]
        if statement.background:
            after = [beside(s, started) for s in after]
        return [rejoined(s, statement, started.errexit, asked) for s in after]

    def _at_once(
        self, statement: Parallel, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        """Jobs beside each other; together they fail if one of them does.

        They are replayed one after the other, each with what the others may have
        under way. Where only one of them acts, nothing is beside it.
        """
        started = going[0]
        acting = sum(acts(self._within(job)) for job in statement.jobs) > 1
        fine, failed = going, list[ClusterState]()
        for job in statement.jobs:
            broken = self._job(job, failed, started, acting=acting)
            fine, new = split(self._job(job, fine, started, acting=acting))
            failed = merged(s._replace(ok=False) for s in [*broken, *new])
        stops = started.errexit and asked == "no"
        ending = Ending(len(self._steps), statement.span, failed=True)
        return [
            s._replace(
                replacing=started.replacing,
                ended=ending if stops and not s.ok else None,
            )
            for s in [*fine, *failed]
        ]

    def _job(
        self,
        job: Statement,
        going: list[ClusterState],
        started: ClusterState,
        *,
        acting: bool,
    ) -> list[ClusterState]:
        """One of several jobs, in a shell of its own."""
        if not going:
            return []
        begun = [s._replace(ok=True, errexit=started.errexit) for s in going]
        after = self.run(job, [in_background(s) for s in begun] if acting else begun)
        after = [beside(s, started) for s in after] if acting else after
        return [alone(s, started.errexit) for s in after]

    def _simple(
        self, call: SimpleCommand, going: list[ClusterState], asked: Asked
    ) -> list[ClusterState]:
        started = going[0]
        if call.background:
            asked = "or"
            going = [in_background(s) for s in going]
        for position, command in enumerate(self._recognise(call)):
            if isinstance(command, Foreign | Reads | MemberList):
                going = answers(command, going, asked)
                continue
            if isinstance(command, Sleep) and all(s.job for s in going):
                # What sleeps in the background holds up nobody.
                continue
            if isinstance(command, Unreadable):
                self.note(command.span, command.reason, command.reach)
                going = [s._replace(ok=True) for s in going]
                continue
            going = self._command(command, (id(call), position), call, going, asked)
        if call.background:
            return [beside(s, started)._replace(ok=True) for s in going]
        return going

    def _command(
        self,
        command: Command,
        key: tuple[int, int],
        call: SimpleCommand,
        going: list[ClusterState],
        asked: Asked,
    ) -> list[ClusterState]:
        self.running = command
        spend()
        number = self._steps[key].number if key in self._steps else len(self._steps) + 1
        moments: list[Moment] = []

        def watch(state: ClusterState, group: str) -> None:
            moments.append(Moment(group, state.etcd))

        results: list[Result] = []
        failed: list[ClusterState] = []
        for state in going:
            if state.unproven and relies(command):
                for removal in state.unproven:
                    self.relied_on.setdefault(removal, number)
            made = self._effect(command, state, watch)
            if isinstance(command, MemberRemove) and asked == "no":
                made = [relying(result, number) for result in made]
            elif isinstance(command, MemberRemove):
                failed += failing(state, made, chained=self._chained)
            results.extend(made)
        self._record(number, key, command, call.title, going, results, moments)
        after = merged([*(result.state for result in results), *failed])
        return [
            s._replace(ended=Ending(number, command.span, failed=True))
            if not s.ok and s.errexit and asked == "no"
            else s
            for s in after
        ]

    def _record(
        self,
        number: int,
        key: tuple[int, int],
        command: Command,
        title: str | None,
        before: list[ClusterState],
        results: list[Result],
        moments: list[Moment],
    ) -> None:
        for result in results:
            for assumption in result.assumed:
                self.assumptions[assumption.placed(command.span, number)] = None
            if result.undecided is not None:
                self.undecided[command.span, result.undecided] = Undecided(
                    command.span,
                    result.undecided,
                    number,
                    result.reach or command.reaches,
                    number - 1,
                )
        earlier = self._steps.get(key)
        self._steps[key] = Step(
            number=number,
            command=command,
            before=(*(earlier.before if earlier else ()), *before),
            results=(*(earlier.results if earlier else ()), *results),
            moments=(*(earlier.moments if earlier else ()), *moments),
            title=title,
            runs=(*(earlier.runs if earlier else ()), (len(before), len(results))),
        )

    def _look_at(self, loop: Repeat) -> None:
        """Remember that only run time knows what a loop goes through."""
        if not is_open(loop, self._within(loop.body)):
            return
        assumption = found_by(loop)
        if assumption is not None:
            self.assumptions[assumption] = None
        else:
            self.note(loop.span, loop.items, most_reached(self._within(loop.body)))

    def note(self, span: Span, reason: Unknown, reach: Reach) -> None:
        """Remember what could not be read."""
        undecided = Undecided(span, reason.reason, reach=reach, behind=len(self._steps))
        self.undecided.setdefault((span, reason.reason), undecided)

    def note_beside(self, unread: Opaque) -> None:
        """Remember what could not be read and is no part of the list that was run.

        It runs, if at all, where it stands.
        """
        source, order = unread.span.source, unread.span.order
        ahead = [
            step.number
            for step in self.steps
            if step.command.span.source is source and step.command.span.order < order
        ]
        undecided = Undecided(
            unread.span,
            unread.reason.reason,
            reach=_reach_of(unread),
            behind=max(ahead, default=0),
        )
        self.undecided.setdefault((unread.span, unread.reason.reason), undecided)


def _reach_of(unread: Opaque) -> Reach:
    """What something that cannot be read may change, as its own text tells."""
    span = unread.span
    lines = span.source.lines[span.line - 1 : span.end_line]
    if unread.reaches or (unread.runs and names_a_call("\n".join(lines))):
        return Reach.MACHINE
    return Reach.SHELL_TEXT if unread.runs else Reach.ELSEWHERE
