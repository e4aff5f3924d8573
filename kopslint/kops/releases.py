"""What differs between releases of kops, as a table.

The table is data (``releases.json``, written by tools/releases.py from the release
branches, which it names), read when it is first asked for. A release is the minor of
kops 1.x; those that are older or newer than the table count as its first or last one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.records import Keyed, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

NEWEST = 37
OLDEST = 20
"""The oldest release that the table has."""
OLDEST_KNOWN = 22
"""The oldest release of which is known what it takes."""


class EtcdReleases(Record):
    """The etcd that a release of kops brings.

    ``supported`` are the versions that a spec may name. ``run_as`` has those that are
    run as another one, by version or by minor release (``3.5``). ``default`` is what
    a spec without a version gets, by the minor of Kubernetes that it is taken from.
    """

    supported: tuple[str, ...]
    run_as: Mapping[str, str]
    default: Mapping[int, str]

    def runs(self, version: str) -> str:
        """The version that really runs where the spec names ``version``.

        Source: kops pkg/model/components/etcdmanager/options.go.
        """
        series = version.rpartition(".")[0]
        return self.run_as.get(version, self.run_as.get(series, version))

    def default_for(self, kubernetes: int) -> str:
        """The version that a spec without one gets with Kubernetes 1.``kubernetes``.

        Source: kops pkg/model/components/etcd.go, BuildOptions.
        """
        return self.default[max(m for m in self.default if m <= kubernetes)]


class Release(Record):
    """One release of kops.

    ``oldest`` and ``recommended`` are minors of Kubernetes: it updates none that is
    older than the first, and warns below the second. ``etcd_manager`` is the version
    that it brings, empty if that is not known. ``v1alpha3`` tells whether it reads that
    version of the API, ``holds_workers_back`` whether ``update`` leaves the kubelets of
    workers at the version of the control plane.
    """

    minor: int
    etcd: EtcdReleases
    etcd_manager: str
    oldest: int
    recommended: int
    v1alpha3: bool
    holds_workers_back: bool


@cache
def release(minor: int) -> Release:
    """The release kops 1.``minor``, or the nearest one that the table has."""
    entries = _table()["releases"]
    known = [int(text) for text in entries]
    nearest = min(max(minor, min(known)), max(known))
    entry = entries[str(nearest)]
    etcd = entry["etcd"]
    return Release(
        minor=nearest,
        etcd=EtcdReleases(
            supported=tuple(etcd["supported"]),
            run_as=etcd["run_as"],
            default={int(since): v for since, v in etcd["default"].items()},
        ),
        etcd_manager=entry["etcd_manager"],
        oldest=entry["oldest"],
        recommended=entry["recommended"],
        v1alpha3=entry["v1alpha3"],
        holds_workers_back=entry["holds_workers_back"],
    )


def field_since(version: str, path: str) -> int:
    """The minor of kops that a field came with; 0 if all of the table have it.

    ``path`` starts with the kind and has no marks: ``Cluster.spec.subnets.cidr``.
    """
    return _table()["fields"][version]["since"].get(path, 0)


@cache
def fields_since(version: str, minor: int) -> Mapping[str, int]:
    """The fields of a version of the API that came after kops 1.``minor``, and when.

    Those below a field that came are left out.
    """
    since = _table()["fields"][version]["since"]
    return {path: came for path, came in since.items() if came > minor}


def type_then(version: str, path: str, minor: int) -> str | None:
    """The type of a field in kops 1.``minor``, if it was another one than it is now."""
    last, expected = _table()["fields"][version]["types"].get(path, (0, ""))
    return expected if minor <= last else None


def command_since(path: str) -> int:
    """The minor of kops that a command came with, such as ``reconcile cluster``."""
    return _table()["commands"]["since"].get(path, 0)


def flag_since(command: str, flag: str) -> int:
    """The minor of kops that a flag of a command came with, its parents' included.

    None was taken away again since 1.22: those that the documentation has no longer are
    deprecated and work. Source: cmd/kops/create_cluster.go, MarkDeprecated.
    """
    table = _table()["flags"]["since"]
    words = command.split()
    paths = (" ".join(words[:length]) for length in range(len(words), -1, -1))
    return next((found for p in paths if (found := table.get(p, {}).get(flag, 0))), 0)


class _Etcd(Keyed):
    supported: list[str]
    run_as: dict[str, str]
    default: dict[str, str]


class _Release(Keyed):
    etcd: _Etcd
    etcd_manager: str
    oldest: int
    recommended: int
    v1alpha3: bool
    holds_workers_back: bool


class _Fields(Keyed):
    since: dict[str, int]
    types: dict[str, tuple[int, str]]


class _Commands(Keyed):
    since: dict[str, int]
    until: dict[str, int]


class _Flags(Keyed):
    since: dict[str, dict[str, int]]


class _Table(Keyed):
    source: str
    releases: dict[str, _Release]
    fields: dict[str, _Fields]
    commands: _Commands
    flags: _Flags


@cache
def _table() -> _Table:
    path = Path(__file__).with_name("releases.json")
    table: _Table = json.loads(path.read_bytes())
    return table
