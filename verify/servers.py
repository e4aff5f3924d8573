"""Real etcd servers on 127.0.0.1, and what can be asked of them.

Every server belongs to one ``Servers``, which stops them all when its ``with`` block
is left, however it is left. This module must not know the model.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ETCD = "/usr/bin/etcd"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (an etcd syncs less there)
MOST_STARTS = 60
"""How many processes one cluster may start before it is given up."""

_taken: set[int] = set()
_taking = threading.Lock()


class RefusedError(Exception):
    """An etcd said no, or nothing in time; the message is etcd's own."""


class Servers:
    """The servers of one etcd cluster, by member name.

    ``started`` is when the youngest of them was started, by the monotonic clock.
    """

    def __init__(self, names: Iterable[str], program: str = ETCD) -> None:
        self._program = program
        memory = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="verify-etcd-", dir=memory))
        self._ports = {name: (free_port(), free_port()) for name in names}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._flags: dict[str, tuple[str, ...]] = {}
        self._starts = 0
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop every server and delete what it wrote."""
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        with _taking:
            _taken.difference_update(p for pair in self._ports.values() for p in pair)

    def bootstrap(self, names: Iterable[str]) -> None:
        """Start a new cluster; it serves a moment later."""
        chosen = tuple(names)
        for name in chosen:
            self._flags[name] = self._initial("new", chosen)
            self._launch(name)

    def start(self, name: str, members: Iterable[str]) -> None:
        """Start a member of a cluster that exists, with the disk that it has."""
        self._flags[name] = self._initial("existing", members)
        self._launch(name)

    def kill(self, name: str) -> None:
        """Kill a server, as when its machine is terminated."""
        process = self._processes.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def ended(self, name: str, seconds: float) -> bool:
        """Whether a server ends by itself within ``seconds``; it is gone afterwards."""
        process = self._processes.get(name)
        if process is None:
            return True
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        finally:
            self.kill(name)
        return True

    def wipe(self, name: str) -> None:
        """Delete the disk of a server that does not run."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def tend(self) -> None:
        """Start again what ended by itself, as etcd-manager does."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None:
                self._launch(name)

    def members(self, name: str) -> dict[str, str]:
        """The member list as one server has it: identifiers by member name."""
        answer = self._ask(name, "cluster/member/list", {}, 2)
        urls = {self._peer(each): each for each in self._ports}
        listed = answer.get("members")
        if not isinstance(listed, list):
            raise RefusedError("no member list")
        return {urls[member["peerURLs"][0]]: member["ID"] for member in listed}

    def read(self, name: str, seconds: float) -> None:
        """A linearizable read through one server; raises RefusedError without one."""
        self._ask(name, "kv/range", {"key": "aw=="}, seconds)

    def write(self, name: str, seconds: float) -> None:
        """A write through one server; raises RefusedError if it is not agreed on."""
        self._ask(name, "kv/put", {"key": "aw==", "value": "dg=="}, seconds)

    def add(self, name: str, through: str, seconds: float) -> None:
        """Add a member; raises RefusedError with etcd's reason."""
        peer = [self._peer(name)]
        self._ask(through, "cluster/member/add", {"peerURLs": peer}, seconds)

    def remove(self, name: str, through: str, seconds: float) -> None:
        """Remove a member; raises RefusedError with etcd's reason."""
        identifier = self.members(through)[name]
        self._ask(through, "cluster/member/remove", {"ID": identifier}, seconds)

    def _peer(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name][1]}"

    def _initial(self, state: str, members: Iterable[str]) -> tuple[str, ...]:
        cluster = ",".join(f"{each}={self._peer(each)}" for each in members)
        return ("--initial-cluster", cluster, "--initial-cluster-state", state)

    def _launch(self, name: str) -> None:
        self._starts += 1
        if self._starts > MOST_STARTS:
            raise RefusedError(f"{MOST_STARTS} processes were started")
        self.started = time.monotonic()
        client = f"http://127.0.0.1:{self._ports[name][0]}"
        peer = self._peer(name)
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 (a fixed program)
                [
                    self._program,
                    *("--listen-client-urls", client),
                    *("--advertise-client-urls", client),
                    *("--listen-peer-urls", peer),
                    *("--initial-advertise-peer-urls", peer),
                    *("--heartbeat-interval", "50", "--election-timeout", "300"),
                    *("--strict-reconfig-check", "--logger", "zap"),
                    *self._flags[name],
                ],
                stdout=log,
                stderr=log,
                # As etcd-manager does: pkg/etcd/etcdprocess.go.
                env={"ETCD_NAME": name, "ETCD_DATA_DIR": str(self._folder / name)},
            )

    def _ask(
        self, name: str, path: str, body: Mapping[str, object], seconds: float
    ) -> dict[str, list[dict[str, str]]]:
        """Post to etcd's own JSON gateway, bounded by ``seconds``."""
        connection = HTTPConnection("127.0.0.1", self._ports[name][0], timeout=seconds)
        try:
            connection.request("POST", f"/v3/{path}", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise RefusedError(f"no answer: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise RefusedError(str(answer.get("error", answer)))
        return dict(answer)


def free_port() -> int:
    """A port of 127.0.0.1 that is free, and that no other cluster here was given."""
    with _taking:
        for _ in range(100):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = int(probe.getsockname()[1])
            if port not in _taken:
                _taken.add(port)
                return port
    raise RefusedError("no port of 127.0.0.1 is free")


def eventually(deadline: float) -> bool:
    """Whether to look once more: sleeps a moment, False once ``deadline`` is past."""
    if time.monotonic() >= deadline:
        return False
    time.sleep(0.05)
    return True
