"""Clusters one after the other: read, replayed, and every rule asked about each.

What comes of one cluster depends on no other, except for the names that commands may
mean.
"""

from __future__ import annotations

import re
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING

from kopslint.budget import limited, share
from kopslint.change.identity import renamed
from kopslint.checks.context import Context, on_its_way
from kopslint.errors import InputError, defects_name
from kopslint.findings import Finding, Severity, Summary
from kopslint.kops.decode import Fleet, read_fleet
from kopslint.kops.spec import Manifest
from kopslint.model.command_lists import CommandLists
from kopslint.records import Record
from kopslint.rulebook.loader import load_check, load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kopslint.checks.custom_rule import CustomRule
    from kopslint.commands.model import Command
    from kopslint.config.settings import Settings
    from kopslint.findings import Draft, TimelineEntry
    from kopslint.model.idle_lists import ChangedList, IdleList
    from kopslint.model.simulation import Simulation
    from kopslint.observed.observation import Observation
    from kopslint.rulebook.model import Rule
    from kopslint.text import Source, Span


# ------------------------------------------------------------------------------------
# What the engine is asked

FLEET = 300_000
"""So many characters of specs take much longer than a second process to start."""

NO_CLUSTER = "(no cluster)"
"""Stands for the cluster of objects that do not say whose they are."""


class Base(Record):
    """The command lists before a change, and the files that they name there."""

    commands: tuple[Source, ...] = ()
    at_hand: tuple[Source, ...] = ()


class Request(Record):
    """What to check.

    ``before`` is None if there is no change, only a state; ``after`` is None if the
    state before is all there is, as when a list of commands is tried on it.
    ``partial`` says that there are other clusters besides these, so that a command
    that names another one means that one and is no mistake. ``at_hand`` are files that
    the commands may name besides: scripts that they source, specs on the way.
    ``lost_lists`` are command lists of before that the change takes away, and
    ``changed_lists`` those that are others now. With ``base`` what stands before the
    change as well is told apart. ``observed`` is what was seen
    on one of the clusters.
    """

    before: tuple[Source, ...] | None = None
    after: tuple[Source, ...] | None = None
    commands: tuple[Source, ...] = ()
    partial: bool = False
    at_hand: tuple[Source, ...] = ()
    lost_lists: tuple[Source, ...] = ()
    changed_lists: tuple[ChangedList, ...] = ()
    base: Base | None = None
    observed: Observation | None = None

    @property
    def is_fleet(self) -> bool:
        """Whether it may be worth dividing."""
        return sum(len(source.text) for source in self.specs) >= FLEET

    @property
    def is_one_file(self) -> bool:
        """Whether a file is compared with a file, whatever the two are called."""
        return len(self.before or ()) == len(self.after or ()) == 1

    @property
    def specs(self) -> Iterator[Source]:
        """The specs of both sides."""
        yield from self.before or ()
        yield from self.after or ()


# ------------------------------------------------------------------------------------
# Commands that a finding prints are pasted into a shell, names of a spec included
#
# A spec and a list come from a pull request, and a shell would run what a name holds.
# Which commands fix what is not known here.

_PLAIN = re.compile(r"[\w.:/@-]*")
_MEANS_MORE = re.compile(r"[\s`;&|<>()\\\"'#!]")
_UNSAFE = "# not printed: a name in this command would run as shell code"


def unsafe_names(manifests: Iterable[Manifest]) -> tuple[str, ...]:
    """The names in ``manifests`` that mean more than a word to a shell."""
    found = dict.fromkeys(name for each in manifests for name in _names(each))
    return tuple(name for name in found if not _PLAIN.fullmatch(name))


def unsafe_words(commands: Iterable[Command]) -> tuple[str, ...]:
    """The words of ``commands`` that mean more than a value to a shell.

    A variable is none: it is no more than what whoever pastes it has given it.
    """
    from kopslint.shell.ast import Word

    values = [getattr(each, name) for each in commands for name in each.fields]
    several = (v for v in values if type(v) is tuple)
    words = (w for w in chain(values, *several) if isinstance(w, Word))
    found = dict.fromkeys(word.shown for word in words)
    return tuple(word for word in found if _MEANS_MORE.search(word))


