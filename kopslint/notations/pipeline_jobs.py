"""Jobs of a pipeline: which need which, which run at the same time, and matrices.

Nothing here knows what a job does or in which dialect it is written.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import yaml

from kopslint.notations.pipeline_yaml import entries, get, items_in, text_of
from kopslint.records import Record
from kopslint.shell.output import at_once, sequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.shell.ast import Statement
    from kopslint.text import Span

Values = tuple[tuple[str, str], ...]
"""What a matrix puts in, by name."""

MOST_TURNS = 64
# Looking for the order of jobs goes over all pairs of them.
MOST_JOBS = 500


class Job(Record):
    """A job: the names of those that it waits for, and what it runs.

    Of jobs with the same ``alone`` only one runs at a time.
    """

    name: str
    needs: frozenset[str]
    run: Statement
    alone: str = ""


def arranged(jobs: Sequence[Job], span: Span) -> Statement:
    """The jobs as they may run: one after the other, or at the same time."""
    if len(jobs) > MOST_JOBS:
        return sequence(job.run for job in jobs)
    needs = _needs(jobs)
    return sequence([_arranged(jobs, frozenset(range(len(jobs))), needs, span)])


def _needs(jobs: Sequence[Job]) -> list[set[int]]:
    """For each job all those that are over when it starts."""
    numbers: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        numbers.setdefault(job.name, []).append(number)
    needs = [
        {n for name in job.needs for n in numbers.get(name, ()) if n != number}
        for number, job in enumerate(jobs)
    ]
    last: dict[str, int] = {}
    for number, job in enumerate(jobs):
        if job.alone:
            before = last.get(job.alone)
            if before is not None and number not in _all_before(needs, before):
                needs[number].add(before)
            last[job.alone] = number
    return [_all_before(needs, number) for number in range(len(jobs))]


def _all_before(needs: list[set[int]], number: int) -> set[int]:
    found: set[int] = set()
    waiting = [*needs[number]]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(needs[each])
    return found


def _arranged(
    jobs: Sequence[Job], some: frozenset[int], needs: list[set[int]], span: Span
) -> Statement:
    """Some of the jobs: those that have nothing to do with others run beside them."""
    done: list[Statement] = []
    behind: list[Statement] = []
    while some:
        parts = _apart(some, needs)
        if len(parts) > 1:
            done.append(
                at_once([_arranged(jobs, part, needs, span) for part in parts], span)
            )
            break
        last = [n for n in some if some - {n} <= needs[n]]
        first = {n for n in some if not needs[n] & some}
        if len(last) == 1 and len(some) > 1 and last[0] not in first:
            behind.insert(0, jobs[last[0]].run)
            some -= set(last)
            continue
        if not first:
            # They wait for each other, so nobody knows the order.
            done.extend(jobs[n].run for n in sorted(some))
            break
        done.append(at_once([jobs[n].run for n in sorted(first)], span))
        some -= first
    return sequence([*done, *behind])


def _apart(some: frozenset[int], needs: list[set[int]]) -> list[frozenset[int]]:
    """The jobs in parts that have nothing to do with each other."""
    left = set(some)
    parts: list[frozenset[int]] = []
    for start in sorted(some):
        if start not in left:
            continue
        part = {start}
        while more := {n for n in left - part if needs[n] & part} | {
            n for m in part for n in needs[m] & left - part
        }:
            part |= more
        left -= part
        parts.append(frozenset(part))
    return parts


def names_of(node: yaml.Node | None) -> frozenset[str]:
    """The names in a value that is one, or a list of them, perhaps with details."""
    if text := text_of(node):
        return frozenset({text})
    if isinstance(node, yaml.MappingNode):
        return frozenset(name for name, _ in entries(node))
    found = (
        text_of(item)
        or text_of(get(item, "job"))
        or text_of(get(item, "step"))
        or next((name for name, _ in entries(item)), "")
        for item in items_in(node)
    )
    return frozenset(name for name in found if name)


def matrix_of(node: yaml.Node | None) -> list[Values] | None:
    """The turns of a matrix of GitHub; None if only the run knows them.

    Without a matrix there is one turn that puts nothing in.
    """
    if node is None:
        return [()]
    if not isinstance(node, yaml.MappingNode):
        return None
    axes = {k: v for k, v in entries(node) if k not in {"include", "exclude"}}
    turns = product_of(axes.items()) if axes else []
    if turns is None:
        return None
    kept = _excluded(turns, items_in(get(node, "exclude")))
    for item in items_in(get(node, "include"))[:MOST_TURNS]:
        _include(kept, axes.keys(), tuple(values_in(item)))
    return kept[:MOST_TURNS] or [()]


def product_of(axes: Iterable[tuple[str, yaml.Node]]) -> list[Values] | None:
    """Every combination of the values of some names; None if they are not known."""
    every: list[list[Values]] = []
    size = 1
    for name, node in axes:
        items = items_in(node) or ([node] if isinstance(node, yaml.ScalarNode) else [])
        known = [tuple(_value(name, item)) for item in items]
        if not known or any("${{" in v or "$(" in v for t in known for _, v in t):
            return None
        size *= len(known)
        if size > MOST_TURNS:
            return None
        every.append(known)
    return [tuple(v for values in turn for v in values) for turn in product(*every)]


def values_in(node: yaml.Node | None) -> Iterator[tuple[str, str]]:
    """The values of a mapping by name, those further in as ``name.name``."""
    for name, value in entries(node):
        yield from _value(name, value)


def _value(name: str, node: yaml.Node, depth: int = 4) -> Iterator[tuple[str, str]]:
    if isinstance(node, yaml.ScalarNode):
        yield name, node.value
    elif depth:
        for inner, value in entries(node):
            yield from _value(f"{name}.{inner}", value, depth - 1)


def _excluded(turns: list[Values], excluded: list[yaml.Node]) -> list[Values]:
    unwanted = [set(values_in(item)) for item in excluded]
    return [t for t in turns if not any(u and u <= set(t) for u in unwanted)]


def _include(turns: list[Values], axes: Iterable[str], more: Values) -> None:
    """GitHub adds to the turns that it fits, or else makes a turn of its own."""
    own = {name: value for name, value in more if name in set(axes)}
    fits = [i for i, t in enumerate(turns) if own.items() <= dict(t).items()]
    if not fits or not axes:
        turns.append(more)
    for index in fits if axes else ():
        turns[index] = (*turns[index], *(v for v in more if v[0] not in own))
