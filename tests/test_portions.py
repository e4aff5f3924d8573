"""A fleet in portions or in shards: the report is that of one check."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.config.settings import DEFAULT
from kopslint.config.shard import Shard
from kopslint.engine import Request, check
from kopslint.engine.aggregate import conclude
from kopslint.engine.examine import Examiner
from kopslint.engine.pool import cut
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.findings import Finding, Report

NAMES = ("a.io", "b.io", "c.io", "d.io")
CLUSTER = """\
{comment}apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: {name}
spec:
  cloudProvider: aws
  kubernetesVersion: 1.31.4
  etcdClusters:
  - name: main
    etcdMembers:
{members}"""
MEMBER = "    - {{name: etcd-{n}, instanceGroup: cp-{n}}}\n"
GROUP = """\
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  name: {group}{labels}
spec:
  role: {role}
  machineType: m5.large
  minSize: 1
  maxSize: 1
  subnets: [a]
"""
LABELS = (
    "\n  labels:\n    kops.k8s.io/cluster: {name}",
    '\n  labels: {{"kops.k8s.io/cluster": "{name}"}}',
    # No pattern finds this name in the text.
    '\n  labels: {{kops.k8s.io/cluster: "\\x{first:x}{rest}"}}',
    "",
)
COMMENTS = (
    "",
    "# kopslint: ignore-file[KL103] two members for a while\n",
    "# kopslint: ignore-file[KL103,KL107,KL999] old\n",
    "# kopslint: ignore-file[KL101]\n",
    "# kopslint: ignored\n",
)
LINES = (
    "kops update cluster --yes",
    "kops delete ig cp-1 --name a.io --yes",
    "kops delete ig cp-2 --yes",
    "kops rolling-update cluster --name b.io --yes",
    "kops validate cluster --name nowhere.io",
    "./deploy.sh  # kopslint: ignore[KL901] it only prints",
    "kops get ig --name d.io  # kopslint: ignore[KL301] never needed",
)


@st.composite
def objects(draw: st.DrawFn) -> list[str]:
    """The objects of some clusters, each a document."""
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        count = draw(st.integers(1, 3))
        members = "".join(MEMBER.format(n=n) for n in range(1, count + 1))
        comment = draw(st.sampled_from(COMMENTS))
        found.append(CLUSTER.format(name=name, comment=comment, members=members))
        for n in range(draw(st.integers(0, 3))):
            labels = draw(st.sampled_from((LABELS[0], *LABELS))).format(
                name=name, first=ord(name[0]), rest=name[1:]
            )
            role = draw(st.sampled_from(("Master", "Node")))
            found.append(GROUP.format(group=f"cp-{n + 1}", labels=labels, role=role))
    return found


@st.composite
def sources(draw: st.DrawFn, revision: str | None = None) -> tuple[Source, ...]:
    """The objects in files: several in one, or those of a cluster in several."""
    documents = draw(objects())
    if draw(st.booleans()):
        documents = draw(st.permutations(documents))
    places = st.integers(0, len(documents))
    cuts = sorted({0, len(documents), *draw(st.lists(places, max_size=5))})
    files = ["---\n".join(documents[a:b]) for a, b in pairwise(cuts)]
    if draw(st.booleans()):
        files.append("# kopslint: ignore-file[KL103] not about kops\nreplicas: 3\n")
    return tuple(Source(f"{n}.yaml", text, revision) for n, text in enumerate(files))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A state or a change, with commands or without."""
    lines = draw(st.lists(st.sampled_from(LINES), max_size=3))
    script = (Source("plan.sh", "\n".join(lines) + "\n"),) if lines else ()
    before = draw(st.none() | sources(revision="main"))
    after = draw(sources())
    if before is not None and script and draw(st.booleans()):
        return Request(before, None, script)
    return Request(before, after, script)


def in_portions(request: Request, size: int) -> Report:
    """Examine a request in portions of ``size`` clusters, in this process."""
    whole = cut(request, size)
    examiner = Examiner(request, DEFAULT, whole.names)
    examination = whole.together(map(examiner.examine, whole.portions))
    if examination is None:
        return check(request)
    return conclude(request, DEFAULT, examination)


