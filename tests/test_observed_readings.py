"""Outputs as they are pasted, and what is read of each: never more than they say.

Each text of ``fixtures/observed`` has its reading beside it, in ``.reading``: one line
for everything that was taken from it. After a change on purpose, run it with
``KOPSLINT_UPDATE_EXPECTED=1``, look at the difference, and run it again without.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.inputs.decode import decode
from kopslint.observed.reader import Named, read_observation
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.observed.observation import EtcdSeen, Observation
    from kopslint.text import Span

FOLDER = Path(__file__).parents[1] / "fixtures" / "observed"
TEXTS = sorted(path for path in FOLDER.iterdir() if path.suffix != ".reading")
UPDATING = bool(os.environ.get("KOPSLINT_UPDATE_EXPECTED"))
PLACES = ("span", "places")


def told(record: object) -> str:
    """The fields of a record that say something, but for its places."""
    fields: tuple[str, ...] = record._fields  # type: ignore[attr-defined]
    parts = [
        f"{field}={value}"
        for field in fields
        if field not in PLACES
        and (value := getattr(record, field)) not in (None, "not seen", "")
        and (value != () or field == "alarms")
    ]
    return " ".join(parts)


def at(span: Span) -> str:
    return f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"


def reading(observation: Observation) -> Iterator[str]:
    """Everything that was read, a line each, with its place."""
    yield f"cluster {observation.cluster}, taken {observation.taken}"
    for one in observation.readings:
        yield f"{at(one.span)} read {told(one)}"
    for etcd in observation.etcd:
        yield from of_etcd(etcd)
    for name in ("machines", "pods", "volumes"):
        for item in getattr(observation, name) or ():
            yield f"{at(item.span)} {name[:-1]} {told(item)}"
    for unread in observation.unread:
        yield f"{at(unread.span)} unread: {unread.message}"
    for found in observation.contradictions:
        places = " and ".join(map(at, found.spans))
        yield f"{places} contradiction: {found.message}"


def of_etcd(etcd: EtcdSeen) -> Iterator[str]:
    yield f"etcd {etcd.name}, clusters {', '.join(etcd.cluster_ids) or 'unknown'}"
    for listed in etcd.lists:
        yield f"{at(listed.span)} list {told(listed)}"
    for member in etcd.members:
        yield f"{at(member.span)} member {told(member)}"
    if etcd.published is not None:
        yield f"{at(etcd.published.span)} published {told(etcd.published)}"
    for queued in etcd.queued or ():
        yield f"{at(queued.span)} queued {told(queued)}"
    if etcd.queued == ():
        yield "nothing is queued"
    for silent in etcd.silent:
        yield f"{at(silent.span)} silent {told(silent)}"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_an_output_is_read_as_it_says(path: Path) -> None:
    """Every field that is read, and every sentence about what is not."""
    source = decode(path.name, path.read_bytes())
    found = "".join(f"{line}\n" for line in reading(read_observation([Named(source)])))
    expected = path.with_name(f"{path.name}.reading")

    if UPDATING and (not expected.exists() or expected.read_text() != found):
        expected.write_text(found, encoding="utf-8")
        pytest.fail(f"{expected} was written anew")
    assert found == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_whatever_is_left_of_an_output_is_read_or_said(path: Path) -> None:
    """Cut anywhere, mangled or shuffled: something is said, and nothing breaks."""
    chance = random.Random(path.name)  # noqa: S311 (nothing is kept secret)
    text = path.read_text(encoding="utf-8")
    left = [text[: len(text) * n // 9] for n in range(1, 9)]
    left += [text[len(text) * n // 9 :] for n in range(1, 9)]
    for _ in range(8):
        signs = list(text)
        for _ in range(4):
            signs[chance.randrange(len(signs))] = chance.choice('0aZ ,|"{}[]:\n\t-+')
        lines = text.splitlines()
        chance.shuffle(lines)
        left += ["".join(signs), "\n".join(lines)]
    for each in left:
        observation = read_observation([Named(Source(path.name, each))])
        assert observation.readings or observation.unread


def test_half_a_list_is_no_list() -> None:
    """Who is missing in it would count as removed."""
    text = (FOLDER / "41-broken-line-cut.txt").read_text(encoding="utf-8")

    observation = read_observation([Named(Source("cut.txt", text))])

    assert observation.etcd == ()
    assert len(observation.unread) == 1


def test_what_was_seen_later_takes_the_place_of_what_was_seen_before() -> None:
    """A member that came back is healthy, and nothing contradicts itself."""
    text = (FOLDER / "17-health-simple-one-dead.txt").read_text(encoding="utf-8")
    later = text.replace("is unhealthy: failed to commit", "is healthy: committed")
    both = f"2026-11-30T01:00:00Z\n{text}\n2026-11-30T01:20:00Z\n{later}"

    observation = read_observation([Named(Source("seen.txt", both))])

    assert observation.contradictions == ()
    (main,) = observation.etcd
    assert [member.healthy for member in main.members] == ["yes"] * 3

    one_moment = both.replace("01:20:00", "01:02:00")
    observation = read_observation([Named(Source("seen.txt", one_moment))])
    assert len(observation.contradictions) == 1
