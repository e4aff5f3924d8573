"""One spec, or one put in the place of another: what kops itself would refuse.

What that is stands in ``kopslint.kops.validation``; here it is put into findings, one
rule for each kind. What another rule reports already is left to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.checks.alike import alike
from kopslint.checks.context import Context, Draft
from kopslint.findings import Location, Severity
from kopslint.kops.validation import update_violations, violations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.checks.context import Check
    from kopslint.kops.spec import Manifest
    from kopslint.kops.validation import AtCommand, Kind, Violation

_INDEX = re.compile(r"\[\d+\]")
_REASONS: dict[AtCommand, str] = {
    "create": "kops create -f and kops replace -f refuse the object; what stands above "
    "it in the file is stored by then.",
    "replace": "kops replace -f refuses to overwrite the object.",
    "edit": "kops create -f and kops replace -f drop the field without a word; kops "
    "edit refuses it.",
    "update": "kops create -f and kops replace -f store the object; kops update "
    "cluster refuses it, and applies nothing.",
}


class _LastAsked:
    """The violations of the manifest that was asked for last.

    Every rule asks for the violations of the same manifest, one after the other.
    """

    def __init__(self) -> None:
        self._asked: tuple[Manifest, str | None] | None = None
        self._found: tuple[Violation, ...] = ()

    def of(self, manifest: Manifest, kops_version: str | None) -> tuple[Violation, ...]:
        """All violations of ``manifest`` that no other rule reports."""
        asked = self._asked
        if asked is None or asked[0] is not manifest or asked[1] != kops_version:
            found = violations(manifest, kops_version=kops_version)
            self._found = tuple(v for v in found if not v.covered_by)
            self._asked = manifest, kops_version
        return self._found


_LAST = _LastAsked()


def _check(kind: Kind) -> Check:
    """The check of one kind of violation."""

    def check(context: Context) -> Iterator[Draft]:
        found = (
            v for v in _LAST.of(context.after, context.kops_version) if v.kind == kind
        )
        yield from _drafts(found)

    return check


unknown_field = _check("unknown-field")
wrong_type = _check("wrong-type")
unsupported_value = _check("unsupported-value")
invalid_network_range = _check("network-range")
invalid_api_or_dns = _check("api-or-dns")
invalid_networking = _check("networking")
invalid_component = _check("component")
invalid_group = _check("group")
invalid_cloud = _check("cloud")
unsupported_version = _check("version")
invalid_name_or_label = _check("name-or-label")
invalid_addon = _check("addon")
missing_field = _check("missing-field")
invalid_etcd = _check("etcd")
missing_feature_flag = _check("feature-flag")


def refused_update(context: Context) -> Iterator[Draft]:
    """A Cluster that kops does not put in the place of the one before."""
    if context.before is None:
        return
    found = update_violations(
        context.before,
        context.after,
        kops_version=context.kops_version,
        etcd_volumes_exist=context.etcd_volumes,
    )
    yield from _drafts(v for v in found if not v.covered_by)


def _drafts(found: Iterable[Violation]) -> Iterator[Draft]:
    """One finding for one mistake, in however many places it was made."""
    for same in alike(found, _mistake):
        first = same[0]
        objects = sorted({violation.about for violation in same})
        yield Draft(
            severity=Severity.WARNING if first.harmless else None,
            message=first.message,
            why=_REASONS[first.at_command],
            locations=tuple(Location(v.span, v.label) for v in same),
            subject=f"{','.join(objects)}/{first.path}",
            fix=(f"# {first.hint}",) if first.hint else (),
        )


def _mistake(violation: Violation) -> tuple[str, str, str]:
    """What makes two violations the same mistake: all but the place in a list."""
    kind = violation.about.partition("/")[0]
    return kind, _INDEX.sub("[]", violation.message), violation.hint
