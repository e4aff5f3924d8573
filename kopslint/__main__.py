"""The program ``kopslint``.

``kopslint --version`` is answered here, before anything else is imported: hooks
and installers ask it often.
"""

from __future__ import annotations

import sys

from kopslint import __version__


def main() -> None:
    """Run the command line in ``sys.argv`` and exit with its status."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        sys.stdout.write(f"kopslint {__version__}\n")
        return
    import gc

    from kopslint.cli.program import run

    status = run(sys.argv[1:])
    # The interpreter looks for cycles once more before it ends, in all that a run has
    # made. The system takes the memory back in any case, so there is nothing to find.
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
