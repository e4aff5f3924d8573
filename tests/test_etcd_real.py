"""A few sequences of operations on real etcd servers: ``make verify-etcd`` runs many.

They start servers on 127.0.0.1 and run only where Debian's etcd-server is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from verify.replay import DifferenceError, prepare, replay, shrunk  # noqa: E402
from verify.rescue.states import SHORT, STATES  # noqa: E402
from verify.rescue.trial import Release, tried  # noqa: E402
from verify.sequences import Operation, Sequence, Verb, generate, possible  # noqa: E402
from verify.servers import ETCD  # noqa: E402

real = pytest.mark.skipif(
    not Path(ETCD).exists(), reason=f"no {ETCD}: `make verify-etcd` installs it"
)
ETCDCTL = "/usr/bin/etcdctl"
KILL, ADD, REMOVE = Verb.KILL, Verb.ADD, Verb.REMOVE

SEQUENCES = {
    "two of three lost: no quorum, and no removal mends it": Sequence(
        3, (Operation(KILL, 1), Operation(KILL, 2), Operation(REMOVE, 2))
    ),
    "three to one, one at a time": Sequence(
        3,
        (
            Operation(KILL, 2),
            Operation(REMOVE, 2),
            Operation(REMOVE, 1),
            Operation(REMOVE, 0),
        ),
    ),
    "a second member that never starts takes quorum away": Sequence(
        1, (Operation(ADD, 1), Operation(REMOVE, 1), Operation(Verb.RESTART, 1))
    ),
    "a removed member that is listed again starts with an empty disk only": Sequence(
        3,
        (
            Operation(REMOVE, 2),
            Operation(ADD, 2),
            Operation(ADD, 3),
            Operation(KILL, 2),
            Operation(Verb.WIPE, 2),
            Operation(Verb.RESTART, 2),
        ),
    ),
    "a dead member listed again counts towards quorum": Sequence(
        3,
        (
            Operation(KILL, 2),
            Operation(REMOVE, 2),
            Operation(ADD, 2),
            Operation(Verb.RESTART, 2),
            Operation(KILL, 1),
        ),
    ),
    "with one of three dead a healthy one stays, nobody is added": Sequence(
        3, (Operation(KILL, 0), Operation(REMOVE, 1), Operation(ADD, 3))
    ),
}


@real
@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES)
def test_etcd_shows_what_the_model_says(sequence: Sequence) -> None:
    """Member list, a read, a write and every refusal, after every operation."""
    with prepare(sequence) as servers:
        assert replay(sequence, servers) == len(sequence.operations)


@real
@pytest.mark.skipif(
    not Path(ETCDCTL).exists(), reason=f"no {ETCDCTL}: `make verify-etcd` installs it"
)
@pytest.mark.parametrize("about", SHORT)
def test_a_broken_cluster_is_mended_by_what_is_printed(
    about: str, tmp_path: Path
) -> None:
    """Some of what ``make verify-rescue`` mends: members and data are as promised."""
    outcome = tried(STATES[about], Release(ETCD, ETCDCTL, ""), tmp_path / "trial")

    assert not outcome.wrong, outcome.said
    assert outcome.steps


@real
def test_a_difference_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of three members are not what the model says of one."""
    monkeypatch.setattr("verify.replay.PATIENCE", 2.0)
    with prepare(Sequence(3, ())) as servers, pytest.raises(DifferenceError) as error:
        replay(Sequence(1, (Operation(KILL, 0),)), servers)
    assert str(error.value) == "at the start: a lists ['a', 'b', 'c'], the model ['a']"


@pytest.mark.parametrize("size", [1, 3, 5])
def test_a_seed_gives_one_sequence_that_can_be_asked_for(size: int) -> None:
    sequences = [generate(seed) for seed in range(200)]

    assert sequences == [generate(seed) for seed in range(200)]
    assert all(map(possible, sequences))
    operations = [o.verb for s in sequences if s.size == size for o in s.operations]
    assert set(operations) == set(Verb)


def test_a_member_that_is_up_cannot_be_restarted() -> None:
    """Shrinking leaves out operations, and what depended on them with them."""
    rest = Sequence(1, (Operation(KILL, 0), Operation(Verb.RESTART, 0)))

    assert possible(rest)
    assert not possible(rest.without(0))


def test_a_sequence_that_differs_is_told_without_what_does_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No servers here: it differs where a member is added while ``a`` is down."""

    def differs(sequence: Sequence) -> str | None:
        down = False
        for verb, member in sequence.operations:
            if verb is ADD and down:
                return "it does"
            if member == 0:
                down = verb is KILL
        return None

    monkeypatch.setattr("verify.replay.difference", differs)
    whole = Sequence(
        5,
        (
            Operation(Verb.ROLL, 0),
            Operation(KILL, 0),
            Operation(REMOVE, 3),
            Operation(Verb.RESTART, 0),
            Operation(KILL, 0),
            Operation(ADD, 5),
        ),
    )

    smallest = whole._replace(operations=(Operation(KILL, 0), Operation(ADD, 5)))
    assert shrunk(whole) == (smallest, "it does")
    assert shrunk(whole.without(5)) is None
