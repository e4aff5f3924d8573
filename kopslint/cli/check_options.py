"""The options of ``kopslint check``: an option is a field here and nowhere else."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.cli.completion import complete_rules
from kopslint.cli.console import Voice
from kopslint.cli.inputs import GitOptions
from kopslint.cli.option_table import (
    Options,
    argument,
    choice,
    switch,
    value,
    values,
    verbosity,
)
from kopslint.cli.options import ColorWhen, FailOn, Format, StdinAs, read_outputs

if TYPE_CHECKING:
    from kopslint.cli.options import Output
    from kopslint.config.shard import Shard


class CheckOptions(Options):
    """The options of one check, as they were given."""

    specs: tuple[str, ...] = argument("AFTER", "The spec after the change.")
    before: tuple[str, ...] = values(
        "--before", str, metavar="SRC", help="The spec before the change."
    )
    after: tuple[str, ...] = values(
        "--after", str, metavar="SRC", help="The spec after the change, as AFTER."
    )
    commands: tuple[str, ...] = values(
        "--commands",
        str,
        metavar="SRC",
        help="The commands: scripts, runbooks, workflows.",
    )
    observed: tuple[str, ...] = values(
        "--observed",
        str,
        metavar="SRC",
        help="What was observed on the cluster: outputs of etcdctl, kops and kubectl."
        " [main=]FILE names the etcd cluster.",
    )
    stdin_as: StdinAs | None = value(
        "--stdin-as",
        StdinAs,
        help="The format of commands from -, instead of guessing.",
    )
    formats: tuple[str, ...] = values(
        "--format",
        str,
        metavar="FORMAT[=FILE]",
        help=f"One of {', '.join(Format)}; can be repeated.",
    )
    changed: bool = switch(
        "--changed",
        help="Check what changed in git between the merge base with the default"
        " branch and the work tree.",
    )
    base: str | None = value(
        "--base", str, metavar="REV", help="The same, from the merge base with REV."
    )
    head: str | None = value("--head", str, metavar="REV", help="The same, up to REV.")
    staged: bool = switch("--staged", help="Check what the next commit would change.")
    all_findings: bool = switch(
        "--all",
        help="Also count findings that exist before the change in git.",
    )
    select: tuple[str, ...] = values(
        "--select",
        str,
        metavar="RULES",
        help="Check only these rules: ids, prefixes, names, categories.",
        autocompletion=complete_rules,
    )
    ignore: tuple[str, ...] = values(
        "--ignore",
        str,
        metavar="RULES",
        help="Check all rules except these.",
        autocompletion=complete_rules,
    )
    fail_on: FailOn | None = value(
        "--fail-on",
        FailOn,
        help="The lowest severity that gives exit status 1 (default: error).",
    )
    kops_version: str | None = value(
        "--kops-version",
        str,
        metavar="1.MINOR",
        help="The kops version that runs the commands (default: the one that matches"
        " the cluster's Kubernetes version).",
    )
    etcd_volumes: bool = switch(
        "--no-etcd-volumes",
        default=True,
        help="The cluster was never applied: its etcd volumes do not exist yet.",
    )
    fix: bool = switch(
        "--fix",
        help="Correct the command list in its file, and report what is left.",
    )
    diff: bool = switch(
        "--diff",
        help="Print the corrected list as a patch after the report; do not write it.",
    )
    jobs: int | None = value(
        "--jobs",
        int,
        metavar="N",
        min=1,
        max=256,
        help="Number of processes that check a large fleet (default: one per core, at"
        " most eight).",
    )
    timeout: int | None = value(
        "--timeout",
        int,
        metavar="SECONDS",
        min=1,
        max=86_400,
        help="Stop the check after this time and report what is known by then (KL903).",
    )
    share: str | None = value(
        "--shard",
        str,
        metavar="I/N",
        help="Check only the clusters of shard I of N, by name.",
    )
    house: tuple[Path, ...] = values(
        "--rules", Path, metavar="DIR", help="A folder with custom rules."
    )
    ignores: bool = switch(
        "--no-ignores",
        default=True,
        help="Ignore comments that silence findings.",
    )
    baseline: Path | None = value(
        "--baseline",
        Path,
        metavar="FILE",
        help="A file of known findings, which do not count.",
    )
    write_baseline: Path | None = value(
        "--write-baseline",
        Path,
        metavar="FILE",
        help="Write all findings to this file, to use as a baseline.",
    )
    config: Path | None = value(
        "--config",
        Path,
        metavar="FILE",
        help="The configuration file, instead of searching for it.",
    )
    no_config: bool = switch("--no-config", help="Read no configuration file.")
    config_from: str | None = value(
        "--config-from",
        str,
        metavar="base|head|FILE",
        help="Which settings, custom rules and baseline apply to a change in git:"
        " those before it (default), those after it, or the settings in a file.",
    )
    color: ColorWhen = choice(
        "--color", ColorWhen.AUTO, help="Print in colour; auto: only on a terminal."
    )
    quiet: bool = switch("--quiet", "-q", help="Print nothing but findings.")
    full: bool = switch(
        "--full", help="Print every finding in full, and the corrected list."
    )
    timeline: bool = switch(
        "--no-timeline", default=True, help="Leave out the table of steps."
    )
    statistics: bool = switch("--statistics", help="Count findings by rule at the end.")
    verbose: bool = verbosity()

    @property
    def states_after(self) -> tuple[str, ...]:
        """The spec after the change, however it was named."""
        return (*self.specs, *self.after)

    @property
    def git(self) -> GitOptions:
        """Which change in git to check."""
        return GitOptions(self.base, self.head, self.staged, self.changed)

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """The reports to write; raises ``UsageError`` as ``read_outputs``."""
        return read_outputs([*self.formats])

    @cached_property
    def shard(self) -> Shard | None:
        """The clusters to check; raises ``UsageError`` as ``read_shard``."""
        if self.share is None:
            return None
        from kopslint.config.shard import read_shard

        return read_shard(self.share)

    @property
    def voice(self) -> Voice:
        """What is said besides."""
        return Voice(self.quiet, self.verbose)

    @property
    def mends(self) -> bool:
        """Whether the list of commands is to be corrected."""
        return self.fix or self.diff
