"""Say what is new in a release, or why it is none.

    python ci/release_notes.py v0.1.0 https://github.com/kopslint/kopslint

The tag must be the version of the package, which has to have its own heading in the
changelog, and the address the one of ``pyproject.toml``: a copy of the repository that
still bears the address of another releases nothing.
"""  # noqa: INP001 - A script that is run and never imported.

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, address: str) -> str:
    """The part of the changelog about this release; SystemExit if it is none."""
    source = (ROOT / "kopslint" / "__init__.py").read_text("utf-8")
    written = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    version = written[1] if written else ""
    if tag != f"v{version}":
        sys.exit(f"the tag is {tag}, and the version is {version}")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = project["urls"]["Source"]
    if address.casefold() != ours.casefold():
        sys.exit(f"this is {address}, and pyproject.toml says {ours}: make address")
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    found = re.search(
        rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$\n(.+?)(?=^## |\Z)",
        changes,
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        sys.exit(f"CHANGELOG.md has no heading '## {version} (YYYY-MM-DD)'")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(notes(*sys.argv[1:]))
