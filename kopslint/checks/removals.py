"""How members are taken out of etcd: the commands of a fix.

A fix never has a bare ``etcdctl``: it takes an id and no name, reaches one etcd, and
may fail. Where a plan can be printed, the fix is the call that prints it. Where taking
members out is all there is to do, it is the functions of a plan, and one command that
stops at the first failure. Which member is to go, and when, is decided elsewhere.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks.context import listed
from kopslint.commands.etcd_functions import context_lines, etcd_functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kopslint.checks.context import Context
    from kopslint.kops.spec import Manifest


NOBODY: Mapping[str, tuple[str, ...]] = {}


def removals(
    context: Context,
    pairs: Iterable[tuple[str, str]],
    when: str = "",
    then: str | None = None,
) -> tuple[str, ...]:
    """The fix for members that are to leave etcd, the best form that there is.

    ``pairs`` are member and etcd cluster; ``when`` tells where in the list that has to
    be; ``then`` is a command that relies on it.
    """
    found = list(dict.fromkeys(pairs))
    if not found:
        return () if then is None else (then,)
    return context.planning or _by_hand(context.specs, found, when, then)


def _by_hand(
    specs: Sequence[Manifest],
    pairs: Sequence[tuple[str, str]],
    when: str,
    then: str | None,
) -> tuple[str, ...]:
    via = asked_through(specs, pairs)
    if via is None:
        who = listed(tuple(f"{member} of {etcd}" for member, etcd in pairs))
        return (
            f"# remove {who} from etcd{when}; no machine stays from which to do it",
        )
    lines = functions_for(specs)
    return (
        f"# paste this into bash{when}:" if when else "# paste this into bash:",
        *(line for line in lines if line and not line.startswith("#")),
        guarded(via, pairs, then, staying=who_stays(specs, pairs)),
    )


def functions_for(specs: Sequence[Manifest]) -> list[str]:
    """The lines that define what takes members out of the etcd of a cluster."""
    name = specs[0].name
    cloud = next((spec.cloud for spec in specs if spec.cloud), None)
    return [*context_lines(name), "", *etcd_functions(name, cloud)]


def guarded(
    via: str,
    pairs: Iterable[tuple[str, str]],
    then: str | None = None,
    gone: Iterable[tuple[str, str]] = (),
    staying: Mapping[str, tuple[str, ...]] = NOBODY,
) -> str:
    """One command that takes members out, and runs ``then`` only if all have left.

    ``gone`` are those that something else has taken out: they are looked for.
    ``staying`` are the members by etcd cluster that a whole list has.
    """
    calls = [f"via {quote(via)}"]
    calls += [_call("again gone", etcd, member, staying) for member, etcd in gone]
    calls += [_call("remove", etcd, member, staying) for member, etcd in pairs]
    return " && ".join([*calls, then] if then is not None else calls)


def _call(
    verb: str, etcd: str, member: str, staying: Mapping[str, tuple[str, ...]]
) -> str:
    names = [member, *staying.get(etcd, ())]
    return " ".join([verb, quote(etcd), *map(quote, names)])


def who_stays(
    specs: Sequence[Manifest], pairs: Iterable[tuple[str, str]]
) -> dict[str, tuple[str, ...]]:
    """The members by etcd cluster that every spec has, but for ``pairs``."""
    leaving = {*pairs}
    known = [
        {(m.name, etcd.name) for etcd in spec.etcd_clusters for m in etcd.members}
        for spec in specs
    ]
    return {
        etcd.name: tuple(
            member.name
            for member in etcd.members
            if all((member.name, etcd.name) in names for names in known)
            and (member.name, etcd.name) not in leaving
        )
        for etcd in specs[0].etcd_clusters
    }


def asked_through(
    specs: Sequence[Manifest], pairs: Sequence[tuple[str, str]]
) -> str | None:
    """A control-plane group whose machine stays, to ask etcd through."""
    spec = specs[0]
    leaving = {
        member.group
        for etcd in spec.etcd_clusters
        for member in etcd.members
        if (member.name, etcd.name) in {*pairs}
    }
    before = {group.name for group in specs[-1].control_plane}
    return next(
        (
            group.name
            for group in spec.control_plane
            if group.name not in leaving and group.name in before
        ),
        None,
    )
