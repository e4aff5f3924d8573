"""The options of ``kopslint merge``; what they lead to is ``run_merge``'s business."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations.
from typing import Annotated

import typer

from kopslint.cli.common import (  # noqa: TC001 - typer reads the annotations.
    Color,
    Config,
    House,
    Verbose,
)
from kopslint.cli.options import ColorWhen, FailOn, Format, read_outputs
from kopslint.cli.voice import Voice


def merge(
    *,
    reports: Annotated[
        list[str],
        typer.Argument(
            metavar="REPORT", help="The JSON reports of all shards, or their folder."
        ),
    ],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT[=FILE]",
            help=f"One of {', '.join(Format)}; may be given several times.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            help="The least severity that gives exit status 1 (default: error)."
        ),
    ] = None,
    house: House = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Findings that are known and do not count."),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write all findings there, as a baseline from now on."
        ),
    ] = None,
    config: Config = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="Read no configuration file.")
    ] = False,
    color: Color = ColorWhen.AUTO,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print nothing but findings.")
    ] = False,
    no_timeline: Annotated[
        bool, typer.Option("--no-timeline", help="Leave out the table of steps.")
    ] = False,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count findings by rule at the end.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Make one report of those that kopslint check --shard wrote as JSON.

    It is the report that a check without --shard gives, in any form; neither the specs
    nor the commands have to be at hand.

    Exit status: 0 nothing is as bad as --fail-on, 1 something is, 2 a report cannot be
    read, is missing, or belongs to another check, 4 kopslint failed.
    """
    from kopslint.cli.checking import CheckOptions
    from kopslint.cli.merging import run_merge

    options = CheckOptions(
        config=config,
        no_config=no_config,
        house=house or (),
        baseline=baseline,
        write_baseline=write_baseline,
        fail_on=fail_on,
        outputs=read_outputs(formats or []),
        color=color,
        timeline=not no_timeline,
        statistics=statistics,
    )
    if not run_merge(reports, options, Voice(quiet, verbose)):
        raise typer.Exit(1)
