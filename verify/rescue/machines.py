"""Control-plane machines with real etcd servers on them, and who starts those.

``Machines`` is a cloud, a state store and the etcd-managers of one cluster. It follows
what was measured of etcd-manager and is written apart from the model of kopslint.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

from verify.servers import RefusedError, Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

TURN = 0.3
"""How long an etcd-manager waits between two looks, in seconds."""


class Etcd(Servers):
    """The servers of one etcd cluster; keys, and lists as their own server has them."""

    def put(self, name: str, key: str, value: str) -> None:
        """Write a key through one server."""
        body = {"key": _coded(key), "value": _coded(value)}
        self._ask(name, "kv/put", body, 3)

    def keys(self, name: str, *, alone: bool = False) -> dict[str, str]:
        """All that is written, by quorum or as one server has it by itself."""
        body = {"key": "AA==", "range_end": "AA==", "serializable": alone}
        answer = self._ask(name, "kv/range", body, 3)
        return {
            _plain(pair["key"]): _plain(pair["value"]) for pair in answer.get("kvs", [])
        }

    def address(self, name: str) -> str:
        """Where the clients of one server ask it."""
        return f"http://127.0.0.1:{self._ports[name][0]}"

    def peer(self, name: str) -> str:
        """Where the others find one server."""
        return self._peer(name)

    def unstarted(self, name: str) -> list[str]:
        """The ids of members that never started, as one server lists them."""
        listed = self._ask(name, "cluster/member/list", {}, 2).get("members", [])
        return [member["ID"] for member in listed if not member.get("name")]

    def told(self, name: str) -> str:
        """The list of one server as its JSON has it."""
        body = {"linearizable": False}
        return json.dumps(self._ask(name, "cluster/member/list", body, 3))

    def runs(self, name: str) -> bool:
        """Whether the process of a server is there."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def another_cluster(self, names: Iterable[str]) -> None:
        """Start a cluster anew on empty disks, beside whatever there was."""
        for name in names:
            self.kill(name)
            self.wipe(name)
        self.bootstrap(names)

    def force(self, name: str) -> None:
        """Run a server as the only member of its cluster until it serves."""
        flags = self._flags[name]
        self._flags[name] = (*flags, "--force-new-cluster")
        self._launch(name)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(RefusedError):
                self.write(name, 1)
                break
            time.sleep(TURN)
        self.kill(name)
        self._flags[name] = flags

    def resume(self, name: str) -> None:
        """Start a server with its disk and the flags that it had."""
        if not self.runs(name):
            self._launch(name)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plain(text: str) -> str:
    return base64.b64decode(text).decode()


@dataclass
class Store:
    """What etcd-manager finds in the backup store of one etcd cluster."""

    published: int
    backups: dict[str, dict[str, str]] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)


@dataclass
class Side:
    """One etcd cluster of the machines: its servers, its store, and its disks.

    ``disks`` are members whose disk has data; ``retired`` those of them that were
    removed, so that etcd lets them in no more; ``paused`` those whose manifest is gone.
    """

    name: str
    servers: Etcd
    store: Store
    disks: set[str] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)

    def called(self, member: str) -> str:
        """What etcd calls a member."""
        return _called(self.name, member)


def _called(etcd: str, member: str) -> str:
    # Source: kops pkg/model/components/etcdmanager/model.go.
    return f"etcd-{member}" if etcd == "main" else f"etcd-{etcd}-{member}"


