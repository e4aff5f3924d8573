"""What a rule is: its manifest, its prose and its examples, all files of one folder.

A rule is knowledge and belongs to whoever runs clusters; the function that looks
for it is engine and is only named here. This room must not know the checks.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from kopslint.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kopslint.findings import Draft, Severity
    from kopslint.rulebook.house import House

Category = Literal[
    "spec", "change", "order", "commands", "undecided", "suppression", "house"
]

_Text = Annotated[str, Field(min_length=1, pattern=r"^\S.*\S$")]


class Manifest(BaseModel):
    """The contents of ``rule.yaml``.

    ``sources`` name what proves that kops or etcd behave as the rule says: a file
    and function of kops, an issue, a document. ``check`` names the function that
    looks for the hazard as ``module:function`` under ``kopslint.checks``, or what is
    wrong with comments as ``suppress.module:function``. ``since`` is the kopslint
    version that brought the rule.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^KL[1-9][0-9]{2}$")]
    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    summary: _Text
    category: Category
    severity: Literal["error", "warning", "info"]
    since: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    sources: Annotated[list[_Text], Field(min_length=1)]
    check: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_.]*:[a-z_][a-z0-9_]*$")]
    ignorable: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One example of a rule; a bad one must give exactly its ``expected`` text.

    A side that is not there is None: a rule about one state has no ``before``.
    """

    folder: Path
    bad: bool
    before: Path | None
    after: Path | None
    commands: Path | None
    expected: str | None

    @property
    def name(self) -> str:
        """The folder's name, such as ``bad-two-at-once``."""
        return self.folder.name


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; ``folder`` has the rest of it, which is read when it is asked for.

    A team's own rule has ``house``, and neither ``check`` nor ``since``.
    """

    id: str
    name: str
    summary: str
    category: Category
    severity: Severity
    since: str
    sources: tuple[str, ...]
    check: str
    ignorable: bool
    folder: Path
    house: House | None = None

    @property
    def judges_comments(self) -> bool:
        """Whether it is asked about the comments of a check, after all other rules."""
        return self.check.startswith("suppress.")

    def readme(self) -> str:
        """The rule's prose, in Markdown. Raises ``RuleError`` if there is none.

        A team's own rule that has none is explained by why it matters.
        """
        path = self.folder / "README.md"
        if self.house is not None and not path.exists():
            return f"{self.house.why}\n"
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"{path}: cannot be read: {error}") from error

    def examples(self) -> tuple[Example, ...]:
        """The examples by name: the bad ones, then the good ones."""
        folders = sorted((self.folder / "examples").glob("*/"))
        return tuple(_example(path) for path in folders if path.is_dir())

    def load_check(self) -> Callable[..., Iterable[Draft]]:
        """The function that looks for the hazard, imported now.

        It takes the context of a cluster, or for a rule that ``judges_comments`` what
        came of them. Raises ``RuleError`` if there is no such function, or if the
        expression of a team's own rule is not well-formed.
        """
        if self.house is not None:
            from kopslint.rulebook.expressions import house_rule

            return partial(self._function("checks.house:violations"), house_rule(self))
        room = "" if self.judges_comments else "checks."
        return self._function(room + self.check)

    def _function(self, named: str) -> Callable[..., Iterable[Draft]]:
        module, _, function = named.partition(":")
        try:
            found = getattr(importlib.import_module(f"kopslint.{module}"), function)
        except (ModuleNotFoundError, AttributeError) as error:
            raise RuleError(
                f"{self.folder / 'rule.yaml'}: check: {error}",
                hint="name a function as module:function under kopslint.checks",
            ) from error
        if not callable(found):
            raise RuleError(f"{self.folder / 'rule.yaml'}: check: not a function")
        return found  # type: ignore[no-any-return]


def _example(folder: Path) -> Example:
    bad = folder.name.startswith("bad-")
    if not bad and not folder.name.startswith("good-"):
        raise RuleError(
            f"{folder}: an example is called neither bad-... nor good-...",
            hint="rename the folder",
        )

    def side(*names: str) -> Path | None:
        return next((p for name in names if (p := folder / name).is_file()), None)

    expected = side("expected.txt")
    return Example(
        folder=folder,
        bad=bad,
        before=side("before.yaml"),
        after=side("after.yaml"),
        commands=side("commands.sh", "commands.md", "commands.yml"),
        expected=expected.read_text(encoding="utf-8") if expected else None,
    )
