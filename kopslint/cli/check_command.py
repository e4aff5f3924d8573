"""``kopslint check`` as a command of typer."""

from __future__ import annotations

import typer

from kopslint.cli.check_options import CheckOptions
from kopslint.cli.checking import run_check
from kopslint.cli.typer_command import takes


@takes(CheckOptions)
def check(options: CheckOptions) -> None:
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
    if not run_check(options):
        raise typer.Exit(1)
