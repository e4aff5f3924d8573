"""The options that several commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kopslint.cli.options import ColorWhen, Form

Color = Annotated[
    ColorWhen, typer.Option(help="Print in colour; auto: only on a terminal.")
]
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The configuration file, instead of searching for it."
    ),
]
House = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="A folder with custom rules."),
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", help="Print progress, and a traceback on failure."),
]
TextOrJson = Annotated[Form, typer.Option("--format", help="The output format.")]
