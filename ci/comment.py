"""Keep one comment on a pull request that says what kopslint says now.

    python comment.py REPORT.md

The report in Markdown begins with a line that names what it is about. The comment that
begins with the same line is changed in place. If there is none, one is written, unless
nothing was found. GitHub's own program ``gh`` does it with the
token of the job. Where that may not comment, as in a pull request from a fork, that is
said, and nothing fails.
"""  # noqa: INP001 - A script that is run and never imported.

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

# Who else begins a comment with the line is nobody's comment to change.
_OURS = {"OWNER", "MEMBER", "COLLABORATOR"}


def gh(*arguments: str, body: object = None) -> str:
    """What ``gh api`` prints; raises ``CalledProcessError`` if it fails."""
    given = [] if body is None else ["--input=-"]
    done = subprocess.run(  # noqa: S603 - No shell, and values are no options.
        ["gh", "api", *given, *arguments],  # noqa: S607 - The runner's own.
        input=None if body is None else json.dumps(body),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def number_of(event: object) -> int | None:
    """The number of the pull request that an event is about."""
    request = event.get("pull_request") if isinstance(event, dict) else None
    number = request.get("number") if isinstance(request, dict) else None
    return number if isinstance(number, int) else None


def existing(comments: str, marker: str) -> str | None:
    """The address of the comment that begins with the line, if it is ours."""
    for line in comments.splitlines():
        comment = json.loads(line)
        by = comment["user"] or {}
        ours = by.get("type") == "Bot" or comment["author_association"] in _OURS
        if ours and comment["body"].startswith(marker):
            return str(comment["url"])
    return None


def keep(report: str, repository: str, number: int) -> str:
    """Change the comment or write one, and say what was done."""
    marker = report.split("\n", 1)[0]
    if not marker.startswith("<!-- kopslint/"):
        return "there is no report"
    place = f"repos/{repository}/issues/{number}/comments"
    listed = gh("--paginate", f"{place}?per_page=100", "--jq=.[] | @json")
    address = existing(listed, marker)
    if address:
        gh("--method=PATCH", address, body={"body": report})
        return "the comment was changed"
    if "<details>" not in report:
        return "nothing was found, so no comment was begun"
    gh("--method=POST", place, body={"body": report})
    return "a comment was written"


def main() -> int:
    """Comment on the pull request of the job, if it is about one."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    number = number_of(json.loads(Path(path).read_text("utf-8"))) if path else None
    file = Path(sys.argv[1])
    if number is None or not file.is_file():
        return 0
    report = file.read_text("utf-8")
    try:
        said = keep(report, os.environ["GITHUB_REPOSITORY"], number)
    except FileNotFoundError:
        said = "there is no gh here, so nothing was commented"
    except subprocess.CalledProcessError as error:
        why = str(error.stderr).strip().splitlines()[-1:]
        said = f"nothing could be commented: {' '.join(why)}"
    # What a server answers is no command to the runner.
    sys.stdout.write(f"kopslint: {said}\n".replace("::", ": :"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
