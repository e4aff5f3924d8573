"""Single statements put together to one observation.

Nothing is concluded about the cluster here. What several outputs say of one member is
joined by its id, or by the address at which it answered; where two of them cannot both
be true, that is said.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kopslint.observed.observation import (
    Contradiction,
    EtcdSeen,
    Machine,
    Member,
    MemberList,
    Observation,
    Silent,
    Unread,
)
from kopslint.observed.statements import (
    ETCD_CLUSTERS,
    AlarmsTold,
    HealthTold,
    ListTold,
    MachinesTold,
    PodsTold,
    PublishedTold,
    QueueTold,
    SilenceTold,
    Statement,
    StatusTold,
    UnreadTold,
    VolumesTold,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from kopslint.observed.observation import Answer, Pod, Published, Reading
    from kopslint.records import Record
    from kopslint.text import Span

_LOOPBACK = re.compile(r"(?:https?://)?(?:127\.\d+\.\d+\.\d+|localhost|\[::1\]):\d+/?")
_INTERNAL = re.compile(r"https?://[\w-]+\.internal\.(?P<cluster>[\w.-]+):\d+/?")
_NAME = re.compile(r"[\w.:-]+", re.ASCII)
# Nobody listens, or there is no such machine: not so where quorum alone is missing.
_NOBODY = re.compile(r"connection refused|no such host|no route to host|i/o timeout")

OfEtcd = ListTold | StatusTold | SilenceTold | HealthTold | AlarmsTold
OfEtcdManager = PublishedTold | QueueTold


def merged(
    statements: Sequence[Statement], contradictions: Iterable[Contradiction]
) -> Observation:
    """All that the statements say, with what contradicts itself among them."""
    said = [*contradictions]
    unread = [one.unread for one in statements if isinstance(one, UnreadTold)]
    told: dict[str, list[OfEtcd | OfEtcdManager]] = {}
    for statement in statements:
        if isinstance(statement, OfEtcd | OfEtcdManager):
            name = statement.reading.etcd_cluster or _by_ids(statement, statements)
            if name is None:
                unread.append(_of_which(statement.reading))
            else:
                told.setdefault(name, []).append(statement)
    etcd = []
    for name in ETCD_CLUSTERS:
        if name in told:
            joined = _Etcd(name, told[name])
            etcd.append(joined.seen())
            said += joined.contradictions
            unread += joined.unread
    readings = _readings(statements)
    machines, different = _machines(statements)
    names = _names(etcd, readings)
    if len(names) > 1:
        said.append(
            Contradiction(
                f"the outputs are of several clusters: {', '.join(names)}",
                ",".join(names),
                tuple(names.values()),
            )
        )
    return Observation(
        etcd=tuple(etcd),
        machines=machines,
        pods=_pods(statements),
        volumes=tuple(
            volume
            for one in statements
            if isinstance(one, VolumesTold)
            for volume in one.volumes
        ),
        readings=readings,
        unread=tuple(unread),
        contradictions=(*said, *different),
        cluster=next(iter(names), None),
        all_machines=_all_machines(statements),
        all_pods=next(
            (
                one.reading.span
                for one in statements
                if isinstance(one, PodsTold) and one.complete
            ),
            None,
        ),
    )


def _by_ids(told: object, statements: Sequence[Statement]) -> str | None:
    """The one etcd cluster whose member list has a member that raised an alarm."""
    if not isinstance(told, AlarmsTold):
        return None
    ids = {id_ for id_, _, _ in told.alarms}
    found = {
        one.reading.etcd_cluster
        for one in statements
        if isinstance(one, ListTold) and ids & {member.id for member in one.members}
    }
    return found.pop() if len(found) == 1 else None


def _all_machines(statements: Sequence[Statement]) -> Span | None:
    """Where kops listed every machine; kubectl knows of nodes only."""
    return next(
        (
            one.reading.span
            for one in statements
            if isinstance(one, MachinesTold)
            and one.complete
            and one.reading.command == "kops get instances"
        ),
        None,
    )


def _of_which(reading: Reading) -> Unread:
    return Unread(
        f"which etcd cluster is this {reading.command} from? Neither a port, nor the"
        " pod in the command, nor the file's name shows it: pass it as main=FILE or"
        " events=FILE",
        reading.span,
    )


def _readings(statements: Sequence[Statement]) -> tuple[Reading, ...]:
    """The outputs, each once, though every line of one may be a statement."""
    found: dict[object, Reading] = {}
    for one in statements:
        if not isinstance(one, UnreadTold):
            reading = one.reading
            key = (
                *(reading.command, reading.form, reading.etcd_cluster, reading.node),
                *(reading.taken, reading.span.source.path),
            )
            found.setdefault(key, reading)
    return tuple(found.values())


def _names(etcd: Iterable[EtcdSeen], readings: Iterable[Reading]) -> dict[str, Span]:
    """The names of kops clusters that were told, each with a place."""
    found: dict[str, Span] = {}
    for reading in readings:
        if reading.cluster is not None:
            found.setdefault(reading.cluster, reading.span)
    for seen in etcd:
        for member in seen.members:
            for url in member.peer_urls or ():
                named = _INTERNAL.fullmatch(url)
                if named is not None:
                    found.setdefault(named["cluster"], member.span)
    return found


class _Etcd:
    """Everything that was told of one etcd cluster."""

    def __init__(self, name: str, told: Sequence[OfEtcd | OfEtcdManager]) -> None:
        self.name = name
        self.told = _latest(told)
        self.contradictions: list[Contradiction] = []
        self.unread: list[Unread] = []
        self.members: dict[str, Member] = {}
        self.silent: list[Silent] = []
        self.at_node: dict[str, str] = {}

    def seen(self) -> EtcdSeen:
        """What comes of it."""
        lists = self._lists()
        for listed in lists:
            for member in listed.members:
                self._take(member, listed.cluster_id)
            if listed.asked is not None and listed.reading.node is not None:
                self.at_node[listed.reading.node] = listed.asked
        self._statuses(has_lists=bool(lists))
        self._health()
        self._alarms()
        for node, id_ in self.at_node.items():
            if id_ in self.members:
                self.members[id_] = self.members[id_]._replace(node=node)
        published = [one for one in self.told if isinstance(one, PublishedTold)]
        queues = [one for one in self.told if isinstance(one, QueueTold)]
        return EtcdSeen(
            self.name,
            tuple(self.members.values()),
            tuple(_member_list(listed) for listed in lists),
            self._published(published),
            tuple({q.backup: q for one in queues for q in one.queued}.values())
            if queues
            else None,
            tuple({silent.node: silent for silent in self.silent}.values()),
        )

    def _contradict(self, message: str, subject: str, *spans: Span) -> None:
        self.contradictions.append(Contradiction(message, subject, spans, self.name))

    def _lists(self) -> list[ListTold]:
        """The member lists that count: without those that a later one overtook."""
        lists = [one for one in self.told if isinstance(one, ListTold)]
        lists = [one for one in lists if self._has_names(one)]
        sets = {one: {member.id for member in one.members} for one in lists}
        times = [one.reading.taken for one in lists]
        known = [time for time in times if time is not None]
        if known and len(known) == len(times):
            newest = max(known)
            latest = [one for one in lists if one.reading.taken == newest]
            near = (newest - min(known)).total_seconds() <= TOGETHER
            lists = lists if near else latest
        for first, second in pairwise(lists):
            ids = {first.cluster_id, second.cluster_id}
            if sets[first] != sets[second] and (None in ids or len(ids) == 1):
                only = _only(first, second)
                self._contradict(
                    f"two member lists of etcd {self.name} differ: {only}",
                    only,
                    first.reading.span,
                    second.reading.span,
                )
        return lists

    def _has_names(self, told: ListTold) -> bool:
        """Whether its members have names that may be put into a command."""
        for member in told.members:
            if member.name and _NAME.fullmatch(member.name) is None:
                self.unread.append(
                    Unread(
                        f"{member.name!r} is not a member name, so this list is not"
                        " used",
                        member.span,
                    )
                )
                return False
        return True

    def _take(self, member: Member, cluster_id: str | None = None) -> None:
        """Add what is told of a member to what was told before."""
        id_ = member.id
        if id_ is None:
            return
        if cluster_id is not None and member.cluster_id is None:
            member = member._replace(cluster_id=cluster_id)
        old = self.members.get(id_)
        if old is None:
            self.members[id_] = member
            return
        if old.name and member.name and old.name != member.name:
            self._contradict(
                f"id {id_} of etcd {self.name} is called {old.name} and {member.name}",
                id_,
                old.at("name"),
                member.at("name"),
            )
        self.members[id_] = _joined(old, member)

    @property
    def _addresses(self) -> dict[str, str]:
        """The ids of members by their client addresses."""
        return {
            _bare(url): id_
            for id_, member in self.members.items()
            for url in member.client_urls or ()
        }

    def _statuses(self, *, has_lists: bool) -> None:
        addresses = self._addresses
        for one in self.told:
            if not isinstance(one, StatusTold):
                continue
            member, node = one.member, one.reading.node
            assert member.id is not None  # noqa: S101 (a status has an id)
            if _LOOPBACK.fullmatch(one.endpoint) and node is not None:
                self.at_node[node] = member.id
            expected = addresses.get(_bare(one.endpoint))
            if expected is not None and expected != member.id:
                owner = self.members[expected]
                self._contradict(
                    f"at the address of {owner.said} of etcd {self.name} another"
                    f" member answers, id {member.id}",
                    owner.said,
                    member.span,
                    owner.span,
                )
            if member.id not in self.members:
                listed: Answer = "no" if has_lists else "not seen"
                member = member._replace(listed=listed)
            self._take(member)
        for one in self.told:
            if isinstance(one, SilenceTold):
                self._silence(one)

    def _silence(self, told: SilenceTold) -> None:
        id_ = self._addresses.get(_bare(told.endpoint))
        if id_ is not None:
            self._refused(id_, told.reason, told.span)
        elif _LOOPBACK.fullmatch(told.endpoint) and told.reading.node is not None:
            self.silent.append(Silent(told.reading.node, told.reason, told.span))
        else:
            self.unread.append(self._whose(told.endpoint, told.span))

    def _whose(self, endpoint: str, span: Span, node: str | None = None) -> Unread:
        if node is not None and _LOOPBACK.fullmatch(endpoint):
            return Unread(
                f"which member of etcd {self.name} runs on {node}? Run `endpoint"
                " status` there as well",
                span,
            )
        return Unread(
            f"whose address is {endpoint}? No member list has it, and the command does"
            " not show on which machine it ran",
            span,
        )

    def _refused(self, id_: str, reason: str, span: Span) -> None:
        """A member was asked and did not answer."""
        member = self.members[id_]
        if member.answered == "yes":
            self._contradict(
                f"{member.said} of etcd {self.name} answered in one output and not in "
                "another",
                member.said,
                span,
                member.at("answered"),
            )
            return
        places = (*member.places, ("answered", span))
        self.members[id_] = member._replace(
            answered="no", reason=member.reason or reason, places=places
        )

    def _health(self) -> None:
        told = [one for one in self.told if isinstance(one, HealthTold)]
        has_quorum = any(one.healthy for one in told)
        addresses = self._addresses
        for one in told:
            node = one.reading.node
            id_ = addresses.get(_bare(one.endpoint))
            if id_ is None and node is not None and _LOOPBACK.fullmatch(one.endpoint):
                id_ = self.at_node.get(node)
                if id_ is None and not one.healthy:
                    self.silent.append(Silent(node, one.reason, one.span))
                    continue
            if id_ is None or id_ not in self.members:
                self.unread.append(self._whose(one.endpoint, one.span, node))
                continue
            self._healthy(id_, one)
            # A member that is connected answers while there is quorum.
            alone = has_quorum and "Alarm" not in one.reason
            silent = alone or _NOBODY.search(one.reason) is not None
            if not one.healthy and silent and self.members[id_].answered != "yes":
                self._refused(id_, one.reason, one.span)

    def _healthy(self, id_: str, told: HealthTold) -> None:
        member = self.members[id_]
        answer: Answer = "yes" if told.healthy else "no"
        before, alarmed = member.healthy, "Alarm" in told.reason
        if before not in ("not seen", answer):
            self._contradict(
                f"{member.said} of etcd {self.name} is healthy in one output and not "
                "in another",
                member.said,
                told.span,
                member.at("healthy"),
            )
        self.members[id_] = member._replace(
            healthy=answer,
            # One that tells its alarms has answered.
            answered="yes" if told.healthy or alarmed else member.answered,
            reason=told.reason or member.reason,
            places=(*member.places, ("healthy", told.span)),
        )

    def _alarms(self) -> None:
        told = [one for one in self.told if isinstance(one, AlarmsTold)]
        if not told:
            return
        raised: dict[str, dict[str, Span]] = {}
        for one in told:
            for id_, alarm, span in one.alarms:
                raised.setdefault(id_, {}).setdefault(alarm, span)
        for id_, member in self.members.items():
            own = raised.get(id_, {})
            places = tuple(("alarms", span) for span in own.values())
            self.members[id_] = member._replace(
                alarms=tuple(own), places=(*member.places, *places)
            )
        for id_ in [id_ for id_ in raised if id_ not in self.members]:
            (alarm, span), *_ = raised[id_].items()
            self.members[id_] = Member(
                span, id=id_, alarms=tuple(raised[id_]), places=(("alarms", span),)
            )

    def _published(self, told: Sequence[PublishedTold]) -> Published | None:
        counts = {one.published.member_count: one.published for one in told}
        times = {one.reading.taken for one in told}
        if len(counts) > 1 and (None in times or len(times) == 1):
            self._contradict(
                f"the control spec of etcd {self.name} has "
                f"{' and '.join(map(str, sorted(counts)))} members",
                "published",
                *(one.span for one in counts.values()),
            )
        if None not in times and told:
            return max(told, key=lambda one: str(one.reading.taken)).published
        return told[-1].published if told else None


TOGETHER = 300
"""So many seconds apart, outputs are of one moment: one collects them one by one."""


def _latest(
    told: Sequence[OfEtcd | OfEtcdManager],
) -> Sequence[OfEtcd | OfEtcdManager]:
    """The statements without those about an address that later ones are about as well.

    Only where both say when they were taken, and these are not of one moment.
    """
    newest: dict[object, datetime] = {}
    for one in told:
        key, taken = _about(one), one.reading.taken
        if key is not None and taken is not None:
            newest[key] = max(taken, newest.get(key, taken))
    return [
        one
        for one in told
        if (taken := one.reading.taken) is None
        or (last := newest.get(_about(one))) is None
        or (last - taken).total_seconds() <= TOGETHER
    ]


def _about(told: OfEtcd | OfEtcdManager) -> object:
    """What a statement is about, so that a later one takes its place."""
    match told:
        case StatusTold() | SilenceTold():
            return "status", _bare(told.endpoint), told.reading.node
        case HealthTold():
            return "health", _bare(told.endpoint), told.reading.node
        case AlarmsTold():
            return "alarms"
        case _:
            return None


def _bare(address: str) -> str:
    """An address as it is compared: people leave out the scheme."""
    return address.partition("://")[2].rstrip("/") or address.rstrip("/")


def _only(first: ListTold, second: ListTold) -> str:
    """Which members only one of two lists has."""
    one, other = ({m.id: m.said for m in told.members} for told in (first, second))
    parts = [
        f"{', '.join(sorted(here[id_] for id_ in here.keys() - there.keys()))} only in "
        f"the {which}"
        for which, here, there in (("first", one, other), ("second", other, one))
        if here.keys() - there.keys()
    ]
    return ", ".join(parts)


def _member_list(told: ListTold) -> MemberList:
    return MemberList(
        told.reading.span,
        tuple(member.id for member in told.members if member.id is not None),
        node=told.reading.node,
        cluster_id=told.cluster_id,
        raft_term=told.raft_term,
    )


def _told(new: Record, unsaid: Record, besides: tuple[str, ...]) -> dict[str, Any]:
    """The fields that a record says something of, but for those ``besides``."""
    return {
        field: told
        for field in new._fields
        if field not in besides
        and (told := getattr(new, field)) != getattr(unsaid, field)
    }


def _joined(old: Member, new: Member) -> Member:
    """Both records of one member: what the later one says wins over the earlier."""
    changes = _told(new, Member(old.span), besides=("span", "places", "id"))
    # An empty name is that of a member which had not started yet.
    if not changes.get("name") and old.name:
        changes.pop("name", None)
        changes.pop("started", None)
    told = {field for field, _ in new.places}
    places = tuple((field, new.span) for field in changes if field not in told)
    return old._replace(places=(*old.places, *new.places, *places), **changes)


# ------------------------------------------------------------------------------------
# Machines and pods


def _machines(
    statements: Sequence[Statement],
) -> tuple[tuple[Machine, ...] | None, list[Contradiction]]:
    told = [one for one in statements if isinstance(one, MachinesTold)]
    if not told:
        return None, []
    found: list[Machine] = []
    different: list[Contradiction] = []
    for one in told:
        for machine in one.machines:
            at = next((n for n, old in enumerate(found) if _same(old, machine)), None)
            if at is None:
                found.append(machine)
                continue
            old = found[at]
            if "not seen" not in (old.ready, machine.ready) and (
                old.ready != machine.ready
            ):
                different.append(
                    Contradiction(
                        f"node {machine.said} is ready in one output and not in "
                        "another",
                        machine.said,
                        (machine.at("ready"), old.at("ready")),
                    )
                )
            found[at] = _one_machine(old, machine)
    return tuple(found), different


def _same(one: Machine, other: Machine) -> bool:
    """Whether two records are of one machine; on AWS a node is called as its instance.

    A group that has no machine is none of them.
    """
    names = {one.node, one.instance} - {None}
    if names & {other.node, other.instance}:
        return True
    inner = one.addresses[:1]
    return bool(inner) and inner == other.addresses[:1]


def _one_machine(old: Machine, new: Machine) -> Machine:
    changes = _told(new, Machine(old.span), besides=("span", "places", "role"))
    places = (*old.places, *new.places)
    return old._replace(places=places, role=old.role or new.role, **changes)


def _pods(statements: Sequence[Statement]) -> tuple[Pod, ...] | None:
    told = [one for one in statements if isinstance(one, PodsTold)]
    if not told:
        return None
    return tuple({pod.name: pod for one in told for pod in one.pods}.values())
