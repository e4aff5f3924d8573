"""The commands of ``kopslint`` and their options.

What a command needs is imported when it runs: shell completion and ``--help``
must not load the engine.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kopslint import __version__
from kopslint.cli.check_command import check
from kopslint.cli.commands import commands
from kopslint.cli.common import (  # noqa: TC001 - typer reads the annotations.
    Color,
    Config,
    House,
    TextOrJson,
    Verbose,
)
from kopslint.cli.completion import complete_rules
from kopslint.cli.console import Voice, style_for, write_output
from kopslint.cli.options import ColorWhen, Form, Format
from kopslint.cli.plan_options import PlanFormat, PlanOptions
from kopslint.cli.typer_command import takes
from kopslint.report.job_log import Written

if TYPE_CHECKING:
    from kopslint.rulebook.model import Rule

app = typer.Typer(
    name="kopslint",
    no_args_is_help=True,
    # Both would import rich, which costs more than reading the specs.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Schema(StrEnum):
    """The published schemas."""

    REPORT = "report"
    CONFIG = "config"
    PLAN = "plan"


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


app.command()(check)
app.command()(commands)


@app.command()
def diff(
    specs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BEFORE AFTER",
            help="The spec before the change, and the spec after it.",
        ),
    ] = None,
    *,
    before: Annotated[
        list[str] | None,
        typer.Option(metavar="SRC", help="The spec before the change, as BEFORE."),
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(metavar="SRC", help="The spec after the change, as AFTER."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="Take the spec before from git, at the merge base with REV; the file"
            " names are those of the spec after.",
        ),
    ] = None,
    observed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SRC",
            help=(
                "What was observed on the cluster: outputs of etcdctl, kops and"
                " kubectl."
            ),
        ),
    ] = None,
    form: TextOrJson = Form.TEXT,
    verbose: Verbose = False,  # noqa: ARG001 - read where failures are reported
) -> None:
    """Show what changes between two specs, object by object.

    With --observed also how the members of etcd that were seen differ from the spec
    after.
    """
    from kopslint.cli.diff import render_differences
    from kopslint.cli.inputs import both_sides

    written = Written.JSON if form is Form.JSON else Written.TEXT
    old, new = both_sides(specs or (), before or (), after or (), base)
    told = render_differences(old, new, Format(form), observed or ())
    write_output(told, written)


@app.command()
@takes(PlanOptions)
def plan(options: PlanOptions) -> None:
    """Print the order of commands that is safe, or say that there is none.

    The commands bring a healthy cluster from one spec to the other without losing
    quorum; what to confirm between them is printed with them. Nothing is run.

    Exit status: 0 there is a plan or nothing to do, 1 there is no safe order, 2 the
    options or inputs are wrong, 3 there was no cluster, 4 kopslint failed.
    """
    from kopslint.cli.plan import run_plan

    style = style_for(sys.stdout, ColorWhen.NEVER, os.environ)
    planned = run_plan(options, style)
    is_json = options.form is PlanFormat.JSON
    write_output(planned.text, Written.JSON if is_json else Written.TEXT)
    if planned.missing:
        Voice().remark(
            f"the plan needs {', '.join(planned.missing)}: write them with --out FOLDER"
        )
    if not planned.found:
        raise typer.Exit(1)


@app.command()
def observe(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC", help="The spec of the cluster.")
    ],
    *,
    verbose: Verbose = False,  # noqa: ARG001 - read where failures are reported
) -> None:
    """Print a script that collects what can be seen of a cluster's control plane.

    The script reads and changes nothing. It writes a folder for --observed. Nothing
    is run here.

    Exit status: 0 printed, 2 the inputs are wrong, 3 there was no cluster, 4 kopslint
    failed.
    """
    from kopslint.cli.observe import render_observe

    write_output(render_observe(specs), Written.TEXT)


@app.command()
def rules(
    *,
    house: House = None,
    form: TextOrJson = Form.TEXT,
    color: Color = ColorWhen.AUTO,
) -> None:
    """List the rulebook, and the rules of your own."""
    from kopslint.cli.explain import rules_json, rules_text

    listed = _rules(house)
    if form is Form.JSON:
        write_output(rules_json(listed), Written.JSON)
    else:
        style = style_for(sys.stdout, color, os.environ)
        write_output(rules_text(listed, style))


@app.command()
def explain(
    rule: Annotated[
        str,
        typer.Argument(
            help="The id or name of a rule, or a part that several share: KL31,"
            " quorum.",
            autocompletion=complete_rules,
        ),
    ],
    *,
    house: House = None,
    color: Color = ColorWhen.AUTO,
) -> None:
    """Explain a rule, with what to do instead and an example.

    A part of an id, or a word, lists the rules that have it.
    """
    from kopslint.cli.explain import explanation, rules_text
    from kopslint.rulebook.loader import find_rules

    style = style_for(sys.stdout, color, os.environ)
    found = find_rules(_rules(house), rule)
    if len(found) == 1:
        write_output(explanation(found[0], style))
    else:
        write_output(rules_text(found, style))


@app.command("test-rules")
def test_rules(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with custom rules.")
    ],
) -> None:
    """Run the examples of your own rules.

    Exit status: 0 every example is as it should be, 1 one is not, 2 a rule cannot be
    read.
    """
    from kopslint.cli.test_rules import examine

    text, right = examine(folder)
    write_output(text)
    if not right:
        raise typer.Exit(1)


def _rules(house: list[Path] | None) -> tuple[Rule, ...]:
    """The rules that a check would know in this folder."""
    from kopslint.cli.settings import all_rules, configuration_for

    return all_rules(configuration_for((), os.environ), house or ())


@app.command()
def schema(
    of: Annotated[
        Schema,
        typer.Argument(
            metavar="report|plan|config", help="What to print the schema of."
        ),
    ],
) -> None:
    """Print the JSON Schema of something that kopslint writes or reads."""
    from kopslint.report.json_report import render_schema

    match of:
        case Schema.REPORT:
            write_output(render_schema(), Written.JSON)
        case Schema.PLAN:
            from kopslint.report.schema import render_plan_schema

            write_output(render_plan_schema(), Written.JSON)
        case Schema.CONFIG:
            from kopslint.config.schema import render_config_schema

            write_output(render_config_schema(), Written.JSON)


@app.command()
def init() -> None:
    """Write a configuration, .kopslint.yaml, with what is found in this folder."""
    from kopslint.cli.setup import write_starter

    Voice().remark(f"wrote {os.path.relpath(write_starter(Path.cwd()))}")


@app.command()
def doctor(
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="SRC", help="What would be checked."),
    ] = None,
    config: Config = None,
) -> None:
    """Show versions, the configuration, and what kopslint would check here.

    Exit status: 0 it can work, 2 something has to be fixed first.
    """
    from kopslint.cli.setup import diagnosis

    text, works = diagnosis(inputs or [], os.environ, config)
    write_output(text)
    if not works:
        raise typer.Exit(2)
