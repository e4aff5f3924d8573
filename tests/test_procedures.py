"""The procedures that kops documents are never called wrong, and never nagged about.

Whoever follows the official documentation gets no error and no warning; what the
procedures are is in the kops documentation that each names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from kopslint.engine import Request, check
from kopslint.findings import Severity
from kopslint.text import Source

DEMO = Path(__file__).parents[1] / "fixtures/five-to-three"
THREE = (DEMO / "after.yaml").read_text(encoding="utf-8")
NAME = "prod.example.com"


def one() -> str:
    """The cluster of the demonstration with a single control-plane node."""
    documents = THREE.split("---\n")
    cluster = documents[0]
    for number in (1, 2):
        member = f"    - instanceGroup: master-{number}\n      name: etcd-{number}\n"
        cluster = cluster.replace(member, "")
    return "---\n".join([cluster, documents[1], documents[-1]])


def edited(*pairs: tuple[str, str]) -> str:
    text = THREE
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


CILIUM_ETCD = edited(
    (
        "  iam:\n",
        "  - name: cilium\n    etcdMembers:\n"
        + "".join(
            f"    - instanceGroup: master-{n}\n      name: etcd-{n}\n" for n in range(3)
        )
        + "  iam:\n",
    )
)
PATCHED = edited(("kubernetesVersion: 1.34.2", "kubernetesVersion: 1.34.5"))
UPGRADED = edited(("kubernetesVersion: 1.34.2", "kubernetesVersion: 1.35.1"))
RESIZED = edited(("machineType: m6i.large", "machineType: m7i.large"))


def with_etcd(version: str) -> str:
    member = "    - instanceGroup: master-2\n      name: etcd-2\n"
    return edited((member, f"{member}    version: {version}\n"))


EXTRA = """\
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels:
    kops.k8s.io/cluster: prod.example.com
  name: morenodes
spec:
  machineType: m6i.large
  maxSize: 2
  minSize: 2
  role: Node
  subnets:
  - us-east-1a
"""
MANAGED = CILIUM_ETCD.replace("    cilium: {}", "    cilium:\n      etcdManaged: true")


@dataclass(frozen=True)
class Procedure:
    before: str | None
    after: str
    commands: str
    also: str = ""
    """The rule of a warning that is right all the same."""


PROCEDURES = {
    "one control-plane node to three (single-to-multi-master.md)": Procedure(
        one(),
        THREE,
        f"""\
kops get cluster {NAME} -o yaml > mycluster.yaml
kops create ig master-1 --subnet us-east-1b --role Master --name {NAME}
kops create ig master-2 --subnet us-east-1c --role Master --name {NAME}
$EDITOR mycluster.yaml
kops replace -f mycluster.yaml
kops update cluster {NAME}
kops update cluster {NAME} --yes
kops validate cluster {NAME} --wait 10m
kops rolling-update cluster {NAME} --yes
""",
    ),
    "one to three, the cluster edited first": Procedure(
        one(),
        THREE,
        """\
kops replace --force -f after.yaml
kops update cluster --yes
kops validate cluster --wait 10m
kops rolling-update cluster --yes
""",
    ),
    "restore of both etcd clusters (etcd_backup_restore_encryption.md)": Procedure(
        THREE,
        THREE,
        """\
S=s3://example-kops-state/prod.example.com/backups/etcd
etcd-manager-ctl --backup-store=$S/main list-backups
etcd-manager-ctl --backup-store=$S/events list-backups
etcd-manager-ctl --backup-store=$S/main restore-backup 2026-01-01T00:00:00Z-000001
etcd-manager-ctl --backup-store=$S/events restore-backup 2026-01-01T00:00:00Z-000001
docker stop $(docker ps -q --filter name=k8s_etcd-manager_etcd-manager)
kops rolling-update cluster --force --yes
""",
        # Nothing waits for the restore, and one that is carried out while a machine is
        # away makes a cluster of the two that are left.
        also="KL303",
    ),
    "an etcd version by one minor (cluster_spec.md)": Procedure(
        with_etcd("3.5.21"),
        with_etcd("3.6.6"),
        """\
kops replace -f after.yaml
kops update cluster
kops update cluster --yes
kops rolling-update cluster --yes
""",
    ),
    "an etcd of its own for cilium (networking/cilium.md)": Procedure(
        THREE,
        CILIUM_ETCD,
        """\
kops replace -f after.yaml
kops update cluster
kops update cluster --yes
kops rolling-update cluster --force --yes
""",
    ),
    "rotation of all keys (rotate-secrets.md)": Procedure(
        THREE,
        THREE,
        """\
kops create keypair all
kops update cluster --yes
kops rolling-update cluster --yes
kops export kubeconfig --admin
kops promote keypair all
kops update cluster --yes
kops rolling-update cluster --yes
kops export kubeconfig --admin
kops distrust keypair all
kops update cluster --yes
kops rolling-update cluster --yes
kops export kubeconfig --admin
""",
    ),
    "cilium's own etcd, switched on when it runs (networking/cilium.md)": Procedure(
        THREE,
        MANAGED,
        """\
