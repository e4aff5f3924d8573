"""What a rule of a team's own is: a manifest with an expression instead of a function.

Such a rule comes out of a repository, perhaps out of a pull request. So it can only
be data and an expression in CEL, which can neither reach anything but the variables
that it is given nor run for ever. This module must not know how CEL is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    from kopslint.syntax.yaml_tree import Step

Scope = Literal["cluster", "group", "member", "command"]

_Text = Annotated[str, Field(min_length=1)]


class HouseManifest(BaseModel):
    """The contents of the ``rule.yaml`` of a team's own rule.

    ``for`` is what the rule is asked about, one after another, and ``when`` is true
    where it is broken. ``message`` may hold expressions in braces. ``at`` is the field
    that is shown, with dots between its steps, or as a list if a key has dots.
    """

    # Most runs have no such rule and need not pay for the model.
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, defer_build=True
    )

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,12}[0-9]{2,4}$")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    summary: _Text
    severity: Literal["error", "warning", "info"]
    scope: Annotated[Scope, Field(alias="for")]
    when: _Text
    message: _Text
    why: _Text
    at: _Text | list[str | int] = []
    fix: list[_Text] = []
    sources: list[_Text] = []
    ignorable: bool = True

    @field_validator("id")
    @classmethod
    def _is_not_ours(cls, value: str) -> str:
        if value.startswith("KL"):
            raise ValueError(
                "KL is for the rules of kopslint, take letters of your own"
            )
        return value

    @model_validator(mode="after")
    def _has_fields(self) -> HouseManifest:
        if self.at and self.scope == "command":
            raise ValueError("a command has no fields to point at, leave out at")
        return self

    @property
    def house(self) -> House:
        """What a rule of the rulebook does not have."""
        at = self.at
        if isinstance(at, str):
            at = [int(step) if step.isdigit() else step for step in at.split(".")]
        return House(
            scope=self.scope,
            when=self.when,
            message=self.message.strip(),
            why=self.why.strip(),
            at=tuple(at),
            fix=tuple(self.fix),
        )


@dataclass(frozen=True, slots=True)
class House:
    """What a team's own rule asks and says; the texts are as written."""

    scope: Scope
    when: str
    message: str
    why: str
    at: tuple[Step, ...]
    fix: tuple[str, ...]
