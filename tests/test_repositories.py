"""Repositories as they are: no configuration, specs and templates under any name."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from kopslint.cli.program import run
from kopslint.syntax.yaml import read_yaml
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.k8s.local
spec:
  cloudProvider: aws
  configBase: s3://store/demo.k8s.local
  etcdClusters:
  - name: main
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
  - name: events
    etcdMembers:
    - {name: a, instanceGroup: master-a}
    - {name: b, instanceGroup: master-b}
    - {name: c, instanceGroup: master-c}
  kubernetesApiAccess: [10.0.0.0/8]
  kubernetesVersion: 1.29.3
  networkCIDR: 10.0.0.0/16
  networking: {calico: {}}
  nonMasqueradeCIDR: 100.64.0.0/10
  subnets:
  - {name: a, zone: us-east-1a, type: Public, cidr: 10.0.1.0/24}
  - {name: b, zone: us-east-1b, type: Public, cidr: 10.0.2.0/24}
  - {name: c, zone: us-east-1c, type: Public, cidr: 10.0.3.0/24}
  topology: {dns: {type: None}}
"""


def group(name: str, role: str = "Master", cluster: str = "demo.k8s.local") -> str:
    return f"""\
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels: {{kops.k8s.io/cluster: {cluster}}}
  name: {name}
spec:
  image: ubuntu
  machineType: m5.large
  maxSize: 1
  minSize: 1
  role: {role}
  subnets: [{name[-1] if name[-1] in "abc" else "a"}]
"""


GROUPS = "---\n".join(
    [*(group(f"master-{zone}") for zone in "abc"), group("nodes", "Node")]
)
TEMPLATED = CLUSTER.replace("1.29.3", "{{ .version }}")


class Repository:
    """A repository in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.email=a@b", "-c", "user.name=a", *words],
            cwd=self.root,
            check=True,
            capture_output=True,
        )

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files: Mapping[str, str | bytes]) -> None:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-qm", "x")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path)


def check(
    *words: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[tuple[str, str, str]], str]:
    """The status, the findings as place, severity and rule, and all that was said."""
    capsys.readouterr()
    status = run(["check", "--format=concise", *words])
    said, errors = capsys.readouterr()
    found = []
    for line in said.splitlines():
        place, _, rest = line.partition(": ")
        severity, _, rule = rest.partition("]")[0].partition("[")
        if rule.startswith("KL"):
            found.append((place, severity, rule))
    return status, found, said + errors


def errors_of(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [each for each in found if each[1] == "error"]


def test_a_plain_check_finds_the_specs_by_what_they_hold(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(
        {
            "a/cluster.yaml.template": CLUSTER,
            "a/groups": GROUPS,
            "README.md": f"```\n{group('other')}```\n",
            "values.yaml": "a: 1\n",
        }
    )
    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, [])
    assert "no findings" in said or "1 info" in said or not found


def test_a_change_is_found_whatever_the_file_is_called(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml.tpl": CLUSTER, "g.tmpl": GROUPS})
    repository.git("checkout", "-qb", "x")
    fewer = CLUSTER.replace("    - {name: c, instanceGroup: master-c}\n", "")
    repository.commit({"c.yaml.tpl": fewer})

    status, found, _ = check("--changed", capsys=capsys)

    assert status == 1
    assert ("c.yaml.tpl:10:5", "error", "KL103") in found


def test_a_changed_value_is_a_change_of_what_it_renders(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(
        {"c.yaml": TEMPLATED, "g.yaml": GROUPS, "values.yaml": "version: 1.29.3\n"}
    )
    repository.git("checkout", "-qb", "x")
    repository.commit({"values.yaml": "version: 1.31.0\n"})

    status, found, _ = check("--changed", capsys=capsys)
    _, _, said = check("--changed", "--format=json=report.json", capsys=capsys)
    places = json.loads((repository.root / "report.json").read_text())["findings"]
    paths = [place["path"] for place in places[0]["locations"]]

    assert (status, found) == (0, [("c.yaml:20:22", "warning", "KL218")])
    assert paths == ["c.yaml", "values.yaml", "c.yaml", "values.yaml"], said


MAKEFILE = """\
ENV ?= dev
spec:
\tkops toolbox template --template t/c.tmpl --template t/g.tmpl \\
\t  --values envs/$(ENV).yaml --snippets snippets --output out.yaml
"""
LOOPING = """\
{{ range .zones -}}
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels: {kops.k8s.io/cluster: {{ $.name }}}
  name: master-{{ . }}
