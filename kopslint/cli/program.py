"""One run of the program: from arguments to an exit status, whatever happens.

Every way to fail ends here as sentences on the standard error and a status, and
none as a traceback that nobody asked for.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TYPE_CHECKING

from kopslint import __version__
from kopslint.errors import InputError, KopslintError
from kopslint.report.display import visible
from kopslint.report.job_log import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERNAL_ERROR = 4
# What a shell says of a program that was ended from the keyboard.
INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return the exit status of the contract.

    Findings go to the standard output, everything else to the standard error.
    Never raises for bad input, and for a defect of kopslint returns 4.
    """
    # A closed stream is None: whoever closed it does not want to read it.
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    # Looking for plug-ins of pydantic on the machine takes time at every run.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    # A run makes many small objects and few cycles, and ends: looking for cycles as
    # often as a server does is a third of the time that a large input takes.
    gc.set_threshold(50_000, 20, 20)
    try:
        return _status(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except KopslintError as error:
        where = f"{error.span}: " if error.span is not None else ""
        _complain(f"kopslint: {where}{error.message}")
        if error.hint:
            _complain(f"  hint: {error.hint}")
        return error.exit_status
    except MemoryError as error:
        # Nothing of what was read is needed any more, and saying so takes memory, too.
        error.__traceback__ = None
        _complain("kopslint: the input is too large for the available memory")
        _complain("  hint: check less at once, or give kopslint more memory")
        return InputError.exit_status
    except RecursionError:
        _complain("kopslint: the input is nested too deeply to be read")
        _complain("  hint: reduce the nesting")
        return InputError.exit_status
    except OSError as error:
        # What the machine refuses is no defect of kopslint, wherever it happens.
        return _refused(error, verbose="--verbose" in arguments)
    except Exception as error:  # noqa: BLE001 - the last place that can explain it
        # The options may not have been read yet when something breaks.
        if "--verbose" in arguments:
            _complain_in_full()
        _complain(f"kopslint: {type(error).__name__}: {error}")
        _complain(
            f"  This is a bug in kopslint {__version__}; your cluster was not checked."
        )
        if "--verbose" not in arguments:
            _complain("  hint: run it again with --verbose and report what it prints")
        return INTERNAL_ERROR


def _status(arguments: Sequence[str]) -> int:
    """The exit status of a command line; raises what it raises."""
    command, *words = arguments or [""]
    if command == "check":
        # A hook checks at every commit, and typer with what it needs takes longer to
        # start than all the rest.
        from kopslint.cli.check_options import CheckOptions

        options = CheckOptions.of_line(words)
        if options is not None:
            from kopslint.cli.checking import run_check

            return int(not run_check(options))
    from kopslint.cli.app import app

    try:
        done = app(list(arguments), prog_name="kopslint", standalone_mode=False)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except Exception as error:
        if type(error).__name__ == "Abort":
            raise KeyboardInterrupt from error
        show = getattr(error, "show", None)
        if show is None:
            raise
        # What is wrong with an option, in typer's words without those of its parser.
        message = getattr(error, "message", "")
        error.message = message.removeprefix("Value error, ")  # type: ignore[attr-defined]
        show()
        return int(getattr(error, "exit_code", InputError.exit_status))
    return done if isinstance(done, int) else 0


def _refused(error: OSError, *, verbose: bool) -> int:
    """Say what the system did not allow, and return the exit status of an input."""
    if verbose:
        _complain_in_full()
    why = error.strerror or str(error)
    if error.filename is None:
        # Only the current folder has no name in such an error.
        _complain(f"kopslint: the current folder cannot be used: {why}")
        _complain("  hint: change to a folder that exists")
    else:
        name = error.filename
        if isinstance(name, bytes):
            name = os.fsdecode(name)
        _complain(f"kopslint: {name} cannot be used: {why}")
        _complain("  hint: make it readable, or name another file")
    return InputError.exit_status


def _complain_in_full() -> None:
    """Where the program was when it failed."""
    from traceback import format_exc

    for line in format_exc().splitlines():
        _complain(line)


def _complain(sentence: str) -> None:
    sys.stderr.write(inert(visible(sentence)) + "\n")
