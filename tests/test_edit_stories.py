"""What a list stores on the way: by flags, by files that it writes, object by object.

Every story is one list on one healthy cluster of three members. The paths and types are
those of kops util/pkg/reflectutils and pkg/commands/set_cluster.go.
"""

from __future__ import annotations

import pytest

from kopslint.config.settings import DEFAULT
from kopslint.engine import Request, check
from kopslint.findings import Finding, Report, Severity
from kopslint.model.written_files import sed_edit, yq_assigned
from kopslint.text import Source

NAME = "prod.example.com"
UPDATE = "kops update cluster --yes\n"
ROLL = "kops rolling-update cluster --yes\n"
APPLY = UPDATE + ROLL


def group(name: str, role: str, subnets: str, size: int = 1) -> str:
    return (
        "---\napiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\nmetadata:\n"
        f"  name: {name}\n  labels: {{kops.k8s.io/cluster: {NAME}}}\nspec:\n"
        f"  role: {role}\n  machineType: m5.large\n  image: ubuntu-noble\n"
        f"  minSize: {size}\n  maxSize: {size}\n  subnets: [{subnets}]\n"
    )


def cluster(members: str = "abc", subnets: str = "abcd", **fields: str) -> str:
    listed = ", ".join(
        f"{{name: {m}, instanceGroup: master-{m}, encryptedVolume: true}}"
        for m in members
    )
    etcd = "".join(
        f"  - name: {name}\n    version: 3.5.21\n    etcdMembers: [{listed}]\n"
        for name in ("main", "events")
    )
    nets = "".join(
        f"  - {{name: {s}, zone: eu-west-1{s}, type: Private, cidr: 10.0.{i}.0/24}}\n"
        for i, s in enumerate(subnets)
    )
    extra = "".join(f"  {key}: {value}\n" for key, value in fields.items())
    return (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\nmetadata:\n"
        f"  name: {NAME}\nspec:\n  api: {{dns: {{}}}}\n  cloudProvider: aws\n"
        f"  configBase: s3://state/{NAME}\n  kubernetesVersion: 1.32.4\n"
        "  networkCIDR: 10.0.0.0/16\n  nonMasqueradeCIDR: 100.64.0.0/10\n"
        "  networking: {calico: {}}\n  topology: {dns: {type: Public}}\n"
        f"{extra}  etcdClusters:\n{etcd}  subnets:\n{nets}"
    )


GROUPS = "".join(group(f"master-{z}", "Master", z) for z in "abc")
GROUPS += group("nodes", "Node", "a", 3)
SPEC = cluster() + GROUPS


def checked(
    commands: str,
    before: str = SPEC,
    after: str | None = SPEC,
    kops: str | None = None,
) -> Report:
    sides = (Source("before.yaml", before),)
    return check(
        Request(
            sides,
            (Source("after.yaml", after),) if after is not None else None,
            (Source("edits.sh", commands),),
        ),
        DEFAULT._replace(kops_version=kops),
    )


def errors(report: Report) -> list[Finding]:
    return [f for f in report.findings if f.severity is Severity.ERROR]


