"""The options' types, and how their values are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from kopslint.errors import UsageError
from kopslint.findings import Severity
from kopslint.records import Record


class FailOn(StrEnum):
    """The least severity that makes the exit status 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"

    def met(self, severity: Severity) -> bool:
        """Whether a finding of this severity is bad enough."""
        return self is not FailOn.NEVER and severity.rank <= Severity(self).rank


class ColorWhen(StrEnum):
    """When to print in colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Format(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"
    GITLAB = "gitlab"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    HTML = "html"


class StdinAs(StrEnum):
    """How command lists on the standard input are written."""

    MARKDOWN = "markdown"
    SHELL = "shell"


class Form(StrEnum):
    """The forms of everything that is printed and is not a report."""

    TEXT = "text"
    JSON = "json"


class Output(Record):
    """One report to write; without a file it goes to the standard output."""

    format: Format
    file: Path | None


def read_outputs(values: list[str]) -> tuple[Output, ...]:
    """What ``--format FORMAT[=FILE]`` asks for; text by default.

    Raises ``UsageError`` for an unknown format, and if two reports would go to the
    same place.
    """
    outputs = []
    for value in values or [Format.TEXT]:
        name, equals, file = value.partition("=")
        if name not in list(Format):
            raise UsageError(
                f"--format {value}: unknown format {name}",
                hint=f"the formats are {', '.join(Format)}",
            )
        if equals and not file:
            raise UsageError(
                f"--format {value}: the file is missing",
                hint=f"write {name} or {name}=FILE",
            )
        outputs.append(Output(Format(name), Path(file) if file else None))
    places = [output.file for output in outputs]
    for place in places:
        if places.count(place) > 1:
            where = "the standard output" if place is None else str(place)
            raise UsageError(
                f"two reports would go to {where}",
                hint="write all but one to a file: --format sarif=FILE",
            )
    return tuple(outputs)
