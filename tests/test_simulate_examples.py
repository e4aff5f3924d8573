"""Known orders and what they come to: every final world, and how bad it is.

Members are called by single letters and run on groups master-a, master-b and so on.
A final world is one sign per member name, as ``kopslint.model.etcd.state`` has them:
L votes, D is registered and dead, E and x are out of the list.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from removal_lines import removal

from kopslint.commands.parse import recognise
from kopslint.engine import Request, check
from kopslint.findings import Severity
from kopslint.kops.decode import read_fleet
from kopslint.model.etcd.explore import StateSet
from kopslint.model.replay import simulate
from kopslint.notations.command_list import read_commands
from kopslint.text import Source

NAME = "demo.example.com"
UPDATE = "kops update cluster --yes"
ROLL = "kops rolling-update cluster --yes"
VALIDATE = "kops validate cluster --wait 10m"
REPLACE = "kops replace -f after.yaml"
REPLACE_NEW = "kops replace --force -f after.yaml"


def spec(members: str) -> str:
    """A Cluster with ``members`` in main and events, and a group for each of them."""
    lists = "".join(
        f"    - {{name: {m}, instanceGroup: master-{m}}}\n" for m in members
    )
    subnets = "".join(f"  - {{name: zone-{m}, zone: zone-{m}}}\n" for m in members)
    cluster = (
        "apiVersion: kops.k8s.io/v1alpha2\nkind: Cluster\n"
        f"metadata: {{name: {NAME}}}\n"
        "spec:\n  etcdClusters:\n"
        f"  - name: main\n    etcdMembers:\n{lists}"
        f"  - name: events\n    etcdMembers:\n{lists}"
        f"  subnets:\n{subnets}"
    )
    groups = [
        "apiVersion: kops.k8s.io/v1alpha2\nkind: InstanceGroup\n"
        f"metadata: {{name: master-{m}, labels: {{kops.k8s.io/cluster: {NAME}}}}}\n"
        f"spec: {{role: Master, minSize: 1, maxSize: 1, subnets: [zone-{m}]}}\n"
        for m in members
    ]
    return "---\n".join([cluster, *groups])


def delete(member: str) -> str:
    return f"kops delete ig master-{member} --yes"


def remove(member: str, *etcd_clusters: str) -> str:
    """The removal of a member by hand, by default from every etcd cluster."""
    return "\n".join(
        removal(etcd, member, "").rstrip("\n")
        for etcd in etcd_clusters or ("main", "events")
    )


def resize(member: str, size: int) -> str:
    sets = f"--set spec.minSize={size} --set spec.maxSize={size}"
    return f"kops edit ig master-{member} {sets}"


class Known(NamedTuple):
    """An order: its members before and after, and what is known of its end.

    ``worst`` is the worst severity of all findings, ``told`` the rules of the etcd
    hazards. ``events`` is None where events ends like main.
    """

    before: str
    after: str
    commands: tuple[str, ...]
    main: set[str]
    worst: Severity | None
    told: set[str]
    events: set[str] | None = None


ERROR, WARNING = Severity.ERROR, Severity.WARNING
GROUPS_FIRST = (REPLACE, delete("d"), delete("e"), UPDATE)
MEMBERS_FIRST = (remove("e"), delete("e"), remove("d"), delete("d"), REPLACE, UPDATE)

ORDERS = {
    "the published fix for 5 to 3 leaves the dead in the list": Known(
        "abcde", "abc", GROUPS_FIRST, {"LLLDD"}, WARNING, {"KL303", "KL304"}
    ),
    "and the roll after it is an outage for every node": Known(
        "abcde",
        "abc",
        (*GROUPS_FIRST, ROLL),
        {"LLLDD"},
        WARNING,
        {"KL302", "KL303", "KL304"},
    ),
    "removing the dead by hand before the roll mends it": Known(
        "abcde",
        "abc",
        (*GROUPS_FIRST, remove("d"), remove("e"), ROLL),
        {"LLLxx"},
        WARNING,
        {"KL303"},
    ),
    "member, then its group, one after the other": Known(
        "abcde", "abc", (*MEMBERS_FIRST, ROLL), {"LLLxx"}, None, set()
    ),
    "group, then its member, one after the other": Known(
        "abcde",
        "abc",
        (delete("e"), remove("e"), delete("d"), remove("d"), REPLACE, UPDATE, ROLL),
        {"LLLxx"},
        WARNING,
        {"KL301", "KL303"},
    ),
    "groups deleted while the spec lists their members": Known(
        "abcde",
        "abc",
        (delete("d"), delete("e"), REPLACE, UPDATE, ROLL),
        {"LLLDD"},
        ERROR,
        {"KL301", "KL302", "KL303"},
    ),
    "members removed from main only": Known(
        "abcde",
        "abc",
        (
            *(remove("e", "main"), delete("e"), remove("d", "main"), delete("d")),
            *(REPLACE, UPDATE, ROLL),
        ),
        {"LLLxx"},
        ERROR,
        {"KL301", "KL302", "KL303"},
        events={"LLLDD"},
    ),
    "a living member removed while two are dead is refused": Known(
        "abcde",
        "abcde",
        (delete("d"), delete("e"), remove("c")),
        {"LLLDD"},
        ERROR,
        {"KL301", "KL303", "KL307"},
    ),
    "3 to 1 by deleting two groups loses quorum": Known(
        "abc",
        "a",
        (REPLACE, delete("b"), delete("c"), UPDATE),
        {"LDD"},
        ERROR,
        {"KL302", "KL303"},
    ),
    "3 to 1 in the one order that keeps quorum": Known(
        "abc",
        "a",
        (delete("c"), remove("c"), remove("b"), delete("b"), REPLACE, UPDATE, ROLL),
        {"Lxx"},
        WARNING,
        {"KL301", "KL302", "KL303"},
    ),
    "1 to 3": Known(
        "a", "abc", (REPLACE_NEW, UPDATE, VALIDATE, ROLL), {"LLL"}, None, set()
    ),
    "1 to 3, and a new machine is lost while members join": Known(
        "a",
        "abc",
        (REPLACE_NEW, UPDATE, delete("b")),
        {"LDL", "LWL", "LDI", "LWI", "L.L"},
        ERROR,
        {"KL301", "KL302", "KL303"},
    ),
    "3 to 5 while a member is dead": Known(
        "abc",
        "abdef",
        (delete("c"), REPLACE_NEW, UPDATE),
        {"LLDIII"},
        ERROR,
        {"KL301", "KL303", "KL306"},
    ),
    "a member replaced by one of another name": Known(
        "abc",
        "abf",
        (REPLACE_NEW, delete("c"), UPDATE),
        {"LLDI"},
        ERROR,
        {"KL303", "KL304", "KL306"},
    ),
    "and mended by removing the old member": Known(
        "abc",
        "abf",
        (REPLACE_NEW, delete("c"), UPDATE, remove("c")),
        {"LLxL"},
        WARNING,
        {"KL303"},
    ),
    "a group deleted and created again": Known(
        "abc",
        "abc",
        (delete("c"), "kops create -f master-c.yaml", UPDATE),
        {"LLL"},
        ERROR,
        {"KL301", "KL303"},
    ),
    "one of three scaled to zero": Known(
        "abc",
        "abc",
        (resize("c", 0), UPDATE),
        {"LLD"},
        WARNING,
        {"KL303", "KL304"},
    ),
    "two of three scaled to zero": Known(
        "abc",
        "abc",
        (resize("c", 0), UPDATE, resize("b", 0), UPDATE),
        {"LDD"},
        ERROR,
        {"KL302", "KL303"},
    ),
    "two of three scaled to zero and back to one": Known(
        "abc",
        "abc",
        (
            *(resize("c", 0), UPDATE, resize("b", 0), UPDATE),
            *(resize("b", 1), resize("c", 1), UPDATE),
        ),
        {"LLL"},
        WARNING,
        {"KL302", "KL303"},
    ),
    "a roll of three": Known("abc", "abc", (ROLL,), {"LLL"}, None, set()),
    "a forced roll of five": Known(
        "abcde", "abcde", (f"{ROLL} --force",), {"LLLLL"}, None, set()
    ),
    "a roll of three that validates nothing": Known(
        "abc", "abc", (f"{ROLL} --cloudonly",), {"LLL"}, WARNING, {"KL302"}
    ),
    "two machines deleted at once": Known(
        "abc",
        "abc",
        tuple(f"kops delete instance master-{m} --yes" for m in "ab"),
        {"LLL"},
        WARNING,
        {"KL302"},
    ),
}

each_order = pytest.mark.parametrize("known", ORDERS.values(), ids=ORDERS)
ETCD_RULES = {f"KL30{number}" for number in range(1, 8)}


def sources(known: Known) -> tuple[Source, Source, Source]:
    return (
        Source("before.yaml", spec(known.before)),
        Source("after.yaml", spec(known.after)),
        Source("commands.sh", "\n".join(known.commands) + "\n"),
    )


@each_order
def test_an_order_ends_in_exactly_the_known_worlds(known: Known) -> None:
    before, after, commands = sources(known)
    simulation = simulate(
        read_fleet([before]).manifests[NAME],
        read_fleet([after]).manifests[NAME],
        [read_commands(commands)],
        recognise,
    )

    ends = {
        etcd: {
            world.signs
            for state in simulation.final
            for world in state.etcd[etcd].settled
        }
        for etcd in ("main", "events")
    }

    events = known.main if known.events is None else known.events
    assert ends == {"main": known.main, "events": events}


@each_order
def test_an_order_is_as_bad_as_known(known: Known) -> None:
    before, after, commands = sources(known)

    findings = check(Request((before,), (after,), (commands,))).findings
    found = [finding for finding in findings if finding.rule in ETCD_RULES]
    worst = min(
        (finding.severity for finding in found), key=lambda s: s.rank, default=None
    )

    assert {finding.rule for finding in found} == known.told
    assert worst == known.worst


def test_a_count_published_over_living_members_expels_arbitrary_ones() -> None:
    """A lower count written by hand ends one below itself, whoever is left."""
    published = StateSet.healthy("abcde", "abcde").publish(3)
    rolled = published
    for name in "abcde":
        rolled = rolled.stop(name).start(name)

    survivors = {frozenset(w.signs) for w in rolled.settled}
    pairs = {
        "".join(a for a, member in zip("abcde", w.names, strict=True) if member.votes)
        for w in rolled.settled
    }

    assert {w.signs for w in published.settled} == {"LLLLL"}
    assert survivors == {frozenset("LE")}
    assert pairs == {a + b for a in "abcde" for b in "abcde" if a < b}
