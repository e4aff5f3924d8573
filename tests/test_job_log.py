"""Nothing of an input is a command to the runner whose log it comes into.

The two readers below are written after those of the runners and share nothing with
kopslint.
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kopslint.cli.options import Format
from kopslint.cli.program import run
from kopslint.report.job_log import Written, inert

if TYPE_CHECKING:
    from pathlib import Path

# What .NET's ReadLine ends a line at, and more than it.
_LINES = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
OWN = re.compile(r"::(?:error|warning|notice) [^\n]*::")


def commands_in(printed: str) -> list[str]:
    """The lines that GitHub's, Azure's or TeamCity's runner would obey."""
    return [
        line
        for line in _LINES.split(printed)
        if line.lstrip().startswith("::") or re.search(r"##[A-Za-z]*\[", line)
    ]


HOSTILE = st.text(st.sampled_from("#:[]vsoterrmciy \t\n\r\v\x85\u2028\u3000a1\x1b%"))


@given(HOSTILE)
def test_no_text_holds_a_command(text: str) -> None:
    assert commands_in(inert(text)) == []
    assert inert(inert(text)) == inert(text)


@given(st.text(st.sampled_from("abc #:[\n-/.")))
def test_what_is_no_command_stays(text: str) -> None:
    if not commands_in(text):
        assert inert(text) == text


@given(st.dictionaries(HOSTILE, HOSTILE))
def test_json_and_xml_say_the_same(values: dict[str, str]) -> None:
    written = inert(json.dumps(values, indent=2), Written.JSON)
    assert json.loads(written) == values
    assert commands_in(written) == []

    element = ET.Element("a")
    element.text = re.sub(r"[\x00-\x08\x0b-\x1f]", "", "\n".join(values))
    element.set("b", "".join(values.values()).translate(dict.fromkeys(range(32))))
    printed = inert(ET.tostring(element, encoding="unicode"), Written.XML)
    read = ET.fromstring(printed)  # noqa: S314 - written two lines above.
    assert ET.tostring(read) == ET.tostring(element)
    assert commands_in(printed) == []


EVIL = (
    "::error::x",
    "  ::stop-commands::x",
    "x ##[error]y",
    "##vso[task.setvariable variable=PATH]x",
    "##teamcity[buildStop]",
    "###[group]",
)
SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {{name: {name}}}
spec:
  etcdClusters:
  - name: {name}
    etcdMembers:
    - {{name: {name}, instanceGroup: {name}}}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata: {{name: {name}, labels: {{kops.k8s.io/cluster: {name}}}}}
spec: {{role: Master, {name}: 1, minSize: 1, maxSize: {name}}}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("form", [*Format, "--diff"])
def test_no_format_prints_a_command_of_an_input(
    form: str, evil: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of files and of objects, keys, lines of lists, and what is mended."""
    folder = place / evil.replace("/", "_")
    folder.mkdir()
    before, after, listed = (folder / name for name in ("b.yaml", "a.yaml", "go.sh"))
    before.write_text(SPEC.format(name=json.dumps(evil)))
    after.write_text(SPEC.format(name=json.dumps(f"{evil} ")))
    listed.write_text(
        f"kops delete ig '{evil}' --yes\n{evil}\nkops replace -f '{evil}'\n"
        f"kops update cluster --yes '{evil}'\n: <<'X'\n{evil}\nX\n"
    )
    sides = [
        f"--before={before.relative_to(place)}",
        f"--after={after.relative_to(place)}",
    ]
    words = [form] if form.startswith("--") else [f"--format={form}"]

    for extra in ([], [f"--commands={listed.relative_to(place)}"]):
        assert run(["check", *sides, *extra, *words, "--statistics"]) in (0, 1, 2, 3)
        printed = capsys.readouterr()
        assert commands_in(printed.err) == []
        found = commands_in(printed.out)
        if form == Format.GITHUB:
            assert all(OWN.match(line) for line in found), found
            assert not any(re.search(r"##[A-Za-z]*\[", line) for line in found)
        else:
            assert found == []


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("plan", "--format=markdown"),
        ("plan", "--format=json"),
        ("diff",),
        ("diff", "--format=json"),
        ("commands",),
        ("commands", "--format=json"),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_no_other_command_prints_one(
    words: tuple[str, ...], evil: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "b.yaml").write_text(SPEC.format(name=json.dumps(evil)))
    (place / "a.yaml").write_text(SPEC.format(name=json.dumps(f"{evil} ")))
    (place / "go.sh").write_text(f"kops delete ig '{evil}' --yes\n'{evil}' x\n")
    (place / ".kopslint.yaml").write_text(f"specs: [{json.dumps(evil)}]\n")
    sides = ("--before=b.yaml", "--after=a.yaml")
    inputs = {"commands": ("go.sh",), "doctor": ()}.get(words[0], sides)

    run([*words, *inputs])
    printed = capsys.readouterr()
    assert commands_in(printed.out + "\n" + printed.err) == []
    assert printed.out or printed.err


@pytest.mark.parametrize("evil", EVIL)
def test_no_error_is_a_command(
    evil: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / ".kopslint.yaml").write_text(f"{json.dumps(evil)}: 1\n")
    (place / "a.yaml").write_text("a: 1\n")
    for words in (["a.yaml"], [evil], [f"--select={evil}"], [f"git:main:{evil}"]):
        run(["check", *words, "--no-config" if words != ["a.yaml"] else "--verbose"])
        printed = capsys.readouterr()
        assert commands_in(printed.out + os.linesep + printed.err) == []
        assert printed.err
