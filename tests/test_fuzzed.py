"""What spoilt input has shown, made as small as it gets."""

from __future__ import annotations

from pathlib import Path

from kopslint.engine import Request, check
from kopslint.text import Source

DEMO = Path(__file__).parents[1] / "fixtures" / "five-to-three"
SPEC = (DEMO / "before.yaml").read_text("utf-8")


def rules(before: str, after: str, commands: str) -> set[str]:
    """The rules that find something; a defect of kopslint raises."""
    request = Request(
        before=(Source("before.yaml", before),),
        after=(Source("after.yaml", after),),
        commands=(Source("commands.sh", commands),),
    )
    return {finding.rule for finding in check(request).findings}


def test_an_etcd_cluster_may_be_restored_that_the_spec_does_not_have() -> None:
    spec = SPEC.replace("name: main", "name: mian")
    restore = (
        "etcd-manager-ctl --backup-store=s3://b/prod.example.com/backups/etcd/main"
        " restore-backup 2026-05-04T03:02:01Z-000001\n"
    )

    assert "KL306" not in rules(SPEC, SPEC, "kops get ig\n")
    assert rules(spec, spec, restore)
