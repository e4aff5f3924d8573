"""What the GitHub action of this repository runs: kopslint on what a job is about.

The inputs of the action and the event that GitHub describes in a file become the
options of ``kopslint check``. This script runs in the environment that kopslint is
installed in, and must not know what is checked.
"""  # noqa: INP001 - A script that is run and never imported.

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def text_at(event: object, *keys: str) -> str:
    """The text at the end of a path of keys, empty if there is none."""
    for key in keys:
        event = event.get(key) if isinstance(event, dict) else None
    return event if isinstance(event, str) else ""


def base_of(event: object) -> str:
    """The revision that the event's change starts from, empty if it is about none.

    A branch that is pushed for the first time, or by force, has no state before that
    is here; what it changes is told from where it parted from the default branch.
    """
    before = text_at(event, "before")
    default = text_at(event, "repository", "default_branch")
    branch = text_at(event, "ref").removeprefix("refs/heads/")
    forced = isinstance(event, dict) and event.get("forced") is True
    is_other = default and branch not in {default, text_at(event, "ref")}
    if is_other and (forced or {*before} == {"0"}):
        before = f"origin/{default}"
    return (
        text_at(event, "pull_request", "base", "sha")
        or text_at(event, "merge_group", "base_sha")
        or before
    )


def options(event: object, environment: dict[str, str]) -> list[str]:
    """The options of ``kopslint check`` for an event and the inputs.

    Values follow a ``=`` or a ``--``, so that none is ever taken for an option. If
    the text of the pull request is wanted and has commands, it is written to a file
    in an empty folder outside of the repository: what lies beside a list is at hand to
    it, and a stranger's text must find nothing of the runner's.
    """

    def given(name: str) -> str:
        return environment.get(f"INPUT_{name}", "").strip()

    def wanted(name: str) -> bool:
        value = given(name).lower()
        if value not in ("true", "false", ""):
            # A check must not be laxer than somebody meant it to be.
            words = name.lower().replace("_", "-")
            sys.exit(f"kopslint: {words} is {value!r}, neither true nor false")
        return value == "true"

    base = given("BASE") or base_of(event)
    found = ["--format=github", f"--base={base}" if base else "--changed"]
    if given("SARIF_FILE"):
        found.append(f"--format=sarif={given('SARIF_FILE')}")
    if wanted("COMMENT"):
        found.append(f"--format=markdown={environment['RUNNER_TEMP']}/kopslint.md")
    if given("CONFIG"):
        found.append(f"--config={given('CONFIG')}")
    if given("CONFIG_FROM"):
        found.append(f"--config-from={given('CONFIG_FROM')}")
    found += ["--no-ignores"] * wanted("NO_IGNORES") + ["--all"] * wanted("ALL")
    if given("FAIL_ON"):
        found.append(f"--fail-on={given('FAIL_ON')}")
    found += [f"--commands={line}" for line in lines(given("COMMANDS"))]
    text = text_at(event, "pull_request", "body").replace("\r\n", "\n")
    if wanted("COMMANDS_FROM_PULL_REQUEST") and has_commands(text):
        folder = Path(environment["RUNNER_TEMP"], "kopslint-pull-request")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / "pull-request.md"
        path.write_text(text, encoding="utf-8")
        found.append(f"--commands={path}")
    return [*found, "--", *lines(given("PATHS"))]


def lines(text: str) -> list[str]:
    """The lines that are not blank."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def has_commands(text: str) -> bool:
    """Whether a Markdown text has shell blocks with commands in them."""
    from kopslint.notations.command_list import read_commands, simple_commands
    from kopslint.text import Source

    script = read_commands(Source("pull-request.md", text))
    return next(simple_commands(script.body), None) is not None


def main() -> int:
    """Run the check, tell the job about it, and return the exit status of kopslint."""
    environment = dict(os.environ)
    path = environment.get("GITHUB_EVENT_PATH", "")
    # Programs that imitate a runner may have no event.
    event = json.loads(Path(path).read_text("utf-8")) if path else {}
    command = [sys.executable, "-I", "-m", "kopslint", "check"]
    status = subprocess.run(  # noqa: S603 - No shell, and values are no options.
        [*command, *options(event, environment)], check=False
    ).returncode
    sarif = environment.get("INPUT_SARIF_FILE", "").strip()
    with Path(environment["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
        outputs.write(f"status={status}\n")
        if sarif and Path(sarif).is_file():
            outputs.write(f"sarif-file={Path(sarif).resolve()}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
