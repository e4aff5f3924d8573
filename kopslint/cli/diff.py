"""``kopslint diff``: what changes between two specs, for people and for programs.

The comparison is made elsewhere; here it is put into words or into JSON.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from kopslint.cli.console import style_for
from kopslint.cli.inputs import read_request
from kopslint.cli.options import ColorWhen, Format
from kopslint.records import Record
from kopslint.report import display

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kopslint.change.diff import Comparison, Difference, Tree
    from kopslint.change.membership import Correspondence
    from kopslint.kops.spec import Manifest
    from kopslint.observed.observation import Observation
    from kopslint.report.display import Style
    from kopslint.text import Span

_MARKS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}
_WHAT = {
    "cluster": "the Cluster",
    "subnet": "subnets",
    "etcd": "etcd clusters",
    "group": "instance groups",
}


def render_differences(
    before: Sequence[str],
    after: Sequence[str],
    form: Format,
    observed: Sequence[str] = (),
) -> str:
    r"""What changes from the specs ``before`` to the specs ``after``.

    As text: for each cluster its differences by object, marked ``+``, ``-`` or
    ``~``, then what does not fit between etcd members and groups, then one line
    that sums up. As JSON, one object::

        {"schema": "kopslint-diff/v1",
         "only_before": [cluster], "only_after": [cluster],
         "clusters": [{"name",
           "differences": [{"kind", "path": [...], "old", "new",
                            "before": place | null, "after": place | null}],
           "members": {etcd cluster: {"before": n, "after": n}},
           "etcd": {etcd cluster: {"before": [release], "after": [release]}},
           "not_compared": {"only_before": [section], "only_after": [section]},
           "unmatched": {"before": unmatched, "after": unmatched},
           "observed": [{"etcd_cluster", "member", "difference",
                         "place": place | null}]}]}

    ``etcd`` has the releases of etcd that may run, the oldest first, by every kops that
    takes the spec, where they are others after the change. A place is
    ``{"path", "line", "column"}``; ``unmatched`` lists the ``members_without_group``
    (``etcd_cluster``, ``member``, ``group``) and the ``groups_without_member``
    (``etcd_cluster``, ``group``).

    Raises ``InputError`` for what cannot be read, and ``NothingCheckedError`` if
    neither side holds a kops cluster.
    """
    from kopslint.change.diff import compare
    from kopslint.errors import NothingCheckedError
    from kopslint.kops.decode import read_fleet

    request = read_request(before, after, (), observed=observed)
    old = read_fleet(request.before or ()).manifests
    new = read_fleet(request.after or ()).manifests
    if not old and not new:
        raise NothingCheckedError(
            "no kops cluster was found on either side, so nothing was compared",
            hint="name files that contain kind: Cluster or kind: InstanceGroup",
        )
    seen = request.observed

    def strange(name: str) -> list[Strange]:
        from kopslint.observed.matching import matched

        if seen is None or seen.cluster not in (None, name):
            return []
        return [*_strange(matched(seen, [old[name], new[name]]), new[name])]

    both = sorted({*old} & {*new})
    compared = [compare(old[name], new[name]) for name in both]
    running = {name: [*_running(old[name], new[name])] for name in both}
    only_before, only_after = sorted({*old} - {*new}), sorted({*new} - {*old})
    if form is Format.JSON:
        document = {
            "schema": "kopslint-diff/v1",
            "only_before": only_before,
            "only_after": only_after,
            "clusters": [
                _as_json(one, running[one.cluster], strange(one.cluster))
                for one in compared
            ],
        }
        return json.dumps(document, indent=2) + "\n"
    style = style_for(sys.stdout, ColorWhen.AUTO, os.environ)
    blocks = [
        "\n".join(_as_text(one, style, running[one.cluster], strange(one.cluster)))
        for one in compared
    ]
    blocks += [f"{style.safe(name)}: only before" for name in only_before]
    blocks += [f"{style.safe(name)}: only after" for name in only_after]
    return "\n\n".join(blocks) + "\n"


class Running(Record):
    """The releases of etcd that may run before and after, the oldest first."""

    etcd_cluster: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def _running(before: Manifest, after: Manifest) -> Iterator[Running]:
    """The etcd clusters of both sides that get another release, named or not."""
    from kopslint.kops.running_etcd import may_run

    if before.cluster is None or after.cluster is None:
        return
    for old in before.etcd_clusters:
        new = after.cluster.etcd_cluster(old.name)
        if new is None:
            continue
        sides = (old, before.cluster), (new, after.cluster)
        now, then = (
            tuple(".".join(map(str, each)) for each in may_run(etcd, cluster))
            for etcd, cluster in sides
        )
        if now != then:
            yield Running(old.name, now, then)


def _range(releases: Sequence[str]) -> str:
    if not releases:
        return "none that kops brings"
    first, last = releases[0], releases[-1]
    return first if first == last else f"{first} to {last}"


class Strange(Record):
    """How a member of etcd that was seen, or was not, differs from the spec."""

    etcd_cluster: str
    member: str
    kind: str
    difference: str
    span: Span | None


def _strange(seen: Observation, after: Manifest) -> Iterator[Strange]:
    """Where the members that were seen are not those of the spec after."""
    for etcd in seen.etcd:
        spec = after.cluster.etcd_cluster(etcd.name) if after.cluster else None
        if spec is None or not etcd.is_listed:
            continue
        wanted = {member.name for member in spec.members}
        for member in etcd.registered:
            name = member.spec_name or member.said
            if member.known == "no" or (member.spec_name or name) not in wanted:
                sure = member.known != "not seen"
                told = "registered, but not in the spec after"
                told = told if sure else "registered; its member in the spec is unknown"
                kind = "added" if sure else "changed"
                yield Strange(etcd.name, name, kind, told, member.span)
            if member.started == "no":
                told = "registered, but never started"
                yield Strange(etcd.name, name, "changed", told, member.at("started"))
            if member.answered == "no":
                told = "registered, but does not answer"
                yield Strange(etcd.name, name, "changed", told, member.at("answered"))
        there = {member.spec_name for member in etcd.registered}
        if None not in there:
            for name in sorted(wanted - there):
                told = "in the spec after, but not registered"
                member_of_spec = spec.member(name)
                place = member_of_spec.node.span if member_of_spec else None
                yield Strange(etcd.name, name, "removed", told, place)


def _as_text(
    comparison: Comparison,
    style: Style,
    running: Sequence[Running],
    strange: Sequence[Strange],
) -> Iterator[str]:
    for heading, differences in groupby(comparison.differences, key=_heading):
        yield style.paint(style.safe(heading), "bold")
        for difference in differences:
            yield from _difference(difference, style)
        yield ""
    if running:
        yield style.paint("etcd version that runs, by kops release", "bold")
        for etcd in running:
            told = f"{etcd.etcd_cluster}: {_range(etcd.before)} -> {_range(etcd.after)}"
            yield f"  {style.paint('~', 'yellow')} {style.safe(told)}"
        yield ""
    unmatched = [
        *_unmatched("before", comparison.before),
        *_unmatched("after", comparison.after),
    ]
    if unmatched:
        yield style.paint("etcd members and instance groups", "bold")
        for sentence in unmatched:
            yield f"  {style.paint('!', 'yellow')} {style.safe(sentence)}"
        yield ""
    for name, those in groupby(strange, key=lambda one: one.etcd_cluster):
        yield style.paint(style.safe(f"observed etcd {name}"), "bold")
        for one in those:
            mark, look = _MARKS[one.kind]
            where = f" ({one.span.source.path}:{one.span.line})" if one.span else ""
            place = style.safe(where)
            told = style.safe(f"{one.member}: {one.difference}")
            yield f"  {style.paint(mark, look)} {told}{style.paint(place, 'dim')}"
        yield ""
    for side, sections in (
        ("before", comparison.only_before),
        ("after", comparison.only_after),
    ):
        for section in sections:
            yield f"{_WHAT[section]}: only {side}, not compared"
    yield f"{style.safe(comparison.cluster)}: {_summary(comparison)}"


def _heading(difference: Difference) -> str:
    section, name, *_ = difference.path
    return "cluster" if section == "cluster" else f"{section} {name}"


def _difference(difference: Difference, style: Style) -> Iterator[str]:
    """One difference with its places, below it if they do not fit beside it."""
    mark, look = _MARKS[difference.kind]
    places = [
        f"{span.source.path}:{span.line}"
        for span in (difference.span_before, difference.span_after)
        if span is not None
    ]
    place = style.safe(f"({' -> '.join(places)})")
    first, *others = display.wrap(style.safe(_sentence(difference)), style.width - 6)
    head = f"  {style.paint(mark, look)} {first}"
    beside = not others and display.width(f"{first} {place}") <= style.width - 4
    where = style.paint(place, "dim")
    yield f"{head} {where}" if beside else head
    yield from (f"      {line}" for line in others)
    if not beside:
        yield f"      {where}"


def _sentence(difference: Difference) -> str:
    """What changed, without the object's name: the field and its values."""
    field = difference.path[1 if difference.path[0] == "cluster" else 2 :]
    values = [
        _shown(value)
        for value, kind in ((difference.old, "added"), (difference.new, "removed"))
        if difference.kind != kind
    ]
    if len(field) > 1 and field[0] == "etcdMembers":
        field = (f"member {field[1]}", *field[2:])
    elif len(field) > 1 and values == [field[-1]]:
        # An item of a list of scalars is its own name.
        field = field[:-1]
    return f"{'.'.join(field) or difference.kind}: {' -> '.join(values)}"


