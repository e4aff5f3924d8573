"""One spec: what is wrong with how it is written, whatever it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.checks.alike import alike
from kopslint.checks.context import Context, Draft
from kopslint.checks.placeholders import is_filled_in_later
from kopslint.findings import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.spec import Flaw, FlawKind
    from kopslint.source.text import Source

_REASONS: dict[FlawKind, str] = {
    "duplicate-key": "kops says nothing about the first one and drops it, so that the "
    "spec means less than it shows.",
    "wrong-type": "kops does not convert types: it refuses the whole file.",
    "missing": "kops refuses an object without this field.",
    "unknown-role": "kops refuses a role that it does not know; roles are "
    "case-sensitive in files.",
    "unknown-kind": "kops stops at an object of a kind that it does not know, after "
    "it has stored those above.",
    "unsupported-version": "kops cannot read this object, and stops here.",
    "ignored-document": "kops reads the file as if the document were not there.",
    "empty-document": "kops stops there, after it has stored the objects above.",
}


def duplicate_key(context: Context) -> Iterator[Draft]:
    """A key of a mapping is written twice."""
    flaws = [flaw for flaw in context.after.flaws if flaw.kind == "duplicate-key"]
    for same in alike(flaws, _object_of):
        if _object_of(same[0]) is not None and len(same) > 1:
            yield _joined_objects(same[0])
        else:
            yield from map(_draft, same)


def _object_of(flaw: Flaw) -> Source | None:
    """The file whose object has the key at its top level, if that is where it is."""
    (span, _), *_ = flaw.places
    return span.source if span.column == 1 else None


def _joined_objects(flaw: Flaw) -> Draft:
    """Several keys of an object are there twice because it is really two objects."""
    return Draft(
        message="two objects are written as one, and kops drops the first",
        why=_REASONS["duplicate-key"],
        locations=tuple(Location(span, label) for span, label in flaw.places),
        subject="joined-objects",
        fix=("# write `---` on a line of its own between the two",),
    )


def malformed_object(context: Context) -> Iterator[Draft]:
    """An object cannot be read as what it should be."""
    for flaw in context.after.flaws:
        if flaw.kind != "duplicate-key" and not is_filled_in_later(flaw.places[0][0]):
            yield _draft(flaw)


def _draft(flaw: Flaw) -> Draft:
    return Draft(
        message=flaw.message,
        why=_REASONS[flaw.kind],
        locations=tuple(Location(span, label) for span, label in flaw.places),
        subject=f"{flaw.kind}/{flaw.message}",
        fix=(f"# {flaw.hint}",) if flaw.hint else (),
    )