def pastable(finding: Finding, unsafe: tuple[str, ...]) -> Finding:
    """The finding without commands that hold one of these names."""
    lines = (
        _UNSAFE if not _is_comment(line) and any(n in line for n in unsafe) else line
        for line in finding.fix
    )
    return finding._replace(fix=tuple(dict.fromkeys(lines)))


def _is_comment(line: str) -> bool:
    return line.startswith("#") and "\n" not in line


def _names(manifest: Manifest) -> Iterator[str]:
    yield manifest.name
    yield from manifest.groups
    for etcd in manifest.etcd_clusters:
        yield etcd.name
        for member in etcd.members:
            yield from (member.name, member.group)


Asked = tuple["Rule", "Callable[..., Iterable[Draft]]"]
"""A rule with the function that looks for what it is about."""


class Examined(Record):
    """What came of one cluster; the summary has what is its own."""

    findings: tuple[Finding, ...]
    timeline: tuple[TimelineEntry, ...]
    summary: Summary


class Examination(Record):
    """What came of some clusters, by name in their order.

    ``sources`` are those of every cluster that was read, also of those that a shard
    does not examine; ``skipped`` are sources that hold no kops object.
    """

    clusters: Mapping[str, Examined]
    sources: Mapping[str, tuple[Source, ...]]
    skipped: tuple[Source, ...]