def _shown(value: Tree) -> str:
    """A value on one line, as YAML would have it."""
    if isinstance(value, dict):
        # A list of scalars is keyed by the scalars themselves.
        items = [
            key if value[key] == key else f"{key}: {_shown(value[key])}"
            for key in value
        ]
        return ", ".join(items) if items else "{}"
    if isinstance(value, str) and value and value == value.strip():
        return value
    return json.dumps(value)


def _unmatched(side: str, found: Correspondence) -> Iterator[str]:
    for misplaced in found.misplaced:
        member = misplaced.member
        group = member.group or "no group"
        reason = {
            "unnamed": "names no group",
            "no-group": f"has no group {group}",
            "other-role": f"runs in {group}, which is not a control-plane group",
            "taken": f"runs in {group} with another member",
        }[misplaced.reason]
        yield f"{side}: member {member.name} of {misplaced.etcd.name} {reason}"
    for vacancy in found.vacancies:
        yield (
            f"{side}: control-plane group {vacancy.group.name} has no member in "
            f"{vacancy.etcd.name}"
        )


def _summary(comparison: Comparison) -> str:
    if not comparison.differences:
        return "no differences"
    counts: dict[tuple[int, int], list[str]] = {}
    for name, count in comparison.members.items():
        counts.setdefault(count, []).append(name)
    parts = [
        f"{old} -> {new} members in {' and '.join(names)}"
        for (old, new), names in counts.items()
    ]
    number = len(comparison.differences)
    return "; ".join([*parts, f"{number} difference{'s' if number > 1 else ''}"])


