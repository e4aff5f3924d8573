"""What happens to machines: an update applied, a group deleted, a node rolled.

These are the building blocks that commands are made of. Each takes one situation
and gives the situations that may follow; which command asks for what is not known
here. Sources: kops upup/pkg/fi/cloudup/apply_cluster.go (the order inside an
update: the control spec first), pkg/instancegroups/rollingupdate.go and
pkg/validation/validate_cluster.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.simulate.situation import Situation, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    Watch = Callable[[Situation, str], None]

    from kopslint.etcd.world import World
    from kopslint.etcd.worlds import Worlds
    from kopslint.kops.spec import Manifest


def apply(
    situation: Situation,
    manifest: Manifest,
    *,
    groups: Collection[str] | None = None,
    publish: bool = True,
) -> Situation:
    """The cloud is brought to ``manifest``: counts published, groups sized.

    ``groups`` limits which groups are touched; the counts are published all the
    same, as kops does. Groups that ``manifest`` does not have stay as they are.
    """
    counts = {etcd.name: len(etcd.members) for etcd in manifest.etcd_clusters}
    before = situation.cloud
    sizes = dict(before)
    for name, group in manifest.groups.items():
        if groups is None or name in groups:
            sizes[name] = max(group.size, 0)
    emptied = [n for n, size in sizes.items() if not size and before.get(n, 0)]
    filled = [n for n, size in sizes.items() if size and not before.get(n, 0)]
    # New nodes run no etcd, though a control-plane group may have had their name.
    others = [n for n in filled if not manifest.groups[n].is_control_plane]
    situation = situation._replace(
        applied=manifest,
        machines=situation.machines.with_spec(manifest).without(others),
    )
    if publish:
        situation = situation.each(
            lambda name, worlds: (
                worlds.publish(counts[name]) if name in counts else worlds
            )
        )
    situation = situation.with_cloud(sizes)
    for name in emptied:
        situation = stop(situation, name)
    return boot(situation, filled)


def boot(situation: Situation, groups: Iterable[str]) -> Situation:
    """Members that never ran start on the machines of ``groups``.

    Members that ran before need no help: their machine comes back with its disk.
    """
    wanted = set(groups)

    def start(name: str, worlds: Worlds) -> Worlds:
        for group in sorted(wanted):
            for member in situation.listed(name, group):
                if worlds.index(member) not in worlds.known:
                    worlds = worlds.start(member)
        return worlds

    return situation.each(start).with_cloud(situation.cloud)


def stop(situation: Situation, group: str) -> Situation:
    """The machine of ``group`` stops, and with it its member of every etcd cluster."""

    def down(name: str, worlds: Worlds) -> Worlds:
        for member in situation.machines.on(name, group):
            worlds = worlds.stop(member)
        return worlds

    return situation.each(down)


def drop(situation: Situation, group: str) -> Situation:
    """``group`` disappears from the cloud, its machine at once and for good."""
    sizes = {name: size for name, size in situation.cloud.items() if name != group}
    return stop(situation.with_cloud(sizes), group)


def wipe(situation: Situation, etcd_cluster: str, member: str) -> Situation:
    """The disk of a member is deleted."""
    return situation.each(
        lambda name, worlds: worlds.wipe(member) if name == etcd_cluster else worlds
    )


def missing_groups(situation: Situation) -> list[str]:
    """The groups of the state store that ask for machines and are not in the cloud."""
    return [
        name
        for name, group in situation.registry.groups.items()
        if group.size > 0 and name not in situation.cloud
    ]


class Validated(Record):
    """How ``kops validate cluster`` may end; either part may be empty."""

    passed: Situation | None
    failed: tuple[Situation, ...]


def validate(situation: Situation) -> Validated:
    """Validation by kops: it returns at its first success, or fails in the end.

    It needs a writable etcd and, for every control-plane group, a machine with a
    working local member. Dead members in the list are no concern of it.
    """
    if missing_groups(situation):
        return Validated(None, (situation._replace(ok=False),))
    healthy = {
        name: _healthy(situation, name, worlds)
        for name, worlds in situation.etcd.items()
    }
    passed = situation.each(lambda name, worlds: worlds.where(healthy[name]))
    settled = situation.each(lambda _, worlds: worlds.wait())
    failed = []
    for name, worlds in settled.etcd.items():
        broken = worlds.where(_not(healthy[name]))
        if broken.worlds:
            failing = settled.with_etcd({**settled.etcd, name: broken})
            failed.append(failing._replace(ok=False))
    return Validated(
        passed._replace(ok=True) if passed.possible else None, tuple(merged(failed))
    )


def _healthy(
    situation: Situation, etcd_cluster: str, worlds: Worlds
) -> Callable[[World], bool]:
    needed = [
        worlds.index(member)
        for group in situation.registry.control_plane
        if group.size > 0
        for member in situation.listed(etcd_cluster, group.name)
    ]
    return lambda world: (
        world.writable and all(world.names[index] == "L" for index in needed)
    )


def _not(holds: Callable[[World], bool]) -> Callable[[World], bool]:
    return lambda world: not holds(world)


class Rolling(Record):
    """How a rolling update goes about it.

    ``validates`` is False for ``--cloudonly``; ``insists`` is False where a failed
    validation does not stop it; ``rechecks`` is False for ``--validate-count=0``;
    ``publishes`` on clouds where every replacement applies the state store again;
    ``awaited`` is False where what follows may come at any moment of the roll.
    """

    force: bool = False
    validates: bool = True
    insists: bool = True
    rechecks: bool = True
    publishes: bool = False
    awaited: bool = True


def roll(
    situation: Situation, groups: Iterable[str], how: Rolling, watch: Watch
) -> list[Situation]:
    """The machines of the control-plane ``groups`` are replaced one by one.

    Gives the courses on which the roll came to its end (``ok``) and those on which
    a failed validation stopped it. ``watch`` is shown every moment in which a
    machine is away.
    Without ``force`` any node may also be up to date and left alone.
    """
    going = [situation]
    stopped: list[Situation] = []
    early = [] if how.awaited else [situation]
    for group in sorted(groups):
        rolled: list[Situation] = []
        for current in going:
            ready = _checked(current, how, stopped)
            if ready is None:
                continue
            if not how.force:
                rolled.append(ready)
            watch(drop(ready, group), group)
            down = stop(ready, group)
            if how.publishes:
                down = apply(down, down.registry)
            back = boot(down, [group])
            if not how.awaited:
                early.append(back)
            if not how.rechecks:
                rolled.append(back)
                continue
            checked = _checked(back, how, stopped)
            if checked is not None:
                rolled.append(checked)
        going = merged(rolled)
    return [*merged([*going, *early]), *merged(stopped)]


def _checked(
    situation: Situation, how: Rolling, stopped: list[Situation]
) -> Situation | None:
    """The situation after one validation; failures end up in ``stopped``."""
    if not how.validates:
        return situation
    result = validate(situation)
    if not how.insists:
        return situation
    stopped.extend(result.failed)
    return result.passed
