"""Where a team's own rules come from: the configuration, and the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.config.load import Configuration
    from kopslint.rulebook.model import Rule


def all_rules(
    configuration: Configuration, folders: Sequence[Path] = ()
) -> tuple[Rule, ...]:
    """The rulebook and the rules of the configured and the given folders.

    Raises ``RuleError`` for a folder that does not hold what it must.
    """
    configured = [
        Path(configuration.layout.folder, p) for p in configuration.rule_paths
    ]
    if not configured and not folders:
        from kopslint.rulebook.loader import load_rules

        return load_rules()
    from kopslint.rulebook.loader import with_house_rules

    return with_house_rules([*map(_from_here, configured), *folders])


def _from_here(folder: Path) -> Path:
    """The folder as people see it from where they are, if it lies below."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