class Examiner:
    """Reads clusters and asks the rules of ``settings`` about them.

    ``names`` are those of all clusters there are, for one that is handed only some of
    them at a time; without it, every examination is of all clusters.
    """

    def __init__(
        self, request: Request, settings: Settings, names: frozenset[str] | None = None
    ) -> None:
        rules = load_rules() if settings.rules is None else settings.rules
        self._house = _house_rules(rules)
        # What has nothing to say here need not even be imported.
        # A list may change what only one side is given of.
        change = bool(request.commands) or (
            request.before is not None and request.after is not None
        )
        self._asked = loaded(
            rule
            for rule in rules
            if not (rule.judges_comments or rule.judges_settings)
            and rule.may_speak(
                change=change,
                commands=bool(request.commands),
                observed=request.observed is not None,
            )
        )
        self._commands = request
        self._settings = settings
        self._names = names
        self._lists: CommandLists | None = None
        self._fleets: dict[tuple[Source, ...], Fleet] = {}

    def examine(self, request: Request) -> Examination:
        """Examine the clusters in the specs of ``request``.

        The commands are those of the request that the examiner was made with. Raises
        ``InputError`` for sources that cannot be read as what they are.
        """
        before, after = self._sides(request)
        names = sorted({*before.manifests, *after.manifests})
        if self._lists is None:
            self._lists = self._read_commands(self._names or frozenset(names))
        anywhere = self._commands.is_one_file
        old_names = renamed(before.manifests, after.manifests, anywhere=anywhere)
        gone = _gone(before, after, request, old_names)
        observed = _observed(self._commands.observed, names)
        shard = self._settings.shard
        clusters = {}
        work = share(len(self._names or names))
        for name in names:
            if shard is None or shard.holds(name):
                with defects_name(name):
                    with limited(work):
                        context = self._context(
                            name, before, after, old_names.get(name), observed.get(name)
                        )
                    context = context._replace(gone=gone.get(name))
                    clusters[name] = self._examined(context, before, after)
        return Examination(
            clusters=clusters,
            sources={name: _sources(name, before, after) for name in names},
            skipped=(*before.skipped, *after.skipped),
        )

    def _read_commands(self, names: frozenset[str]) -> CommandLists:
        request = self._commands
        return CommandLists(
            request.commands,
            {*names} - {NO_CLUSTER},
            partial=request.partial,
            at_hand=request.at_hand,
        )

    def _sides(self, request: Request) -> tuple[Fleet, Fleet]:
        """Both sides; where only one is given, it is the state to check."""
        before = self.fleet(request.before or ())
        if request.after is None:
            return before, before
        return before, self.fleet(request.after)

    def fleet(self, sources: tuple[Source, ...]) -> Fleet:
        """The clusters in ``sources``; if they are the whole fleet, read only once."""
        if self._names is not None:
            return _with_strays(read_fleet(sources, whole=False))
        if sources not in self._fleets:
            self._fleets[sources] = _with_strays(read_fleet(sources))
        return self._fleets[sources]

    def of_base(self, request: Request, settings: Settings) -> Examiner:
        """One for what these sources were before; what is read is not read again."""
        other = Examiner(request, settings)
        other._fleets = self._fleets
        return other

    def _context(
        self,
        name: str,
        before: Fleet,
        after: Fleet,
        renamed_from: Manifest | None,
        observed: Observation | None,
    ) -> Context:
        """What the rules are asked about for a cluster."""
        request, settings, lists = self._commands, self._settings, self._lists
        assert lists is not None  # noqa: S101 (read before any cluster is asked about)
        old, new = before.manifests.get(name), after.manifests.get(name)
        state = new or old
        assert state is not None  # noqa: S101 (the name came from one of the two)
        is_change = bool(old and new) and request.after is not None
        if old is not None and new is not None and is_change:
            from kopslint.kops.filled_in import taken_for_the_same

            old, new = taken_for_the_same(old, new)
            state = new
        # What a cluster was like that the files no longer have is past.
        is_gone = new is None and request.after is not None
        if observed is not None:
            from kopslint.observed.matching import matched

            sides = (old, new) if old is not new else (old,)
            observed = matched(observed, [side for side in sides if side is not None])
        simulation = None
        known = name != NO_CLUSTER and (old is not None or request.before is None)
        if lists.scripts and known:
            simulation = lists.replay(
                old or state, state, settings.kops_version, observed
            )
        made_by: tuple[Command, ...] = ()
        if simulation is not None and state.cluster and (old or state).cluster:
            made_by = lists.made_by(simulation)
        if made_by:
            left = lists.without(made_by)
            simulation = (
                left.replay(old or state, state, settings.kops_version, observed)
                if left is not None
                else None
            )
        idle: tuple[IdleList, ...] = ()
        if request.changed_lists and old is not None and is_change:
            from kopslint.model.idle_lists import idle_lists

            idle = tuple(idle_lists(request.changed_lists, old, simulation, made_by))
        return Context(
            after=_nothing(name) if is_gone else state,
            before=old if is_change else None,
            simulation=simulation,
            made_by=made_by,
            misnamed=lists.misnamed,
            house=self._house,
            kops_version=settings.kops_version,
            kops_asked=settings.kops_asked,
            kops_said=settings.kops_said,
            etcd_volumes=settings.etcd_volumes,
            renamed_from=renamed_from,
            lost_lists=request.lost_lists,
            idle_lists=idle,
            retired=name in settings.retired,
            observed=observed,
            now=settings.now,
        )

    def _examined(self, context: Context, before: Fleet, after: Fleet) -> Examined:
        whole, parts = (context,), changes(context)
        found = chain(
            ask(
                self._asked,
                lambda rule: parts if rule.category == "change" else whole,
                context.cluster,
                self._settings,
            ),
            found_on_the_way(self._asked, context, self._settings),
        )
        unsafe = unsafe_names(context.specs)
        if context.simulation is not None:
            unsafe += unsafe_words(context.simulation.plan.commands)
        findings = dict.fromkeys(
            found if not unsafe else (pastable(each, unsafe) for each in found)
        )
        timeline: tuple[TimelineEntry, ...] = ()
        simulation = context.simulation
        if simulation is not None:
            from kopslint.model.timeline import timeline as timeline_of

            timeline = tuple(timeline_of(simulation))
        name, change = context.cluster, self._commands.before is not None
        summary = Summary(
            clusters=(name,),
            commands=len(simulation.steps) if simulation is not None else 0,
            worlds=_most_states(simulation) if simulation is not None else 0,
            before=_control_plane(name, before) if change else None,
            after=_control_plane(name, after) if change else None,
            unread=self._unread,
            ambient=_ambient(simulation) if simulation is not None else None,
            rotated=simulation.plan.rotated if simulation is not None else None,
        )
        return Examined(tuple(findings), timeline, summary)

    @property
    def _unread(self) -> tuple[str, ...]:
        """The command lists, if no command could be read from any of them."""
        unread = self._lists.unread if self._lists is not None else ()
        if len(unread) < len(self._commands.commands):
            return ()
        return tuple(source.path for source in unread)


