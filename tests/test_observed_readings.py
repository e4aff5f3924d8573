"""Outputs as they are pasted, and what is read of each: never more than they say.

Each text of ``fixtures/observed`` has its reading beside it, in ``.reading``: one line
for everything that was taken from it. After a change on purpose, run it with
``KOPSLINT_UPDATE_EXPECTED=1``, look at the difference, and run it again without.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kopslint.inputs.decode import decode
from kopslint.observed.reader import Named, read_observation

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
