"""One thing that kops refuses, in words and with its place.

The rules make these and the checks print them; this module must not know either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.source.text import Span

Kind = Literal[
    "unknown-field",
    "wrong-type",
    "unsupported-value",
    "network-range",
    "api-or-dns",
    "networking",
    "component",
    "group",
    "cloud",
    "version",
    "name-or-label",
    "addon",
    "missing-field",
    "etcd",
    "feature-flag",
    "update",
]

AtCommand = Literal["create", "replace", "edit", "update"]
"""The first command that refuses: ``create`` stands for every path that writes the
object, ``replace`` for those that overwrite one, ``edit`` for the editor alone, and
``update`` for those that complete the spec and look at cluster and groups together."""


class Violation(Record):
    """One reason why kops refuses an object.

    ``path`` is the field as the file names it (``spec.subnets[0].cidr``); ``label`` is
    what is wrong there in a few words; ``hint`` says what to do, in the imperative;
    ``source`` is the file and function of kops; ``about`` names the object, as in
    ``InstanceGroup/nodes``. ``covered_by`` names the rule that reports the same mistake
    already, if there is one. ``harmless`` is set where kops goes on without a word and
    nothing says that a setting is missed; ``outgrown`` where a newer kops that may be
    in use accepts it, and nobody says which one is.
    """

    kind: Kind
    about: str
    message: str
    path: str
    span: Span
    at_command: AtCommand
    source: str
    label: str = ""
    hint: str = ""
    covered_by: str = ""
    harmless: bool = False
    outgrown: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        """A key that sorts violations by place, then by what they say."""
        return (self.span.order, self.path, self.kind, self.message)
