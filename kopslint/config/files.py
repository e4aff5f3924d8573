"""The files on the disk that a configuration's patterns mean.

This module must not know what the files hold.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.config.patterns import CLUSTER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.config.patterns import Layout, Patterns


def spec_files(layout: Layout) -> list[Path]:
    """The configured specs, sorted; none if the configuration names none."""
    return _files(Path(layout.folder), [layout.specs] if layout.specs else [])


def command_files(layout: Layout) -> list[Path]:
    """The configured command lists, sorted."""
    return _files(Path(layout.folder), [patterns for _, patterns in layout.commands])


def _files(folder: Path, several: Iterable[Patterns]) -> list[Path]:
    """Every pattern is first made wider than it is, and then asked itself."""
    return sorted(
        {
            path
            for patterns in several
            for text in patterns.texts
            if not text.startswith("!")
            for path in folder.glob(_glob(text))
            if patterns.match(path.relative_to(folder).as_posix())
            # Path.is_file raises where one may not look.
            and os.path.isfile(path)  # noqa: PTH113
        }
    )


def _glob(text: str) -> str:
    glob = text.removeprefix("./").replace(CLUSTER, "*")
    if glob.endswith("/"):
        glob += "**"
    return f"{glob}/*" if glob.endswith("**") else glob