kops replace -f with-etcd.yaml
kops update cluster
kops update cluster --yes
kops rolling-update cluster --force --yes
kops replace -f after.yaml
kops update cluster --yes
kops rolling-update cluster --yes
""",
    ),
    "three control-plane nodes from the start (high_availability.md)": Procedure(
        None,
        THREE,
        f"""\
kops create cluster --node-count 3 --zones us-east-1a,us-east-1b,us-east-1c \\
  --control-plane-zones us-east-1a,us-east-1b,us-east-1c {NAME}
kops update cluster {NAME} --yes
kops validate cluster --wait 10m
""",
    ),
    "a group of nodes more (working-with-instancegroups.md)": Procedure(
        THREE,
        THREE + EXTRA,
        """\
kops create ig morenodes --role node --subnet us-east-1a
kops update cluster
kops update cluster --yes
""",
    ),
    "a group of nodes less (working-with-instancegroups.md)": Procedure(
        THREE + EXTRA, THREE, "kops delete ig morenodes --yes\n"
    ),
    "the manifest workflow by hand (manifests_and_customizing_via_api.md)": Procedure(
        THREE,
        RESIZED,
        f"""\
kops get {NAME} -o yaml > {NAME}.yaml
$EDITOR {NAME}.yaml
kops replace -f {NAME}.yaml
kops update cluster {NAME}
kops update cluster {NAME} --yes
kops rolling-update cluster {NAME} --yes
""",
    ),
    "a Kubernetes patch by kops upgrade (updates_and_upgrades.md)": Procedure(
        THREE,
        PATCHED,
        """\
kops upgrade cluster
kops upgrade cluster --yes
kops update cluster --yes
kops rolling-update cluster --yes
kops update cluster --prune --yes
""",
    ),
    "a Kubernetes minor with terraform (upgrading-kubernetes.md)": Procedure(
        THREE,
        UPGRADED,
        """\
kops edit cluster
kops update cluster --target terraform --out .
terraform plan
terraform apply -target aws_autoscaling_group.master-0-masters-prod-example-com \\
  -target aws_autoscaling_group.master-1-masters-prod-example-com \\
  -target aws_autoscaling_group.master-2-masters-prod-example-com
kops rolling-update cluster --instance-group-roles control-plane,apiserver --yes
terraform apply
kops rolling-update cluster --yes
""",
    ),
    "a Kubernetes patch (updates_and_upgrades.md)": Procedure(
        THREE,
        PATCHED,
        """\
kops edit cluster
kops update cluster
kops update cluster --yes
kops rolling-update cluster
kops rolling-update cluster --yes
""",
    ),
    "a Kubernetes minor by reconcile (upgrading-kubernetes.md)": Procedure(
        THREE, UPGRADED, "kops edit cluster\nkops reconcile cluster --yes\n"
    ),
    "a Kubernetes minor by roles (upgrading-kubernetes.md)": Procedure(
        THREE,
        UPGRADED,
        """\
kops edit cluster
kops update cluster --instance-group-roles=control-plane,apiserver --yes
kops rolling-update cluster --instance-group-roles=control-plane,apiserver --yes
kops update cluster --yes
kops rolling-update cluster --yes
kops update cluster --prune --yes
""",
    ),
    "another machine type (working-with-instancegroups.md)": Procedure(
        THREE,
        RESIZED,
        """\
kops edit ig master-0
kops edit ig master-1
kops edit ig master-2
kops update cluster
kops update cluster --yes
kops rolling-update cluster
kops rolling-update cluster --yes
""",
    ),
    "the manifest workflow of CI (continuous_integration.md)": Procedure(
        THREE,
        RESIZED,
        """\
kops replace --force -f after.yaml
kops update cluster
kops update cluster --yes
kops rolling-update cluster
kops rolling-update cluster --yes
""",
    ),
    "from gossip to no DNS (gossip.md)": Procedure(
        THREE.replace(NAME, "prod.k8s.local").replace(
            "    dns:\n      type: Public", "    dns:\n      type: Private"
        ),
        THREE.replace(NAME, "prod.k8s.local").replace(
            "    dns:\n      type: Public", "    dns:\n      type: None"
        ),
        """\
kops reconcile cluster --yes
kops edit cluster
kops reconcile cluster --yes
kops validate cluster --wait 10m
""",
    ),
}


@pytest.mark.parametrize("procedure", PROCEDURES.values(), ids=PROCEDURES)
def test_a_documented_procedure_is_neither_wrong_nor_nagged_about(
    procedure: Procedure,
) -> None:
    """Information may be given; an error or a warning may not."""
    report = check(
        Request(
            (Source("before.yaml", procedure.before),) if procedure.before else None,
            (Source("after.yaml", procedure.after),),
            (Source("commands.sh", procedure.commands),),
        )
    )

    assert [
        f"{finding.rule} {finding.message}"
        for finding in report.findings
        if finding.severity is not Severity.INFO and finding.rule != procedure.also
    ] == []
