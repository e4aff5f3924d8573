"""Members as they were seen: who is dead, unknown, missing or outside the list.

Sources of the behaviour: recorded runs of etcd-manager with etcd, and etcd-manager
pkg/controller/controller.go (``removeNodeFromCluster``, ``addNodeToCluster``) and
replacement.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.checks.observed import (
    at_start,
    names,
    observation,
    pictures,
    removal,
    said,
    spec_now,
    standings,
    through_etcd,
    way_back,
)
from kopslint.findings import Location, Severity
from kopslint.observed.standing import gone_machine, group_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.observed.observation import Member, Observation, Pod
    from kopslint.observed.standing import Standing
    from kopslint.text import Span


def dead_member_registered(context: Context) -> Iterator[Draft]:
    """A registered member does not run."""
    seen = observation(context)
    found = [one for one in standings(context) if one.dead]
    for same in alike(found, lambda one: names(one.dead)):
        first = same[0]
        who, clusters = names(first.dead), [one.name for one in same]
        is_one = len(who) == 1
        yield Draft(
            severity=at_start(context),
            message=f"{listed(who)} {'is' if is_one else 'are'} registered in etcd"
            f" {listed(clusters)} but {'does' if is_one else 'do'} not run",
            why=f"A dead member still counts: {len(first.voters)} are registered, so"
            f" {first.quorum} have to vote. etcd-manager does not remove a member that"
            " it cannot reach, and while one is dead it neither adds members nor"
            " upgrades.",
            locations=tuple(_dead_places(same, seen)),
            subject=f"{','.join(clusters)}/{','.join(who)}",
            etcd_cluster=only(clusters),
            trace=pictures(same),
            fix=tuple(_back_or_out(context, same)),
        )


def _dead_places(
    same: Sequence[Standing], seen: Observation | None
) -> Iterator[Location]:
    for one in same:
        for member in one.dead:
            gone = gone_machine(member, seen, one.spec) if seen is not None else None
            if member.answered == "no":
                label = f"{said(member)} of etcd {one.name} does not answer"
                yield Location(member.at("answered"), label)
            elif gone is not None:
                group = group_of(member, one.spec)
                yield Location(gone.span, f"{group} has no machine")
            yield Location(member.span, f"{said(member)} is registered here")


def _back_or_out(context: Context, same: Sequence[Standing]) -> Iterator[str]:
    """First a machine for a member that the spec has, with its disk; else remove it."""
    if context.way_back:
        yield from context.way_back
        return
    spec = spec_now(context)
    kept = [m for m in same[0].dead if group_of(m, same[0].spec) in spec.groups]
    # A count lower than the members that come back expels some of them.
    if len(same[0].spec.members if same[0].spec else ()) < len(same[0].voters):
        kept = []
    gone = [m for m in same[0].dead if m not in kept]
    if kept:
        who = listed(names(kept))
        yield f"# a new machine for {who} with the old disk loses nothing:"
        yield f"kops update cluster --name {context.cluster} --yes"
    if any(one.has_quorum == "no" for one in same):
        yield "# without quorum no member can be removed: kopslint explain KL507"
        return
    why = "if the disk is gone for good, remove it from etcd"
    if not kept:
        why = f"remove {listed(names(gone))} from etcd"
    calls = [
        call
        for one in same
        for member in one.dead
        if (call := removal(member, one)) is not None
    ]
    yield from way_back(context, same[0], calls, why)


def unstarted_member(context: Context) -> Iterator[Draft]:
    """A registered member has never started."""
    for one in standings(context):
        if not one.unstarted:
            continue
        who = [said(member) for member in one.unstarted]
        is_one = len(who) == 1
        calls = [removal(m._replace(spec_name=None), one) for m in one.unstarted]
        no_quorum = one.has_quorum == "no"
        yield Draft(
            severity=at_start(context),
            message=f"{listed(who)} {'is' if is_one else 'are'} registered in etcd"
            f" {one.name} but never started",
            why="etcd counts it as a voter as soon as it is added, and adds no other"
            " member before it has started. A member that etcd-manager added starts"
            " within a minute; one that was added by hand, or while another member"
            " was being removed, never starts.",
            locations=tuple(
                Location(m.at("started"), "no name: it never started")
                for m in one.unstarted
            ),
            subject=f"{one.name}/{','.join(who)}",
            etcd_cluster=one.name,
            trace=pictures([one]),
            fix=_taken_out(
                context,
                one,
                calls,
                "if it has not started in a minute, remove it; etcd-manager adds it"
                " again",
                no_quorum=no_quorum,
            ),
        )


def unknown_member(context: Context) -> Iterator[Draft]:
    """A registered member that the spec does not have."""
    found = [
        (one, those)
        for one in standings(context)
        if one.spec is not None and (those := _strangers(one, context))
    ]
    for same in alike(found, lambda pair: names(pair[1])):
        one, strangers = same[0]
        spec, who = one.spec, names(strangers)
        if spec is None:
            continue
        clusters = [each.name for each, _ in same]
        is_one = len(who) == 1
        calls = [removal(m, each) for each, those in same for m in those]
        no_quorum = any(each.has_quorum == "no" for each, _ in same)
        yield Draft(
            severity=at_start(context),
            message=f"{listed(who)} {'is' if is_one else 'are'} registered in etcd"
            f" {listed(clusters)}, but the spec does not have"
            f" {'it' if is_one else 'them'}",
            why=f"The spec has {listed([m.name for m in spec.members])}. Any other"
            " registered member counts towards quorum, and no machine of the spec"
            " will ever run it.",
            locations=(
                *(
                    Location(m.span, f"registered in etcd {each.name}")
                    for each, those in same
                    for m in those
                ),
                Location(spec.at("etcdMembers"), "these are the spec's"),
            ),
            subject=f"{','.join(clusters)}/{','.join(who)}",
            etcd_cluster=only(clusters),
            fix=_taken_out(
                context,
                one,
                calls,
                f"if {context.cluster} should have no such member, remove it from etcd",
                no_quorum=no_quorum,
            ),
        )


def _taken_out(
    context: Context,
    one: Standing,
    calls: Iterable[str | None],
    why: str,
    *,
    no_quorum: bool,
) -> tuple[str, ...]:
    """How members leave etcd; without quorum they cannot."""
    if no_quorum and not context.way_back:
        return ("# without quorum it cannot be removed: kopslint explain KL507",)
    return way_back(context, one, [call for call in calls if call is not None], why)


def _strangers(one: Standing, context: Context) -> list[Member]:
    """The registered members that neither the spec of now nor the one after has."""
    spec = one.spec
    return [
        member
        for member in one.seen.registered
        if spec is not None
        and (
            member.known == "no"
            or (member.spec_name and spec.member(member.spec_name) is None)
        )
        and not _will_be_known(member, one, context)
    ]


def _will_be_known(member: Member, one: Standing, context: Context) -> bool:
    """Whether the other side of the change has it: then it is on its way."""
    cluster = context.after.cluster
    etcd = cluster.etcd_cluster(one.name) if cluster is not None else None
    name = member.spec_name
    return bool(name and etcd is not None and etcd.member(name) is not None)


def peer_outside_member_list(context: Context) -> Iterator[Draft]:
    """An etcd or an etcd-manager runs that is not in the member list."""
    seen = observation(context)
    for one in standings(context):
        if seen is None or not one.seen.is_listed:
            continue
        found = [*_answering(one), *_idle(one, seen)]
        if not found:
            continue
        who = [name for name, _, _ in found]
        yield Draft(
            severity=at_start(context),
            message=f"{listed(who)} {'runs' if len(who) == 1 else 'run'} outside the "
            f"member list of etcd {one.name}",
            why="It was expelled, or it has not joined yet. A peer that still has the"
            " data of a removed member cannot join until its disk is emptied."
            " etcd-manager counts it as a live peer, so after a lower count is"
            " published it expels more members because of it.",
            locations=tuple(Location(span, label) for _, span, label in found),
            subject=f"{one.name}/{','.join(who)}",
            etcd_cluster=one.name,
            fix=(
                "# check again in two minutes: a peer that only had to join has joined",
                "# if it was expelled: empty the etcd disks of all expelled peers",
                "# at once, not one by one; they then join one after the other",
            ),
        )


def _answering(one: Standing) -> Iterator[tuple[str, Span, str]]:
    """Those that answered for themselves; of another cluster is another rule's."""
    if len(one.seen.cluster_ids) > 1:
        return
    for member in one.seen.members:
        if member.listed == "no":
            where = f" on {member.node}" if member.node else ""
            yield said(member), member.span, f"answers{where} but is not listed"