spec:
  {{ include "sizes" $ | indent 2 }}
  image: ubuntu
  role: Master
  subnets: [{{ . }}]
---
{{ end -}}
"""
ENVIRONMENT = (
    "name: {}.k8s.local\nversion: 1.29.3\nzones: [a, b, c]\nmachine: m5.large\n"
)


def templates() -> dict[str, str | bytes]:
    return {
        "Makefile": MAKEFILE,
        "t/c.tmpl": TEMPLATED.replace("demo.k8s.local", "{{ .name }}"),
        "t/g.tmpl": LOOPING.rstrip("\n").removesuffix("---\n{{ end -}}")
        + "---\n{{ end }}",
        "snippets/sizes": "machineType: {{ .machine }}\nminSize: 1\nmaxSize: 1\n",
        "envs/dev.yaml": ENVIRONMENT.format("dev"),
        "envs/prod.yaml": ENVIRONMENT.format("prod"),
    }


def test_the_arguments_are_those_of_the_calls_for_every_file_that_a_variable_means(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(templates())
    repository.git("checkout", "-qb", "x")
    changed = ENVIRONMENT.format("prod").replace(", c]", "]")
    repository.commit({"envs/prod.yaml": changed})

    status, found, _ = check("--changed", capsys=capsys)

    assert status == 1
    assert ("t/c.tmpl:13:32", "error", "KL101") in found


def test_a_changed_snippet_is_a_change_of_every_cluster_that_it_is_in(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(templates())
    repository.git("checkout", "-qb", "x")
    repository.commit(
        {"snippets/sizes": "machineType: {{ .machine }}\nminSize: many\nmaxSize: 1\n"}
    )
    status, found, _ = check("--changed", capsys=capsys)

    assert status == 1
    assert {place for place, _, _ in errors_of(found)} == {"snippets/sizes:2:10"}


def test_a_value_that_nobody_knows_is_said_and_not_judged(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CLUSTER.replace("1.29.3", "{{ .version }}").replace(
        "  topology:", "{{ if .private }}\n  sshKeyName: x\n{{ end }}\n  topology:"
    )
    repository.commit({"c.tmpl": text, "g.yaml": GROUPS})

    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, [])
    assert "KL902" in {rule for _, _, rule in found}
    assert "assumed: this condition of a template is true: .private" in said


@pytest.mark.parametrize(
    "text",
    [
        '%{ if x != "" ~}\n  sshKeyName: ${x}\n%{ endif ~}\n',
        "%{ for z in zones ~}\n  # ${z}\n%{ endfor ~}\n",
        "{% if x %}\n  sshKeyName: {{ x | default('y') }}\n{% endif %}\n",
        "{{- if .Values.x }}\n  sshKeyName: {{ .Values.x }}\n{{- end }}\n",
    ],
)
def test_other_templates_are_read_with_marks(
    repository: Repository, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.tpl": CLUSTER + text, "g.yaml": GROUPS})
    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said
    assert "assumed: this " in said


@pytest.mark.parametrize(
    "value", ["${STORE}", "$STORE", "<your-store>", "{{ .store }}"]
)
def test_what_is_left_to_be_filled_in_is_no_other_value(
    repository: Repository, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml": CLUSTER, "g.yaml": GROUPS})
    repository.git("checkout", "-qb", "x")
    repository.commit({"c.yaml": CLUSTER.replace("s3://store/", f"s3://{value}/")})

    status, found, _ = check("--changed", capsys=capsys)

    assert (status, [rule for _, _, rule in found]) == (0, ["KL902"])


def test_a_file_that_cannot_be_read_is_a_finding_and_the_rest_is_checked(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(
        {
            "specs/c.yaml": CLUSTER.replace("cidr: 10.0.1.0/24", "cidr: x"),
            "specs/g.yaml": GROUPS,
            "specs/secret.yaml": b"\0GITCRYPT\0\x73\x6c",
            "specs/broken.yaml": group("nodes").replace("spec:", "spec: [1"),
        }
    )
    status, found, said = check("specs", capsys=capsys)

    assert status == 1
    assert ("specs/secret.yaml:1:1", "warning", "KL110") in found
    assert "encrypted by git-crypt" in said
    assert any(place.startswith("specs/broken.yaml") for place, _, _ in found)
    assert any(place.startswith("specs/c.yaml") for place, _, _ in errors_of(found))


def test_a_template_that_kops_refuses_is_said_with_its_place(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({**templates(), "other/c.yaml": CLUSTER})
    repository.git("checkout", "-qb", "x")
    repository.commit(
        {"envs/dev.yaml": "name: dev.k8s.local\nzones: [a]\nmachine: x\n"}
    )
    repository.write({"other/c.yaml": CLUSTER.replace("10.0.0.0/8", "10.0.0.0/9")})

    status, found, said = check("--changed", capsys=capsys)

    assert status == 1
    assert ("t/c.tmpl:20:25", "error", "KL110") in found, said
    assert 'map has no entry for key "version"' in said


def test_what_is_rendered_and_committed_is_not_written_twice(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(
        {
            "c.tmpl": CLUSTER.replace("demo", '{{ "demo" }}'),
            "c.yaml": CLUSTER,
            "g.yaml": GROUPS,
        }
    )
    status, found, _ = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, [])


def test_a_template_on_the_standard_input_has_no_values(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository.write({"x.tmpl": TEMPLATED})
    status, found, _ = check("x.tmpl", capsys=capsys)

    assert status == 0
    assert [rule for _, _, rule in found] == ["KL902"]


def test_files_with_one_cluster_are_ways_to_write_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml": CLUSTER, "c.ipv6.yaml": CLUSTER, "g.yaml": GROUPS})
    status, found, _ = check(capsys=capsys)
    assert (status, found) == (0, [])

    repository.git("checkout", "-qb", "x")
    repository.commit({"c.ipv6.yaml": CLUSTER.replace("10.0.0.0/8", "10.0.0.0/99")})
    status, found, _ = check("--changed", capsys=capsys)
    assert {place for place, _, _ in errors_of(found)} == {"c.ipv6.yaml:19:25"}


def test_a_group_without_a_label_belongs_to_the_cluster_beside_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = group("nodes", "Node").replace(
        "  labels: {kops.k8s.io/cluster: demo.k8s.local}\n", ""
    )
    masters = "---\n".join(group(f"master-{zone}") for zone in "abc")
    repository.commit({"c.yaml": CLUSTER, "masters.yaml": masters, "nodes.yaml": nodes})
    repository.git("checkout", "-qb", "x")
    repository.commit({"c.yaml": CLUSTER.replace("10.0.0.0/8", "10.0.0.0/9")})

    _, found, _ = check("--changed", capsys=capsys)

    assert "KL127" not in {rule for _, _, rule in found}


def test_two_templates_with_one_placeholder_for_a_name_are_two_groups(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    text = group("${name}", "Node", '"${cluster}"')
    repository.commit({"spot.yaml": text, "ondemand.yaml": text})
    status, found, _ = check(capsys=capsys)

    assert (status, found) == (0, [])


def test_a_template_that_is_taken_away_is_no_cluster_that_has_gone(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    text = group("${name}", "Node", '"${cluster}"')
    repository.commit({"c.yaml": CLUSTER, "g.yaml": GROUPS, "t/spot.yaml": text})
    repository.git("checkout", "-qb", "x")
    repository.git("rm", "-q", "t/spot.yaml")

    status, found, _ = check("--changed", capsys=capsys)

    assert (status, found) == (0, [])


@pytest.mark.parametrize(
    "lines",
    [
        "  subnets:\n${private}${public}\n  sshKeyName: x\n",
        "  ${more}\n  sshKeyName: x\n",
        "  additionalPolicies:\n    node: |\n      ${policy}\n  sshKeyName: x\n",
        "  cloudLabels:\n    ${labels}\n    a: b\n",
    ],
)
def test_a_line_that_stands_for_lines_breaks_nothing(
    repository: Repository, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, tail = CLUSTER.partition("  subnets:\n")
    kept = "" if lines.startswith("  subnets") else "  subnets:\n" + tail
    repository.commit({"c.tpl": head + lines + kept, "g.yaml": GROUPS})
    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said


def test_doctor_shows_what_was_found(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({**templates(), "other/c.conf": CLUSTER})
    run(["doctor"])
    said = capsys.readouterr().out

    assert "  other/c.conf" in said
    assert "  rendered from t/c.tmpl, t/g.tmpl with envs/dev.yaml" in said
    assert "  rendered from t/c.tmpl, t/g.tmpl with envs/prod.yaml" in said


BRING_UP = "kops create -f c.yaml -f g.yaml\nkops update cluster demo.k8s.local --yes\n"


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"up.sh": BRING_UP}, {"up.sh:1:1": "info[KL902]"}),
        ({"up.sh": f"./bucket.sh\n{BRING_UP}"}, {"up.sh:2:1": "info[KL902]"}),
        (
            {"up.sh": BRING_UP, "g.sh": "kops delete ig master-c --yes\n"},
            {"up.sh:1:1": "info[KL902]", "g.sh:1:1": "warning[KL303]"},
        ),
        (
            {"up.sh": f"{BRING_UP}kops rolling-update cluster --yes\n"},
            {"up.sh:1:1": "error[KL307]"},
        ),
        (
            {"up.sh": f"kops delete ig nodes --yes\n{BRING_UP}"},
            {"up.sh:2:1": "error[KL307]"},
        ),
        ({"up.sh": "kops create -f g.yaml\n"}, {"up.sh:1:1": "error[KL307]"}),
    ],
)
def test_a_list_that_made_the_cluster_is_no_order_of_a_change(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    lists: dict[str, str],
    expected: dict[str, str],
) -> None:
    repository.write({"c.yaml": CLUSTER, "g.yaml": GROUPS, **lists})
    listed = [word for name in lists for word in ("--commands", name)]

    words = ("--no-config", "--no-timeline", "c.yaml", "g.yaml", *listed)
    _, found, told = check(*words, capsys=capsys)

    assert "changes the cluster" not in told
    said = {place: f"{severity}[{rule}]" for place, severity, rule in found}
    assert {place: said.get(place) for place in expected} == expected
    if len(lists) == 1 and "KL902" in str(expected):
        assert not errors_of(found)


def test_what_a_change_breaks_is_seen_beside_the_list_that_made_the_cluster(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml": CLUSTER, "g.yaml": GROUPS, "up.sh": BRING_UP})
    repository.git("checkout", "-qb", "x")
    fewer = CLUSTER.replace("    - {name: c, instanceGroup: master-c}\n", "")
    repository.commit({"c.yaml": fewer})

    _, without, _ = check("--changed", capsys=capsys)
    _, found, _ = check("--changed", "--commands", "up.sh", capsys=capsys)

    assert errors_of(found)
    assert errors_of(found) == errors_of(without)
    assert "KL307" not in {rule for *_, rule in found}


def test_a_bring_up_list_that_nobody_touched_fails_no_change(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = f"{BRING_UP}kops rolling-update cluster --yes\n"
    groups = "---\n".join(group(f"master-{zone}") for zone in "abc")
    files = {"c.yaml": CLUSTER, "g.yaml": groups, "up.sh": mixed}
    repository.commit({**files, "n.yaml": group("nodes", "Node")})
    repository.git("checkout", "-qb", "x")
    wider = group("nodes", "Node").replace("maxSize: 1", "maxSize: 4")
    repository.commit({"n.yaml": wider})

    words = ("--changed", "--commands", "up.sh")
    status, found, _ = check(*words, capsys=capsys)
    counted, everything, _ = check(*words, "--all", capsys=capsys)

    assert (status, errors_of(found)) == (0, [])
    assert (counted, *errors_of(everything)) == (1, ("up.sh:1:1", "error", "KL307"))


def masters(names: str) -> str:
    return "---\n".join(group(f"master-{zone}") for zone in names)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a", "abc", ("CAUTION", [("warning", "KL213")])),
        ("abcde", "abc", ("NOT PROVEN", [("error", "KL901"), ("warning", "KL205")])),
        ("abc", "ab", ("NOT PROVEN", [("error", "KL901"), ("warning", "KL205")])),
        ("abc", "abd", ("NOT PROVEN", [("error", "KL901"), ("warning", "KL205")])),
        ("abc", "abc", ("SAFE", [])),
        ("", "abc", ("SAFE", [])),
    ],
)
def test_groups_without_their_cluster_prove_nothing_of_etcd(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    expected: tuple[str, list[tuple[str, str]]],
) -> None:
    workers = group("nodes", "Node")
    repository.write(
        {
            "b.yaml": f"{workers}---\n{masters(before)}",
            "a.yaml": f"{workers}---\n{masters(after)}",
        }
    )
    words = ("--no-config", "--before", "b.yaml", "--after", "a.yaml")

    run(["check", "--format=json", *words])
    report = json.loads(capsys.readouterr().out)

    found = {(each["severity"], each["rule"]) for each in report["findings"]}
    assert (report["summary"]["verdict"], sorted(found)) == expected
    fixes = [line for each in report["findings"] for line in each["fix"]]
    assert not any("delete" in line for line in fixes)


def test_a_list_beside_groups_without_their_cluster_is_replayed(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write({"b.yaml": masters("abc"), "a.yaml": masters("ab")})
    repository.write({"x.sh": "kops delete ig master-c --yes\n"})
    sides = ("--before", "b.yaml", "--after", "a.yaml", "--commands", "x.sh")

    _, found, _ = check("--no-config", *sides, capsys=capsys)

    assert ("x.sh:1:1", "error", "KL301") in found
    assert "KL901" not in {rule for *_, rule in found}


DELETION = "kops delete ig master-c --yes"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "Makefile",
            f"out/%.yml: values/%.yml\n\tkops replace --force -f $@\n\t{DELETION}\n",
            ("Makefile:3:2", "error", "KL301"),
        ),
        (
            "x.mk",
            (
                "SPEC = o.yaml\n$(SPEC): v.yaml\n\tkops toolbox template --values "
                f"$(subst ./,,$(wildcard ./v.yaml))\n\t{DELETION}\n"
            ),
            ("x.mk:4:2", "error", "KL301"),
        ),
        ("x.md", f"# H\n\n* `{DELETION}`\n", ("x.md:3:4", "error", "KL301")),
        ("x.md", f"# H\n\n* `$ {DELETION}`\n", ("x.md:3:6", "error", "KL301")),
        ("x.md", f"# H\n\n- Apply: `{DELETION}`\n", ("x.md:3:11", "error", "KL301")),
        ("x.md", f"# H\n\n- {DELETION}\n", ("x.md:3:3", "error", "KL301")),
        ("x.md", f"# H\n\n1. {DELETION}\n", ("x.md:3:4", "error", "KL301")),
        ("x.md", f"# H\n\n {DELETION}\n", ("x.md:3:2", "error", "KL301")),
    ],
)
def test_a_deletion_is_found_however_the_list_is_written(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    expected: tuple[str, str, str],
) -> None:
    repository.write({"c.yaml": CLUSTER, "g.yaml": GROUPS, name: text})

    words = ("--no-config", "c.yaml", "g.yaml", "--commands", name)
    status, found, said = check(*words, capsys=capsys)

    assert status == 1
    assert expected in found, said


@pytest.mark.parametrize(
    ("values", "guard"),
    [
        ("export NAME=\nexport KEY=\n", '[ -n "$NAME" ] || exit 1\n'),
        ("export NAME=\nexport KEY=\n", ': "${NAME:?fill in values.sh}"\n'),
        ("export NAME=<cluster>\nexport KEY=<key>\n", ""),
    ],
)
def test_values_that_are_to_be_filled_in_are_no_errors(
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    values: str,
    guard: str,
) -> None:
    up = "kops create secret --name $NAME sshpublickey admin -i $KEY\n"
    lines = f"source ./values.sh\n{guard}{up}kops update cluster $NAME --yes\n"
    repository.write({"c.yaml": CLUSTER, "g.yaml": GROUPS})
    repository.write({"values.sh": values, "up.sh": lines})

    words = ("--no-config", "c.yaml", "g.yaml", "--commands", "up.sh")
    status, found, said = check(*words, capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said


@pytest.mark.parametrize("value", ["$ALLOWED", "${ALLOWED}", "<allowed>"])
def test_a_value_to_be_filled_in_is_said_once_for_each(
    repository: Repository, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    filled = CLUSTER.replace("[10.0.0.0/8]", f"['{value}', '$OTHER']").replace(
        "networkCIDR: 10.0.0.0/16", f"networkCIDR: '{value}'"
    )
    repository.write({"c.yaml": filled, "g.yaml": GROUPS})
    status, found, said = check("--no-config", "c.yaml", "g.yaml", capsys=capsys)

    assert (status, [rule for _, _, rule in found]) == (0, ["KL902"])
    assert f"these 2 values are right once filled in: {value}, $OTHER" in said


def test_names_that_break_a_habit_are_one_finding_for_a_cluster(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = "---\n".join(group(f"appGroup-{n}", "Node") for n in range(3))
    repository.write({"c.yaml": CLUSTER, "g.yaml": f"{GROUPS}---\n{groups}"})
    _, found, said = check("--no-config", "c.yaml", "g.yaml", capsys=capsys)

    assert [rule for _, _, rule in found] == ["KL114"], said


def test_an_old_error_fails_no_change_of_something_else(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = f"{CLUSTER}  sshKeyName: a\n  sshKeyName: b\n"
    repository.commit({"c.yaml": twice, "g.yaml": GROUPS})
    repository.git("checkout", "-qb", "x")
    workers = group("nodes", "Node")
    wider = workers.replace("maxSize: 1", "maxSize: 4")
    repository.commit({"g.yaml": GROUPS.replace(workers, wider)})

    status, found, said = check("--changed", capsys=capsys)
    counted, everything, _ = check("--changed", "--all", capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said
    assert (counted, [rule for *_, rule in everything]) == (1, ["KL109"])


def test_the_settings_say_what_a_template_is_rendered_with(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (
        "templates:\n- template: [t/*.tmpl]\n  values: [data/one.conf]\n"
        "  snippets: [parts]\n  set: [version=1.29.3]\n"
    )
    files = {
        "t/c.tmpl": TEMPLATED.replace("demo.k8s.local", "{{ .name }}"),
        "t/g.tmpl": LOOPING.replace("---\n{{ end -}}\n", "{{ end }}").replace(
            "{{ range .zones -}}",
            "{{ range $n, $_ := .zones }}{{ if $n }}---\n{{ end -}}",
        ),
        "parts/sizes": "machineType: {{ .machine }}\nminSize: 1\nmaxSize: 1\n",
        "data/one.conf": ENVIRONMENT.format("one").replace("version: 1.29.3\n", ""),
        ".kopslint.yaml": given,
    }
    repository.commit(files)
    _, found, said = check(capsys=capsys)
    assert [rule for *_, rule in found] == ["KL127"], said

    repository.git("checkout", "-qb", "x")
    changed = files["data/one.conf"].replace(", c]", "]")
    repository.commit({"data/one.conf": changed})
    _, found, said = check("--changed", capsys=capsys)

    assert ("t/c.tmpl:13:32", "error", "KL101") in found, said


def settings_here(repository: Repository) -> dict[str, object]:
    source = Source(
        ".kopslint.yaml", (repository.root / ".kopslint.yaml").read_text("utf-8")
    )
    documents = read_yaml(source)
    root = documents[0].root if documents else None
    plain: object = root.plain if root is not None else {}
    assert isinstance(plain, dict)
    return plain


def test_init_writes_down_what_was_found(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(
        {
            "a/c.tmpl": TEMPLATED,
            "a/values.yaml": "version: 1.29.3\n",
            "a/g.yaml": GROUPS,
            "roll": "#!/bin/bash\nkops rolling-update cluster --yes\n",
            "up.sh": BRING_UP,
            ".kops-version": "1.29.2\n",
            "docs.md": "kops is a tool to create clusters\n",
        }
    )
    before = check(capsys=capsys)
    assert run(["init"]) == 0

    assert settings_here(repository) == {
        "specs": ["a/c.tmpl", "a/g.yaml"],
        "templates": [{"template": ["a/c.tmpl"], "values": ["a/values.yaml"]}],
        "commands": ["roll"],
        "kops-version": "1.29",
    }
    status, found, _ = check(capsys=capsys)
    # The version is no assumption any more.
    assert (status, found) == (before[0], [f for f in before[1] if f[2] != "KL902"])
    assert run(["doctor"]) == 0


def test_init_says_which_list_is_for_which_cluster(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("one.example.com", "two.example.com")
    files = {f"{n}.yaml": CLUSTER.replace("demo.k8s.local", n) for n in names}
    rolls = {f"{n[:3]}.sh": f"kops rolling-update cluster {n} --yes\n" for n in names}
    repository.commit({**files, **rolls, "all.sh": "kops update cluster --yes\n"})
    run(["doctor"])
    said = capsys.readouterr().out
    run(["init"])

    assert settings_here(repository)["commands"] == {
        "*": ["all.sh"],
        "one.example.com": ["one.sh"],
        "two.example.com": ["two.sh"],
    }
    assert "  one.sh for one.example.com\n" in said
    assert "  all.sh for the cluster at hand\n" in said


@pytest.mark.parametrize("name", ["a b.yaml", "[x].yaml", "#.yaml", "{a}!.yaml"])
def test_init_writes_names_that_yaml_and_patterns_take_otherwise(
    repository: Repository, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    repository.commit({name: CLUSTER + "---\n" + GROUPS})
    before = check(capsys=capsys)
    run(["init"])

    assert len(list(settings_here(repository))) == 1
    assert check(capsys=capsys) == before


def test_init_leaves_several_ways_to_write_a_cluster_to_be_found(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml": CLUSTER, "c.ipv6.yaml": CLUSTER, "g.yaml": GROUPS})
    run(["init"])
    status, found, _ = check(capsys=capsys)

    assert settings_here(repository) == {}
    assert (status, found) == (0, [])


def test_an_archive_is_no_spec(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.yaml": CLUSTER, "g.yaml": GROUPS, "a.whl": b"PK\0\xff!<\xfe"})
    run(["doctor"])
    told = capsys.readouterr().out
    status, found, said = check(capsys=capsys)

    assert "a.whl" not in told
    assert (status, found) == (0, []), said


def test_new_files_with_one_placeholder_for_a_cluster_are_ways_to_write_it(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"README": "x\n"})
    repository.git("checkout", "-qb", "x")
    named = (CLUSTER + "---\n" + GROUPS).replace("demo.k8s.local", "'${cluster}'")
    other = named.replace("master-", "control-")
    repository.commit({"t/one.yaml": named, "t/two.yaml": other})
    status, found, said = check("--changed", capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said


CHOICE = CLUSTER.replace(
    "    - {name: c, instanceGroup: master-c}\n",
    "    {{ if .three -}}\n    - {name: c, instanceGroup: master-c}\n    {{ end }}\n",
    1,
)


def test_a_condition_that_nobody_knows_is_followed_both_ways(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"c.tmpl": CHOICE, "g.yaml": GROUPS})
    status, found, said = check(capsys=capsys)
    assert status == 1
    assert ("c.tmpl:10:5", "error", "KL103") in found, said
    assert "this condition of a template is true: .three" in said
    assert "this condition of a template is false: .three" in said

    repository.git("checkout", "-qb", "x")
    repository.commit({"c.tmpl": CHOICE.replace("10.0.0.0/8", "10.0.0.0/9")})
    status, found, said = check("--changed", capsys=capsys)
    assert (status, errors_of(found)) == (0, []), said
    status, found, said = check("--changed", "--all", capsys=capsys)
    assert ("c.tmpl:10:5", "error", "KL103") in found, said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if .big", "if not .big"),
        ("if eq .env `prod`", "if eq .env `dev`"),
        ("if eq .env `prod`", "if ne .env `prod`"),
        ("if (not .big)", "if .big"),
    ],
)
def test_conditions_that_exclude_each_other_never_both_hold(
    repository: Repository, capsys: pytest.CaptureFixture[str], one: str, other: str
) -> None:
    text = (
        f"{CLUSTER}{{{{ {one} }}}}  sshKeyName: a\n{{{{ end }}}}"
        f"{{{{ {other} }}}}  sshKeyName: b\n{{{{ end }}}}"
    )
    repository.commit({"c.tmpl": text, "g.yaml": GROUPS})
    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said


def test_a_template_that_refuses_one_way_is_followed_the_other_way(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = '{{ if not .version }}{{ fail "set version" }}{{ end -}}\n'
    repository.commit({"c.tmpl": guard + TEMPLATED, "g.yaml": GROUPS})
    status, found, said = check(capsys=capsys)

    assert (status, errors_of(found)) == (0, []), said


@pytest.mark.parametrize("name", ["all.json", "all.yaml"])
def test_what_kops_get_prints_as_an_array_is_read(
    repository: Repository, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    documents = read_yaml(Source("x", f"{CLUSTER}---\n{GROUPS}"))
    objects = [each.root.plain for each in documents if each.root is not None]
    repository.write({name: json.dumps(objects, indent=1)})
    status, found, said = check("--no-config", name, capsys=capsys)
    assert (status, found) == (0, []), said

    objects[0]["spec"]["etcdClusters"][0]["etcdMembers"].pop()  # type: ignore[index, call-overload, union-attr]
    repository.write({"after.json": json.dumps(objects, indent=1)})
    sides = ("--no-config", "--before", name, "--after", "after.json")
    _, found, said = check(*sides, capsys=capsys)

    assert "KL103" in {rule for *_, rule in errors_of(found)}, said


def test_what_kops_completes_for_terraform_is_compared_and_not_judged(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "tf/data/aws_s3_object_cluster-completed.spec_content"
    completed = f"{CLUSTER}  docker: {{skipInstall: true}}\n  networkID: 12\n"
    repository.commit({name: completed, "tf/kubernetes.tf": "locals {}\n"})
    for words in ((), ("--no-config", "tf")):
        status, found, said = check(*words, capsys=capsys)
        assert (status, [rule for *_, rule in found]) == (0, ["KL902"]), said

    repository.git("checkout", "-qb", "x")
    fewer = completed.replace("    - {name: c, instanceGroup: master-c}\n", "")
    repository.commit({name: fewer})
    status, found, said = check("--changed", capsys=capsys)

    assert (f"{name}:10:5", "error", "KL103") in found, said
    assert "KL213" in {rule for *_, rule in found}