NET = "spec.networking"
MEMBER_0 = "spec.etcdClusters[0].etcdMembers[0]"
DANGEROUS = {
    "a member is taken out by its index": (
        "kops edit cluster --unset 'spec.etcdClusters[0].etcdMembers[2]'",
        "KL307",
        "etcdMembers",
    ),
    "an etcd cluster is taken out": (
        "kops edit cluster --unset spec.etcdClusters[1]",
        "KL307",
        "spec.etcdClusters[1].name is missing",
    ),
    "all members are taken out": (
        "kops edit cluster --unset 'spec.etcdClusters[*].etcdMembers'",
        "KL307",
        "no members defined",
    ),
    "a member moves to another group": (
        f"kops edit cluster --set {MEMBER_0}.instanceGroup=nodes",
        "KL307",
        "must have a member in etcd",
    ),
    "a member is renamed": (
        "kops edit cluster --set 'spec.etcdClusters[*].etcdMembers[2].name=z'",
        "KL203",
        "",
    ),
    "a control plane becomes a worker": (
        "kops edit ig master-a --set spec.role=Node",
        "KL104",
        "role is Node",
    ),
    "a role that there is not": (
        "kops edit ig nodes --set spec.role=Worker",
        "KL307",
        "Worker",
    ),
    "another zone is added to a control plane": (
        "kops edit ig master-a --set spec.subnets=b",
        "KL307",
        "unique zone",
    ),
    "a control plane moves": (
        "kops edit ig master-a --unset spec.subnets --set spec.subnets=d",
        "KL204",
        "moves from zone",
    ),
    "a control plane moves by the index of its subnet": (
        "kops edit ig master-a --set spec.subnets[0]=d",
        "KL204",
        "moves from zone",
    ),
    "a subnet that there is not": (
        "kops edit ig nodes --set spec.subnets=x",
        "KL307",
        '"x"',
    ),
    "two machines in a control plane": (
        "kops edit ig master-a --set spec.maxSize=2",
        "KL307",
        "maxSize",
    ),
    "the volumes lose their encryption": (
        f"kops edit cluster --set '{MEMBER_0.replace('0', '*')}.encryptedVolume=false'",
        "KL207",
        "encryption",
    ),
    "the backups move": (
        "kops edit cluster --set spec.etcdClusters[0].backups.backupStore=s3://other/x",
        "KL210",
        "",
    ),
    "the version of etcd goes back": (
        "kops edit cluster --set 'spec.etcdClusters[*].version=3.4.13'",
        "KL208",
        "",
    ),
    "the version of Kubernetes goes back": (
        "kops edit cluster --set spec.kubernetesVersion=1.30.1",
        "KL219",
        "downgraded",
    ),
    "a control plane on spot machines": (
        "kops edit ig master-a --set spec.maxPrice=0.03",
        "KL220",
        "spot",
    ),
    "the range of pods moves": (
        "kops edit cluster --set spec.networking.nonMasqueradeCIDR=100.96.0.0/11",
        "KL215",
        "",
    ),
    "the range of pods by a name that kops has no longer": (
        "kops edit cluster --set spec.nonMasqueradeCIDR=100.96.0.0/11",
        "KL307",
        "field spec.nonMasqueradeCIDR not found in *Cluster",
    ),
    "the network is cut off": (
        "kops edit cluster --set spec.networking.networkCIDR=172.20.0.0/16",
        "KL307",
        "",
    ),
    "a field that there is not": (
        "kops edit ig nodes --set spec.machinType=m5.large",
        "KL307",
        "field spec.machinType not found",
    ),
    "a value of another type": (
        "kops edit ig nodes --set spec.maxSize=many",
        "KL307",
        'cannot interpret "many"',
    ),
    "a flag without a value": (
        "kops edit ig nodes --set spec.maxSize",
        "KL307",
        "unhandled field",
    ),
    "an item behind the last one": (
        "kops edit cluster --set spec.etcdClusters[7].version=3.5.21",
        "KL307",
        "not found",
    ),
    "a struct as a whole": (
        "kops edit cluster --set 'spec.networking.calico={}'",
        "KL307",
        "unhandled type",
    ),
    "a list without quotes is two flags": (
        "kops edit cluster --set spec.sshAccess=1.2.3.4/32,5.6.7.8/32",
        "KL307",
        "unhandled field",
    ),
    "another way for pods": (
        f"kops edit cluster --unset {NET}.calico --set {NET}.cilium=",
        "KL216",
        "",
    ),
}


@pytest.mark.parametrize("applied", [UPDATE, APPLY], ids=["update", "update and roll"])
@pytest.mark.parametrize(("edit", "rule", "says"), DANGEROUS.values(), ids=DANGEROUS)
def test_a_dangerous_edit_is_an_error(
    edit: str, rule: str, says: str, applied: str
) -> None:
    """Whether or not there is a spec after beside the list."""
    for after in (SPEC, None):
        report = checked(f"{edit}\n{applied}", after=after)

        found = errors(report)
        assert rule in {f.rule for f in report.findings}, report.findings
        told = " ".join(f.message for f in report.findings if f.rule == rule)
        assert says in told
        assert rule not in ("KL307", "KL104", "KL204") or found


