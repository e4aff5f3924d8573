"""What a rule is: its manifest, its prose and its examples, all files of one folder.

The manifest names the function in ``checks`` that looks for the hazard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.errors import RuleError
from kopslint.records import Record

if TYPE_CHECKING:
    from pathlib import Path

    from kopslint.findings import Severity
    from kopslint.syntax.yaml import Step

Category = Literal[
    "spec",
    "change",
    "order",
    "commands",
    "observed",
    "undecided",
    "suppression",
    "house",
]

Hazard = Literal[
    "quorum",
    "dead-member",
    "membership",
    "data-loss",
    "upgrade",
    "access",
    "refused",
    "no-effect",
    "coverage",
]
"""What happens if the finding is ignored; docs/build.py has a sentence for each."""

Scope = Literal["cluster", "group", "member", "command"]


class House(Record):
    """What a team's own rule asks and says; the texts are as written.

    Such a rule comes out of a repository, perhaps out of a pull request. So it can
    only be data and an expression in CEL, which can neither reach anything but the
    variables that it is given nor run for ever.
    """

    scope: Scope
    when: str
    message: str
    why: str
    at: tuple[Step, ...]
    fix: tuple[str, ...]


class Example(Record):
    """One example of a rule; a bad one must give exactly its ``expected`` text.

    A side that is not there is None: a rule about one state has no ``before``.
    """

    folder: Path
    bad: bool
    before: Path | None
    after: Path | None
    commands: Path | None
    observed: Path | None
    expected: str | None

    @property
    def name(self) -> str:
        """The folder's name, such as ``bad-two-at-once``."""
        return self.folder.name


class Rule(Record):
    """One rule; ``folder`` has the rest of it, which is read when it is asked for.

    A team's own rule has ``house``, and neither ``check``, ``since`` nor ``hazard``.
    ``follows`` are rules whose findings may be the cause of one of this rule.
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
    follows: tuple[str, ...] = ()
    hazard: Hazard | None = None

    @property
    def judges_comments(self) -> bool:
        """Whether it is asked about the comments of a check, after all other rules."""
        return self.check.startswith("suppress.")

    @property
    def judges_settings(self) -> bool:
        """Whether it is asked what of a change in git is about the check itself."""
        return self.check.startswith("config.")

    def may_speak(self, *, change: bool, commands: bool, observed: bool) -> bool:
        """Whether it can find anything in a check with or without these.

        A rule about commands is silent without any, one about a change where there is
        only a state, and one about what was observed where nothing was.
        """
        if self.category == "observed":
            return observed
        if self.category in ("order", "commands"):
            return commands
        return change or self.category != "change"

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


def _observed(folder: Path) -> Path | None:
    """What was observed: one text of that name, or a folder of them."""
    names = ("observed", "observed.txt", "observed.md")
    return next((p for name in names if (p := folder / name).exists()), None)


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
        observed=_observed(folder),
        expected=expected.read_text(encoding="utf-8") if expected else None,
    )
