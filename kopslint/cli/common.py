"""The options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kopslint.cli.options import ColorWhen, Form

Color = Annotated[ColorWhen, typer.Option(help="Print in colour; auto: at a terminal.")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The configuration, instead of looking for it."),
]
House = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="A folder with rules of your own."),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Say what is done and, if it fails, print where."),
]
TextOrJson = Annotated[Form, typer.Option("--format", help="The form of the output.")]