class Machines:
    """The control plane of a cluster with members of ``names``, whole at first.

    ``groups`` are those in the state store, ``up`` the machines that run. Everything
    that changes them is done under ``lock``, the etcd-managers' turns included.
    """

    def __init__(
        self, cluster: str, names: str, etcd: Sequence[str], program: str, room: str
    ) -> None:
        self.cluster = cluster
        self.names = names
        self.lock = threading.RLock()
        self.up = set(names)
        self.groups = {self.group(name) for name in names}
        self.sides = {
            each: self._side(each, names, room, program) for each in dict.fromkeys(etcd)
        }
        self.reads_commands = True
        self.wrong: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._manage, daemon=True)

    @staticmethod
    def _side(each: str, names: str, room: str, program: str) -> Side:
        called = [_called(each, name) for name in room]
        return Side(each, Etcd(called, program), Store(len(names)), set(names))

    def __enter__(self) -> Self:
        for side in self.sides.values():
            side.servers.bootstrap(side.called(name) for name in self.names)
        for side in self.sides.values():
            self.wait(partial(self.serves, side), 30)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(30)
        for side in self.sides.values():
            side.servers.close()

    @staticmethod
    def group(name: str) -> str:
        """The instance group of a member."""
        return f"control-plane-{name}"

    @staticmethod
    def node(name: str) -> str:
        """The node on the machine of a member."""
        return f"node-{name}"

    # ---------------------------------------------------------------- what is done

    def stop(self, name: str) -> None:
        """The machine of a member ends, its disks stay."""
        with self.lock:
            self.up.discard(name)
            for side in self.sides.values():
                side.servers.kill(side.called(name))

    def start(self, name: str) -> None:
        """A machine comes up; disks that have data go on with it."""
        with self.lock:
            self.up.add(name)

    def wipe(self, etcd: str, name: str) -> None:
        """A disk goes; the next machine gets an empty one."""
        with self.lock:
            side = self.sides[etcd]
            if name in self.up and name in side.disks:
                raise RefusedError(f"the volume of {name} is in use")
            side.servers.wipe(side.called(name))
            side.disks.discard(name)
            side.retired.discard(name)

    def pause(self, etcd: str, *, again: bool) -> None:
        """The kubelet of a machine loses the manifest of an etcd-manager, or has it."""
        with self.lock:
            side = self.sides[etcd]
            for name in self.up & side.disks:
                if again:
                    side.paused.discard(name)
                else:
                    side.paused.add(name)
                    side.servers.kill(side.called(name))

    def force(self, called: str) -> None:
        """A member becomes the only one while its manager is stopped."""
        with self.lock:
            for side in self.sides.values():
                for name in side.paused:
                    if side.called(name) == called:
                        side.servers.force(called)

    def apply(self) -> None:
        """``kops update cluster``: every group of the store has its machine."""
        with self.lock:
            wanted = {name for name in self.names if self.group(name) in self.groups}
            for side in self.sides.values():
                side.store.published = len(self.names)
            for name in wanted - self.up:
                self.start(name)

    # ---------------------------------------------------------------- what there is

    def serves(self, side: Side) -> bool:
        """Whether an etcd cluster takes a write."""
        return any(self._writes(side, name) for name in sorted(self.up))

    def _writes(self, side: Side, name: str) -> bool:
        called = side.called(name)
        if not side.servers.runs(called) or name in side.retired:
            return False
        try:
            side.servers.write(called, 1.5)
        except RefusedError:
            return False
        return True

    def through(self, side: Side) -> str | None:
        """A member through which an etcd cluster takes writes."""
        return next((n for n in sorted(self.up) if self._writes(side, n)), None)

    def is_whole(self) -> bool:
        """Whether every etcd cluster has exactly its members, all of them serving."""
        return all(self._is_whole(side) for side in self.sides.values())

    def _is_whole(self, side: Side) -> bool:
        try:
            return all(
                {*side.servers.members(side.called(name))}
                == {side.called(each) for each in self.names}
                and not side.servers.unstarted(side.called(name))
                and self._writes(side, name)
                for name in self.names
            )
        except (RefusedError, KeyError):
            return False

    @staticmethod
    def wait(holds: Callable[[], bool], seconds: float) -> bool:
        """Whether something comes to hold within a time."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                return False
            time.sleep(TURN)
        return True

    # ---------------------------------------------------------------- etcd-manager

    def _manage(self) -> None:
        while not self._ended.wait(TURN):
            for side in self.sides.values():
                # An etcd that is not there yet is asked again at the next turn.
                with self.lock, contextlib.suppress(RefusedError, KeyError):
                    self._turn(side)

    def _turn(self, side: Side) -> None:
        """What etcd-manager does at one look: start, restore, or add one member."""
        for name in sorted(self.up & side.disks - side.retired - side.paused):
            side.servers.resume(side.called(name))
        through = self.through(side)
        if through is None:
            self._restores(side)
            return
        listed = {*side.servers.members(side.called(through))}
        self._retire(side, listed)
        if side.store.queue and self.reads_commands:
            # Measured: with quorum a backup's keys are put over the live cluster.
            backup = side.store.queue.pop(0)
            self._put(side, through, backup)
            self.wrong.append(f"{backup} was put over etcd {side.name} while it served")
            return
        for name in self._joining(side, listed):
            self._add(side, name, through, listed)
            return

    def _retire(self, side: Side, listed: set[str]) -> None:
        for name in [*side.disks]:
            called = side.called(name)
            if called not in listed and not side.servers.runs(called):
                side.retired.add(name)

    def _joining(self, side: Side, listed: set[str]) -> Iterator[str]:
        if len(listed) >= side.store.published:
            return
        for name in sorted(self.up - side.disks - side.paused):
            if side.called(name) not in listed:
                yield name

    def _add(self, side: Side, name: str, through: str, listed: set[str]) -> None:
        called = side.called(name)
        side.servers.add(called, side.called(through), 3)
        side.disks.add(name)
        side.servers.start(called, [*sorted(listed), called])
        self.wait(lambda: self._writes(side, name), 10)

    def _restores(self, side: Side) -> None:
        """A queued restore, where peers enough live: a new cluster with its keys."""
        count = side.store.published
        chosen = sorted(self.up)[:count]
        if not side.store.queue or 2 * len(chosen) <= count:
            return
        side.servers.another_cluster([side.called(name) for name in chosen])
        side.disks = side.disks - self.up | {*chosen}
        side.retired -= {*chosen}
        self.wait(lambda: self.serves(side), 20)
        through = self.through(side)
        if through is not None:
            self._put(side, through, side.store.queue.pop(0))

    @staticmethod
    def _put(side: Side, through: str, backup: str) -> None:
        for key, value in side.store.backups[backup].items():
            side.servers.put(side.called(through), key, value)
