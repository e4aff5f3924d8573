"""One course that a command list may take: the four planes and etcd, all immutable.

A ``ClusterState`` is what people control (which objects the state store holds, which
groups run in the cloud, how the script goes on); the uncertainty about etcd is
inside ``StateSet``. Lists that branch have several states at once, and those
that agree on everything shared are merged again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from kopslint.commands.model import Reach
    from kopslint.findings import Status
    from kopslint.kops.rejection import Rejection
    from kopslint.kops.spec import InstanceGroup, Manifest
    from kopslint.model.assumptions import Assumption
    from kopslint.model.etcd.explore import StateSet
    from kopslint.text import Span


Sizes = Mapping[str, int]
"""The groups that exist in the cloud, and how many machines each asks for."""


class Machines(Record):
    """Which member of each etcd cluster runs on the machine of which group.

    ``hosts`` maps an etcd cluster to its member names and their groups, as the last
    applied spec says; names that it no longer lists keep the group they had, since
    their disks do.
    """

    hosts: Mapping[str, Mapping[str, str]]

    def on(self, etcd_cluster: str, group: str) -> tuple[str, ...]:
        """The member names whose disks are with ``group``."""
        hosts = self.hosts.get(etcd_cluster, {})
        return tuple(name for name, host in hosts.items() if host == group)

    def group_of(self, etcd_cluster: str, name: str) -> str | None:
        """The group of a member name."""
        return self.hosts.get(etcd_cluster, {}).get(name)

    def with_spec(self, manifest: Manifest) -> Machines:
        """The same after ``manifest`` was applied."""
        hosts = {etcd: dict(names) for etcd, names in self.hosts.items()}
        for etcd in manifest.etcd_clusters:
            names = hosts.setdefault(etcd.name, {})
            for member in etcd.members:
                if member.name and member.group:
                    names[member.name] = member.group
        frozen = {etcd: MappingProxyType(names) for etcd, names in hosts.items()}
        return Machines(MappingProxyType(frozen))

    def without(self, groups: Collection[str]) -> Machines:
        """The same where no machine of ``groups`` has the disk of any member."""
        return Machines(
            MappingProxyType(
                {
                    etcd: MappingProxyType(
                        {name: g for name, g in hosts.items() if g not in groups}
                    )
                    for etcd, hosts in self.hosts.items()
                }
            )
        )


class ClusterState(Record):
    """The state between two commands, on one course through the list.

    ``registry`` are the objects in the state store; ``applied`` those that the
    cloud was last brought to; ``cloud`` the groups there; ``rendered`` the objects
    that a terraform target wrote out and nobody applied yet. ``etcd`` has every
    simulated etcd cluster. ``ok`` is the status of the last command; ``errexit``
    whether a failure ends the list; ``ended`` where and why it has ended. ``job`` is
    what a job in the background has done so far, None outside of one; ``replacing``
    is whether such a job may be replacing control-plane machines meanwhile.
    ``guessed`` is whether the registry rests on files that nobody has. ``each_unknown``
    is whether the course is inside a loop over what only run time knows. ``reached``
    are removals of members of which the list does not say where they go, each with the
    etcd cluster that it has reached on this course. ``unproven`` are the steps that
    removed a member if they worked, which nothing has made sure of. ``failing`` is
    whether a removal failed on this course that the list may find to have failed.
    ``chosen`` has, by what decides it, which of its values a word has on this course,
    and that in words.
    """

    registry: Manifest
    applied: Manifest
    cloud: Sizes
    machines: Machines
    etcd: Mapping[str, StateSet]
    rendered: Manifest | None = None
    ok: bool = True
    errexit: bool = False
    ended: Ending | None = None
    job: Literal["nothing", "replaced"] | None = None
    replacing: bool = False
    guessed: bool = False
    each_unknown: bool = False
    reached: tuple[tuple[str, str], ...] = ()
    unproven: frozenset[int] = frozenset()
    failing: bool = False
    chosen: Mapping[str, tuple[int, str]] = MappingProxyType({})

    def reaching(self, removal: str, etcd_cluster: str) -> ClusterState:
        """The same after a removal that has reached an etcd cluster."""
        reached = tuple(sorted((*self.reached, (removal, etcd_cluster))))
        return self._replace(reached=reached)

    def with_etcd(self, etcd: Mapping[str, StateSet]) -> ClusterState:
        """The same with other etcd clusters."""
        return self._replace(etcd=MappingProxyType(dict(etcd)))

    def with_cloud(self, cloud: Sizes) -> ClusterState:
        """The same with other groups in the cloud; they decide who comes back."""
        then = self._replace(cloud=MappingProxyType(dict(cloud)))
        return then.each(
            lambda name, state_set: state_set.returning(
                member
                for index, member in enumerate(state_set.names)
                if index in state_set.known and then.runs(name, member)
            )
        )

    def runs(self, etcd_cluster: str, member: str) -> bool:
        """Whether a machine that the cloud keeps alive would start a member name.

        A machine starts the member that the applied spec names for its group, and
        one that the spec has forgotten only if it names no other.
        """
        group = self.machines.group_of(etcd_cluster, member)
        if group is None or self.cloud.get(group, 0) < 1:
            return False
        listed = self.listed(etcd_cluster, group)
        return member in listed or not listed

    def listed(self, etcd_cluster: str, group: str) -> tuple[str, ...]:
        """The members that the applied spec names for a group."""
        return self.applied.members_by_group.get((etcd_cluster, group), ())

    def each(self, change: Callable[[str, StateSet], StateSet]) -> ClusterState:
        """The same after ``change`` in every etcd cluster."""
        return self.with_etcd(
            {n: change(n, state_set) for n, state_set in self.etcd.items()}
        )

    def guessing(self, assumed: tuple[Assumption, ...]) -> ClusterState:
        """The same, resting on what was assumed about files, if anything was."""
        return self._replace(guessed=self.guessed or bool(assumed))

    @property
    def possible(self) -> bool:
        """Whether any state is left in every etcd cluster."""
        return all(state_set.states for state_set in self.etcd.values())


class Ending(Record):
    """Where a course ended before the end of the list: after which step, and how.

    ``span`` is None for a loop that waits for ever. ``leaves`` is what it is the end
    of; only the end of a script, or of a subshell, outlives the loop or function. It
    may be a loop that is some ``levels`` further out.
    """

    step: int
    span: Span | None
    failed: bool
    leaves: Literal["script", "function", "loop", "turn"] = "script"
    levels: int = 1


def with_groups(
    manifest: Manifest, changed: Iterable[InstanceGroup], removed: Iterable[str] = ()
) -> Manifest:
    """``manifest`` with some groups put in and some taken out."""
    groups = dict(manifest.groups)
    groups.update({group.name: group for group in changed})
    for name in removed:
        groups.pop(name, None)
    return manifest.replaced(groups=MappingProxyType(groups))


def merged(states: Iterable[ClusterState]) -> list[ClusterState]:
    """The states with those that share everything but their states made one.

    Impossible ones are dropped.
    """
    kept: dict[object, ClusterState] = {}
    for state in states:
        if not state.possible:
            continue
        key = _shared(state)
        other = kept.get(key)
        kept[key] = state if other is None else _joined(other, state)
    return list(kept.values())


def _joined(one: ClusterState, other: ClusterState) -> ClusterState:
    joined = one.each(lambda name, state_set: state_set.joined(other.etcd[name]))
    return joined._replace(unproven=one.unproven | other.unproven)


def _shared(state: ClusterState) -> object:
    """What two states must agree on to be one.

    Objects are compared by identity: a command that stores the same object twice
    stores the very same one.
    """
    return (
        _identity(state.registry),
        _identity(state.applied),
        _identity(state.rendered),
        tuple(sorted(state.cloud.items())),
        tuple(
            (name, state_set.published, state_set.returns)
            for name, state_set in sorted(state.etcd.items())
        ),
        state.ok,
        state.errexit,
        state.ended,
        state.job,
        state.replacing,
        state.guessed,
        state.each_unknown,
        state.reached,
        state.failing,
        tuple(state.chosen.items()),
    )


def _identity(manifest: Manifest | None) -> object:
    if manifest is None:
        return None
    groups = tuple((n, id(g)) for n, g in sorted(manifest.groups.items()))
    return id(manifest.cluster), groups


# ------------------------------------------------------------------------------------
# What running one command in one state comes to
#
# This is all that commands' effects hand back; who records it and what it means for
# people is decided elsewhere.


class Result(Record):
    """One way a command may end: the state after it, and what was done.

    ``status`` is "no-op" where the command by itself changes nothing (no ``--yes``)
    and "unknown" where it cannot be read. ``undecided`` says what had to be left
    open; ``assumed`` what was taken for granted where the text allows more. ``reach``
    is what was left open reaches, where that is not what such a command always does.
    """

    state: ClusterState
    status: Status = "applied"
    refusals: tuple[Rejection, ...] = ()
    undecided: str | None = None
    assumed: tuple[Assumption, ...] = ()
    reach: Reach | None = None


def applied(state: ClusterState, *assumed: Assumption) -> Result:
    """The command took effect, as far as what was assumed holds."""
    return Result(state._replace(ok=True), assumed=assumed)


def nothing(state: ClusterState) -> Result:
    """The command ran and by itself changes nothing."""
    return Result(state._replace(ok=True), "no-op")


def refused(
    state: ClusterState, *refusals: Rejection, assumed: tuple[Assumption, ...] = ()
) -> Result:
    """The command refuses to run, or stops where the state is now."""
    return Result(state._replace(ok=False), "refused", refusals, assumed=assumed)


def noted_by_job(result: Result) -> Result:
    """The same; a job in the background remembers that it replaced machines."""
    if result.state.job is None:
        return result
    return result._replace(state=result.state._replace(job="replaced"))


def undecided(state: ClusterState, why: str, reach: Reach | None = None) -> Result:
    """What the command does is not known; it is taken to change nothing."""
    return Result(state._replace(ok=True), "unknown", undecided=why, reach=reach)
