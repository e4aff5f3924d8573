# ruff: noqa: INP001 (a program of its own, and no package)
"""Run whole checks of spoilt files, in every format, and read every report again.

``python fuzz/whole.py --seconds 600`` takes the examples of the rulebook, spoils specs,
lists, settings, rules and baselines piece by piece, and checks them as files and as a
change in git, until the time is over. It stops at the first check that breaks a promise
and leaves its folder. ``--seed`` and ``--first`` repeat it. Nothing is ever run.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from kopslint.cli.options import Format
from kopslint.cli.program import run
from kopslint.cli.rule_links import SOURCE

ROOT = Path(__file__).parents[1]
# No check of this size takes longer on any machine that is not broken.
SLOWEST = 60.0
EXAMPLES = [
    folder
    for folder in sorted((ROOT / "rules").glob("*/examples/*"))
    if (folder / "after.yaml").is_file() or (folder / "commands.sh").is_file()
]
SPECS, LISTS = ("before.yaml", "after.yaml"), ("commands.sh", "commands.md")
# What a terminal, a runner, a viewer or a reader may take for more than a text.
HOSTILE = """
\x1b]0;x\x07|\x1b[2J|\u009b31m|\u202e|\u2066|\u2028|\x85|\x0b|\x0c|\r|\0|\ufeff|\ud7ff|
::error::x|\n::add-mask::x|##[error]x|##vso[task.setvariable variable=a]b|%0A::x|
##teamcity[x]|<script>x</script>|<img src=x onerror=x>|-->|<!--|]]>|&lt;|&#60;|
[x](javascript:x)|![x](http://x.example/x)|<http://x.example>|https://x.example/x|
@everyone|#1|| a | b ||```|~~~|`|``|\n\n# x\n|\n---\n|*/|\\|\\\\|'|"|$(id)|`id`|;id|
${{ x }}|{{x}}|!!binary a29wcw==|!!python/object:os.system|&a [*a]|<<: *a|*a|? x|- -|{|
}|[|]|999999999999999999999999|-1|1e999|.nan|0x1F|null|~|true|2001-01-01|/dev/stdin|
../../etc/passwd
""".strip("\n")
TOKENS = [token for token in re.split(r"\|\n?", HOSTILE) if token]
SETTINGS = """
ignore: [all]|ignore: [KL3]|select: [KL301]|severity: {all: info}|fail-on: never|
severity: {KL301: error}|fail-on: warning|specs: ['*.yaml']|specs: ['!**']|
commands: ['*.sh']|commands: {prod.example.com: commands.sh}|kops-version: '1.30'|
retired: [prod.example.com]|overrides: [{files: ['**'], ignore: [all]}]|
specs: ['**/**/*{cluster}*']
"""
PIECES = [t.strip() for t in SETTINGS.strip().replace("|\n", "|").split("|")]
# What the Markdown of a report may hold that is no text.
OWN_HTML = re.compile(
    r"</?(?:code|details|summary|b|br|sub|strong|a)(?: open)?>|<!-- kopslint/[^<>]* -->"
    rf"|<a href=\"{re.escape(SOURCE)}/blob/[\w./-]+\">"
)
CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_LINES = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class Broken(Exception):  # noqa: N818 - It is a promise that is broken.
    """A promise that a check did not keep."""


def spoilt(text: str, chance: random.Random) -> str:
    """The text with some lines, words and characters changed."""
    lines = text.split("\n")
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        place = chance.randrange(len(lines))
        line = lines[place]
        words = line.split(" ")
        spot = chance.randrange(len(words))
        match chance.randrange(11):
            case 0:
                del lines[place : place + chance.randint(1, 4)]
            case 1:
                lines.insert(place, chance.choice(lines or [""]))
            case 2:
                words[spot] = chance.choice(TOKENS)
            case 3:
                lines.insert(place, chance.choice(TOKENS))
            case 4:
                words[spot], words[-1] = words[-1], words[spot]
            case 5 | 6 | 7 | 8:
                # Text that is one to every reader, so that it gets into a report.
                words[-1] = json.dumps(words[-1].strip('"') + chance.choice(TOKENS))
            case 9:
                lines.insert(place, f"# {chance.choice(TOKENS)}")
            case _:
                at = chance.randint(0, len(line))
                line = line[:at] + chance.choice(TOKENS)[:3] + line[at:]
                words = line.split(" ")
        if place < len(lines) and words != lines[place].split(" "):
            lines[place] = " ".join(words)
        lines = lines or [""]
    return "\n".join(lines)


def renamed(text: str, token: str) -> str:
    """The text with something in the name of its cluster."""
    named = json.dumps(f"prod{token}.example.com")
    return re.sub(r"(?<=name: )[\w.-]+example\.com", lambda _: named, text)


def write(folder: Path, name: str, text: str) -> None:
    """Write a text as it is, whatever is in it."""
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))


def settings(chance: random.Random) -> str:
    """Settings, some of which are none."""
    lines = chance.sample(PIECES, chance.randint(0, 4))
    by_key = {line.partition(":")[0]: line for line in lines}
    text = "".join(f"{line}\n" for line in by_key.values())
    return spoilt(text, chance) if chance.random() < 0.3 else text


def fill(folder: Path, example: Path, chance: random.Random) -> list[str]:
    """Spoil the files of an example, and return the names of those that there are."""
    token = chance.choice(TOKENS) if chance.random() < 0.3 else ""
    names = []
    for name in (*SPECS, *LISTS):
        if (example / name).is_file():
            text = (example / name).read_text("utf-8")
            write(folder, name, spoilt(renamed(text, token) if token else text, chance))
            names.append(name)
    if chance.random() < 0.2:
        write(folder, ".kopslint.yaml", settings(chance))
    return names


def git(*arguments: str) -> None:
    """Call git in the current folder."""
    options = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"]
    subprocess.run(["git", *options, *arguments], check=True, capture_output=True)  # noqa: S603, S607


def options(folder: Path, chance: random.Random) -> list[str]:
    """The words of one check of a folder that was filled for it."""
    names = fill(folder, chance.choice(EXAMPLES), chance)
    lists = [name for name in names if name in LISTS]
    if chance.random() < 0.25 and "after.yaml" in names:
        return in_git(folder, lists, chance)
    if "after.yaml" not in names:
        found = ["--before=before.yaml"]
    elif "before.yaml" in names:
        found = ["--before=before.yaml", "--after=after.yaml"]
    else:
        found = ["after.yaml"]
    found += [f"--commands={name}" for name in lists]
    if chance.random() < 0.2:
        write(
            folder,
            "known.json",
            spoilt('{"schema": "kopslint-baseline/v1", "findings": []}', chance),
        )
        found.append("--baseline=known.json")
    if chance.random() < 0.2 and lists:
        found.append("--diff")
    return found


def in_git(folder: Path, lists: list[str], chance: random.Random) -> list[str]:
    """Make the folder a repository, with a change between both sides."""
    git("init", "--quiet", "--initial-branch=main")
    after = (folder / "after.yaml").read_bytes()
    before = folder / "before.yaml"
    (folder / "after.yaml").write_bytes(before.read_bytes() if before.exists() else b"")
    before.unlink(missing_ok=True)
    git("add", "--all")
    git("commit", "--quiet", "--message=base")
    (folder / "after.yaml").write_bytes(after)
    if chance.random() < 0.5:
        write(folder, ".kopslint.yaml", settings(chance))
    if chance.random() < 0.3:
        (folder / "after.yaml").rename(
            folder
            / f"a{chance.choice(TOKENS).replace('/', '')[:20]}.yaml".replace("\0", "")
        )
    found = ["--changed", *(f"--commands={name}" for name in lists)]
    return [*found, *(["--config-from=head"] if chance.random() < 0.3 else [])]


def checked(words: list[str]) -> tuple[int, dict[str, str], str]:
    """The status of a check, its reports by format, and what it said besides."""
    reports = [
        f"--format={form}=out.{form}" for form in Format if form is not Format.TEXT
    ]
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""),
        io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""),
    )
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        printed = [] if "--diff" in words else ["--format=text"]
        status = run(["check", *words, *printed, *reports, "--verbose", "--jobs=1"])
        told = [out, err]
        for each in told:
            each.flush()
    finally:
        sys.stdout, sys.stderr = kept
    texts = [each.buffer.getvalue().decode("utf-8") for each in (out, err)]  # type: ignore[attr-defined]
    found = {Format.TEXT.value: texts[0]}
    for form in Format:
        path = Path(f"out.{form}")
        if path.exists():
            found[form.value] = path.read_text("utf-8")
    return status, found, texts[1]


def hold(promise: object, broken: str) -> None:
    """Stop where a promise is broken."""
    if not promise:
        raise Broken(broken)


def commands_in(printed: str) -> list[str]:
    """The lines that a runner would obey."""
    return [
        line
        for line in _LINES.split(printed)
        if line.lstrip().startswith("::") or re.search(r"##[A-Za-z]*\[", line)
    ]


def hold_all(status: int, reports: dict[str, str], said: str) -> None:
    """What is promised of every check."""
    hold(status in (0, 1, 2, 3), f"status {status}: {said[-2000:]}")
    hold("Traceback" not in said, "a traceback that is no defect")
    for name, text in {**reports, "stderr": said}.items():
        if name not in ("json", "sarif", "gitlab", "junit"):
            found = CONTROLS.search(text)
            place = found.start() if found else 0
            around = text[max(place - 30, 0) : place + 30]
            hold(not found, f"{name}: a control character in {around!r}")
    for name in ("text", "stderr"):
        text = reports.get(name, said)
        hold(not commands_in(text), f"{name}: {commands_in(text)[:1]}")
    if status in (0, 1):
        hold(len(reports) == len(Format), f"only {sorted(reports)}")
    for name in ("json", "sarif", "gitlab"):
        if name in reports:
            json.loads(reports[name])
            hold(reports[name].isascii(), f"{name} is not ASCII")
    if "junit" in reports:
        ET.fromstring(reports["junit"])  # noqa: S314 - It is our own.
    if "markdown" in reports:
        hold_markdown(reports["markdown"])
    for line in reports.get("github", "").splitlines():
        plain = not line.lstrip().startswith("::")
        hold(
            plain or re.match(r"::(error|warning|notice) [^:]*::", line),
            f"github: {line!r}",
        )


def hold_markdown(text: str) -> None:
    """Nothing of an input is markup, as CommonMark with GitHub's tables reads it."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    for block in parser.parse(text):
        for token in (block, *(block.children or ())):
            if token.type in ("html_block", "html_inline"):
                rest = OWN_HTML.sub("", token.content)
                hold("<" not in rest, f"markdown: {token.content!r}")
            hold(token.type != "image", f"markdown: an image {token.content!r}")
            if token.type == "link_open":
                target = str(token.attrs.get("href"))
                hold(
                    "x.example" not in target and "javascript" not in target,
                    f"markdown: {target}",
                )


def main() -> int:
    """Check until the time is over; the status is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--most", type=int, default=10**9)
    given = parser.parse_args()
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    for name in [n for n in os.environ if n.startswith(("KOPSLINT_", "GITHUB_"))]:
        del os.environ[name]
    ends, number = time.monotonic() + given.seconds, given.first
    statuses: Counter[int] = Counter()
    slowest = (0.0, 0)
    while time.monotonic() < ends and number < given.first + given.most:
        chance = random.Random(f"{given.seed}-{number}")  # noqa: S311
        folder = Path(tempfile.mkdtemp(prefix="kopslint-fuzz-"))
        os.chdir(folder)
        words: list[str] = []
        try:
            words = options(folder, chance)
            started = time.process_time()
            status, reports, said = checked(words)
            took = time.process_time() - started
            hold(took < SLOWEST, f"it takes {took:.0f} s")
            hold_all(status, reports, said)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is wanted
            again = f"--seed {given.seed} --first {number}"
            told = f"{type(error).__name__}: {error}"
            sys.stdout.write(f"{folder}: {again}: {words}\n{told}\n")
            return 1
        os.chdir("/")
        shutil.rmtree(folder)
        statuses[status] += 1
        slowest = max(slowest, (took, number))
        number += 1
    by = ", ".join(
        f"{count} with status {status}" for status, count in sorted(statuses.items())
    )
    sys.stdout.write(
        f"{statuses.total()} checks in {len(Format)} formats: {by};"
        f" slowest {slowest[0]:.1f} s (--first {slowest[1]})\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