SAFE = {
    "more workers": "kops edit ig nodes --set spec.minSize=4 --set spec.maxSize=9",
    "another image for the workers": "kops edit ig nodes --set spec.image=ubuntu-2",
    "labels for nodes": "kops edit ig nodes --set spec.nodeLabels=team=a",
    "a taint": "kops edit ig nodes --set spec.taints=dedicated=a:NoSchedule",
    "two addresses in one flag": (
        """kops edit cluster --set '"spec.sshAccess=10.1.0.0/16,10.2.0.0/16"'"""
    ),
    "the same version again": "kops edit cluster --set spec.kubernetesVersion=1.32.4",
    "a patch of Kubernetes": "kops edit cluster --set spec.kubernetesVersion=1.32.9",
    "an old prefix": "kops edit cluster --set cluster.spec.kubernetesVersion=1.32.9",
    "an old prefix of a group": "kops edit ig nodes --set instancegroup.spec.maxSize=5",
    "a patch of etcd": "kops edit cluster --set 'spec.etcdClusters[*].version=3.5.24'",
    "larger volumes": (
        "kops edit cluster --set 'spec.etcdClusters[*].etcdMembers[*].volumeSize=40'"
    ),
    "nothing that was there": "kops edit ig nodes --unset spec.maxPrice",
    "a workers' price": "kops edit ig nodes --set spec.maxPrice=0.10",
    "a drain timeout": (
        "kops edit cluster --set spec.rollingUpdate.maxUnavailable=10%"
    ),
    "an unset and a set": (
        "kops edit ig nodes --unset spec.subnets --set spec.subnets=b"
    ),
    "a root volume of another size": "kops edit ig nodes --set spec.rootVolume.size=80",
    "more memory for etcd": (
        "kops edit cluster --set 'spec.etcdClusters[*].memoryRequest=200Mi'"
    ),
    "backups kept longer": (
        "kops edit cluster --set 'spec.etcdClusters[*].manager.backupRetentionDays=120'"
    ),
}


@pytest.mark.parametrize("edit", SAFE.values(), ids=SAFE)
def test_a_safe_edit_is_no_error(edit: str) -> None:
    """With and without a spec after."""
    for after in (SPEC, None):
        report = checked(f"{edit}\n{APPLY}", after=after)

        assert [f.message for f in errors(report)] == []
        assert {entry.status for entry in report.timeline} == {"applied"}


def test_an_edit_that_comes_to_the_spec_after_is_that_spec() -> None:
    """What the list stores by flags is not told to be missing."""
    after = SPEC.replace("minSize: 3\n  maxSize: 3", "minSize: 5\n  maxSize: 5")
    edit = "kops edit ig nodes --set spec.minSize=5 --set spec.maxSize=5\n"

    report = checked(edit + UPDATE, after=after)

    assert [f.rule for f in report.findings if f.rule in ("KL405", "KL406")] == []


def test_a_change_in_two_edits_is_judged_at_the_value_of_its_flag() -> None:
    """One minor release after the other is no jump, and both at once are one."""
    first = "kops edit cluster --set spec.kubernetesVersion=1.33.1\n"
    second = "kops edit cluster --set spec.kubernetesVersion=1.34.1\n"

    stepwise = checked(first + APPLY + APPLY + second + APPLY + APPLY, after=None)
    at_once = checked(second + APPLY + APPLY, after=None)

    assert [f for f in stepwise.findings if f.rule == "KL218"] == []
    (jump,) = [f for f in at_once.findings if f.rule == "KL218"]
    assert str(jump.locations[0].span) == "edits.sh:1:48"


def test_a_list_that_ends_on_the_way_does_not_come_back() -> None:
    """The spec after is what it was, and nobody goes there from where the list ends."""
    up = "kops edit cluster --set spec.kubernetesVersion=1.33.1\n"

    report = checked(up + APPLY)

    assert [f for f in report.findings if f.rule == "KL219"] == []


def test_what_a_list_undoes_again_is_judged_twice() -> None:
    """There and back is two changes, and neither is the one under review."""
    there = "kops edit cluster --set spec.kubernetesVersion=1.31.1\n"
    back = "kops edit cluster --set spec.kubernetesVersion=1.32.4\n"

    report = checked(there + APPLY + back + APPLY)

    assert [str(f.locations[0].span) for f in report.findings if f.rule == "KL219"] == [
        "edits.sh:1:48"
    ]


