"""The options of ``kopslint check``; what they lead to is ``run_check``'s business."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations.
from typing import Annotated

import typer

from kopslint.cli.checking import CheckOptions, run_check
from kopslint.cli.common import (  # noqa: TC001 - typer reads the annotations.
    Color,
    Config,
    House,
    Verbose,
)
from kopslint.cli.console import Voice
from kopslint.cli.inputs import GitOptions
from kopslint.cli.options import ColorWhen, FailOn, Format, StdinAs, read_outputs
from kopslint.config.shard import read_shard


def check(
    *,
    specs: Annotated[
        list[str] | None,
        typer.Argument(metavar="AFTER", help="The spec after the change."),
    ] = None,
    before: Annotated[
        list[str] | None,
        typer.Option(metavar="SRC", help="The spec before the change."),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(metavar="SRC", help="The spec after the change, as AFTER."),
    ] = None,
    commands: Annotated[
        list[str] | None,
        typer.Option(metavar="SRC", help="The commands: scripts, runbooks, workflows."),
    ] = None,
    stdin_as: Annotated[
        StdinAs | None,
        typer.Option(help="How commands from - are written, instead of guessing."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="FORMAT[=FILE]",
            help=f"One of {', '.join(Format)}; may be given several times.",
        ),
    ] = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed",
            help="Check what changed in git since the work parted from the default"
            " branch, up to the work tree.",
        ),
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(metavar="REV", help="The same, from where REV parted."),
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="REV", help="The same, up to REV.")
    ] = None,
    staged: Annotated[
        bool, typer.Option("--staged", help="Check what the next commit would change.")
    ] = False,
    select: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULES", help="Only these: ids, prefixes, names, categories."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="RULES", help="All but these.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            help="The least severity that gives exit status 1 (default: error)."
        ),
    ] = None,
    kops_version: Annotated[
        str | None,
        typer.Option(
            metavar="1.MINOR",
            help="The kops that runs the commands, instead of the one that fits the"
            " cluster's Kubernetes.",
        ),
    ] = None,
    no_etcd_volumes: Annotated[
        bool,
        typer.Option(
            "--no-etcd-volumes",
            help="The cluster was never applied: its etcd volumes do not exist yet.",
        ),
    ] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Mend the list of commands in its file, and report what is left.",
        ),
    ] = False,
    diff: Annotated[
        bool,
        typer.Option(
            "--diff",
            help="Print the mended list as a patch behind the report; write nothing.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=256,
            help="How many processes check a large fleet (default: one for every"
            " core, and at most eight).",
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only the clusters of shard I of N, by name.",
        ),
    ] = None,
    house: House = None,
    no_ignores: Annotated[
        bool,
        typer.Option("--no-ignores", help="Pass over comments that silence findings."),
    ] = False,
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
    """Check one state, a change, or a change and its commands.

    With --changed, --base, --head or --staged the change is taken from git, with the
    command lists that the configuration names, and AFTER limits it to some files or
    folders. That no kops spec changed is an answer then, with status 0. Without any
    input the specs that the configuration names are checked.

    Where a list of commands is not in order, the same lines often are in another
    order, with some more. --fix and --diff give such a list, if the check accepts it.

    Exit status: 0 checked and nothing as bad as --fail-on, 1 something is, 2 the
    options or inputs are wrong, 3 nothing was checked, 4 kopslint failed.
    """
    options = CheckOptions(
        before=before or (),
        after=[*(specs or []), *(after or [])],
        commands=commands or (),
        stdin_as=stdin_as,
        git=GitOptions(base, head, staged, changed),
        config=config,
        no_config=no_config,
        select=select or (),
        ignore=ignore or (),
        kops_version=kops_version,
        etcd_volumes=not no_etcd_volumes,
        house=house or (),
        ignores=not no_ignores,
        baseline=baseline,
        write_baseline=write_baseline,
        fail_on=fail_on,
        outputs=read_outputs(formats or []),
        color=color,
        timeline=not no_timeline,
        statistics=statistics,
        fix=fix,
        diff=diff,
        jobs=jobs,
        shard=read_shard(shard) if shard is not None else None,
    )
    if not run_check(options, Voice(quiet, verbose)):
        raise typer.Exit(1)
