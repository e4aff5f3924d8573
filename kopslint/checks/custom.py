"""Rules of a team's own: what each of them is asked about, and with which variables.

The objects of a cluster become plain data here, as they are written but for one thing:
``spec.role`` is always one of the four roles, however the spec says it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.context import Context, Draft
from kopslint.errors import RuleError
from kopslint.findings import Location
from kopslint.records import Record
from kopslint.syntax.yaml import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kopslint.checks.custom_rule import CustomRule
    from kopslint.kops.spec import Cluster, InstanceGroup, Manifest
    from kopslint.syntax.yaml import Node, Plain, Step
    from kopslint.text import Span


class _Subject(Record):
    """One thing that a rule is asked about; ``node`` is None for a command."""

    name: str
    node: Node | None
    span: Span
    variables: Mapping[str, Plain]
    step: int | None = None
    etcd_cluster: str | None = None

    def at(self, path: tuple[Step, ...]) -> Span:
        return span_of(self.node, *path) if self.node and path else self.span


def violations(rule: CustomRule, context: Context) -> Iterator[Draft]:
    """A team's own rule is broken; where it cannot decide, another rule speaks."""
    for subject in _subjects(rule.scope, context):
        try:
            message = rule.ask(subject.variables)
        except RuleError:
            continue
        if message is not None:
            yield Draft(
                message=message,
                why=rule.why,
                locations=(Location(subject.at(rule.at), ""),),
                subject=subject.name,
                fix=rule.fix,
                step=subject.step,
                etcd_cluster=subject.etcd_cluster,
            )


def rule_undecided(context: Context) -> Iterator[Draft]:
    """A team's own rule takes something that is not there."""
    for rule in context.house:
        for subject in _subjects(rule.scope, context):
            try:
                rule.ask(subject.variables)
            except RuleError as error:
                yield Draft(
                    message=f"{rule.id} cannot be decided for {subject.name}:"
                    f" {error.message}",
                    why="The expression reads a field that is missing or has another"
                    " type, so it is not known whether the rule is broken.",
                    locations=(Location(subject.at(rule.at), ""),),
                    subject=f"{rule.id} {subject.name}",
                    fix=("# in the rule: spec.?field.orValue(what it is by default)",),
                    step=subject.step,
                    etcd_cluster=subject.etcd_cluster,
                )


def _subjects(scope: str, context: Context) -> Iterator[_Subject]:
    after, before = context.after, context.before
    cluster = after.cluster
    steps = context.simulation.steps if context.simulation is not None else ()
    variables: dict[str, Plain] = {
        "cluster": _object(cluster) if cluster is not None else {},
        "groups": [_object(after.groups[name]) for name in sorted(after.groups)],
        "commands": [step.command.text for step in steps],
    }
    match scope:
        case "cluster" if cluster is not None:
            old = before.cluster if before is not None else None
            yield _Subject(
                f"cluster {cluster.name}",
                cluster.node,
                cluster.at("metadata", "name"),
                {**variables, "before": _object(old) if old is not None else None},
            )
        case "group":
            for name, group in sorted(after.groups.items()):
                yield _Subject(
                    f"group {name}",
                    group.node,
                    group.at("metadata", "name"),
                    {
                        **variables,
                        "group": _object(group),
                        "before": _group(before, name),
                    },
                )
        case "member":
            yield from _members(after, before, variables)
        case "command":
            for step in steps:
                yield _Subject(
                    f"command {step.command.text}",
                    None,
                    step.command.span,
                    {**variables, "command": step.command.text},
                    step=step.number,
                )


def _members(
    after: Manifest, before: Manifest | None, variables: Mapping[str, Plain]
) -> Iterator[_Subject]:
    for etcd in after.etcd_clusters:
        old = (
            before.cluster.etcd_cluster(etcd.name)
            if before and before.cluster
            else None
        )
        for member in etcd.members:
            was = old.member(member.name) if old is not None else None
            yield _Subject(
                f"member {member.name} of {etcd.name}",
                member.node,
                member.at("name"),
                {
                    **variables,
                    "member": member.node.plain,
                    "etcd": etcd.node.plain,
                    "group": _group(after, member.group),
                    "before": was.node.plain if was is not None else None,
                },
                etcd_cluster=etcd.name,
            )


def _group(manifest: Manifest | None, name: str) -> Plain:
    group = manifest.groups.get(name) if manifest is not None else None
    return _object(group) if group is not None else None


def _object(item: Cluster | InstanceGroup) -> Plain:
    plain = item.node.plain
    role = getattr(item, "role", None)
    spec = plain.get("spec") if isinstance(plain, dict) else None
    if role is not None and isinstance(spec, dict):
        spec["role"] = role.value
    return plain
