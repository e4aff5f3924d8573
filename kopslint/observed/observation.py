"""What was seen on one kops cluster, and where each statement stands.

An ``Observation`` repeats what outputs said and concludes nothing. It has three parts:

- ``etcd``: one ``EtcdSeen`` for each etcd cluster that an output spoke of, with the
  members (``Member``), every member list as it was told (``MemberList``), the member
  count in the control spec (``Published``) and queued restores (``QueuedRestore``).
- ``machines`` and ``pods``: what kops and kubectl said of control-plane machines and
  of the pods in which etcd-manager runs.
- ``readings``: the outputs, each with the time at which it was taken; ``unread`` and
  ``contradictions`` are what could not be used of them.

**Not seen is a value of its own.** A question with two answers is an ``Answer``: "yes",
"no" or "not seen"; compare it with a word, never use it as a condition. Of any other
field None means that no output said it: ``alarms is None`` is "nobody asked", ``()`` is
"asked, and there is none". An etcd cluster that is missing was not seen at all.

Identities:

- ids are lower-case hexadecimal without leading zeros, as ``etcdctl member list``
  prints them, whatever the output wrote (JSON has decimals);
- ``Member.name`` is etcd's name. ``Member.spec_name`` says which member of the spec
  that is, once the observation was matched to one (``matching``); None before that,
  for a member that the spec does not know, and where it could not be told;
- nodes are called as kubectl calls them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Record

if TYPE_CHECKING:
    from datetime import datetime

    from kopslint.text import Span

Answer = Literal["yes", "no", "not seen"]
"""What was answered to a question with two answers, or that nobody asked."""

Places = tuple[tuple[str, "Span"], ...]
"""Where each field was told: pairs of a field's name and the place."""


class Member(Record):
    """One member of an etcd cluster, from all that was said of it.

    - ``span`` is where it was first spoken of, ``places`` where each field was told.
    - ``id`` is etcd's id of it; None where only a name or an address was told.
    - ``name`` is etcd's name of it: empty where etcd says that it has none, because
      the member never started, None where no output told a name.
    - ``listed`` is whether a member list has it. "no" is a peer that answered for
      itself and that a list without it was seen of: an expelled one, or one of another
      cluster.
    - ``started`` and ``learner`` are columns of the member list.
    - ``peer_urls`` and ``client_urls`` are addresses as etcd prints them.
    - ``version``, ``db_size``, ``db_in_use`` and ``quota`` (bytes), ``leader`` (whether
      it says that it leads), ``raft_term``, ``raft_index`` and ``cluster_id`` are of
      ``endpoint status``, so they are of a member that answered.
    - ``answered`` is whether it runs: "yes" where it answered for itself, which it does
      without quorum, too; "no" where it was asked and its address did not answer.
    - ``healthy`` is what ``endpoint health`` said. That asks for quorum, and for no
      alarm: a member that is not healthy may well run. ``reason`` is what was said
      about a "no" of either.
    - ``alarms`` are NOSPACE and CORRUPT; None where nobody asked.
    - ``spec_name`` is the spec's name of it. ``known`` is whether the spec has it: "no"
      is a stranger; "not seen" where etcd calls it by a volume that was not told.
    - ``node`` is the machine on which it answered for itself.
    """

    span: Span
    id: str | None = None
    name: str | None = None
    listed: Answer = "not seen"
    started: Answer = "not seen"
    learner: Answer = "not seen"
    peer_urls: tuple[str, ...] | None = None
    client_urls: tuple[str, ...] | None = None
    version: str | None = None
    db_size: int | None = None
    db_in_use: int | None = None
    quota: int | None = None
    leader: Answer = "not seen"
    answered: Answer = "not seen"
    healthy: Answer = "not seen"
    reason: str = ""
    alarms: tuple[str, ...] | None = None
    cluster_id: str | None = None
    raft_term: int | None = None
    raft_index: int | None = None
    spec_name: str | None = None
    known: Answer = "not seen"
    node: str | None = None
    places: Places = ()

    def at(self, field: str) -> Span:
        """Where a field was told, or else where the member was first spoken of."""
        return dict(self.places).get(field, self.span)

    @property
    def said(self) -> str:
        """What people call it: its name, or its id while it has none."""
        return self.name or (f"id {self.id}" if self.id else "a member without a name")


class MemberList(Record):
    """One answer to ``etcdctl member list``: the ids that it held, in its order.

    ``node`` and ``endpoint`` say who was asked, where that was told. ``cluster_id`` and
    ``raft_term`` are in its header, which only some formats print.
    """

    span: Span
    members: tuple[str, ...]
    node: str | None = None
    endpoint: str | None = None
    cluster_id: str | None = None
    raft_term: int | None = None


class Published(Record):
    """The member count in the control spec, which etcd-manager reads."""

    member_count: int
    span: Span
    version: str | None = None


class QueuedRestore(Record):
    """A restore-backup command that waits in the state store.

    ``member_count`` is the one that it holds, which was captured from the control
    spec when it was written; None where it was not told.
    """

    backup: str
    span: Span
    member_count: int | None = None


class Silent(Record):
    """A machine on which etcd was asked for itself and did not answer."""

    node: str
    reason: str
    span: Span


