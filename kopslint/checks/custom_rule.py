"""A team's own rule as the checks know it: what it is asked about, and how it answers.

In which language it is written is known to the rulebook alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.syntax.yaml import Plain, Step


class CustomRule(Protocol):
    """A team's own rule."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def scope(self) -> str:
        """What it is asked about: each cluster, group, member or command."""

    @property
    def why(self) -> str:
        """Why it matters."""

    @property
    def at(self) -> tuple[Step, ...]:
        """The field to show; empty for the object's name."""

    @property
    def fix(self) -> tuple[str, ...]:
        """What to do instead."""

    def ask(self, variables: Mapping[str, Plain]) -> str | None:
        """What to say where it is broken. Raises ``RuleError`` if it cannot decide."""
