"""A fleet in portions or in shards: the report is that of one check."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.config.settings import DEFAULT
from kopslint.config.shard import Shard
from kopslint.engine import Request, check
from kopslint.engine.conclude import conclude
from kopslint.engine.examine import Examination, Examiner
from kopslint.engine.merge import merge
from kopslint.engine.portions import UnshownError, cut, examine_portions
from kopslint.report.gitlab import render_gitlab
from kopslint.report.json_report import render_json
from kopslint.report.junit import render_junit
from kopslint.report.markdown import render_markdown
from kopslint.report.part_reader import read_parts
from kopslint.report.places import Repository
from kopslint.report.sarif import render_sarif
from kopslint.report.text import render_text
from kopslint.source.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.findings import Report

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


def in_portions(request: Request, size: int, shard: Shard | None = None) -> Report:
    """Examine a request in portions of ``size`` clusters, in this process."""
    settings_ = DEFAULT._replace(shard=shard)

    def work(
        portions: Sequence[Request], names: frozenset[str]
    ) -> Iterator[Examination]:
        examiner = Examiner(request, settings_, names)
        return (examiner.examine(portion) for portion in portions)

    examination = examine_portions(cut(request, shard, size), work)
    if examination is None:
        return check(request, settings_)
    return conclude(request, settings_, examination)


@given(requests(), st.integers(1, 3))
@settings(max_examples=60)
def test_portions_give_the_report_of_one_check(request: Request, size: int) -> None:
    """Wherever clusters and files were cut, and whatever the text made believe."""
    assert in_portions(request, size) == check(request)


def rendered(report: Report) -> list[str]:
    """A report in every form that says something of its own."""
    here = Repository("/r", "/r")
    return [
        render_json(report),
        render_sarif(report, (), here),
        render_gitlab(report, here),
        render_junit(report, ()),
        render_markdown(report, unicode=True),
        render_text(report, color=False, width=100, unicode=True),
    ]


def shards(request: Request, of: int) -> list[Report]:
    return [
        check(request, DEFAULT._replace(shard=Shard(number, of)))
        for number in range(1, of + 1)
    ]


def read_back(reports: Sequence[Report]) -> list[Report]:
    """The reports as their JSON gives them."""
    texts = [Source(f"{n}.json", render_json(r)) for n, r in enumerate(reports)]
    return read_parts(texts)


@given(requests(), st.integers(1, 4))
@settings(max_examples=40)
def test_merged_shards_give_the_report_of_one_check(request: Request, of: int) -> None:
    """In every form, read from JSON and without any of the files."""
    assert rendered(merge(read_back(shards(request, of)))) == rendered(check(request))


@given(requests(), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=60)
def test_shards_that_leave_files_unread_give_the_report_of_one_check(
    request: Request, of: int, size: int
) -> None:
    """Or one of them says that a file does not show what it is about."""
    numbers = range(1, of + 1)
    try:
        reports = [in_portions(request, size, Shard(n, of)) for n in numbers]
    except UnshownError:
        assert any("\\x" in source.text for source in request.specs)
    else:
        assert rendered(merge(read_back(reports))) == rendered(check(request))


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
