"""Workers: the report and the errors of one process, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kopslint.engine.examine
from kopslint import engine
from kopslint.config.settings import DEFAULT
from kopslint.config.shard import Shard
from kopslint.engine import Request, check, pool
from kopslint.engine.examine import unsafe_names
from kopslint.errors import DefectError, NothingCheckedError
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.config.settings import Settings
    from kopslint.engine.examine import Examination
    from kopslint.findings import Report
    from kopslint.kops.spec import Manifest

SPEC = Path(__file__).parents[1] / "fixtures" / "five-to-three" / "after.yaml"
TEXT = SPEC.read_text(encoding="utf-8")
LARGE = 400
"""So many clusters keep two workers busy for about a second."""


def cluster(number: int) -> Source:
    """A cluster with a comment that silences nothing, and a group too many."""
    text = TEXT.replace("prod.example.com", f"c{number}.example.com")
    comment = "# kopslint: ignore-file[KL103] three members\n"
    return Source(f"c{number}.yaml", comment + text.replace("role: Node", "role: Nod"))


def fleet(size: int = 40, lines: str = "") -> Request:
    """A change of some clusters, with the commands in ``lines``."""
    after = tuple(map(cluster, range(size)))
    before = tuple(Source(s.path, s.text, "main") for s in after)
    script = (Source("plan.sh", lines),) if lines else ()
    return Request(before, after, script)


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every request be divided, so that a test need not check a large one."""
    monkeypatch.setattr(kopslint.engine.examine, "FLEET", 0)


@pytest.fixture
def in_one_piece(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that were checked in one piece after all."""
    asked: list[Request] = []

    def one(request: Request, settings: Settings = DEFAULT) -> Report:
        asked.append(request)
        return check(request, settings)

    monkeypatch.setattr(engine, "check", one)
    return asked


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("shard", [None, Shard(1, 2)], ids=["all", "shard"])
@pytest.mark.parametrize(
    "lines",
    ["", "kops delete ig master-0 --name c3.example.com --yes\n./deploy.sh\n"],
    ids=["specs", "commands"],
)
def test_workers_give_the_report_of_one_process(
    in_one_piece: list[Request], jobs: int, shard: Shard | None, lines: str
) -> None:
    """Findings point into the very sources that were handed in."""
    request, settings = fleet(lines=lines), DEFAULT._replace(shard=shard)

    report = pool.check(request, settings, jobs)

    assert in_one_piece == []
    assert report == check(request, settings)
    assert report.findings


@pytest.mark.usefixtures("small_is_large")
def test_progress_is_told_by_portions() -> None:
    told: list[tuple[int, int]] = []

    pool.check(fleet(40), jobs=2, progress=lambda *numbers: told.append(numbers))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_small_request_is_checked_in_one_piece(in_one_piece: list[Request]) -> None:
    """No process is started for it, and no portion is cut."""
    request = fleet(4)

    pool.check(request, jobs=2)

    assert in_one_piece == [request]


@pytest.mark.usefixtures("small_is_large")
def test_an_unreadable_file_is_told_as_by_one_process() -> None:
    """Each is a finding about that file, whichever worker is faster."""
    request = fleet(40)
    bad = {n: Source(f"c{n}.yaml", "kind: [kops\n") for n in (20, 39)}
    after = tuple(bad.get(n, source) for n, source in enumerate(request.after or ()))

    report = pool.check(Request(request.before, after), jobs=2)

    alone = pool.check(Request(request.before, after), jobs=1)
    told = {
        each.locations[0].span.source
        for each in report.findings
        if each.rule == "KL110"
    }
    assert told >= {bad[20], bad[39]}
    assert [(each.rule, each.message) for each in report.findings] == [
        (each.rule, each.message) for each in alone.findings
    ]


@pytest.mark.usefixtures("small_is_large")
def test_without_a_cluster_nothing_was_checked() -> None:
    files = tuple(Source(f"{n}.yaml", "replicas: 3\n") for n in range(40))

    with pytest.raises(NothingCheckedError):
        pool.check(Request(None, files), jobs=2)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("number", [0, 2])
def test_what_killed_workers_leave_is_examined_in_this_process(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As when there is not enough memory for another process."""
    request = fleet(40)
    expected = check(request)
    here, examine = os.getpid(), pool._Worker.examine

    def dies(worker: pool._Worker, portion: int) -> Examination | None:
        if os.getpid() != here and portion >= number:
            os._exit(9)
        return examine(worker, portion)

    monkeypatch.setattr(pool._Worker, "examine", dies)

    assert pool.check(request, jobs=2) == expected


@pytest.mark.usefixtures("small_is_large")
def test_a_machine_without_processes_gives_the_same_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where there is no shared memory."""
    request = fleet(40)

    def refuse(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(pool, "_pool", refuse)

    assert pool.check(request, jobs=2) == check(request)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_defect_names_its_cluster(
    monkeypatch: pytest.MonkeyPatch, in_one_piece: list[Request], jobs: int
) -> None:
    """The first one, as in one process; nothing is checked again to get around it."""

    def breaks(manifests: Iterable[Manifest]) -> tuple[str, ...]:
        found = tuple(manifests)
        if any(each.name in {"c20.example.com", "c7.example.com"} for each in found):
            raise ZeroDivisionError("a defect")
        return unsafe_names(found)

    monkeypatch.setattr(kopslint.engine.examine, "unsafe_names", breaks)

    with pytest.raises(DefectError, match=r"^c7\.example\.com: ZeroDivisionError: a d"):
        pool.check(fleet(40), jobs=jobs)
    assert in_one_piece == []


@pytest.mark.usefixtures("small_is_large")
def test_a_cluster_that_a_text_does_not_show_is_not_cut_in_two(
    in_one_piece: list[Request],
) -> None:
    """Its name is written in a way that only YAML reads."""
    first, second, *others = fleet(40).after or ()
    hidden = '"kops.k8s.io/cluste\\x72": c0.example.com'
    text = second.text.replace("kops.k8s.io/cluster: c1.example.com", hidden)
    request = Request(None, (first, *others, Source("hidden.yaml", text)))

    assert pool.check(request, jobs=2) == check(request)
    assert in_one_piece == [request]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A check of a large fleet that has started its workers, in a group of its own."""
    for number in range(LARGE):
        source = cluster(number)
        (tmp_path / source.path).write_text(source.text, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "kopslint", "check", ".", "--jobs", "2"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A shell's job in the background is started deaf to the keyboard.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as run:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        while run.poll() is None and len(children.read_text().split()) < 2:
            time.sleep(0.001)
        yield run
        if run.poll() is None:
            run.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of the workers")
@pytest.mark.parametrize("everyone", [True, False], ids=["Ctrl-C", "the parent dies"])
def test_workers_end_with_what_started_them(
    large: subprocess.Popen[bytes], everyone: bool
) -> None:
    """From the keyboard everybody is interrupted; otherwise only the parent is hit."""
    if everyone:
        os.killpg(large.pid, signal.SIGINT)
    else:
        large.kill()
    # The pipe is closed when the last process that could write into it has ended.
    assert large.stderr is not None
    said = large.stderr.read()

    assert said == b""
    assert large.wait() == (130 if everyone else -signal.SIGKILL)
