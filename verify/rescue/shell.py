"""Scripts run in bash, on programs that are answered in this process."""

from __future__ import annotations

import contextlib
import os
import signal
import socketserver
import subprocess
import threading
from typing import TYPE_CHECKING, NamedTuple, Self

from verify.calls import read_call, write_answer
from verify.rescue.programs import PROGRAMS

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from verify.rescue.programs import Programs

BOUND = 400
"""How long one script may run, in seconds."""

_STAND_IN = r"""#!/bin/bash
exec 9<> /dev/tcp/127.0.0.1/PORT || exit 97
printf '%s\0' "$(($# + 1))" "${0##*/}" "$@" >&9
IFS= read -r -d '' out <&9 && IFS= read -r -d '' err <&9 &&
  IFS= read -r -d '' status <&9
[ -z "$err" ] || printf '%s' "$err" >&2
[ -z "$out" ] || printf '%s' "$out"
exit "${status:-98}"
"""

# What a script waits for is ready sooner here: nothing boots.
_SLEEP = """#!/bin/sh
case $1 in 0*) exec /bin/sleep 0.2 ;; *) exec /bin/sleep 1 ;; esac
"""


class Ran(NamedTuple):
    """How a script ended, and what it said."""

    status: int
    output: str


class Shell:
    """Runs scripts in one folder, where their files are."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        shell = self

        class Handler(socketserver.BaseRequestHandler):
            """One call."""

            def handle(self) -> None:
                shell._handle(self.request)

        socketserver.ThreadingTCPServer.daemon_threads = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._tools = folder / "stand-ins"
        self._tools.mkdir()
        text = _STAND_IN.replace("PORT", str(self._server.server_address[1]))
        for name in PROGRAMS:
            self.tool(name, text)
        self.tool("sleep", _SLEEP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def tool(self, name: str, text: str) -> None:
        """Put a program before those of the machine."""
        (self._tools / name).write_text(text, encoding="utf-8")
        (self._tools / name).chmod(0o755)

    def run(self, script: str, *arguments: str, folder: Path | None = None) -> Ran:
        """Run a script; it and all that it started are ended after a time."""
        path = (folder or self.folder) / "script.sh"
        path.write_text(script, encoding="utf-8")
        done = subprocess.Popen(  # noqa: S603 (a script that was printed here)
            ["/bin/bash", str(path), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=path.parent,
            env={
                "LC_ALL": "C",
                "AWS_REGION": "us-east-1",
                "HOME": str(self.folder),
                "PATH": f"{self._tools}:/usr/bin:/bin",
            },
            start_new_session=True,
        )
        try:
            out, _ = done.communicate(timeout=BOUND)
        except subprocess.TimeoutExpired:
            self.programs.machines.wrong.append("a script never ends")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(done.pid, signal.SIGKILL)
            out, _ = done.communicate()
        return Ran(done.returncode, out.decode("utf-8", "replace"))

    def _handle(self, connection: socket.socket) -> None:
        words = read_call(connection)
        if words:
            write_answer(connection, self.programs.call(words))
