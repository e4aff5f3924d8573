"""What every rule about an observation needs: who stands how, and commands to paste.

Where a change is checked as well, what was seen is compared with the spec before it:
that is what the cluster should be like now.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.checks.removals import functions_for
from kopslint.findings import EtcdView, Severity, TraceLine
from kopslint.observed.standing import Standing, group_of, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kopslint.checks.context import Context
    from kopslint.kops.spec import Manifest
    from kopslint.observed.observation import Member, Observation


def observation(context: Context) -> Observation | None:
    """What was seen of this cluster; None where it was seen of another one."""
    seen = context.observed
    if seen is None or seen.cluster not in (None, context.cluster):
        return None
    return seen


def at_start(context: Context, severity: Severity | None = None) -> Severity | None:
    """How bad it is that the cluster was seen so; None is what the rule says.

    With a list of commands it is where the list starts, and the list may be what mends
    it: the verdict is about what the list makes of it.
    """
    return Severity.INFO if context.simulation is not None else severity


def spec_now(context: Context) -> Manifest:
    """The spec that the cluster should be like before anything is done."""
    return context.before or context.after


def standings(context: Context) -> list[Standing]:
    """Every etcd cluster of which something was seen."""
    seen = observation(context)
    if seen is None:
        return []
    cluster = spec_now(context).cluster
    return [
        standing(one, seen, cluster.etcd_cluster(one.name) if cluster else None)
        for one in seen.etcd
    ]


_HOST = re.compile(r"https?://(?P<name>[\w-]+)")
_FRONT = re.compile(r"^etcd-(?:(?:events|cilium|leases)-)?(?=.)")


def said(member: Member) -> str:
    """What people call a member: as the spec does or would.

    Where etcd has no name for it, its address has one.
    """
    if member.spec_name is not None:
        return member.spec_name
    name = member.name
    for url in member.peer_urls or () if not name else ():
        host = _HOST.match(url)
        name = host["name"] if host is not None else name
    return _FRONT.sub("", name) if name else member.said


def names(members: Iterable[Member]) -> tuple[str, ...]:
    """What people call these members, each once."""
    return tuple(dict.fromkeys(map(said, members)))


def picture(one: Standing, note: str = "") -> tuple[TraceLine, ...]:
    """The members as they stand; nothing where of some nothing is known."""
    if one.unknown or not one.voters:
        return ()
    published = one.seen.published
    count = published.member_count if published is not None else len(one.voters)
    view = EtcdView(
        members=tuple(map(said, one.voters)),
        alive=tuple(map(said, one.alive)),
        quorum=one.quorum,
        tolerance=max(one.tolerance, 0),
        published=count,
        writable="no" if one.has_quorum == "no" else "yes",
        joining=tuple(map(said, one.unstarted)),
    )
    return (TraceLine(one.name, None, view, note),)


def pictures(found: Sequence[Standing]) -> tuple[TraceLine, ...]:
    """The members of several etcd clusters, if they are known of all of them."""
    lines = [picture(one) for one in found]
    return tuple(line for each in lines for line in each) if all(lines) else ()


def asked_through(context: Context, one: Standing) -> str | None:
    """The group of a machine through which etcd can be asked: a living member's."""
    living = (group_of(member, one.spec) for member in one.alive)
    group = next((group for group in living if group is not None), None)
    if group is not None:
        return group
    away = {group_of(member, one.spec) for member in (*one.dead, *one.unstarted)}
    rest = (each.name for each in spec_now(context).control_plane)
    return next((name for name in rest if name not in away), None)


def through_etcd(
    context: Context, one: Standing, calls: Iterable[str], why: str
) -> tuple[str, ...]:
    """Commands that speak to etcd, addressed, each run only if those before worked.

    ``calls`` use the functions of ``commands.etcd_functions``; ``why`` is the comment
    above them.
    """
    via = asked_through(context, one)
    if via is None:
        return (f"# {why}: no control-plane machine is known from which to ask etcd",)
    lines = functions_for([spec_now(context)])
    return (
        f"# {why}; paste this into bash:",
        *(line for line in lines if line and not line.startswith("#")),
        " && ".join([f"via {quote(via)}", *calls]),
    )


def way_back(
    context: Context, one: Standing, calls: Iterable[str], why: str
) -> tuple[str, ...]:
    """The call that plans from what was observed, or else the commands themselves."""
    return context.way_back or through_etcd(context, one, calls, why)


def removal(member: Member, one: Standing) -> str | None:
    """The call that takes a member out of etcd; None where it cannot be named.

    One that etcd has no name for goes by its id, and only if it has none still.
    """
    if member.spec_name is not None:
        return f"remove {quote(one.name)} {quote(member.spec_name)}"
    if member.id is None:
        return None
    etcd = f"etcd {quote(one.name)}"
    status = "unstarted" if member.started == "no" else "started"
    return (
        f"{etcd} member list | grep '^{member.id}, {status}' && "
        f"{etcd} member remove {member.id}"
    )
