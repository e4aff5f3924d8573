"""One comment on a pull request, changed in place, with the platform's own program."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MARKER = "<!-- kopslint/prod.example.com/ -->"
REPORT = (
    f"{MARKER}\n\n### kopslint: UNSAFE\n\n<details><summary>x</summary>\n\n</details>\n"
)
CLEAN = f"{MARKER}\n\n### kopslint: SAFE\n\nno findings\n"

# Stands for GitHub's program: it answers with the comments of a file, and keeps what it
# was told.
GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case $* in
  *--paginate*) cat "$COMMENTS" ;;
  *) [ -z "$REFUSED" ] || { echo "HTTP 403: not allowed" >&2; exit 1; }
     cat >> "$CALLS" ;;
esac
"""


def comment(body: str, *, number: int = 1, **user: str) -> dict[str, object]:
    return {
        "url": f"https://api.github.com/repos/o/r/issues/comments/{number}",
        "body": body,
        "user": {"type": user.get("type", "Bot")},
        "author_association": user.get("by", "NONE"),
    }


def on_github(
    folder: Path, report: str, *comments: dict[str, object], refused: bool = False
) -> tuple[str, str]:
    """What is said, and the calls of ``gh`` with what they were handed."""
    program = folder / "gh"
    program.write_text(GH)
    program.chmod(0o755)
    (folder / "comments").write_text("".join(json.dumps(c) + "\n" for c in comments))
    (folder / "event").write_text(json.dumps({"pull_request": {"number": 7}}))
    (folder / "report.md").write_text(report, encoding="utf-8")
    (folder / "calls").write_text("")
    ran = subprocess.run(
        [sys.executable, "-I", str(ROOT / "ci/comment.py"), str(folder / "report.md")],
        env={
            "PATH": f"{folder}:/bin:/usr/bin",
            "CALLS": str(folder / "calls"),
            "COMMENTS": str(folder / "comments"),
            "REFUSED": "1" if refused else "",
            "GITHUB_EVENT_PATH": str(folder / "event"),
            "GITHUB_REPOSITORY": "o/r",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout, (folder / "calls").read_text()


def test_the_first_report_is_a_comment_and_the_next_one_changes_it(
    tmp_path: Path,
) -> None:
    said, calls = on_github(tmp_path, REPORT, comment("something else"))
    assert said == "kopslint: a comment was written\n"
    assert "--method=POST repos/o/r/issues/7/comments" in calls
    assert json.dumps({"body": REPORT}) in calls

    said, calls = on_github(
        tmp_path, CLEAN, comment("x", number=1), comment(REPORT, number=2)
    )
    assert said == "kopslint: the comment was changed\n"
    assert "--method=PATCH https://api.github.com/repos/o/r/issues/comments/2" in calls
    assert "--method=POST" not in calls


def test_a_comment_of_a_stranger_is_left_alone(tmp_path: Path) -> None:
    """Whoever begins one with the same line cannot have it overwritten."""
    stranger = comment(REPORT, type="User", by="CONTRIBUTOR")

    said, calls = on_github(tmp_path, REPORT, stranger)

    assert said == "kopslint: a comment was written\n"
    assert "--method=PATCH" not in calls


def test_nothing_found_begins_no_comment(tmp_path: Path) -> None:
    said, calls = on_github(tmp_path, CLEAN)

    assert said == "kopslint: nothing was found, so no comment was begun\n"
    assert "--method" not in calls


def test_what_may_not_be_written_is_said_and_fails_nothing(tmp_path: Path) -> None:
    said, _ = on_github(tmp_path, REPORT, refused=True)

    assert said == "kopslint: nothing could be commented: HTTP 403: not allowed\n"


class Forge(http.server.BaseHTTPRequestHandler):
    """As much of GitLab's API as the job asks for."""

    notes: list[dict[str, Any]]
    asked: list[tuple[str, str, str]]

    def answer(self, value: object) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        self.asked.append((self.command, self.path, body))
        assert self.headers["PRIVATE-TOKEN"] == "secret"
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        self.send_response(200)
        last = page * 100 >= len(self.notes)
        self.send_header("X-Next-Page", "" if last else str(page + 1))
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def do_GET(self) -> None:
        if self.path.endswith("/user"):
            self.answer({"id": 5})
            return
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        self.answer(self.notes[100 * (page - 1) : 100 * page])

    def do_PUT(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        self.answer({})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def forge() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Forge.notes, Forge.asked = [], []
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def on_gitlab(
    folder: Path, forge: http.server.ThreadingHTTPServer, report: str
) -> list[tuple[str, str, str]]:
    """The calls of GitLab's API that write, by the job as it stands."""
    job = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))["kopslint"]
    (folder / "kopslint.md").write_text(report, encoding="utf-8")
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    if not (programs / "python").exists():
        (programs / "python").symlink_to(sys.executable)
    subprocess.run(
        ["bash", "-c", "\n".join(job["after_script"])],
        cwd=folder,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "KOPSLINT_COMMENT_TOKEN": "secret",
            "CI_API_V4_URL": f"http://127.0.0.1:{forge.server_port}/api/v4",
            "CI_PROJECT_ID": "3",
            "CI_MERGE_REQUEST_IID": "7",
            "no_proxy": "*",
        },
        check=True,
    )
    return [call for call in Forge.asked if call[0] != "GET"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="this cluster has no curl")
def test_gitlab_s_job_changes_its_own_comment_wherever_it_stands(
    tmp_path: Path, forge: http.server.ThreadingHTTPServer
) -> None:
    """Nobody else's, and also if it is not among the first hundred."""
    notes = "/api/v4/projects/3/merge_requests/7/notes"
    Forge.notes = [{"id": 1, "body": REPORT, "author": {"id": 4}}] * 150

    ((method, path, body),) = on_gitlab(tmp_path, forge, REPORT)
    assert (method, path) == ("POST", notes)
    assert parse_qs(body)["body"] == [REPORT]

    Forge.asked.clear()
    Forge.notes.append({"id": 9, "body": REPORT, "author": {"id": 5}})
    ((method, path, body),) = on_gitlab(tmp_path, forge, CLEAN)
    assert (method, path) == ("PUT", f"{notes}/9")
    assert parse_qs(body)["body"] == [CLEAN]


@pytest.mark.skipif(shutil.which("curl") is None, reason="this cluster has no curl")
def test_gitlab_s_job_begins_no_comment_where_nothing_was_found(
    tmp_path: Path, forge: http.server.ThreadingHTTPServer
) -> None:
    assert on_gitlab(tmp_path, forge, CLEAN) == []


def test_only_the_step_that_comments_has_the_token() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["runs"]["steps"]

    having = [s["name"] for s in steps if "inputs.token" in json.dumps(s)]
    assert having == ["Comment"]
