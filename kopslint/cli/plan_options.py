"""The options of ``kopslint plan``, apart so that ``--help`` loads nothing else."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from kopslint.cli.option_table import (
    Options,
    argument,
    choice,
    value,
    values,
    verbosity,
)


class PlanFormat(StrEnum):
    """The forms of a plan."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class Target(StrEnum):
    """Who changes the cloud."""

    DIRECT = "direct"
    TERRAFORM = "terraform"


class PlanOptions(Options):
    """The options of one plan, as they were given."""

    specs: tuple[str, ...] = argument(
        "BEFORE AFTER", "The spec before the change, and the spec after it."
    )
    before: tuple[str, ...] = values(
        "--before", str, metavar="SRC", help="The spec before the change, as BEFORE."
    )
    after: tuple[str, ...] = values(
        "--after", str, metavar="SRC", help="The spec after the change, as AFTER."
    )
    base: str | None = value(
        "--base",
        str,
        metavar="REV",
        help="Take the spec before from git, at the merge base with REV; the file"
        " names are those of the spec after.",
    )
    kops_version: str | None = value(
        "--kops-version",
        str,
        metavar="1.MINOR",
        help="The kops version that runs the plan (default: the one that matches the"
        " cluster's Kubernetes version).",
    )
    observed: tuple[str, ...] = values(
        "--observed",
        str,
        metavar="SRC",
        help=(
            "What was observed on the cluster; without it, a healthy cluster is"
            " assumed."
        ),
    )
    form: PlanFormat = choice(
        "--format", PlanFormat.TEXT, help="The format of the plan."
    )
    target: Target = choice(
        "--target",
        Target.DIRECT,
        help="What changes the cloud, as for kops update --target.",
    )
    out: Path | None = value(
        "--out", Path, metavar="FOLDER", help="Write the plan and its specs here."
    )
    verbose: bool = verbosity()
