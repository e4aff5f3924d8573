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

import kopslint.engine.request
from kopslint import engine, workers
from kopslint.config.settings import DEFAULT
from kopslint.config.shard import Shard
from kopslint.engine import Request, check
from kopslint.errors import InputError, NothingCheckedError
from kopslint.source.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.config.settings import Settings
    from kopslint.findings import Report

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
    monkeypatch.setattr(kopslint.engine.request, "FLEET", 0)


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

    report = workers.check(request, settings, jobs)

    assert in_one_piece == []
    assert report == check(request, settings)
    assert report.findings


@pytest.mark.usefixtures("small_is_large")
def test_progress_is_told_by_portions() -> None:
    told: list[tuple[int, int]] = []

    workers.check(fleet(40), jobs=2, progress=lambda *numbers: told.append(numbers))

    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_small_request_is_checked_in_one_piece(in_one_piece: list[Request]) -> None:
    """No process is started for it, and no portion is cut."""
    request = fleet(4)

    workers.check(request, jobs=2)

    assert in_one_piece == [request]


@pytest.mark.usefixtures("small_is_large")
def test_an_unreadable_file_is_told_as_by_one_process() -> None:
    """The first one in the order of the inputs, whichever worker is faster."""
    request = fleet(40)
    bad = {n: Source(f"c{n}.yaml", "kind: [kops\n") for n in (20, 39)}
    after = tuple(bad.get(n, source) for n, source in enumerate(request.after or ()))

    with pytest.raises(InputError) as caught:
        workers.check(Request(request.before, after), jobs=2)

    assert caught.value.span is not None
    assert caught.value.span.source is bad[20]


@pytest.mark.usefixtures("small_is_large")
def test_without_a_cluster_nothing_was_checked() -> None:
    files = tuple(Source(f"{n}.yaml", "replicas: 3\n") for n in range(40))

    with pytest.raises(NothingCheckedError):
        workers.check(Request(None, files), jobs=2)


@pytest.mark.usefixtures("small_is_large")
def test_what_dead_workers_leave_is_checked_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, in_one_piece: list[Request]
) -> None:
    """As when there is not enough memory for another process."""
    monkeypatch.setattr(workers, "_begin", os._exit)
    request = fleet(40)

    assert workers.check(request, jobs=2) == check(request)
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

    assert large.wait() == (130 if everyone else -signal.SIGKILL)
    assert said == b""
