"""``etcdctl member remove``: of which member, where, and whether it works.

etcdctl takes an id and reaches one etcd cluster. What the list says of both is followed
as it is said. Where it does not say which etcd cluster is reached, it is each of them
in turn, on a course of its own; where it does not say which member an id is, it is one
that the change takes out.

Sources: etcd etcdctl/ctlv3/command/member_command.go, and its checks of a removal
(kopslint.etcd.moves.refusal).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.findings import Severity
from kopslint.kops.rejection import Rejection
from kopslint.model.assumptions import Kind, assume, taken
from kopslint.model.state import Result, applied, refused, undecided
from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.commands.member_ids import Found
    from kopslint.commands.model import MemberRemove
    from kopslint.model.assumptions import Assumption
    from kopslint.model.scenario import Scenario
    from kopslint.model.state import ClusterState


# The last line of a member list is that of whichever member etcd prints last.
_PLACE = re.compile(r"\|\s*(?:tail|head|sort|shuf)\b|\bNR\s*==|\[-?\d+\]")
_CHOICE = re.compile(r"grep|select\(|awk\b.*/|sed\b.*/|\$\w")


def _by_place(text: str) -> bool:
    """Whether a member is picked by its place in a list, and by nothing of its own."""
    _, found, rest = text.partition("member list")
    if not found or _PLACE.search(rest) is None:
        return False
    return _CHOICE.search(rest) is None


class Meant(Record):
    """What a removal comes to in one etcd cluster, if it is that which is reached.

    ``members`` are those that may be meant, or with ``each`` all that are. ``known`` is
    whether the list leaves no doubt. ``failure`` is why nothing can be removed.
    """

    members: tuple[str, ...] = ()
    known: bool = True
    each: bool = False
    failure: str = ""
    rounded: bool = False


def run_remove(
    command: MemberRemove, state: ClusterState, plan: Scenario
) -> list[Result]:
    """A removal in the etcd cluster that is reached, or in one of them."""
    removal = _Removal(command, state, plan)
    if command.etcd_cluster is None and len(state.etcd) > 1:
        return removal.anywhere()
    (name, *_) = (command.etcd_cluster, *state.etcd)
    name = name or next(iter(state.etcd), "")
    if name not in state.etcd:
        # An etcd cluster of which the spec has nothing.
        return [applied(state)]
    return removal.within(name)


class _Removal:
    def __init__(
        self, command: MemberRemove, state: ClusterState, plan: Scenario
    ) -> None:
        self._command = command
        self._state = state
        self._plan = plan
        word = command.member
        self._shown = word.shown if word is not None else "the member"
        self._literal = word.text if word is not None else None

    def anywhere(self) -> list[Result]:
        """Nothing says which etcd cluster is reached.

        An id is in one of them only. Of several calls for one member, each is taken to
        reach another etcd cluster.
        """
        meant = {name: self._meant(name) for name in self._state.etcd}
        able = {n: m for n, m in meant.items() if m is not None and not m.failure}
        if not able:
            failures = [m.failure for m in meant.values() if m is not None]
            return [self._failed(failures[0])] if failures else [self._open()]
        counts = {name: self._reached(name, m) for name, m in able.items()}
        left = [n for n, m in able.items() if counts[n] < _capacity(m)] or [*able]
        results = []
        for name in left:
            key = _key(able[name])
            claimed = self._state.reaching(key, name)
            for result in self._within(name, able[name], claimed):
                assumed = self._assumed_etcd(left)
                results.append(result._replace(assumed=(assumed, *result.assumed)))
        return results

    def _assumed_etcd(self, names: list[str]) -> Assumption:
        return assume(
            Kind.ETCD,
            self._shown,
            "the text does not say which etcd this `etcdctl member remove` reaches:"
            f" {' or '.join(names)} is assumed",
            severity=Severity.WARNING,
        )

    def _reached(self, name: str, meant: Meant) -> int:
        return self._state.reached.count((_key(meant), name))

    def within(self, name: str) -> list[Result]:
        """The list says which etcd cluster is reached, or there is only one."""
        meant = self._meant(name)
        if meant is None:
            return [self._open()]
        if meant.failure:
            return [self._failed(f"{meant.failure} ({name})")]
        others = self._plan.etcd_clusters_of_id(self._literal) - {name}
        if not others:
            return self._within(name, meant, self._state)
        # The list removes the same id in several etcd clusters, and one of them has it.
        id_ = self._literal or ""
        claims = [etcd for key, etcd in self._state.reached if key == id_]
        elsewhere = f"an id is a member of one etcd cluster only ({name})"
        if claims:
            if claims[0] != name:
                return [self._failed(elsewhere)]
            return self._within(name, meant, self._state)
        results = self._within(name, meant, self._state.reaching(id_, name))
        for other in sorted(others):
            claimed = self._failed(elsewhere)
            there = claimed.state.reaching(id_, other)
            results.append(claimed._replace(state=there))
        return results

    def _within(self, name: str, meant: Meant, state: ClusterState) -> list[Result]:
        state_set = state.etcd[name]
        assumed = self._assumptions(meant)
        if meant.each:
            for member in meant.members:
                state_set = state_set.remove([member])
            then = state.with_etcd({**state.etcd, name: state_set})
            return [applied(then, *assumed)]
        answers = state_set.removal_refusals(meant.members)
        reasons = sorted(str(why) for why in answers - {None})
        said = "; ".join(f"{why} ({name})" for why in reasons)
        problem = Rejection("member-removal", said, self._shown, by="etcd")
        if None not in answers:
            return [refused(state, problem)]
        removed = state_set.remove(meant.members)
        then = state.with_etcd({**state.etcd, name: removed})
        result = applied(then, *assumed)
        return [result._replace(refusals=(problem,)) if reasons else result]

    def _assumptions(self, meant: Meant) -> list[Assumption]:
        found = []
        if not meant.known:
            joined = "and" if meant.each else "or"
            names = sorted(meant.members)
            assumed = taken(Kind.MEMBER, self._shown, names, joined=joined)
            if _by_place(self._shown):
                assumed = assumed._replace(severity=Severity.WARNING)
            found.append(assumed)
        if meant.rounded:
            found.append(
                assume(
                    Kind.SUCCESS,
                    self._shown,
                    f"jq prints the id of {' and '.join(meant.members)} as it is: jq "
                    "1.6 rounds it, and then nothing is removed",
                    severity=Severity.WARNING,
                )
            )
        return found

    def _failed(self, why: str) -> Result:
        return refused(
            self._state, Rejection("member-removal", why, self._shown, by="etcd")
        )

    def _open(self) -> Result:
        return undecided(
            self._state, f"it cannot be determined which member {self._shown} is"
        )

    def _meant(self, name: str) -> Meant | None:
        """What the argument means in an etcd cluster; None if nobody can tell."""
        word = self._command.member
        state_set = self._state.etcd[name]
        each = self._command.each or (
            self._state.each_unknown and self._literal is None
        )
        listed = tuple(
            member
            for index, member in enumerate(state_set.names)
            if each or any(state.names[index].listed for state in state_set.states)
        )
        found = self._plan.looked_up(name, word, listed)
        if found is not None:
            if not found.members and not found.wrong:
                gone = self._plan.looked_up(name, word, state_set.names)
                if gone is not None and gone.members:
                    return Meant(failure="it is no member any more")
            return _picked(found, name, each=each)
        members = self._plan.meant_members(name, word)
        if not members:
            return None
        known = self._plan.names_member(name, word)
        if not known and not each:
            members = self._next_to_go(name, members, listed) or members
        return Meant(members, known, each=each and not known)

    def _next_to_go(
        self, name: str, members: tuple[str, ...], listed: tuple[str, ...]
    ) -> tuple[str, ...]:
        """The member whose group the list deletes next, if all of them are alive.

        People look an id up for what they do next.
        """
        state_set = self._state.etcd[name]
        for member in members:
            index = state_set.index(member)
            if any(state.names[index].dead for state in state_set.states):
                return ()
        left = {self._plan.group_of(name, m): m for m in members if m in listed}
        groups = self._plan.deleted_after(self._command)
        return next(((left[group],) for group in groups if group in left), ())


def _picked(found: Found, name: str, *, each: bool) -> Meant:
    """What an id is that the list looks up, where its filter is read exactly."""
    if found.wrong:
        return Meant(failure=f"the command that finds the id prints {found.wrong}")
    if not found.members:
        return Meant(failure=f"the command that finds the id finds no member in {name}")
    if not each and found.words > 1:
        return Meant(
            failure=f"the command that finds the id finds {found.words} members in"
            f" {name} ({', '.join(found.members)}), but only one can be removed at a"
            " time"
        )
    return Meant(found.members, each=each, rounded=found.rounded)


def _key(meant: Meant) -> str:
    """What tells calls for the same member apart from others."""
    return " ".join(meant.members) if meant.known else "?"


def _capacity(meant: Meant) -> int:
    """How many such calls one etcd cluster can take."""
    return 1 if meant.known else len(meant.members)
