"""What a ``rule.yaml`` may hold, as pydantic checks it.

The rulebook's own manifests are checked by its tests and a team's own at every run
that has any, so that the others need not pay for the models. This module must not
know where rules are.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from kopslint.rulebook.model import Category, Hazard, House, Scope

_Text = Annotated[str, Field(min_length=1)]
_Line = Annotated[str, Field(min_length=1, pattern=r"^\S.*\S$")]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
_SeverityName = Literal["error", "warning", "info"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Manifest(_Model):
    """The contents of the ``rule.yaml`` of a rule of the rulebook.

    ``sources`` name what proves that kops or etcd behave as the rule says: a file
    and function of kops, an issue, a document. ``check`` names the function that
    looks for the hazard as ``module:function`` under ``kopslint.checks``, or what is
    wrong with comments as ``suppress.module:function``, or with a change of the check's
    settings as ``config.module:function``. ``since`` is the kopslint
    version that brought the rule. ``hazard`` is the line of the documentation's index
    that lists it. ``follows`` are rules of which a finding may be the
    cause of one of this rule, at the same step or a later one.
    """

    id: Annotated[str, Field(pattern=r"^KL[1-9][0-9]{2}$")]
    name: _Name
    summary: _Line
    category: Category
    hazard: Hazard
    severity: _SeverityName
    since: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    sources: Annotated[list[_Line], Field(min_length=1)]
    check: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_.]*:[a-z_][a-z0-9_]*$")]
    ignorable: bool = True
    follows: list[Annotated[str, Field(pattern=r"^KL[1-9][0-9]{2}$")]] = []


class HouseManifest(_Model):
    """The contents of the ``rule.yaml`` of a team's own rule.

    ``for`` is what the rule is asked about, one after another, and ``when`` is true
    where it is broken. ``message`` may hold expressions in braces. ``at`` is the field
    that is shown, with dots between its steps, or as a list if a key has dots.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z]{2,12}[0-9]{2,4}$")]
    name: _Name
    summary: _Text
    severity: _SeverityName
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
            raise ValueError("KL is reserved for kopslint, use other letters")
        return value

    @model_validator(mode="after")
    def _has_fields(self) -> HouseManifest:
        if self.at and self.scope == "command":
            raise ValueError("a command has no fields to point at, remove at")
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
