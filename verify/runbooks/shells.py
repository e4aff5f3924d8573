"""Scripts run in bash, whole or pasted line by line, on the stand-ins of programs.

The programs are functions of bash, read before a script or an interactive shell starts;
each call is a connection to a server in this process. So a run starts no program but
those that a script uses to read answers, and takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import signal
import socketserver
import subprocess
import threading
from typing import TYPE_CHECKING, NamedTuple

from verify.calls import Answer, read_call, write_answer
from verify.runbooks.faults import ENDS_SCRIPT, KINDS
from verify.runbooks.programs import PROGRAMS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from pathlib import Path

    from verify.runbooks.faults import Fault
    from verify.runbooks.programs import Programs

SETTINGS = {
    "LC_ALL": "C",
    "AWS_REGION": "eu-central-1",
    "CLOUDSDK_CORE_PROJECT": "project",
    "SCW_DEFAULT_ZONE": "fr-par-1",
    "AZURE_DEFAULTS_GROUP": "group",
    "KOPS_STATE_STORE": "s3://store",
}
"""What a person at a terminal has set."""

LIMIT = 30
"""Whoever sleeps so long, in seconds, waits for somebody else to hang."""

PATIENCE = 1.5
"""How long a call hangs, in real seconds, before its person presses Ctrl-C."""

BOUND = 60
"""How long a run may take, in real seconds."""

_FUNCTIONS = r"""
ask_the_stand_in() {
  local out err status
  exec 9<> /dev/tcp/127.0.0.1/PORT || return 97
  printf '%s\0' "$#" "$@" >&9
  IFS= read -r -d '' out <&9 && IFS= read -r -d '' err <&9 &&
    IFS= read -r -d '' status <&9
  exec 9>&-
  [ -z "$err" ] || printf '%s' "$err" >&2
  [ -z "$out" ] || printf '%s' "$out"
  return "${status:-98}"
}
date() {
  case $* in
    +%s) ask_the_stand_in date ;;
    *) command date "$@" ;;
  esac
}
export HISTFILE=
"""


class Ran(NamedTuple):
    """How a run ended, what it said, and how many calls it made."""

    status: int
    output: str
    calls: int


class Shell:
    """Runs scripts in one folder, where their files are, against one world.

    ``bash`` is the program that runs them.
    """

    def __init__(self, folder: Path, programs: Programs, bash: str = "bash") -> None:
        self.folder = folder
        self.programs = programs
        self.bash = bash
        self.fault: Fault | None = None
        self.calls = 0
        self.said: list[str] = []
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._hanging = 0
        self._now = 1_790_000_000
        self._running: subprocess.Popen[bytes] | None = None
        shell = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                shell._handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._functions = folder / "stand-ins.sh"
        self._write_functions()

    def _write_functions(self) -> None:
        port = self._server.server_address[1]
        lines = [_FUNCTIONS.replace("PORT", str(port))]
        lines += [f'{name}() {{ ask_the_stand_in {name} "$@"; }}' for name in PROGRAMS]
        self._functions.write_text("\n".join(lines) + "\n", encoding="utf-8")
        tools = self.folder / "stand-ins"
        tools.mkdir(exist_ok=True)
        for name in PROGRAMS:
            call = f'. {shlex.quote(str(self._functions))}\n{name} "$@"\n'
            (tools / name).write_text(f"#!/usr/bin/env bash\n{call}", encoding="utf-8")
            (tools / name).chmod(0o755)

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()

    # ---------------------------------------------------------------- runs

    def run(self, script: str, *arguments: str, name: str = "plan.sh") -> Ran:
        """Run a script as a file beside its specs, from another folder."""
        path = self.folder / name
        path.write_text(script, encoding="utf-8")
        return self._run([self.bash, str(path), *arguments], "", self.folder.parent)

    def paste(self, text: str) -> Ran:
        """Paste a text into a shell that was started in a shell, line by line."""
        words = [self.bash, "--noprofile", "--rcfile", str(self._functions), "-i"]
        inner = " ".join(map(shlex.quote, words))
        return self._run(words, f"{inner}\n{text}\n", self.folder)

    def _run(self, command: Sequence[str], text: str, folder: Path) -> Ran:
        self.calls = 0
        self.said = []
        tools = self.folder / "stand-ins"
        done = subprocess.Popen(  # noqa: S603 (a script that was printed here)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={
                **SETTINGS,
                "PATH": f"{tools}:/usr/bin:/bin",
                "BASH_ENV": str(self._functions),
                "HOME": str(self.folder),
            },
            start_new_session=True,
        )
        self._running = done
        try:
            out, _ = done.communicate(text.encode(), timeout=BOUND)
        except subprocess.TimeoutExpired:
            self._signal("KILL")
            out, _ = done.communicate()
            self.programs.world.wrong.append("the script never ends")
        finally:
            self._running = None
            with self._changed:
                self._hanging = 0
                self._changed.notify_all()
        return Ran(done.returncode, out.decode("utf-8", "replace"), self.calls)

    def _signal(self, name: str) -> None:
        running = self._running
        if running is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, getattr(signal, f"SIG{name}"))

    # ---------------------------------------------------------------- answers

    def _handle(self, connection: socket.socket) -> None:
        words = read_call(connection)
        if not words:
            return
        if words[0] == "date":
            write_answer(connection, Answer(f"{self._now}\n"))
            return
        if words[0] == "sleep":
            self._sleep(connection, words)
            return
        with self._lock:
            self.calls += 1
            call, fault = self.calls, self.fault
            if fault is not None and fault.strikes(call):
                answer = KINDS[fault.kind](self.programs, words)
                kind = fault.kind
            else:
                answer, kind = self.programs.call(words), ""
            self.said.append(f"{call} {shlex.join(words)} {kind}")
        if answer.hangs:
            self._hang(connection, kind)
            return
        write_answer(connection, answer)

    def _sleep(self, connection: socket.socket, words: Sequence[str]) -> None:
        """Time passes at once, except for whoever waits for somebody else to hang."""
        found = re.match(r"\d+", words[1] if len(words) > 1 else "0")
        seconds = int(found[0]) if found is not None else 0
        while seconds >= LIMIT and not self._hanging:
            if _closed(connection, 0.02):
                return
        with self._lock:
            self._now += seconds
        write_answer(connection, Answer())

    def _hang(self, connection: socket.socket, kind: str) -> None:
        """Never answer; end the script where that is the fault, or nobody else does."""
        with self._changed:
            self._hanging += 1
            self._changed.notify_all()
        if kind in ENDS_SCRIPT:
            self._signal(ENDS_SCRIPT[kind])
        gone = _closed(connection, PATIENCE)
        if not gone:
            self._signal("INT")
            gone = _closed(connection, PATIENCE)
        if not gone:
            self._signal("KILL")
        with self._changed:
            self._hanging = max(0, self._hanging - 1)


def _closed(connection: socket.socket, seconds: float) -> bool:
    """Whether the other side goes away within a time."""
    ready, _, _ = select.select([connection], [], [], seconds)
    if not ready:
        return False
    try:
        return connection.recv(1) == b""
    except OSError:
        return True