def _ambient(simulation: Simulation) -> Span | None:
    from kopslint.model.ambient import left_to_the_shell

    return left_to_the_shell(step.command for step in simulation.steps)


def changes(context: Context) -> Sequence[Context]:
    """The change as those that it is made of, if the list applies specs on the way.

    Where the list ends with a spec on the way, the one after is another change.
    """
    simulation = context.simulation
    passed = simulation.passed if simulation is not None else ()
    if simulation is None or not passed:
        return (context,)
    if context.before is None:
        states = (simulation.plan.before, *passed)
        return [context._replace(before=a, after=b) for a, b in pairwise(states)]
    states = (context.before, *passed)
    if simulation.goes_on:
        states = (*states, context.after)
    found = [context._replace(before=a, after=b) for a, b in pairwise(states)]
    return found if simulation.goes_on else [*found, context]


def found_on_the_way(
    asked: Iterable[Asked], context: Context, settings: Settings
) -> Iterator[Finding]:
    """What is wrong with a spec that the list applies, and with neither side.

    What is wrong with a side as well is reported there. What is only unwise is said
    of the spec that the list ends with, and not of one that is gone again.
    """
    simulation = context.simulation
    if simulation is None or not simulation.passed:
        return
    rules = tuple(each for each in asked if each[0].category == "spec")
    sides = (context, context._replace(after=context.before or simulation.plan.before))
    states = [context._replace(after=state) for state in simulation.passed]

    def found(contexts: Sequence[Context]) -> Iterator[Finding]:
        return ask(rules, lambda _: contexts, context.cluster, settings)

    known = {(each.rule, each.message, each.subject) for each in found(sides)}
    kept = () if simulation.goes_on else found(states[-1:])
    errors = (each for each in found(states) if each.severity is Severity.ERROR)
    for each in (*errors, *kept):
        if (each.rule, each.message, each.subject) not in known:
            yield each


def loaded(rules: Iterable[Rule]) -> tuple[Asked, ...]:
    """The rules with their functions, which are looked up once and not per cluster."""
    return tuple((rule, load_check(rule)) for rule in rules)


def ask(
    asked: Iterable[Asked],
    about: Callable[[Rule], Iterable[object]],
    cluster: str | None,
    settings: Settings,
) -> Iterator[Finding]:
    """What the rules find in their subjects, reported as ``settings`` say."""
    for rule, check in asked:
        drafts = chain.from_iterable(_drafts(check, one) for one in about(rule))
        for draft in _bounded(drafts):
            severity = settings.severity(rule, draft)
            if severity is not None:
                yield Finding(
                    rule=rule.id,
                    name=rule.name,
                    severity=severity,
                    certainty=draft.certainty,
                    message=draft.message,
                    why=draft.why,
                    locations=draft.locations,
                    subject=draft.subject,
                    fix=draft.fix,
                    step=draft.step,
                    cluster=cluster,
                    etcd_cluster=draft.etcd_cluster,
                    trace=draft.trace,
                    story=draft.story,
                    follows=rule.follows,
                )


MOST_FINDINGS = 1_000
"""How often one rule speaks of one cluster; nobody reads more."""


