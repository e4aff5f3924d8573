"""An observation keeps apart what was seen, what was denied and what nobody asked."""

from __future__ import annotations

from datetime import UTC, datetime

from kopslint.observed.observation import (
    EtcdSeen,
    Machine,
    Member,
    MemberList,
    Observation,
    Pod,
    Reading,
)
from kopslint.text import Source

TEXT = Source("seen.txt", "8e9e05c52164694d, started, etcd-a\n")
PLACE = TEXT.span(1, 1, 1, 17)
NAME = TEXT.span(1, 28, 1, 34)


def test_what_nobody_asked_is_neither_yes_nor_no() -> None:
    """A member of which nothing but its line was read claims nothing."""
    member = Member(PLACE)

    assert (member.listed, member.started, member.learner) == ("not seen",) * 3
    assert (member.leader, member.healthy, member.answered) == ("not seen",) * 3
    assert member.known == "not seen"
    assert member.alarms is None
    assert member.client_urls is None
    assert member.db_size is None


def test_each_field_knows_its_place() -> None:
    """What is told elsewhere than the member points there."""
    member = Member(PLACE, name="etcd-a", places=(("name", NAME),))

    assert member.at("name") == NAME
    assert member.at("version") == PLACE


def test_a_member_without_a_name_is_called_by_its_id() -> None:
    """A member that never started has an empty name."""
    assert Member(PLACE, id="8e9e05c52164694d", name="").said == "id 8e9e05c52164694d"
    assert Member(PLACE, id="8e9e05c52164694d", name="etcd-a").said == "etcd-a"


def test_registered_are_those_of_a_member_list() -> None:
    """A peer that only answered for itself is not registered."""
    listed = Member(PLACE, id="1", name="etcd-a", listed="yes")
    expelled = Member(PLACE, id="2", name="etcd-b", listed="no")
    unknown = Member(PLACE, id="3", name="etcd-c")
    seen = EtcdSeen("main", (listed, expelled, unknown), (MemberList(PLACE, ("1",)),))

    assert seen.registered == (listed,)
    assert seen.is_listed


def test_without_a_list_nobody_is_known_to_be_registered() -> None:
    """An empty answer is told apart from none."""
    assert not EtcdSeen("main", (Member(PLACE, id="1"),)).is_listed
    assert EtcdSeen("main", lists=(MemberList(PLACE, ()),)).is_listed


def test_two_cluster_ids_are_both_kept() -> None:
    """A list and a member's own answer may be of different clusters."""
    seen = EtcdSeen(
        "main",
        (Member(PLACE, id="1", cluster_id="aa"), Member(PLACE, id="2")),
        (MemberList(PLACE, ("1",), cluster_id="bb"),),
    )

    assert seen.cluster_ids == ("bb", "aa")


def test_the_registered_of_two_members_with_one_name_comes_first() -> None:
    """An expelled peer and its successor may be the same member of the spec."""
    gone = Member(PLACE, id="1", listed="no", spec_name="a")
    here = Member(PLACE, id="2", listed="yes", spec_name="a")
    seen = EtcdSeen("main", (gone, here))

    assert seen.member("a") == here
    assert seen.member("b") is None


def test_an_etcd_cluster_that_no_output_spoke_of_is_not_there() -> None:
    """Nothing is said of events because main was seen."""
    observation = Observation(etcd=(EtcdSeen("main"),))

    assert observation.etcd_cluster("events") is None


def test_a_pod_that_is_missing_from_a_list_of_pods_does_not_run() -> None:
    """Without any list of pods it is not known."""
    pod = Pod("main", "node-a", "etcd-manager-main-node-a", "yes", PLACE)
    listed = Observation(pods=(pod,), all_pods=PLACE)

    assert listed.runs("main", "node-a") == "yes"
    assert listed.runs("main", "node-b") == "no"
    assert listed.runs("events", "node-b") == "not seen"
    assert Observation(pods=(pod,)).runs("main", "node-b") == "not seen"
    assert Observation().runs("main", "node-a") == "not seen"


def test_machines_are_found_by_their_group() -> None:
    """A machine whose group nobody told belongs to none."""
    known = Machine(PLACE, group="control-plane-a", node="node-a")
    observation = Observation(machines=(known, Machine(PLACE, node="node-b")))

    assert observation.machines_of("control-plane-a") == (known,)
    assert Observation().machines_of("control-plane-a") == ()


def test_it_is_as_old_as_its_oldest_output() -> None:
    """An output without a time leaves open how old the whole is."""
    early = datetime(2026, 11, 30, 1, 0, tzinfo=UTC)
    late = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
    first = Reading("etcdctl member list", "simple", PLACE, taken=early)
    second = Reading("kubectl get nodes", "table", PLACE, taken=late)
    third = Reading("kubectl get pods", "table", PLACE)

    assert Observation(readings=(second, first)).taken == early
    assert Observation(readings=(second, first, third)).taken is None
    assert Observation().taken is None
