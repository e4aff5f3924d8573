"""What stands in for a cluster: state store, cloud, volumes and the members of etcd.

It follows kops and etcd-manager only as far as a runbook needs; it is written apart
from the model of kopslint, so that both can be held against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kopslint.kops.decode import read_fleet
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kopslint.kops.spec import Manifest


class RefusedError(Exception):
    """What a program says where it does nothing."""


@dataclass
class Member:
    """An entry of a member list."""

    number: str
    name: str
    started: bool = True
    learner: bool = False


@dataclass
class Stored:
    """What the state store has: groups with their sizes, and members with their groups.

    ``cluster`` is the document of the Cluster; ``zones`` tells where groups are.
    """

    groups: dict[str, int] = field(default_factory=dict)
    members: dict[str, dict[str, str]] = field(default_factory=dict)
    zones: dict[str, tuple[str, ...]] = field(default_factory=dict)
    controls: frozenset[str] = frozenset()
    versions: str = ""

    def copy(self) -> Stored:
        """A copy that does not change with this one."""
        return Stored(
            dict(self.groups),
            {etcd: dict(names) for etcd, names in self.members.items()},
            dict(self.zones),
            self.controls,
            self.versions,
        )


@dataclass
class Volume:
    """A disk of a member; ``retired`` once its member was removed."""

    group: str
    zone: tuple[str, ...]
    number: str
    retired: bool = False


class World:
    """The cluster of two specs, as the one before has it.

    ``spare`` is how many members may fail after every step, as the runbook promises;
    None where it promises an outage. ``wrong`` has everything that must not happen;
    ``upgrades`` is whether etcd-manager brings members to another release.
    """

    def __init__(
        self,
        specs: Mapping[str, str],
        cluster: str,
        cloud: str,
        spare: int | None = 0,
    ) -> None:
        self.cluster = cluster
        self.cloud = cloud
        self.spare = spare
        self._parts = {name: _part(name, text) for name, text in specs.items()}
        self.reset()

    def reset(self) -> None:
        """Everything as the spec before has it."""
        self.wrong: list[str] = []
        self.log: list[str] = []
        self.numbers = 0
        self.stored = Stored()
        self._merge("before.yaml")
        self.rendered: Stored | None = None
        self.initialised = False
        self.backed_up = True
        self.exported = self.cluster
        self.upgrades = True
        self.machines = {
            name: size for name, size in self.stored.groups.items() if size
        }
        self.running = dict.fromkeys(self.machines, self.stored.versions)
        self.volumes: dict[str, Volume] = {}
        self.etcd: dict[str, list[Member]] = {}
        self.homes: dict[tuple[str, str], str] = {}
        self.published: dict[str, int] = {}
        for etcd, names in self.stored.members.items():
            self.published[etcd] = len(names)
            for name, group in names.items():
                self._new_volume(etcd, name, group)
                self._join(etcd, name, group)

    # ---------------------------------------------------------------- state store

    def _merge(self, file: str) -> None:
        part = self._parts.get(file.rpartition("/")[2])
        if part is None:
            raise RefusedError(f"error reading file {file!r}: no such file")
        self.stored.groups.update(part.groups)
        self.stored.zones.update(part.zones)
        self.stored.controls |= part.controls
        if part.versions:
            self.stored.members = {e: dict(names) for e, names in part.members.items()}
            self.stored.versions = part.versions

    def replace(self, files: Iterable[str]) -> None:
        """``kops replace --force``: it stores what the files hold and deletes nothing.

        A group that has become one of nodes takes the role of the file.
        """
        for file in files:
            self._merge(file)
            part = self._parts[file.rpartition("/")[2]]
            self.stored.controls -= {*part.groups} - part.controls
        self.log.append(f"replace {' '.join(files)}")

    def delete_group(self, group: str) -> None:
        """``kops delete ig``: machines end at once, then the object goes."""
        if group not in self.stored.groups:
            raise RefusedError(f'InstanceGroup.kops.k8s.io "{group}" not found')
        if self.cloud in ("digitalocean", "azure", "metal") and self.machines.get(
            group
        ):
            raise RefusedError("DeleteGroup not implemented")
        if self.cloud != "linode":
            self.end_machines(group, "deleted")
        del self.stored.groups[group]
        self.stored.controls -= {group}
        self.log.append(f"delete ig {group}")

    def _refusals(self) -> Iterator[str]:
        homes = {g for names in self.stored.members.values() for g in names.values()}
        for group in sorted(self.stored.controls - homes):
            yield f"InstanceGroup {group} has no member"
        for etcd, names in self.stored.members.items():
            for name, group in names.items():
                if group not in self.stored.groups:
                    yield f"no InstanceGroup {group} for member {name} of {etcd}"

    def update(self, *, render: bool = False) -> None:
        """``kops update cluster``, at once or into files for terraform."""
        for refusal in self._refusals():
            raise RefusedError(refusal)
        if render:
            self.rendered = self.stored.copy()
            self.log.append("render")
            # The control spec goes to the state store by itself, whatever the target.
            return
        self._apply(self.stored)
        self.log.append("update")

    def terraform_apply(self) -> None:
        """What was rendered becomes so; what it no longer has is destroyed."""
        if not self.initialised:
            raise RefusedError("Error: Could not load plugin: run terraform init")
        if self.rendered is None:
            raise RefusedError("Error: no configuration files")
        for group in [*self.machines]:
            if group not in self.rendered.groups:
                self.end_machines(group, "destroyed by terraform")
        gone = [
            name
            for name, volume in self.volumes.items()
            if volume.group not in self.rendered.groups
        ]
        for name in gone:
            self.delete_volume(name)
        self._apply(self.rendered)
        self.log.append("terraform apply")

    def _apply(self, wanted: Stored) -> None:
        alive = {group for group, size in self.machines.items() if size}
        for etcd, names in wanted.members.items():
            peers = {g for (e, _), g in self.homes.items() if e == etcd} & alive
            if len(names) < len(peers):
                self.wrong.append(
                    f"{len(names)} published for {etcd} while {len(peers)} are alive"
                )
            self.published[etcd] = len(names)
            self.etcd.setdefault(etcd, [])
        for group, size in wanted.groups.items():
            if size and self.machines.get(group, 0) == 0:
                self._start(group, wanted)
            self.machines[group] = size
            self.running.setdefault(group, wanted.versions)
        self._look()

    # ---------------------------------------------------------------- machines, disks

    def _start(self, group: str, wanted: Stored) -> None:
        """A new machine mounts what it finds, and its members join."""
        self.machines[group] = 1
        self.running[group] = wanted.versions
        zone = wanted.zones.get(group, ())
        for etcd, names in wanted.members.items():
            for name, home in names.items():
                if home != group:
                    continue
                for called, volume in self.volumes.items():
                    own = self._by_group(volume.group, group)
                    same = volume.zone == zone and f".etcd-{etcd}." in called
                    if volume.retired and same and own:
                        self.wrong.append(f"the machine of {group} mounts {called}")
                self._new_volume(etcd, name, group)
                self._join(etcd, name, group)

    def _by_group(self, old: str, new: str) -> bool:
        by_group = self.cloud in ("hetzner", "linode", "scaleway")
        return old == new or not by_group

    def _new_volume(self, etcd: str, name: str, group: str) -> None:
        called = f"{name}.etcd-{etcd}.{self.cluster}"
        if called not in self.volumes:
            self.numbers += 1
            zone = self.stored.zones.get(group, ())
            self.volumes[called] = Volume(group, zone, str(70000 + self.numbers))

    def end_machines(self, group: str, how: str) -> None:
        """The machine of a group ends: no member of its may be listed."""
        if self.machines.pop(group, 0):
            for (etcd, name), home in self.homes.items():
                if home == group and self.entry(etcd, name) is not None:
                    self.wrong.append(
                        f"{group} was {how} while {name} of {etcd} was listed"
                    )
            self._look(settled=False)

    def delete_volume(self, called: str) -> None:
        """A volume goes, which no machine may use."""
        volume = self.volumes.get(called)
        if volume is None:
            raise RefusedError(f"volume {called} not found")
        if self.machines.get(volume.group):
            self.wrong.append(f"volume {called} deleted under {volume.group}")
        del self.volumes[called]
        self.log.append(f"delete volume {called}")

    def in_use(self, called: str) -> bool:
        """Whether a machine uses a volume."""
        return bool(self.machines.get(self.volumes[called].group))

    def roll(self) -> None:
        """Every machine with an old configuration is replaced by one with the new."""
        for group in [*self.machines]:
            if self.running.get(group) == self.stored.versions:
                continue
            size = self.machines.pop(group)
            if group in self.stored.controls:
                self._look(settled=False)
            self.machines[group] = size
            self.running[group] = self.stored.versions
        self.log.append("roll")
        self._look()

    # ---------------------------------------------------------------- etcd

    def called(self, etcd: str, name: str) -> str:
        """What etcd calls a member. Source: etcd-manager pkg/volumes."""
        volume = f"{name}.etcd-{etcd}.{self.cluster}"
        if self.cloud in ("hetzner", "linode", "scaleway"):
            return f"vol-{self.volumes[volume].number}"
        if self.cloud == "digitalocean":
            return f"kops-{volume}".replace(".", "-")[:64]
        return f"etcd-{name}" if etcd == "main" else f"etcd-{etcd}-{name}"

    def entry(self, etcd: str, name: str) -> Member | None:
        """The entry of a member in its list."""
        if f"{name}.etcd-{etcd}.{self.cluster}" not in self.volumes:
            return None
        called = self.called(etcd, name)
        return next((m for m in self.etcd.get(etcd, []) if m.name == called), None)

    def _join(self, etcd: str, name: str, group: str) -> None:
        self.homes[etcd, name] = group
        self.etcd.setdefault(etcd, [])
        if self.entry(etcd, name) is None:
            self.numbers += 1
            number = f"{0x8E9E05C52164694D + self.numbers:x}"
            self.etcd[etcd].append(Member(number, self.called(etcd, name)))

    def remove(self, etcd: str, number: str) -> str:
        """``member remove``; the name of whom it was."""
        found = next((m for m in self.etcd[etcd] if m.number == number), None)
        if found is None:
            raise RefusedError("Error: etcdserver: member not found")
        if not self.writable(etcd):
            raise RefusedError("Error: context deadline exceeded")
        self.etcd[etcd].remove(found)
        for (cluster, name), group in self.homes.items():
            volume = f"{name}.etcd-{etcd}.{self.cluster}"
            if cluster != etcd or volume not in self.volumes:
                continue
            if self.called(etcd, name) == found.name:
                self.volumes[volume].retired = True
                self.volumes[volume].group = group
        self.log.append(f"remove {etcd} {found.name}")
        self._look()
        return found.name

    def alive(self, etcd: str) -> int:
        """How many listed members have a machine that runs."""
        return sum(
            bool(self.machines.get(group))
            for (cluster, name), group in self.homes.items()
            if cluster == etcd and self.entry(etcd, name) is not None
        )

    def is_alive(self, etcd: str, member: Member) -> bool:
        """Whether a listed member runs."""
        return any(
            cluster == etcd
            and self.entry(etcd, name) is member
            and bool(self.machines.get(group))
            for (cluster, name), group in self.homes.items()
        )

    def release_of(self, etcd: str, member: Member) -> str:
        """The release of etcd that a member runs: that of the spec of its machine.

        Where etcd-manager does not upgrade, it is the one of the spec before. Source:
        kops 1.34 pkg/model/components/etcd.go.
        """
        named, kubernetes = "", "1.33"
        for (cluster, name), group in self.homes.items():
            if cluster == etcd and self.entry(etcd, name) is member:
                kubernetes, _, named = self.running.get(group, "").partition(" ")
        found = re.search(r"\d+[.]\d+[.]\d+", named)
        if not self.upgrades or kubernetes < "1.34":
            return found[0] if found and self.upgrades else "3.5.21"
        return found[0] if found else "3.6.11"

    def writable(self, etcd: str) -> bool:
        """Whether a quorum of an etcd cluster is alive."""
        return self.alive(etcd) > len(self.etcd[etcd]) // 2

    def _look(self, *, settled: bool = True) -> None:
        """Note what the runbook has promised and is not so."""
        if self.spare is None:
            return
        for etcd, listed in self.etcd.items():
            spare = self.alive(etcd) - len(listed) // 2 - 1
            if listed and spare < (self.spare if settled else 0):
                self.wrong.append(
                    f"{self.alive(etcd)} of {len(listed)} members of {etcd} are alive, "
                    f"and {self.spare} more should be able to fail"
                )

    def missing(self, file: str = "after.yaml") -> list[str]:
        """What is not as the spec after has it."""
        wanted = Stored()
        saved, self.stored = self.stored, wanted
        self._merge(file)
        self.stored = saved
        found = []
        if saved.groups.keys() != wanted.groups.keys():
            found.append(f"groups are {sorted(saved.groups)}")
        if saved.versions != wanted.versions:
            found.append("another Cluster is stored")
        running = {group for group, size in self.machines.items() if size}
        if running != {group for group, size in wanted.groups.items() if size}:
            found.append(f"machines of {sorted(running)} run")
        for etcd, names in wanted.members.items():
            listed = [m.name for m in self.etcd.get(etcd, [])]
            alive = [n for n in names if self.entry(etcd, n) is not None]
            if len(alive) != len(names) or len(listed) != len(names):
                found.append(f"{etcd} lists {listed}")
            if self.published.get(etcd) != len(names):
                found.append(f"{self.published.get(etcd)} published for {etcd}")
        return found


def _part(name: str, text: str) -> Stored:
    """What one file stores."""
    found = Stored()
    for manifest in read_fleet((Source(name, text),)).manifests.values():
        found.groups |= {g.name: max(g.size, 0) for g in manifest.groups.values()}
        found.controls |= {g.name for g in manifest.control_plane}
        found.zones |= {
            g.name: tuple(manifest.zones_of(g) or ()) for g in manifest.groups.values()
        }
        if manifest.cluster is not None:
            found.members = {
                etcd.name: {m.name: m.group or "" for m in etcd.members}
                for etcd in manifest.etcd_clusters
            }
            found.versions = _versions(manifest)
    return found


def _versions(manifest: Manifest) -> str:
    """What of a Cluster makes machines old; it is never empty."""
    cluster = manifest.cluster
    etcd = [each.version for each in manifest.etcd_clusters]
    return f"{cluster.kubernetes_version if cluster is not None else None} {etcd}"
