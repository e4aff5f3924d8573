"""What the validators of releases of kops said of a thousand files, held to.

The corpus is not part of the project: ``KOPSLINT_CORPUS`` names it. An error that only
kopslint gives is one of the reviewed kinds: what kops refuses after those validators,
when it completes the spec, builds tasks or opens an editor.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from kopslint.config.settings import DEFAULT
from kopslint.engine import Request, check
from kopslint.errors import KopslintError
from kopslint.findings import Severity
from kopslint.text import Source

CORPUS = Path(os.environ.get("KOPSLINT_CORPUS") or "no-corpus") / "releases"

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="KOPSLINT_CORPUS names no folder"
)

# What the validators did not look up: machine types and images of a cloud.
LOOKED_UP = re.compile("specified image|machine type")

REVIEWED = {
    r"knows no field": "cmd/kops/edit_cluster.go, edit_instancegroup.go: the editor "
    "decodes strictly",
    r"version is .*, but kops .* brings": "pkg/model/components/etcdmanager/model.go, "
    "buildPod: unsupported etcd version",
    r"has no cluster main": "upup/pkg/fi/cloudup/populate_cluster_spec.go: the etcd "
    "cluster main is looked for",
    r"runs in instance group .*, which does not exist": "pkg/model/master_volumes.go, "
    "Build: InstanceGroup not found",
    r"loadBalancer\.type is .*kops (takes|accepts)": "pkg/model, "
    "api_loadbalancer.go, Build",
    r"role is APIServer, which needs a feature flag": "upup/pkg/fi/cloudup/"
    "populate_instancegroup_spec.go",
    r"kubeProxy\.enabled is missing": "pkg/model/components/kubeproxy.go: it is on by "
    "default, and refused when the completed spec is validated",
    r"enableL7Proxy must be false": "pkg/model/components/cilium.go: on by default",
    r"hubble needs certManager": "pkg/model/components/cilium.go: a version "
    "is filled in",
    r"zones is missing: groups on GCE": "pkg/model/gcemodel/autoscalinggroup.go, Build",
    r"two objects run together as one": "pkg/kopscodecs/codecs.go: the last key counts",
}


def expected(release: str) -> list[tuple[str, str]]:
    """Every file with the first thing that this kops refuses, or an empty text."""
    verdicts = json.loads((CORPUS / release / "verdicts.json").read_text("utf-8"))
    return [
        (
            verdict["file"],
            next(
                (
                    m
                    for e in verdict["errors"]
                    if not LOOKED_UP.search(m := e["message"])
                ),
                "",
            ),
        )
        for verdict in verdicts
        if "before" not in verdict
    ]


def errors(path: Path, release: str) -> list[str]:
    """The errors of a file, with that kops named as on the command line."""
    settings = DEFAULT._replace(kops_version=release, kops_asked=True)
    source = Source(path.name, path.read_text(encoding="utf-8"))
    try:
        findings = check(Request(after=(source,)), settings).findings
    except KopslintError as error:
        return [str(error)]
    return [f.message for f in findings if f.severity is Severity.ERROR]


@pytest.mark.parametrize(
    "release", sorted(p.name for p in CORPUS.iterdir()) if CORPUS.is_dir() else []
)
def test_what_a_release_refuses_is_refused(release: str) -> None:
    refused = missed = 0
    unexplained = []
    for file, refusal in expected(release):
        found = errors(CORPUS / release / file, release)
        refused += bool(refusal)
        missed += bool(refusal) and not found
        if not refusal:
            unexplained += [
                f"{file}: {message}"
                for message in found
                if not any(re.search(kind, message) for kind in REVIEWED)
            ]

    assert missed <= refused * 0.005
    assert unexplained == []
