"""What a change does to the release of etcd, also where no spec names one.

Sources: kops pkg/model/components/etcd.go and
pkg/model/components/etcdmanager/options.go (which etcd runs), etcd-manager
pkg/controller/upgrade.go (when it is upgraded).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike, listed, only
from kopslint.findings import Certainty, Location, Severity
from kopslint.kops.running_etcd import kops_for, kubernetes_of, may_run
from kopslint.syntax.yaml import text_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Cluster, EtcdCluster
    from kopslint.kops.versions import Release
    from kopslint.model.simulation import Step
    from kopslint.model.state import ClusterState
    from kopslint.text import Span

    Running = tuple[Release, ...]


def kops_that_runs(cluster: Cluster, context: Context) -> range:
    """The releases of kops that may run a cluster, by their minors."""
    if context.kops_version is None:
        return kops_for(kubernetes_of(cluster))
    from kopslint.kops.validation import kops_minor

    minor = kops_minor(context.kops_version, context.after)
    return range(minor, minor + 1)


def etcd_comes_with_kops(context: Context) -> Iterator[Draft]:
    """Another series of etcd comes, and the spec after does not name it."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    before, after = pair
    found = [
        (old, new, now, then)
        for old, new in pairs.etcd_clusters(context)
        if new.version is None
        and (now := running(old, before, context))
        and (then := running(new, after, context))
        and now[-1][:2] < then[0][:2]
    ]
    for same in alike(found, lambda f: f[2:]):
        now, then = same[0][2:]
        names = [new.name for _, new, *_ in same]
        yield Draft(
            message=f"etcd {listed(names)} {_go(names)} from {said(now)} to"
            f" {said(then)}, without a version in the spec",
            why="kops takes the etcd version that its release brings for this"
            " Kubernetes. etcd-manager upgrades all members when its leader"
            " changes, and only while all are healthy; etcd cannot be downgraded"
            " in place.",
            locations=(
                Location(_place(same[0][1], after), f"etcd {said(then)} with this"),
                Location(_place(same[0][0], before), f"etcd {said(now)} with this"),
            ),
            subject=f"{','.join(names)}/{now[0].series}/{then[-1].series}",
            etcd_cluster=only(names),
        )


def _go(names: list[str]) -> str:
    return "goes" if len(names) == 1 else "go"


def etcd_upgraded_beside_dead_member(context: Context) -> Iterator[Draft]:
    """The release of etcd changes while a member is dead or goes away."""
    pair = pairs.cluster(context)
    if pair is None:
        return
    rising = {
        new.name: (old, new)
        for old, new in pairs.etcd_clusters(context)
        if _rises(running(old, pair[0], context), running(new, pair[1], context))
    }
    if not rising:
        return
    if context.simulation is None:
        yield from _with_leavers(rising, pair)
        return
    for step in context.simulation.steps:
        published = [name for name in rising if _is_published(name, step, context)]
        perhaps = context.observed is not None
        dead = {name: _dead(name, step, perhaps=perhaps) for name in published}
        told = {name: who for name, who in dead.items() if who}
        if told:
            yield _beside_dead(told, step, rising, pair)
            return


def _with_leavers(
    rising: dict[str, tuple[EtcdCluster, EtcdCluster]], pair: tuple[Cluster, Cluster]
) -> Iterator[Draft]:
    gone = {
        name: [m.name for m in old.members if new.member(m.name) is None]
        for name, (old, new) in rising.items()
    }
    leaving = {name: who for name, who in gone.items() if who}
    if not leaving:
        return
    who = sorted({member for members in leaving.values() for member in members})
    names = list(leaving)
    old, new = rising[names[0]]
    yield Draft(
        certainty=Certainty.POSSIBLE,
        message=f"the version of etcd {listed(names)} changes, and {listed(who)}"
        f" {'leaves' if len(who) == 1 else 'leave'} in the same change",
        why=_WHY,
        locations=(
            Location(_place(new, pair[1]), "this brings another etcd version"),
            Location(old.at("etcdMembers"), f"{listed(who)} before"),
        ),
        subject=",".join(names),
        etcd_cluster=only(names),
        fix=(
            "# first change the members, on the old etcd version; when etcdctl",
            "# member list no longer shows them, change the version separately",
        ),
    )


_WHY = (
    "etcd-manager upgrades etcd only when every registered member is healthy, and"
    " replaces a member with an empty disk only when no upgrade is due: with a dead"
    " member and a new machine in its place it does neither until somebody removes"
    " the dead member."
)


def _beside_dead(
    told: dict[str, list[str]],
    step: Step,
    rising: dict[str, tuple[EtcdCluster, EtcdCluster]],
    pair: tuple[Cluster, Cluster],
) -> Draft:
    names = list(told)
    who = sorted({member for members in told.values() for member in members})
    _, new = rising[names[0]]
    is_one = len(who) == 1
    return Draft(
        severity=Severity.ERROR,
        message=f"another etcd version is published for {listed(names)} while"
        f" {listed(who)} {'is' if is_one else 'are'} dead and still registered",
        why=_WHY,
        locations=(
            Location(step.command.span, "published here"),
            Location(_place(new, pair[1]), "this brings another etcd version"),
        ),
        subject=f"dead/{','.join(names)}",
        etcd_cluster=only(names),
        step=step.number,
        fix=(
            f"# before this, remove {listed(who)} from etcd {listed(names)}:",
            "# etcdctl member remove, with the id that etcdctl member list shows",
        ),
    )


def _is_published(name: str, step: Step, context: Context) -> bool:
    """Whether a step brings the cluster to a newer series than it was brought to."""
    if step.status == "refused":
        return False

    def applied(state: ClusterState) -> Running:
        cluster = state.applied.cluster
        etcd = cluster.etcd_cluster(name) if cluster is not None else None
        if cluster is None or etcd is None:
            return ()
        return running(etcd, cluster, context)

    rises = [
        _rises(applied(one), applied(other))
        for one in step.before
        for other in step.after
    ]
    return bool(rises) and all(rises)


def _dead(name: str, step: Step, *, perhaps: bool) -> list[str]:
    """The registered members that do not vote in any state before a step.

    One whose disk is empty is such a one, too. With ``perhaps`` those that do not in
    some state, as where a member was seen dead, and may come back at any moment.
    """
    from kopslint.model.etcd.state import MemberState

    found: set[str] | None = None
    seen: set[str] = set()
    for state in step.before:
        if name not in state.etcd:
            return []
        possible = state.etcd[name]
        for each in possible.settled:
            dead = {
                member
                for member, is_now in zip(possible.names, each.names, strict=True)
                if is_now.dead or is_now is MemberState.REPLACED
            }
            found = dead if found is None else found & dead
            stuck = {possible.names[index] for index in possible.stuck}
            seen |= dead if perhaps else dead & stuck
    return sorted((found or set()) | seen)


def running(etcd: EtcdCluster, cluster: Cluster, context: Context) -> Running:
    """Every etcd that may run, the oldest first."""
    return may_run(etcd, cluster, kops_that_runs(cluster, context))


def _rises(now: Running, then: Running) -> bool:
    return bool(now and then) and now[-1][:2] < then[0][:2]


def said(releases: Running) -> str:
    """One release, or the series where several may run."""
    texts = [".".join(map(str, each)) for each in releases]
    return texts[0] if len(texts) == 1 else releases[0].series


def _place(etcd: EtcdCluster, cluster: Cluster) -> Span:
    """What decides on the release: that of the etcd cluster, or Kubernetes."""
    named = text_at(etcd.node, "version") is not None
    return etcd.at("version") if named else cluster.at("spec", "kubernetesVersion")
