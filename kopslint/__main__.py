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
    from kopslint.cli.program import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