def _idle(one: Standing, seen: Observation) -> Iterator[tuple[str, Span, str]]:
    """Pods that run for members of the spec that are not registered."""
    if one.spec is None or any(m.known == "not seen" for m in one.seen.registered):
        return
    registered = {member.spec_name for member in one.seen.registered}
    for member in one.spec.members:
        if member.name in registered:
            continue
        pod = _pod_of(member.group, one.name, seen)
        if pod is not None:
            yield member.name, pod.span, f"etcd-manager runs for {member.name} here"


def _pod_of(group: str, etcd_cluster: str, seen: Observation) -> Pod | None:
    for machine in seen.machines_of(group):
        if machine.node is not None:
            pod = seen.pod(etcd_cluster, machine.node)
            if pod is not None and pod.running == "yes":
                return pod
    return None


def count_differs(context: Context) -> Iterator[Draft]:
    """The spec, the published count and the member list do not agree."""
    for one in standings(context):
        if one.seen.is_listed:
            yield from _expelling(one, context)
            yield from _missing(one, context)


def _expelling(one: Standing, context: Context) -> Iterator[Draft]:
    """A published count other than that of the members."""
    published, members = one.seen.published, one.seen.registered
    if published is None or published.member_count == len(members):
        return
    count = published.member_count
    fewer = count < len(one.alive)
    yield Draft(
        severity=at_start(context, Severity.ERROR if fewer else None),
        message=f"etcd {one.name} has {len(members)} members registered, but the"
        f" published count is {count}",
        why=(
            f"{len(one.alive)} members run. As soon as its leader reads that count,"
            f" etcd-manager expels arbitrary members until {count} are left."
            if fewer
            else "etcd-manager adds or removes members only when its leader reads the"
            " count, and never removes one that it cannot reach, so the two numbers"
            " stay different."
        ),
        locations=(
            Location(published.span, f"published: {count}"),
            Location(one.seen.lists[0].span, f"registered: {len(members)}"),
        ),
        subject=f"{one.name}/published",
        etcd_cluster=one.name,
        fix=(
            (
                "# publish the number of members you want, and remove leaving ones by"
                " name:"
            ),
            "# store a spec that lists them, then kops update cluster --yes",
        )
        if fewer
        else (),
    )


