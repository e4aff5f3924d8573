"""Nothing is interpreted in silence.

Every command is run with each of its arguments left open. What comes of it has to hold
all that can come of the values which the argument may have; where it holds less, one
reading was picked, and then that must be said: as an assumption, or as undecided.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from command_kinds import kinds, own_fields

import kopslint
from kopslint.kops.decode import read_fleet
from kopslint.model.actions import effect
from kopslint.model.initial import aligned, healthy
from kopslint.model.scenario import Scenario
from kopslint.shell.ast import Unknown, Word
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.etcd.explore import StateSet
    from kopslint.model.state import ClusterState, Result

    Change = Callable[[StateSet], StateSet]
    Outcomes = Callable[[ClusterState], Iterator[ClusterState]]

NAME = "demo.example.com"
PACKAGE = Path(kopslint.__file__).parent


def spec(members: str, groups: str) -> Manifest:
    """Two etcd clusters with ``members``, a machine in each of ``groups``."""
    lists = ", ".join(f"{{name: {m}, instanceGroup: master-{m}}}" for m in members)
    text = (
        f"apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata: {{name: {NAME}}}\n"
        "spec:\n  kubernetesVersion: 1.32.1\n  cloudProvider: {aws: {}}\n"
        f"  etcdClusters:\n  - {{name: main, etcdMembers: [{lists}]}}\n"
        f"  - {{name: events, etcdMembers: [{lists}]}}\n"
        "  subnets: [{name: a, zone: eu-west-1a}]\n"
    )
    roles = [(f"master-{g}", "Master") for g in groups] + [("nodes", "Node")]
    for name, role in roles:
        text += (
            "---\napiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
            f"  name: {name}\n  labels: {{kops.k8s.io/cluster: {NAME}}}\n"
            f"spec: {{role: {role}, minSize: 1, maxSize: 1, subnets: [a]}}\n"
        )
    return read_fleet((Source("spec.yaml", text),)).manifests[NAME]


def planned() -> Scenario:
    """Three members, of which the change takes one away."""
    before, after = aligned(spec("abc", "abc"), spec("ab", "ab"))
    return Scenario(before=before, after=after)


def stored(plan: Scenario) -> ClusterState:
    """A group has been stored as empty, and nothing has been applied."""
    start = healthy(plan)
    groups = dict(start.registry.groups)
    groups["master-b"] = groups["master-b"]._replace(min_size=0, max_size=0)
    return start._replace(registry=start.registry.replaced(groups=groups))


def published(plan: Scenario) -> ClusterState:
    """A lower member count is published, and no leader has read it yet."""
    return healthy(plan).each(lambda _, worlds: worlds.publish(2))


STARTS: dict[str, Callable[[Scenario], ClusterState]] = {
    "healthy": healthy,
    "stored": stored,
    "published": published,
}


SPAN = Source("list.sh", "x").whole()
OPEN = Word((Unknown("$X", "it is not set here"),), "$X", SPAN)


def word(text: str) -> Word:
    return Word((text,), text, SPAN)


GROUPS = ["master-a", "master-b", "master-c", "nodes"]
ETCD = ["main", "events"]
ROLES = ["control-plane", "node", "apiserver", "bastion"]
# Nothing that kopslint models depends on these: versions, labels, waiting times.
NOTHING: list[str] = []

MAY_BE: dict[str, list[str]] = {
    "CreateCluster.target": ["direct", "terraform"],
    "CreateInstanceGroup.group": GROUPS,
    "CreateInstanceGroup.role": ROLES,
    "CreateInstanceGroup.subnets": NOTHING,
    "EditCluster.sets": ["spec.etcdClusters[0].etcdMembers[0].name=z"],
    "EditCluster.unsets": ["spec.etcdClusters[1]"],
    # What somebody types in an editor is taken to be the change under review.
    "EditCluster.editor": ["vi"],
    "EditInstanceGroup.editor": ["vi"],
    "EditInstanceGroup.group": GROUPS,
    "EditInstanceGroup.sets": ["spec.minSize=0", "spec.maxSize=0"],
    "EditInstanceGroup.unsets": ["spec.minSize"],
    "UpgradeCluster.version": NOTHING,
    "Keypair.keyset": NOTHING,
    "Keypair.ids": NOTHING,
    "DeleteInstanceGroup.group": GROUPS,
    "DeleteInstance.instance": GROUPS,
    "UpdateCluster.target": ["direct", "terraform"],
    "UpdateCluster.phase": ["cluster", "network", "security"],
    "UpdateCluster.groups": GROUPS,
    "UpdateCluster.roles": ROLES,
    "UpdateCluster.lifecycle_overrides": ["ManagedFile=Ignore", "VPC=Ignore"],
    "UpdateCluster.features": NOTHING,
    "RollingUpdate.validate_count": ["0", "2"],
    "RollingUpdate.control_plane_interval": NOTHING,
    "RollingUpdate.groups": GROUPS,
    "RollingUpdate.roles": ROLES,
    "Reconcile.features": NOTHING,
    "Validate.wait": NOTHING,
    "MemberAdd.member": ["a", "b", "c", "d"],
    # Beside a quorum it is not followed at all, which is said.
    "ForceNewCluster.member": ["a", "b", "c"],
    "ForceNewCluster.places": GROUPS,
    "RestartManagers.places": GROUPS,
    "NodeCommand.nodes": NOTHING,
    "Terraform.targets": ["aws_autoscaling_group.master-a-masters-demo-example-com"],
    "Terraform.recreated": ["aws_autoscaling_group.master-a-masters-demo-example-com"],
    "StopInstances.instances": GROUPS,
    "DeleteVolumes.volumes": GROUPS,
    "ResizeCloudGroup.group": GROUPS,
    "ResizeCloudGroup.size": ["0", "1"],
    "DeleteBackups.target": NOTHING,
    "DeleteBackups.others": NOTHING,
    "EncryptionConfig.file": NOTHING,
    "Unreplayed.about": GROUPS,
}
"""What an argument may be, for each that a word on the command line gives."""


def removed(state: ClusterState, etcd: str, member: str) -> ClusterState:
    worlds = state.etcd[etcd].remove([member])
    return state.with_etcd({**state.etcd, etcd: worlds})


def each_member(state: ClusterState) -> Iterator[ClusterState]:
    """What comes of removing one member from one etcd cluster."""
    for etcd in ETCD:
        for member in "abc":
            yield removed(state, etcd, member)


def each_etcd(change: Change) -> Outcomes:
    """What comes of a command for one etcd cluster, for each that there is."""

    def outcomes(state: ClusterState) -> Iterator[ClusterState]:
        for etcd in ETCD:
            worlds = state.etcd[etcd]
            yield state.with_etcd({**state.etcd, etcd: change(worlds)})

    return outcomes


COMES_TO: dict[str, Outcomes] = {
    # An id is in no text, so the outcomes are those of etcd and not of a word.
    "MemberRemove.member": each_member,
    "MemberRemove.etcd_cluster": each_etcd(lambda w: w.remove(["a"])),
    "MemberAdd.etcd_cluster": each_etcd(lambda w: w.add("a")),
    "RestoreBackup.etcd_cluster": each_etcd(lambda w: w.restore(w.published)),
    # Without a name these are the managers of all etcd clusters.
    "RestartManagers.etcd_cluster": lambda state: iter(
        [state.each(lambda _, worlds: worlds.restart_managers())]
    ),
    "ForceNewCluster.etcd_cluster": lambda state: iter([state]),
    "DeleteRestore.etcd_cluster": lambda state: iter(
        [state.each(lambda _, worlds: worlds.forget_restore())]
    ),
    # It changes no membership; which keys it is about is a matter of rules.
    "DamageEtcd.etcd_cluster": lambda state: iter([state]),
}
"""What may come of an argument that no word on the command line gives."""

NOT_FOLLOWED_HERE = {
    # Which cluster a command is about is decided where lists are read.
    "cluster",
    # Files are asked for where the list is read; see below.
    "files",
}
CHANGES_NOTHING = {"MemberList", "SnapshotSave", "Reads", "Foreign", "Unreadable"}

GIVEN: dict[str, dict[str, object]] = {
    "DeleteInstanceGroup": {"group": word("nodes")},
    "CreateInstanceGroup": {"group": word("more"), "role": word("node"), "edit": False},
    "EditInstanceGroup": {"group": word("master-c")},
    "MemberRemove": {"member": word("a")},
    "MemberAdd": {"member": word("a")},
    "NodeCommand": {"verb": "drain"},
    "Terraform": {"verb": "apply"},
    "StopInstances": {"verb": "terminate", "instances": (word("master-a"),)},
    "DeleteVolumes": {"verb": "delete", "volumes": (word("master-a"),)},
    "ResizeCloudGroup": {"group": word("master-a"), "size": word("0")},
    "Keypair": {"verb": "create"},
    "DamageEtcd": {"verb": "delete"},
    "Unreplayed": {"reason": "nobody follows it"},
}
"""What a command cannot do without."""


def open_arguments() -> Iterator[tuple[type[Command], str]]:
    """Every argument of every kind of command that run time may decide."""
    for kind in kinds():
        if kind.__name__ in CHANGES_NOTHING:
            continue
        for field, written in own_fields(kind).items():
            if field in NOT_FOLLOWED_HERE:
                continue
            if "Word" in str(written) or field == "etcd_cluster":
                yield kind, field


def run(
    kind: type[Command], field: str, value: Word | None, start: str
) -> list[Result]:
    """The command with one argument, and otherwise with what it needs."""
    plan = planned()
    make: Any = kind
    given = dict(GIVEN.get(kind.__name__, {}))
    if "yes" in kind.fields:
        given["yes"] = True
    many = "tuple" in str(own_fields(kind)[field])
    given[field] = (value,) if many else value
    command = make(text="x", span=SPAN, **given)
    return effect(command, STARTS[start](plan), lambda *_: None, plan)


def holds(results: list[Result], outcome: ClusterState) -> bool:
    """Whether an outcome is among the results, whatever else is."""
    return any(
        result.state.registry.groups.keys() == outcome.registry.groups.keys()
        and result.state.cloud == outcome.cloud
        and (result.state.rendered is None) == (outcome.rendered is None)
        and all(
            worlds.published == result.state.etcd[name].published
            and worlds.states <= result.state.etcd[name].states
            for name, worlds in outcome.etcd.items()
        )
        for result in results
    )


ASKED = list(open_arguments())


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize(
    ("kind", "field"),
    ASKED,
    ids=[f"{kind.__name__}.{field}" for kind, field in ASKED],
)
def test_an_open_argument_is_followed_in_full_or_said(
    kind: type[Command], field: str, start: str
) -> None:
    """A new command, or a new argument, has to say above what it may be."""
    name = f"{kind.__name__}.{field}"
    is_word = "Word" in str(own_fields(kind)[field])
    results = run(kind, field, OPEN if is_word else None, start)
    if name in COMES_TO:
        outcomes = [*COMES_TO[name](STARTS[start](planned()))]
    else:
        runs = [run(kind, field, word(text), start) for text in MAY_BE[name]]
        outcomes = [result.state for each in runs for result in each]

    left_out = [outcome for outcome in outcomes if not holds(results, outcome)]
    said = any(result.assumed or result.undecided for result in results)

    assert said or not left_out, f"{len(left_out)} of {len(outcomes)} are left out"


def test_assumptions_are_made_in_one_place() -> None:
    """So that none is made without a kind and without what it is about."""
    made = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Assumption"
    }

    assert made == {"model/assumptions.py"}
