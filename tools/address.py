"""Write another address of this repository into everything that has it.

    python tools/address.py https://github.com/NAME/kopslint

``project.urls`` in ``pyproject.toml`` is where it is set; what people copy out of the
documentation repeats it.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[1]
FILES = (
    *("pyproject.toml", "README.md", "SECURITY.md", "CHANGELOG.md", "Dockerfile"),
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
    *(
        "ci/gitlab.yml",
        "ci/release.sh",
        "ci/release_notes.py",
        "kopslint/cli/rule_links.py",
    ),
)
"""The files that may name the repository."""


def address() -> str:
    """The address that is set."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found: str = project["urls"]["Source"]
    return found


def moved(text: str, old: str, new: str) -> str:
    """A text with another address; a forge also calls it OWNER/NAME."""
    text = text.replace(old, new)
    before, after = (urlsplit(each).path.removeprefix("/") for each in (old, new))
    return text.replace(before, after)


def main() -> None:
    """Write the address of the command line wherever the old one stands."""
    old, new = address(), sys.argv[1].rstrip("/")
    for name in FILES:
        path = ROOT / name
        path.write_text(moved(path.read_text("utf-8"), old, new), "utf-8")


if __name__ == "__main__":
    main()
