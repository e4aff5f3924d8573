"""What a check is given, and how it says what it found.

A check is a function from a ``Context`` to drafts of findings. It decides what is
wrong, how surely, where and what to do; which rule it speaks for, and how bad that
is by default, stands in the rulebook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kopslint.findings import Certainty, Draft
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from kopslint.checks.custom_rule import CustomRule
    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.addresses import Misnamed
    from kopslint.model.idle_lists import IdleList
    from kopslint.model.simulation import Simulation, Step
    from kopslint.observed.observation import Observation
    from kopslint.text import Source, Span

    Check = Callable[["Context"], Iterator[Draft]]
    from collections.abc import Callable, Iterable


class Context(Record):
    """One cluster to be checked.

    ``after`` is the state to check, or the state after the change; ``before`` is
    None if there is no change to check, ``simulation`` if there are no commands.
    ``made_by`` are the commands of lists that made this cluster and are no part of a
    change: they are in no simulation.
    ``misnamed`` are commands that name a cluster which is none of the inputs.
    ``house`` are the rules of a team's own that are asked. ``kops_version`` is the
    kops whose rules hold; None: the one that fits the cluster's Kubernetes. It is
    ``kops_asked`` about if the command line names it; ``kops_said`` are versions that
    the repository says, each with its place.
    ``etcd_volumes`` is whether the disks of the etcd members exist. ``renamed_from``
    is a cluster that only the side before has, in the file that has this one after.
    ``gone`` is what this cluster was before, where no file after the change has any of
    it; ``lost_lists`` are its command lists of before that are no longer there, and
    ``idle_lists`` those that do nothing to it any more.
    ``retired`` says that the configuration lets it go. ``observed`` is what was seen on
    it, matched to both sides, and ``now`` the time at which that is judged.
    """

    after: Manifest
    before: Manifest | None = None
    simulation: Simulation | None = None
    made_by: tuple[Command, ...] = ()
    misnamed: tuple[Misnamed, ...] = ()
    house: tuple[CustomRule, ...] = ()
    kops_version: str | None = None
    kops_asked: bool = False
    kops_said: tuple[tuple[str, Span], ...] = ()
    etcd_volumes: bool = True
    renamed_from: Manifest | None = None
    gone: Manifest | None = None
    lost_lists: tuple[Source, ...] = ()
    idle_lists: tuple[IdleList, ...] = ()
    retired: bool = False
    observed: Observation | None = None
    now: datetime | None = None

    @property
    def cluster(self) -> str:
        """The name of the cluster."""
        return self.after.name

    @property
    def specs(self) -> tuple[Manifest, ...]:
        """Both sides of the change, as far as there are two, the one after first."""
        return (self.after,) if self.before is None else (self.after, self.before)

    @property
    def planning(self) -> tuple[str, ...]:
        """The kopslint call that prints a whole safe order for this change.

        Empty if the control plane does not change, or there are too many files to be
        pasted.
        """
        if self.before is None or _members(self.before) == _members(self.after):
            return ()
        sides = [("--before", s) for s in self.before.sources]
        sides += [("--after", s) for s in self.after.sources]
        if len(sides) > MOST_FILES or "<stdin>" in [s.path for _, s in sides]:
            return ()
        options = " ".join(f"{option} {_named(source)}" for option, source in sides)
        return (f"kopslint plan {options}  # the whole order",)

    @property
    def way_back(self) -> tuple[str, ...]:
        """The kopslint call that prints the way from what was observed to the spec.

        Empty if nothing was observed, or there are too many files to be pasted.
        """
        seen = self.observed
        if seen is None:
            return ()
        old, new = (self.before or self.after).sources, self.after.sources
        from shlex import quote

        sides = [("--before", source) for source in old]
        sides += [("--after", source) for source in new]
        paths = [*(source.path for _, source in sides), *seen.given]
        if len(sides) > MOST_FILES or {"<stdin>", "-"} & {*paths} or not seen.given:
            return ()
        options = " ".join(f"{option} {_named(source)}" for option, source in sides)
        options += "".join(f" --observed {quote(name)}" for name in seen.given)
        return (f"kopslint plan {options}  # the way back, step by step",)

    def storing(self, side: Manifest | None) -> str:
        """The kops call that stores the spec of one side, whole.

        ``FILE`` stands for files that cannot be pasted: too many, or of a revision.
        """
        sources = side.sources if side is not None else ()
        pasted = 0 < len(sources) <= MOST_FILES and all(
            source.revision is None and source.path != "<stdin>" for source in sources
        )
        files = [_named(source) for source in sources] if pasted else ["FILE"]
        return f"kops replace --force {' '.join(f'-f {file}' for file in files)}"


MOST_FILES = 4
"""More files than this are no command to paste."""


def _members(manifest: Manifest) -> object:
    """Which members a manifest has, and which control-plane groups."""
    cluster = manifest.cluster
    groups = tuple(group.name for group in manifest.control_plane)
    return groups, cluster.membership if cluster is not None else None


def _named(source: Source) -> str:
    """A source as the command line names it."""
    from shlex import quote

    return quote(source.named)


def on_its_way(draft: Draft, context: Context) -> Draft:
    """A finding at a step that runs with one value of a word and not with another."""
    if draft.step is None or context.simulation is None:
        return draft
    steps = context.simulation.steps
    way = next((step.way for step in steps if step.number == draft.step), "")
    if not way:
        return draft
    why = f"{draft.why} This applies if {way}."
    return draft._replace(why=why, certainty=Certainty.POSSIBLE)


def sure(certain: bool) -> Certainty:
    """The certainty of a fact."""
    return Certainty.CERTAIN if certain else Certainty.POSSIBLE


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def meanwhile(first: Step, last: Step) -> str:
    """The stretch of steps in a sentence, as the timeline and the list number them."""
    start, end = (
        f"step {step.number} (line {step.command.span.line})" for step in (first, last)
    )
    return f"from {start} to {end}"


__all__ = ["Check", "Context", "Draft", "listed", "meanwhile", "sure"]


# ------------------------------------------------------------------------------------
# One mistake, one finding: what several etcd clusters have in common
#
# The members of main, events and any further etcd cluster are written side by side,
# so a slip is usually made in all of them; it is reported once, with all its places.

T = TypeVar("T")
K = TypeVar("K")


def alike(items: Iterable[T], key: Callable[[T], K]) -> list[list[T]]:
    """The items sorted into lists of equal ``key``, in the order of appearance."""
    found: dict[K, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())


def only(names: Iterable[str]) -> str | None:
    """The name, if all are the same one; for findings about one etcd cluster."""
    different = set(names)
    return different.pop() if len(different) == 1 else None