@given(requests(), st.integers(1, 3))
@settings(max_examples=60)
def test_portions_give_the_report_of_one_check(request: Request, size: int) -> None:
    """Wherever clusters and files were cut, and whatever the text made believe."""
    assert in_portions(request, size) == check(request)


@given(requests(), st.integers(1, 4))
@settings(max_examples=40)
def test_shards_together_say_what_one_check_says(request: Request, of: int) -> None:
    """Every cluster is one shard's, and a finding of a cluster is in that one's report.

    What several clusters have word for word in common names none of them in one check.
    """
    whole = check(request)
    shards = [
        check(request, DEFAULT._replace(shard=Shard(n + 1, of))) for n in range(of)
    ]

    assert sorted(n for s in shards for n in s.summary.clusters) == sorted(
        whole.summary.clusters
    )
    said = {about_none(f) for s in shards for f in s.findings}
    assert {about_none(f) for f in whole.findings} - said <= {
        about_none(f) for f in whole.findings if f.rule == "KL910"
    }
    assert said <= {about_none(f) for f in whole.findings}


def about_none(finding: Finding) -> Finding:
    """The finding without the name of its cluster."""
    return finding._replace(cluster=None)


def files_of(name: str, folder: str = "") -> tuple[Source, Source]:
    """A cluster in two files, as ``kops get -o yaml`` of each kind gives it."""
    cluster = CLUSTER.format(name=name, comment="", members=MEMBER.format(n=1))
    group = GROUP.format(
        group="cp-1", labels=LABELS[0].format(name=name), role="Master"
    )
    return (
        Source(f"{folder}clusters/{name}.yaml", cluster),
        Source(f"{folder}groups/{name}.yaml", group),
    )


def test_a_cluster_is_cut_in_one_piece() -> None:
    """Its files may be far apart, and it has some on both sides of a change."""
    clusters, groups = zip(*map(files_of, NAMES), strict=True)
    later, last = zip(*(files_of(name, "new/") for name in NAMES), strict=True)

    whole = cut(Request((*clusters, *groups), (*last, *later)), size=2)

    assert whole.names == {*NAMES}
    assert [
        ([s.path for s in part.before or ()], [s.path for s in part.after or ()])
        for part in whole.portions
    ] == [
        (
            [f"{kind}/{name}.yaml" for kind in ("clusters", "groups") for name in pair],
            [
                f"new/{kind}/{name}.yaml"
                for kind in ("groups", "clusters")
                for name in pair
            ],
        )
        for pair in (NAMES[:2], NAMES[2:])
    ]


def test_what_no_cluster_is_named_in_is_read_with_what_stands_before_it() -> None:
    """Every file is in one portion, also a side that has none of a portion's."""
    stray = Source("values.yaml", "replicas: 3\n")
    request = Request((stray,), (*files_of("a.io"), *files_of("b.io"), stray))

    parts = cut(request, size=1).portions

    assert [part.before for part in parts] == [(stray,), ()]
    assert [[s.path for s in part.after or ()] for part in parts] == [
        ["clusters/a.io.yaml", "groups/a.io.yaml", "values.yaml"],
        ["clusters/b.io.yaml", "groups/b.io.yaml"],
    ]


def test_a_renamed_cluster_is_seen_beside_one_that_stands_in_other_files() -> None:
    """Whether a name is new depends on files that no part of the renamed one is in."""

    def state(path: str, *names: str, revision: str | None = None) -> Source:
        objects = [CLUSTER.format(name=n, comment="", members="") for n in names]
        return Source(path, "---\n".join(objects), revision)

    before = (state("0", "d.io", revision="main"), state("1", "a.io", revision="main"))
    request = Request(before, (state("0", "a.io", "c.io"), state("2", "b.io")))

    report = in_portions(request, size=1)

    assert [f.cluster for f in report.findings if f.rule == "KL217"] == ["c.io"]
    assert report == check(request)
