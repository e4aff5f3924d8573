"""What comes out of planning: a runbook, or the reasons why there is none.

Everything that printing needs is here, in the order of printing; how it looks is
not known.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kopslint.model.etcd.state import spare
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.findings import EtcdView
    from kopslint.planner.intermediate_specs import Spec
    from kopslint.planner.steps import PlannedStep


class Step(Record):
    """A step of the runbook: etcd before and after it.

    ``via`` are the control-plane groups that vote and stay, through whose machines
    etcd is asked; ``stays`` is a group that the state store has before and after;
    ``releases`` are those of Kubernetes that the stored spec has before and after.
    ``tolerance`` is how many more members may fail at the worst lasting moment of the
    step; ``outage`` whether etcd may be away meanwhile. ``kops`` are the releases
    of kops that run it, by their minors; none if any does that ran the step before.
    ``etcd_before`` is the oldest release of etcd that each member of an etcd cluster
    has to run before the step, where that brings a newer series.
    """

    deed: PlannedStep
    before: Mapping[str, EtcdView]
    after: Mapping[str, EtcdView]
    tolerance: int
    outage: bool
    via: tuple[str, ...] = ()
    stays: str = ""
    releases: tuple[str, str] = ("", "")
    kops: tuple[int, ...] = ()
    etcd_before: Mapping[str, str] = MappingProxyType({})


class Runbook(Record):
    """The way from before to after; without steps there is nothing to do.

    ``written`` are the specs in between, to be written as files. ``cut`` is
    whether the search had to stop early, so that a better way may exist. ``notes``
    say what is good to know about the whole; ``features`` are the feature flags that
    kops needs to have set; ``backups`` is where the backups of each etcd cluster are,
    where some are wanted; ``unfilled`` is what the files leave to be filled in.
    ``warnings`` are what the check says of it. ``rescue`` is
    whether it starts from a cluster that was seen broken.
    """

    cluster: str
    store: str | None
    steps: tuple[Step, ...]
    written: tuple[Spec, ...] = ()
    cut: bool = False
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    cloud: str | None = None
    warnings: tuple[str, ...] = ()
    rescue: bool = False

    @property
    def tolerance(self) -> int:
        """How many more members may fail at the worst lasting moment."""
        return min((step.tolerance for step in self.steps), default=0)

    @property
    def spares_most(self) -> bool:
        """Whether no order can spare more members: none does better than both ends."""
        views = [
            *(view for step in self.steps[:1] for view in step.before.values()),
            *(view for step in self.steps[-1:] for view in step.after.values()),
        ]
        most = min((spare(len(view.members)) for view in views), default=0)
        return not self.outage and self.tolerance >= most

    @property
    def outage(self) -> bool:
        """Whether etcd may be without quorum for a while."""
        return any(step.outage for step in self.steps)


class NoWay(Record):
    """That there is no safe order, and why.

    ``etcd_clusters`` are those that would have to be restored; none where a restore
    would not help either, and ``backups`` where the backups of each are. ``keeps_data``
    is whether etcd-manager copies what is written by itself, with an outage. ``cut`` is
    whether the search had to stop early, so that a way may exist all the same.
    """

    cluster: str
    store: str | None
    reasons: tuple[str, ...]
    etcd_clusters: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    keeps_data: bool = False
    files: tuple[str, ...] = ()
    cut: bool = False
    rescue: tuple[str, ...] = ()
