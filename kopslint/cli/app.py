"""The commands of ``kopslint`` and their options.

What a command needs is imported when it runs: shell completion and ``--help``
must not load the engine.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kopslint import __version__
from kopslint.cli.changes import GitOptions
from kopslint.cli.checking import CheckOptions, run_check
from kopslint.cli.options import ColorWhen, FailOn, Form, Format, read_outputs
from kopslint.cli.terminal import style_for, write_output
from kopslint.cli.voice import Voice

app = typer.Typer(
    name="kopslint",
    no_args_is_help=True,
    # Both would import rich, which costs more than reading the specs.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Color = Annotated[ColorWhen, typer.Option(help="Print in colour; auto: at a terminal.")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The configuration, instead of looking for it."),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Say what is done and, if it fails, print where."),
]
TextOrJson = Annotated[Form, typer.Option("--format", help="The form of the output.")]


class Schema(StrEnum):
    """The published schemas."""

    REPORT = "report"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kopslint {__version__}")
        raise typer.Exit


@app.callback()
def kopslint(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Say what a change of a kops cluster does to etcd, before you run it.

    A source (SRC) is a file, a folder, a glob, - for the standard input, or
    git:REV:PATH. Nothing is ever run, and no network connection is made.
    """


@app.command()
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

    Exit status: 0 checked and nothing as bad as --fail-on, 1 something is, 2 the
    options or inputs are wrong, 3 nothing was checked, 4 kopslint failed.
    """
    options = CheckOptions(
        before=before or (),
        after=[*(specs or []), *(after or [])],
        commands=commands or (),
        git=GitOptions(base, head, staged, changed),
        config=config,
        no_config=no_config,
        select=select or (),
        ignore=ignore or (),
        fail_on=fail_on,
        outputs=read_outputs(formats or []),
        color=color,
        timeline=not no_timeline,
        statistics=statistics,
    )
    if not run_check(options, Voice(quiet, verbose)):
        raise typer.Exit(1)


@app.command()
def diff(
    *,
    before: Annotated[
        list[str], typer.Option(metavar="SRC", help="The spec before the change.")
    ],
    after: Annotated[
        list[str], typer.Option(metavar="SRC", help="The spec after the change.")
    ],
    form: TextOrJson = Form.TEXT,
    verbose: Verbose = False,  # noqa: ARG001 - read where failures are reported
) -> None:
    """Show what changes between two specs, object by object."""
    from kopslint.cli.differences import render_differences

    write_output(render_differences(before, after, Format(form)))


@app.command()
def rules(
    *,
    form: TextOrJson = Form.TEXT,
    color: Color = ColorWhen.AUTO,
) -> None:
    """List the rulebook."""
    from kopslint.cli.explain import rules_json, rules_text
    from kopslint.rulebook.loader import load_rules

    if form is Form.JSON:
        write_output(rules_json(load_rules()))
    else:
        style = style_for(sys.stdout, color, os.environ)
        write_output(rules_text(load_rules(), style))


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="The id or name of a rule.")],
    *,
    color: Color = ColorWhen.AUTO,
) -> None:
    """Explain a rule, with what to do instead and an example."""
    from kopslint.cli.explain import explanation
    from kopslint.rulebook.loader import find_rule, load_rules

    style = style_for(sys.stdout, color, os.environ)
    write_output(explanation(find_rule(load_rules(), rule), style))


@app.command()
def schema(
    of: Annotated[
        Schema, typer.Argument(metavar="report", help="What to print the schema of.")
    ],
) -> None:
    """Print the JSON Schema of something that kopslint writes."""
    from kopslint.report.json_report import render_schema

    match of:
        case Schema.REPORT:
            write_output(render_schema())
