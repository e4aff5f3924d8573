"""One spec, or one put in the place of another: what kops itself would refuse.

What that is stands in ``kopslint.kops.validation``; here it is put into findings, one
rule for each kind. What another rule reports already is left to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks import pairs
from kopslint.checks.context import Context, Draft, alike
from kopslint.findings import Location, Severity
from kopslint.kops.decode import is_completed_spec
from kopslint.kops.placeholders import is_filled_in_later
from kopslint.kops.validation import is_of_field, rejections, update_rejections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.checks.context import Check
    from kopslint.kops.rejection import AtCommand, FieldKind, Rejection
    from kopslint.kops.spec import Manifest
    from kopslint.text import Span

_INDEX = r"\[\d+\]"
_REASONS: dict[AtCommand, str] = {
    "create": "kops create -f and kops replace -f refuse the object; objects above it"
    " in the file are already stored.",
    "replace": "kops replace -f refuses to overwrite the object.",
    "edit": "kops create -f and kops replace -f silently drop the field; kops edit"
    " refuses it.",
    "update": "kops create -f and kops replace -f store the object; kops update"
    " cluster refuses it and applies nothing.",
}


class _LastAsked:
    """The rejections of the manifest that was asked for last.

    Every rule asks for the rejections of the same manifest, one after the other.
    """

    def __init__(self) -> None:
        self._asked: tuple[Manifest, str | None, bool] | None = None
        self._found: tuple[Rejection, ...] = ()

    def of(self, context: Context) -> tuple[Rejection, ...]:
        """All rejections of the spec after that no other rule reports."""
        asked = context.after, context.kops_version, context.kops_asked
        last = self._asked
        if last is None or last[0] is not asked[0] or last[1:] != asked[1:]:
            manifest, version, by_user = asked
            found = rejections(manifest, kops_version=version, asked=by_user)
            # What kops wrote itself is handed to no command that would refuse it.
            self._found = tuple(
                rejection
                for rejection in found
                if is_of_field(rejection)
                and not is_completed_spec(rejection.span.source)
            )
            self._asked = asked
        return self._found


_LAST = _LastAsked()


def _check(kind: FieldKind) -> Check:
    """The check of one kind of rejection."""

    def check(context: Context) -> Iterator[Draft]:
        yield from _drafts(
            rejection
            for rejection in _LAST.of(context)
            if rejection.kind == kind and not is_filled_in_later(rejection.span)
        )

    return check


unknown_field = _check("unknown-field")
wrong_type = _check("wrong-type")
unsupported_value = _check("unsupported-value")
invalid_network_range = _check("network-range")
invalid_api_or_dns = _check("api-or-dns")
invalid_networking = _check("networking")
invalid_component = _check("component")
invalid_group = _check("group")
invalid_cloud_setting = _check("cloud")
_unsupported_version = _check("version")
invalid_name_or_label = _check("name-or-label")
invalid_addon = _check("addon")
missing_required_field = _check("missing-field")
invalid_etcd_setting = _check("etcd")
_needs_feature_flag = _check("feature-flag")


def unsupported_version(context: Context) -> Iterator[Draft]:
    """A version that kops does not bring, and which kops takes the spec at all."""
    from kopslint.checks.kops_range import releases_that_take_this

    yield from _unsupported_version(context)
    yield from releases_that_take_this(context)


def missing_feature_flag(context: Context) -> Iterator[Draft]:
    """A setting that kops takes only with a feature flag, which nobody is seen to set.

    Where the list updates the cluster, it is the one who sets it or does not.
    """
    if not _sets_feature("APIServerNodes", context):
        yield from _needs_feature_flag(context)


def _sets_feature(name: str, context: Context) -> bool:
    """Whether every update of the list, and there is one, runs with a feature flag on.

    Source: kops pkg/featureflag/featureflag.go, ParseFlags: the last mention counts.
    """
    simulation = context.simulation
    if simulation is None and not context.made_by:
        return False
    from kopslint.commands.kops import Reconcile, UpdateCluster

    steps = simulation.steps if simulation is not None else ()
    ran = (*context.made_by, *(step.command for step in steps))
    seen = [c.features for c in ran if isinstance(c, Reconcile | UpdateCluster)]
    return bool(seen) and all(
        flags is not None and _is_on(name, flags.shown) for flags in seen
    )


def _is_on(name: str, flags: str) -> bool:
    words = [flag.strip() for flag in flags.split(",")]
    mentions = [word for word in words if word.lstrip("+-") == name]
    return bool(mentions) and not mentions[-1].startswith("-")


def postponed(context: Context) -> tuple[Span, ...]:
    """The places of what kops would refuse, if it were not filled in before."""
    rejections = _LAST.of(context)
    flaws = (span for flaw in context.after.flaws for span, _ in flaw.places[:1])
    spans = {*(rejection.span for rejection in rejections), *flaws}
    spans |= {*context.after.filled}
    if context.before is not None:
        spans |= {*context.before.filled}
    return tuple(sorted(filter(is_filled_in_later, spans), key=lambda span: span.order))


def places_refused(context: Context) -> frozenset[Span]:
    """The places in the state to check of all that kops refuses there."""
    found = _LAST.of(context)
    flaws = (span for flaw in context.after.flaws for span, _ in flaw.places[:1])
    return frozenset((*(rejection.span for rejection in found), *flaws))


def refused_versions(context: Context) -> frozenset[Span]:
    """The places of the versions that kops surely refuses."""
    return frozenset(
        rejection.span
        for rejection in _LAST.of(context)
        if rejection.kind == "version"
        and not (rejection.harmless or rejection.outgrown)
    )


def refused_update(context: Context) -> Iterator[Draft]:
    """A Cluster that kops does not put in the place of the one before."""
    if context.before is None or pairs.deleted_first(context):
        return
    found = update_rejections(
        context.before,
        context.after,
        kops_version=context.kops_version,
        etcd_volumes_exist=context.etcd_volumes,
    )
    yield from _drafts(filter(is_of_field, found))


_OLDER_KOPS = (
    "The kops release of the cluster's Kubernetes version refuses this, but a newer"
    " one accepts it. Set kops-version in the configuration to the one in use."
)
_REFUSED_BEFORE = "an older kops refuses this"


def _drafts(found: Iterable[Rejection]) -> Iterator[Draft]:
    """One finding for one mistake, in however many places it was made."""
    for same in alike(found, _mistake):
        first = same[0]
        objects = sorted({rejection.about for rejection in same})
        yield Draft(
            severity=Severity.WARNING if first.harmless or first.outgrown else None,
            message=first.message,
            why=_OLDER_KOPS if first.outgrown else _REASONS[first.at_command],
            locations=tuple(
                Location(v.span, _REFUSED_BEFORE if v.outgrown else v.label)
                for v in same
            ),
            subject=f"{','.join(objects)}/{first.path}",
            fix=(f"# {first.hint}",) if first.hint else (),
        )


def _mistake(rejection: Rejection) -> tuple[str, str, str]:
    """What makes two rejections the same mistake: all but the place in a list."""
    kind = rejection.about.partition("/")[0]
    return kind, re.sub(_INDEX, "[]", rejection.message), rejection.hint
