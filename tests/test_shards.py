"""``--shard`` and ``kopslint merge``: a fleet shared between the jobs of a matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kopslint import __version__
from kopslint.cli.program import run
from kopslint.config.shard import Shard, read_shard
from kopslint.errors import UsageError

SPEC = Path(__file__).parents[1] / "fixtures" / "five-to-three" / "after.yaml"
TEXT = SPEC.read_text(encoding="utf-8").replace("  role: Node", "  role: Nod")
NAMES = tuple(f"c{number}.example.com" for number in range(6))


@pytest.mark.parametrize(
    ("cluster", "of", "number"),
    [
        ("prod.example.com", 1, 1),
        ("prod.example.com", 8, 1),
        ("dev.example.com", 8, 7),
        ("é.io", 2, 2),
        ("é.io", 8, 8),
    ],
)
def test_the_shard_of_a_cluster_never_changes(
    cluster: str, of: int, number: int
) -> None:
    """Other versions and other machines must come to the same answer."""
    assert [n for n in range(1, of + 1) if Shard(n, of).holds(cluster)] == [number]


@pytest.mark.parametrize(
    "text",
    ["", "2", "2/", "/8", "0/8", "9/8", "-1/8", "1/1001", "2/8/9", "²/8", "1 / 2"],
)
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--shard .*(is no|there is no) shard"):
        read_shard(text)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six clusters with an error each, of which every shard of two has some."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet").mkdir()
    for name in NAMES:
        text = TEXT.replace("prod.example.com", name)
        (tmp_path / "fleet" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def write_shards(of: int, *options: str) -> None:
    """The reports of all shards, in a folder."""
    Path("reports").mkdir()
    for number in range(1, of + 1):
        words = ["check", "fleet", "--shard", f"{number}/{of}", *options]
        report = f"json=reports/{number}.json"
        assert run([*words, "--format", report, "--fail-on", "never"]) == 0


@pytest.mark.usefixtures("fleet")
def test_merged_reports_are_the_report_of_one_check(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Text and exit status, after the specs are gone."""
    assert run(["check", "fleet"]) == 1
    whole = capsys.readouterr().out
    write_shards(2)
    for file in Path("fleet").iterdir():
        file.unlink()

    assert run(["merge", "reports"]) == 1
    assert capsys.readouterr().out == whole
    assert "of 6 clusters" in whole


@pytest.mark.usefixtures("fleet")
def test_a_shard_tells_of_its_own_clusters_alone() -> None:
    write_shards(2)

    reports = [json.loads(Path(f"reports/{n}.json").read_text()) for n in (1, 2)]

    for number, report in enumerate(reports, 1):
        mine = [name for name in NAMES if Shard(number, 2).holds(name)]
        assert report["summary"]["clusters"] == mine
        assert {each["cluster"] for each in report["findings"]} == {*mine}
        assert report["summary"]["specs"] == len(NAMES)


@pytest.mark.usefixtures("fleet")
def test_a_shard_without_a_cluster_is_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The jobs of a matrix do not know how many clusters there are."""
    empty = next(n for n in range(1, 99) if not any(map(Shard(n, 99).holds, NAMES)))

    assert run(["check", "fleet", "--shard", f"{empty}/99"]) == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert (
        said.err == f"kopslint: nothing to check: no cluster is in shard {empty}/99\n"
    )


@pytest.mark.usefixtures("fleet")
def test_a_shard_of_nothing_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    Path("values.yaml").write_text("replicas: 3\n", encoding="utf-8")

    assert run(["check", "values.yaml", "--shard", "1/2"]) == 3
    assert "nothing was checked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--changed"], "not what changed in git"),
        (["--fix"], "--shard checks a part of a fleet"),
        (["--baseline", "b.json"], "a shard is one part"),
        (["--write-baseline", "b.json"], "a shard is one part"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_a_shard_cannot_do_is_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert run(["check", "fleet", "--shard", "1/2", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("fleet")
def test_a_baseline_is_of_the_whole_fleet(capsys: pytest.CaptureFixture[str]) -> None:
    """It is written and read where the reports are merged."""
    write_shards(2)

    assert run(["merge", "reports", "--write-baseline", "b.json", "--quiet"]) == 0
    assert run(["merge", "reports", "--baseline", "b.json", "--quiet"]) == 0
    assert run(["check", "fleet", "--baseline", "b.json", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def edited(number: int, old: str, new: str) -> None:
    """Replaces text in the report of a shard."""
    path = Path(f"reports/{number}.json")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (None, "", "the report of shard 2/2 is missing"),
        ('"number": 2', '"number": 1', "there are several reports of shard 1/2"),
        ('"of": 2', '"of": 3', "these are reports of 2 and 3 shards"),
        (f'"{__version__}"', '"0.0.1"', "was written by kopslint 0.0.1"),
        ("kopslint/v1", "kopslint/v2", "2.json is no report of a shard: schema: "),
        (
            '"rules": ',
            '"rules": 1',
            "these reports are about different inputs or rules",
        ),
        (
            '"subject"',
            '"topic"',
            "2.json is no report of a shard: shard: findings: 0: ",
        ),
        ("{", "[", "2.json is no report of a shard: "),
    ],
)
def test_reports_that_are_no_whole_are_refused(
    capsys: pytest.CaptureFixture[str], old: str | None, new: str, words: str
) -> None:
    """A verdict about a part of the fleet must not pass for one about all of it."""
    write_shards(2)
    if old is None:
        Path("reports/2.json").unlink()
    else:
        edited(2, old, new)

    assert run(["merge", "reports"]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("fleet")
def test_the_report_of_a_whole_check_is_no_part(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["check", "fleet", "--format", "json=all.json"]) == 1

    assert run(["merge", "all.json"]) == 2
    assert "all.json is no report of a shard" in capsys.readouterr().err
    assert "shard" not in json.loads(Path("all.json").read_text(encoding="utf-8"))