@pytest.mark.parametrize(
    ("edit", "open_part"),
    [
        ("kops edit cluster --set spec.kubernetesVersion=$V", "kubernetesVersion=$V"),
        ('kops edit ig nodes --set "$FIELD=3"', "$FIELD=3"),
        ("kops edit ig nodes --unset $FIELD", "$FIELD"),
    ],
)
def test_what_only_run_time_knows_is_taken_to_be_the_spec_after(
    edit: str, open_part: str
) -> None:
    """And that is said, at the flag."""
    after = SPEC.replace("1.32.4", "1.32.9").replace("maxSize: 3", "maxSize: 4")

    report = checked(f"{edit}\n{UPDATE}", after=after)

    told = [f for f in report.findings if f.rule == "KL902"]
    assert any(open_part in f.message for f in told), report.findings
    assert errors(report) == []


@pytest.mark.parametrize(
    ("kops", "field", "refused"),
    [
        ("1.25", "spec.nonMasqueradeCIDR=100.64.0.0/10", False),
        ("1.26", "spec.nonMasqueradeCIDR=100.64.0.0/10", True),
        ("1.28", "spec.topology.dns.type=Public", True),
        ("1.32", "spec.topology.dns.type=Public", False),
        ("1.27", f"spec.configBase=s3://state/{NAME}", False),
        ("1.30", f"spec.configBase=s3://state/{NAME}", True),
        ("1.30", f"spec.configStore.base=s3://state/{NAME}", False),
    ],
)
def test_a_field_is_called_as_that_release_calls_it(
    kops: str, field: str, refused: bool
) -> None:
    """The names inside kops moved to those of v1alpha3, release by release."""
    minor = f"1.{min(int(kops[2:]), 32)}"
    old = SPEC.replace("1.32.4", f"{minor}.4")

    report = checked(f"kops edit cluster --set {field}\n", old, old, kops)

    assert (report.timeline[1].status == "refused") is refused


def test_four_hundred_edits_are_asked_in_seconds() -> None:
    """The validation is asked once for every set of objects, not once a command."""
    import time

    edits = "".join(
        f"kops edit ig nodes --set spec.maxSize={3 + i % 2}\n{UPDATE}"
        for i in range(200)
    )
    start = time.monotonic()

    checked(edits)

    assert time.monotonic() - start < 20


# --- A list that writes the spec itself -----------------------------------------

MORE = SPEC.replace("minSize: 3\n  maxSize: 3", "minSize: 5\n  maxSize: 5")
FROM_AFTER = f"kops replace -f after.yaml\n{APPLY}"
SHRUNK = cluster("a") + GROUPS


def listed(commands: str, **files: str) -> Report:
    at_hand = tuple(Source(f"{name}.yaml", text) for name, text in files.items())
    return check(
        Request(
            (Source("before.yaml", SPEC),),
            (Source("after.yaml", MORE),),
            (Source("edits.sh", commands),),
            at_hand=at_hand,
        )
    )


def assumptions(report: Report) -> str:
    return " ".join(f.message for f in report.findings if f.rule == "KL902")


