"""``--shard``: a fleet shared between the jobs of a matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
    with pytest.raises(UsageError, match=r"--shard .*(is not a|there is no) shard"):
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


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize("number", [1, 2])
def test_a_shard_tells_of_its_own_clusters_alone(number: int) -> None:
    """Each job writes its own report and judges it by itself."""
    words = ["check", "fleet", "--shard", f"{number}/2"]
    assert run([*words, "--format", "json=report.json"]) == 1

    report = json.loads(Path("report.json").read_text(encoding="utf-8"))

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
        (["--changed"], "does not work for a change in git"),
        (["--fix"], "--shard checks part of a fleet"),
        (["--write-baseline", "b.json"], "a baseline of one shard would not contain"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_a_shard_cannot_do_is_refused(
    capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert run(["check", "fleet", "--shard", "1/2", *options]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("fleet")
def test_a_shard_reads_the_baseline_of_all_clusters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is known of other clusters is not said to be gone."""
    assert run(["check", "fleet", "--write-baseline", "b.json", "--quiet"]) == 0
    capsys.readouterr()

    for number in (1, 2):
        words = ["check", "fleet", "--shard", f"{number}/2", "--baseline", "b.json"]
        assert run([*words, "--quiet"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")


def test_a_comment_in_a_file_of_several_shards_may_be_needed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a file of one shard it is known that the comment silences nothing."""
    monkeypatch.chdir(tmp_path)
    one, other = (next(n for n in NAMES if Shard(k, 2).holds(n)) for k in (1, 2))
    text = SPEC.read_text(encoding="utf-8")
    ignore = "# kopslint: ignore-file[KL109] a key that was there twice\n"
    first, second = (text.replace("prod.example.com", name) for name in (one, other))
    Path("both.yaml").write_text(f"{ignore}{first}---\n{second}", encoding="utf-8")
    Path("one.yaml").write_text(f"{ignore}{first}", encoding="utf-8")

    assert run(["check", "both.yaml", "--shard", "1/2"]) == 0
    assert "KL910" not in capsys.readouterr().out
    assert run(["check", "both.yaml"]) == 0
    assert "KL910" in capsys.readouterr().out
    assert run(["check", "one.yaml", "--shard", "1/2"]) == 0
    assert "KL910" in capsys.readouterr().out