def _as_json(
    comparison: Comparison, running: Sequence[Running], strange: Sequence[Strange]
) -> dict[str, object]:
    return {
        "name": comparison.cluster,
        "differences": [
            {
                "kind": difference.kind,
                "path": list(difference.path),
                "old": difference.old,
                "new": difference.new,
                "before": _place(difference.span_before),
                "after": _place(difference.span_after),
            }
            for difference in comparison.differences
        ],
        "members": {
            name: {"before": old, "after": new}
            for name, (old, new) in comparison.members.items()
        },
        "etcd": {
            etcd.etcd_cluster: {"before": [*etcd.before], "after": [*etcd.after]}
            for etcd in running
        },
        "not_compared": {
            "only_before": list(comparison.only_before),
            "only_after": list(comparison.only_after),
        },
        "unmatched": {
            "before": _unmatched_json(comparison.before),
            "after": _unmatched_json(comparison.after),
        },
        "observed": [
            {
                "etcd_cluster": one.etcd_cluster,
                "member": one.member,
                "difference": one.difference,
                "place": _place(one.span),
            }
            for one in strange
        ],
    }


def _place(span: Span | None) -> dict[str, object] | None:
    if span is None:
        return None
    return {"path": span.source.path, "line": span.line, "column": span.column}


def _unmatched_json(found: Correspondence) -> dict[str, object]:
    return {
        "members_without_group": [
            {
                "etcd_cluster": misplaced.etcd.name,
                "member": misplaced.member.name,
                "group": misplaced.member.group,
            }
            for misplaced in found.misplaced
        ],
        "groups_without_member": [
            {"etcd_cluster": vacancy.etcd.name, "group": vacancy.group.name}
            for vacancy in found.vacancies
        ],
    }