WRITTEN = {
    "a copy of a spec that drops members": (
        f"cp shrunk.yaml after.yaml\n{FROM_AFTER}",
        "must have a member in etcd",
    ),
    "a spec moved into its place": (
        f"mv -f shrunk.yaml after.yaml\n{FROM_AFTER}",
        "must have a member in etcd",
    ),
    "a copy by cat": (
        f"cat shrunk.yaml > after.yaml\n{FROM_AFTER}",
        "must have a member in etcd",
    ),
    "sizes by sed in place": (
        f"sed -i 's/Size: 1/Size: 0/' after.yaml\n{FROM_AFTER}",
        "lose quorum for good",
    ),
    "sizes by sed with an expression and a suffix": (
        f"sed -i.bak -e 's/minSize: 1$/minSize: 0/' after.yaml\n{FROM_AFTER}",
        "lose quorum for good",
    ),
    "sizes by sed into another file": (
        (
            "sed 's/minSize: 1/minSize: 2/; s/maxSize: 1/maxSize: 2/'"
            f" after.yaml > x.yaml\nkops replace -f x.yaml\n{APPLY}"
        ),
        "controlPlane InstanceGroup must have minSize set to 1",
    ),
    "a role by yq": (
        (
            'yq -i \'select(.metadata.name == "master-a").spec.role = "Worker"\''
            f" after.yaml\n{FROM_AFTER}"
        ),
        "Worker",
    ),
    "a version by yq": (
        (
            'yq e -i \'(select(.kind == "Cluster") | .spec.kubernetesVersion)'
            f' = "1.30.1"\' after.yaml\n{FROM_AFTER}'
        ),
        "downgraded",
    ),
    "an editor that scales to zero": (
        (
            "export EDITOR='sed -i s/Size:.1/Size:\\ 0/'\n"
            f"kops edit ig master-a\nkops edit ig master-b\n{APPLY}"
        ),
        "lose quorum for good",
    ),
    "an editor that downgrades": (
        f"EDITOR='sed -i s/1.32.4/1.30.1/' kops edit cluster\n{APPLY}",
        "downgraded",
    ),
}


