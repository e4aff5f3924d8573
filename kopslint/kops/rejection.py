"""One type for "this is refused": who refuses, what, where, and at which command.

The reader of command lines, the decoder of objects, the validation of fields, the
checks that a command makes itself, and etcd all answer with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from kopslint.records import Record

if TYPE_CHECKING:
    from kopslint.text import Span

By = Literal["command line", "decoder", "validation", "kops", "etcd"]
"""Who refuses: the reader of a command's words, kops' decoder of objects (kops
pkg/kopscodecs), its validation (pkg/apis/kops/validation and what ``update`` builds), a
check of the command itself (cmd/kops), or etcd."""

FieldKind = Literal[
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
"""What kops' validation looks at; a rule reports each kind."""

FIELD_KINDS: frozenset[str] = frozenset(get_args(FieldKind))

ObjectKind = Literal[
    "duplicate-key",
    "wrong-type",
    "missing",
    "unknown-role",
    "unknown-kind",
    "unsupported-version",
    "ignored-document",
    "empty-document",
    "unreadable",
]
"""What can be wrong with how an object is written."""

LineKind = Literal[
    "unknown-command",
    "unknown-flag",
    "removed-command",
    "bad-value",
    "missing-argument",
    "extra-argument",
    "name-twice",
    "bool-needs-equals",
    "not-in-release",
]
"""What can be wrong with a command line."""

CommandKind = Literal[
    "even-members",
    "no-members",
    "duplicate-etcd-cluster",
    "duplicate-member",
    "shared-group",
    "missing-group",
    "group-without-member",
    "missing-subnet",
    "differing-versions",
    "etcd-cluster-removed",
    "member-moved",
    "control-plane-size",
    "no-control-plane",
    "no-nodes",
    "no-terraform",
    "no-group-deletion",
    "zones",
    "missing-object",
    "exists",
    "only-control-plane",
    "not-in-cloud",
    "unknown-group",
    "edit",
    "member-removal",
]
"""What a command, or etcd, refuses about the objects and the cloud as they are."""

AtCommand = Literal["create", "replace", "edit", "update"]
"""The first command that refuses: ``create`` stands for every path that writes the
object, ``replace`` for those that overwrite one, ``edit`` for the editor alone, and
``update`` for those that complete the spec and look at cluster and groups together."""


class Rejection(Record):
    """One reason why something is refused.

    ``kind`` is a stable name that a rule can look for; ``message`` says it, in kops' or
    etcd's own words where they have some; ``about`` names the object, as in
    ``InstanceGroup/nodes``, or the command; ``places`` has the primary place first,
    each with what is wrong there in a few words. ``path`` is the field as the file
    names it (``spec.subnets[0].cidr``); ``hint`` says what to do, in the imperative,
    or for a command line what to type; ``source`` is the file and function of kops.

    ``harmless`` is set where the program goes on all the same; ``outgrown`` where a
    newer kops that may be in use accepts it, and nobody says which one is.
    """

    kind: FieldKind | ObjectKind | LineKind | CommandKind
    message: str
    about: str = ""
    places: tuple[tuple[Span, str], ...] = ()
    by: By = "kops"
    path: str = ""
    at_command: AtCommand = "create"
    hint: str = ""
    source: str = ""
    harmless: bool = False
    outgrown: bool = False

    @property
    def span(self) -> Span:
        """The primary place; a rejection of a field or of a line has one."""
        return self.places[0][0]

    @property
    def label(self) -> str:
        """What is wrong at the primary place, in a few words."""
        return self.places[0][1]

    def moved(self, span: Span) -> Rejection:
        """The same, shown at another place."""
        return self._replace(places=((span, self.label), *self.places[1:]))

    @property
    def is_of_spec(self) -> bool:
        """Whether the object is refused as it is written, whatever the command."""
        return self.by in ("decoder", "validation")

    @property
    def order(self) -> tuple[object, ...]:
        """A key that sorts rejections by place, then by what they say."""
        return (self.span.order, self.path, self.kind, self.message)


def of_line(
    kind: LineKind,
    message: str,
    span: Span,
    *,
    harmless: bool = False,
    hint: str = "",
) -> Rejection:
    """What is wrong with a command line, at the words that ``span`` shows.

    ``harmless`` is set where the program runs all the same, or prints its help and says
    that all went well; ``hint`` is the nearest thing that exists, as one would type it.
    """
    places = ((span, hint or "not accepted"),)
    return Rejection(
        kind, message, places=places, by="command line", hint=hint, harmless=harmless
    )


def of_object(
    kind: ObjectKind,
    message: str,
    places: tuple[tuple[Span, str], ...],
    hint: str = "",
    path: str = "",
) -> Rejection:
    """What is wrong with how an object is written, found while reading it.

    Source: kops pkg/kopscodecs/codecs.go, Decode.
    """
    return Rejection(kind, message, "", places, "decoder", path, hint=hint)