class EtcdSeen(Record):
    """One etcd cluster (main, events, cilium or leases), as far as it was seen.

    ``lists`` are the member lists that were read of it, in the order read, without
    those that a later one overtook; ``members`` has every member of any of them and
    everyone who answered for himself, once each. ``queued`` is None where nobody asked
    for commands, empty where there is none. ``silent`` are machines where it did not
    answer.
    """

    name: str
    members: tuple[Member, ...] = ()
    lists: tuple[MemberList, ...] = ()
    published: Published | None = None
    queued: tuple[QueuedRestore, ...] | None = None
    silent: tuple[Silent, ...] = ()

    @property
    def is_listed(self) -> bool:
        """Whether it is known who is registered: a member list was read."""
        return bool(self.lists)

    @property
    def registered(self) -> tuple[Member, ...]:
        """The members of its member lists; empty also where no list was read."""
        return tuple(member for member in self.members if member.listed == "yes")

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The ids of the clusters that answered under this name; two are a split."""
        told = [
            *(listed.cluster_id for listed in self.lists),
            *(member.cluster_id for member in self.members),
        ]
        return tuple(dict.fromkeys(one for one in told if one is not None))

    def member(self, spec_name: str) -> Member | None:
        """The registered member that is this one of the spec, else any that is."""
        those = [one for one in self.members if one.spec_name == spec_name]
        return min(those, key=lambda one: one.listed != "yes", default=None)


class Machine(Record):
    """One control-plane machine, or node, that kops or kubectl spoke of.

    - ``group`` is its instance group, ``node`` what kubectl calls it, ``instance`` the
      cloud's id of it; each is None where it was not told.
    - ``role`` is the word of the output, in lower case (``control-plane``, ``node``).
    - ``exists`` is "no" only where kops says that the group lacks it.
    - ``ready`` is the condition of the node: "no" where it is NotReady or Unknown.
    - ``addresses`` are the addresses of the machine, internal ones first.
    """

    span: Span
    group: str | None = None
    node: str | None = None
    instance: str | None = None
    role: str | None = None
    exists: Answer = "not seen"
    ready: Answer = "not seen"
    addresses: tuple[str, ...] = ()
    places: Places = ()

    def at(self, field: str) -> Span:
        """Where a field was told, or else where the machine was first spoken of."""
        return dict(self.places).get(field, self.span)

    @property
    def said(self) -> str:
        """What people call it."""
        return self.node or self.instance or f"a machine of {self.group or 'no group'}"


class Pod(Record):
    """One pod in which etcd-manager runs an etcd cluster on a machine.

    ``running`` is whether all its containers are ready and it is not about to go. A pod
    of a machine that is gone can be told as running for minutes: its node knows better.
    """

    etcd_cluster: str
    node: str
    name: str
    running: Answer
    span: Span


class Volume(Record):
    """The cloud's id of the volume of a member of the spec, where that was told."""

    etcd_cluster: str
    member: str
    id: str
    span: Span


class Reading(Record):
    """One output that was read: which command's, in which format, of whom, and when.

    ``etcd_cluster`` and ``node`` are None where the output is not about one or did not
    say. ``taken`` is when it was taken, by what the text itself says; None where it
    does not say so.
    """

    command: str
    form: str
    span: Span
    etcd_cluster: str | None = None
    node: str | None = None
    taken: datetime | None = None
    cluster: str | None = None


class Unread(Record):
    """Something that looks like an output and could not be read: a whole sentence.

    ``silent`` is whether it was read, and says that nobody answered.
    """

    message: str
    span: Span
    silent: bool = False


class Contradiction(Record):
    """Two statements that cannot both be true: a whole sentence, and both places.

    ``subject`` says what they are about, without any position.
    """

    message: str
    subject: str
    spans: tuple[Span, ...]
    etcd_cluster: str | None = None


class Observation(Record):
    """All that was seen of one kops cluster.

    ``machines`` and ``pods`` are None where no output spoke of them. ``all_machines``
    and ``all_pods`` are where all there are were listed, so that what is missing there
    does not exist; None where no output did so. ``cluster`` is the name that outputs
    told, None where none did. ``given`` is how the command line named all of it.
    """

    etcd: tuple[EtcdSeen, ...] = ()
    machines: tuple[Machine, ...] | None = None
    pods: tuple[Pod, ...] | None = None
    volumes: tuple[Volume, ...] = ()
    readings: tuple[Reading, ...] = ()
    unread: tuple[Unread, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    cluster: str | None = None
    given: tuple[str, ...] = ()
    all_machines: Span | None = None
    all_pods: Span | None = None

    def etcd_cluster(self, name: str) -> EtcdSeen | None:
        """What was seen of an etcd cluster; None if nothing was."""
        return next((one for one in self.etcd if one.name == name), None)

    def machines_of(self, group: str) -> tuple[Machine, ...]:
        """The machines that were seen of an instance group."""
        return tuple(one for one in self.machines or () if one.group == group)

    def pod(self, etcd_cluster: str, node: str) -> Pod | None:
        """The etcd-manager pod of an etcd cluster on a node, if one was seen."""
        return next(
            (
                pod
                for pod in self.pods or ()
                if pod.etcd_cluster == etcd_cluster and pod.node == node
            ),
            None,
        )

    def runs(self, etcd_cluster: str, node: str) -> Answer:
        """Whether etcd-manager runs an etcd cluster on a node.

        "no" also where all pods were listed, those of this etcd cluster among them, and
        this one is missing.
        """
        pod = self.pod(etcd_cluster, node)
        if pod is not None:
            return pod.running
        others = any(pod.etcd_cluster == etcd_cluster for pod in self.pods or ())
        return "no" if others and self.all_pods is not None else "not seen"

    @property
    def taken(self) -> datetime | None:
        """When the oldest of the outputs was taken; None if one does not say."""
        times = [reading.taken for reading in self.readings]
        known = [time for time in times if time is not None]
        return min(known) if known and len(known) == len(times) else None