def _missing(one: Standing, context: Context) -> Iterator[Draft]:
    """Members of the spec that are not registered."""
    spec = one.spec
    if spec is None or any(m.known == "not seen" for m in one.seen.registered):
        return
    there = {member.spec_name for member in one.seen.registered}
    missing = [member for member in spec.members if member.name not in there]
    if not missing:
        return
    who = [member.name for member in missing]
    blocked = one.dead or one.unstarted
    yield Draft(
        severity=at_start(context),
        message=f"{listed(who)} of the spec {'is' if len(who) == 1 else 'are'} not "
        f"registered in etcd {one.name}",
        why=(
            "etcd-manager adds a member only if quorum holds with the new one"
            " counted, and none while another is dead or has not started: remove"
            " those first."
            if blocked
            else "etcd-manager adds it once a machine with its disk runs and the"
            " leader has read the count; an expelled member only with an empty disk."
        ),
        locations=(
            Location(missing[0].node.span, "in the spec here"),
            Location(one.seen.lists[0].span, "not among these"),
        ),
        subject=f"{one.name}/missing/{','.join(who)}",
        etcd_cluster=one.name,
        fix=(
            f"kops update cluster --name {context.cluster} --yes",
            f"kops validate cluster --name {context.cluster} --wait 10m",
        )
        if not blocked
        else (),
    )


def learner_member(context: Context) -> Iterator[Draft]:
    """A member is a learner."""
    for one in standings(context):
        learners = [m for m in one.seen.registered if m.learner == "yes"]
        if not learners:
            continue
        who = names(learners)
        told = "is a learner" if len(who) == 1 else "are learners"
        calls = [
            f"etcd {one.name} member promote {member.id}"
            for member in learners
            if member.id is not None
        ]
        yield Draft(
            message=f"{listed(who)} {told} in etcd {one.name}",
            why="A learner has the data but does not vote. etcd-manager never adds or"
            " promotes learners, so somebody added it by hand, and it stays a"
            " learner.",
            locations=tuple(Location(m.at("learner"), "a learner") for m in learners),
            subject=f"{one.name}/{','.join(who)}",
            etcd_cluster=one.name,
            fix=through_etcd(
                context,
                one,
                calls,
                "if it should vote, promote it; otherwise remove it",
            ),
        )


def unhealthy_member(context: Context) -> Iterator[Draft]:
    """A member runs and does not take part."""
    for one in standings(context):
        found = [
            member
            for member in one.alive
            if member.healthy == "no" and "Alarm" not in member.reason
        ]
        if not found or one.has_quorum == "no" or not _others(one, found):
            continue
        who = names(found)
        is_one = len(who) == 1
        yield Draft(
            message=f"{listed(who)} of etcd {one.name} {'runs' if is_one else 'run'}"
            f" but {'is' if is_one else 'are'} not healthy",
            why="It answers, but requests that need quorum fail on it: it cannot"
            " reach the others, or is far behind. For quorum it is as good as dead,"
            " and etcd-manager removes unhealthy members first.",
            locations=tuple(
                Location(m.at("healthy"), m.reason or "not healthy") for m in found
            ),
            subject=f"{one.name}/{','.join(who)}",
            etcd_cluster=one.name,
            fix=(
                "# check again in a minute; then look at the network, the clock and",
                "# the disk of its machine, and restart etcd-manager there",
            ),
        )


def _others(one: Standing, found: Sequence[Member]) -> bool:
    """Whether others of the same etcd cluster are healthy."""
    return any(m.healthy == "yes" for m in one.voters if m not in found)