@pytest.mark.parametrize(("commands", "says"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_list_writes_is_worked_out(commands: str, says: str) -> None:
    """The file as it stands is harmless; what the list makes of it is not."""
    report = listed(commands, shrunk=SHRUNK)

    assert says in " ".join(f.message for f in errors(report)), report.findings


WRITERS = {
    "a download": "curl -so after.yaml https://example.com/after.yaml",
    "a download by its address": "wget https://example.com/specs/after.yaml",
    "an option with the file in it": "helm template x --output=after.yaml",
    "a patch": "patch -p1 < change.diff",
    "kustomize": "kustomize build overlays/prod > after.yaml",
    "kubectl kustomize": "kubectl kustomize overlays/prod > after.yaml",
    "envsubst": "envsubst < template.yaml > after.yaml",
    "what is added": "cat more.yaml >> after.yaml",
    "a pipe into tee": "generate | tee after.yaml",
    "another branch": "git checkout release-7",
    "what others pushed": "git pull --ff-only",
    "what was put away": "git stash",
    "an archive": "tar xzf specs.tgz",
    "a folder of a bucket": "aws s3 sync s3://specs .",
    "a sed that deletes": "sed -i '/name: events/,$d' after.yaml",
    "a yq that deletes": "yq -i 'del(.spec.etcdClusters[1])' after.yaml",
    "a value that only run time knows": 'sed -i "s/1.32.4/$VERSION/" after.yaml',
    "a script": "python3 render.py after.yaml",
    "a copy from another machine": "scp builder:specs/after.yaml .",
    "files by a pattern": "sed -i s/1/0/ *.yaml",
    "files that find finds": "find . -name '*.yaml' -exec sed -i s/1/0/ {} +",
    "files in a loop": "for f in *.yaml; do sed -i s/1/0/ $f; done",
}


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_what_is_not_worked_out_is_told(writer: str) -> None:
    """With the file, the writer, and where it stands in the list."""
    report = listed(f"{writer}\n{FROM_AFTER}")

    said = assumptions(report)
    assert "after.yaml holds what it holds now" in said
    assert writer.split(maxsplit=1)[0] in said or "|" in writer or "for" in writer
    assert "in line 1" in said


EDITORS = {
    "a script": "EDITOR=./patch.sh kops edit cluster",
    "one for kubectl": "KUBE_EDITOR='kustomize-edit -x' kops edit cluster",
    "an exported one": "export EDITOR='yq -i del(.spec.x)'\nkops edit ig master-a",
    "a scripted vim": "EDITOR='vim -c %s/1/0/ -c wq' kops edit ig master-a",
}


@pytest.mark.parametrize("edit", EDITORS.values(), ids=EDITORS)
def test_an_editor_that_is_a_program_is_told(edit: str) -> None:
    assert "the editor" in assumptions(listed(f"{edit}\n{UPDATE}"))


HARMLESS = {
    "a backup of what is stored": "kops get all -o yaml > backup.yaml",
    "a copy kept": "cp after.yaml /tmp/after.yaml",
    "another file": "sed -i s/1/0/ other.yaml",
    "a look": "cat after.yaml; git diff after.yaml; git status; git log -1 after.yaml",
    "a new branch": "git checkout -b scale-up",
    "a file written afterwards": "true",
    "a check": "yamllint after.yaml && kopslint check after.yaml",
}


@pytest.mark.parametrize("before", HARMLESS.values(), ids=HARMLESS)
def test_what_leaves_the_spec_alone_is_not_told(before: str) -> None:
    report = listed(
        f"{before}\n{FROM_AFTER}curl -so after.yaml https://example.com/x\n"
    )

    assert assumptions(report) == ""
    assert errors(report) == []


def test_an_editor_of_nobody_changes_nothing() -> None:
    report = listed(f"EDITOR=true kops edit ig nodes\n{UPDATE}")

    assert assumptions(report) == ""
    assert errors(report) == []


@pytest.mark.parametrize(
    ("script", "text", "comes_out"),
    [
        ("s/a/b/", "aa\na", "ba\nb"),
        ("s/a/b/g", "aa\na", "bb\nb"),
        ("s|minSize: .|minSize: 3|", "  minSize: 1", "  minSize: 3"),
        (r"s/\(x\)y/\1z/", "xy", "xz"),
        ("s/a+/b/", "a+ aa", "b aa"),
        ("s/1$/2/;s/2$/3/", "1", "3"),
        (r"s/a\.b/&c/", "a.b", "a.bc"),
        (r"s,/x,/y,", "/x", "/y"),
        (r"s/x/a\/b/", "x", "a/b"),
    ],
)
def test_sed_substitutes_as_posix_says(script: str, text: str, comes_out: str) -> None:
    edit = sed_edit(script)

    assert edit is not None
    assert edit(text) == comes_out


@pytest.mark.parametrize(
    "script", ["/a/d", "1s/a/b/", "y/a/b/", "s/a/b/w out", "s/[[:digit:]]/x/", "s/a"]
)
def test_other_sed_is_not_worked_out(script: str) -> None:
    assert sed_edit(script) is None


def test_yq_replaces_values_in_their_lines_and_does_nothing_else() -> None:
    source = Source("x.yaml", "kind: A\nspec: {n: 1}\n---\nkind: B\nspec:\n  n: 2\n")

    both = yq_assigned(source, ".spec.n = 7")
    one = yq_assigned(source, 'select(.kind == "B") | .spec.n = 7')

    assert both is not None
    assert both.text == "kind: A\nspec: {n: 7}\n---\nkind: B\nspec:\n  n: 7\n"
    assert one is not None
    assert one.text == "kind: A\nspec: {n: 1}\n---\nkind: B\nspec:\n  n: 7\n"
    for expression in (
        ".spec.new = 1",
        "del(.spec.n)",
        ".spec.n += 1",
        ".spec.n = env(N)",
    ):
        assert yq_assigned(source, expression) is None


# --- What is stored at that moment ----------------------------------------------

NEW_ZONE = cluster(subnets="abcde") + GROUPS
IN_NEW_ZONE = group("extra", "Node", "e", 2)
GROWN = NEW_ZONE + IN_NEW_ZONE
SMALL = cluster(subnets="abc") + GROUPS
SPREAD = cluster() + GROUPS + group("extra", "Node", "d", 2)


def stored(commands: str, before: str, after: str) -> Report:
    """What comes of files of one object each, in the order of the list."""
    files = {"cluster": after.partition("---\n")[0], "extra": IN_NEW_ZONE}
    return check(
        Request(
            (Source("before.yaml", before),),
            (Source("after.yaml", after),),
            (Source("edits.sh", commands),),
            at_hand=tuple(Source(f"{n}.yaml", t) for n, t in files.items()),
        )
    )


REFUSED = {
    "an update between a group and its subnet": (
        f"kops create -f extra.yaml\n{UPDATE}kops replace -f cluster.yaml\n{UPDATE}",
        SPEC,
        GROWN,
        2,
    ),
    "a dry run between a group and its subnet": (
        (
            "kops create -f extra.yaml\nkops update cluster\n"
            f"kops replace -f cluster.yaml\n{UPDATE}"
        ),
        SPEC,
        GROWN,
        2,
    ),
    "a group created by a subnet that is not stored": (
        f"kops create ig extra --subnet e --role Node\nkops edit cluster\n{UPDATE}",
        SPEC,
        GROWN,
        1,
    ),
    "a zone taken away before the group that uses it": (
        f"kops replace -f cluster.yaml\n{UPDATE}kops delete ig extra --yes\n{UPDATE}",
        SPREAD,
        SMALL,
        2,
    ),
    "a zone taken away in an editor before its group": (
        f"kops edit cluster\nkops delete ig extra --yes\n{UPDATE}",
        SPREAD,
        SMALL,
        1,
    ),
    "a version that kops cannot read": (
        f"kops replace -f after.yaml\n{UPDATE}",
        SPEC,
        SPEC.replace("1.32.4", "latest"),
        1,
    ),
}


@pytest.mark.parametrize(
    ("commands", "before", "after", "step"), REFUSED.values(), ids=REFUSED
)
def test_a_command_is_refused_for_what_is_stored_by_then(
    commands: str, before: str, after: str, step: int
) -> None:
    report = stored(commands, before, after)

    assert report.timeline[step].status == "refused"
    assert errors(report)
    assert all(e.status != "refused" for e in report.timeline[:step])


ACCEPTED = {
    "the subnet first": (
        f"kops replace -f cluster.yaml\nkops create -f extra.yaml\n{UPDATE}",
        SPEC,
        GROWN,
    ),
    "the group first and one update": (
        f"kops create -f extra.yaml\nkops replace -f cluster.yaml\n{UPDATE}",
        SPEC,
        GROWN,
    ),
    "all in one file": (f"kops replace --force -f after.yaml\n{UPDATE}", SPEC, GROWN),
    "the group gone before its zone": (
        f"kops delete ig extra --yes\nkops replace -f cluster.yaml\n{UPDATE}",
        SPREAD,
        SMALL,
    ),
    "the zone edited away behind its group": (
        f"kops delete ig extra --yes\nkops edit cluster\n{UPDATE}",
        SPREAD,
        SMALL,
    ),
    "a group by its flags behind the subnet": (
        (
            "kops replace -f cluster.yaml\n"
            f"kops create ig extra --subnet e --role Node\n{UPDATE}"
        ),
        SPEC,
        GROWN,
    ),
}


@pytest.mark.parametrize(
    ("commands", "before", "after"), ACCEPTED.values(), ids=ACCEPTED
)
def test_an_order_that_kops_takes_is_no_error(
    commands: str, before: str, after: str
) -> None:
    report = stored(commands, before, after)

    assert [f.message for f in errors(report)] == []
    assert {e.status for e in report.timeline} == {"applied"}


@pytest.mark.parametrize("guard", ["set -e\n{}", "{}"], ids=["set -e", "no guard"])
def test_nothing_runs_behind_a_refused_spec_where_the_list_stops(guard: str) -> None:
    """The object is told once, and the command that stores it is refused."""
    broken = SPEC.replace("1.32.4", "latest")
    commands = f"kops replace -f after.yaml\n{UPDATE}{ROLL}"

    report = stored(guard.format(commands), SPEC, broken)

    stops = "set -e" in guard
    assert len(report.timeline) == (2 if stops else 4)
    assert report.timeline[1].status == "refused"
    assert [f.rule for f in errors(report) if f.rule in ("KL307", "KL129")] == ["KL129"]


def test_the_step_after_a_refused_one_is_not_run_behind_and() -> None:
    broken = SPEC.replace("1.32.4", "latest")

    report = stored(
        "kops replace -f after.yaml && kops delete ig nodes --yes", SPEC, broken
    )

    assert [entry.step for entry in report.timeline] == [0, 1]
    assert report.timeline[1].status == "refused"


def test_what_the_running_cluster_has_already_is_no_refusal() -> None:
    """Its kops took it, so the next update does as well."""
    odd = SPEC.replace("networking: {calico: {}}", "networking: {weave: {}}")
    more = odd.replace("minSize: 3\n  maxSize: 3", "minSize: 5\n  maxSize: 5")

    report = stored(f"kops replace -f after.yaml\n{APPLY}", odd, more)

    assert {entry.status for entry in report.timeline} == {"applied"}