def _bounded(drafts: Iterator[Draft]) -> Iterator[Draft]:
    """The first of what a rule finds, and how much more there is."""
    yield from islice(drafts, MOST_FINDINGS)
    first = next(drafts, None)
    if first is not None:
        more = sum(1 for _ in drafts) + 1
        message = f"{first.message}; {more:,} findings like this one are in this one"
        yield first._replace(message=message, subject="more", fix=())


def _drafts(check: Callable[..., Iterable[Draft]], subject: object) -> Iterator[Draft]:
    """What a rule finds, each thing once where a word has one of several values."""
    if not isinstance(subject, Context) or subject.simulation is None:
        yield from check(subject)
        return
    said = set()
    for draft in check(subject):
        marked = on_its_way(draft, subject)
        place = (draft.message, draft.locations, draft.subject)
        if marked is draft or place not in said:
            yield marked
        if marked is not draft:
            said.add(place)


def _nothing(name: str) -> Manifest:
    return Manifest(name=name, cluster=None, groups={})


def _observed(
    observation: Observation | None, names: Sequence[str]
) -> Mapping[str, Observation]:
    """The cluster on which it was seen: the one that it names, or the only one.

    An observation of a cluster that is none of these is handed to the only one there
    is, whose rules say so. Raises ``InputError`` if it may be of any of several.
    """
    known = [name for name in names if name != NO_CLUSTER]
    if observation is None or not known:
        return {}
    if observation.cluster in known:
        return {observation.cluster: observation}
    if len(known) > 1:
        whose = observation.cluster
        raise InputError(
            "the outputs do not say which cluster they are from"
            if whose is None
            else f"the outputs are of {whose}, which is not one of the clusters here",
            span=observation.readings[0].span if observation.readings else None,
            hint=f"name the specs of one cluster, not of {len(known)}",
        )
    return {known[0]: observation}


def _gone(
    before: Fleet, after: Fleet, request: Request, old_names: Mapping[str, Manifest]
) -> Mapping[str, Manifest]:
    """The clusters of before of which nothing is left, by name.

    One that has another name in the same file has not gone.
    """
    if request.after is None:
        return {}
    followed = {manifest.name for manifest in old_names.values()}
    kept = {NO_CLUSTER, *followed, *after.manifests}
    return {name: old for name, old in before.manifests.items() if name not in kept}


def _with_strays(fleet: Fleet) -> Fleet:
    """The same with one nameless manifest for what is wrong outside all clusters."""
    if not fleet.flaws:
        return fleet
    stray = _nothing(NO_CLUSTER).replaced(flaws=fleet.flaws)
    return Fleet({**fleet.manifests, NO_CLUSTER: stray}, fleet.skipped)


def _sources(name: str, *sides: Fleet) -> tuple[Source, ...]:
    """The sources that anything of a cluster stands in."""
    found: dict[Source, None] = {}
    for side in sides:
        manifest = side.manifests.get(name)
        if manifest is not None:
            found.update(dict.fromkeys(manifest.sources))
            if name == NO_CLUSTER:
                spans = (place[0] for flaw in manifest.flaws for place in flaw.places)
                found.update(dict.fromkeys(span.source for span in spans))
    return tuple(found)


def _house_rules(rules: Iterable[Rule]) -> tuple[CustomRule, ...]:
    """The rules of a team's own, for the rule that reports which cannot be decided."""
    if not any(rule.house for rule in rules):
        return ()
    from kopslint.rulebook.expressions import house_rule

    return tuple(house_rule(rule) for rule in rules if rule.house)


def _most_states(simulation: Simulation) -> int:
    return max(
        (
            len(state_set.states)
            for step in simulation.steps
            for state in step.after
            for state_set in state.etcd.values()
        ),
        default=1,
    )


def _control_plane(name: str, fleet: Fleet) -> int:
    manifest = fleet.manifests.get(name)
    return len(manifest.control_plane) if manifest is not None else 0
