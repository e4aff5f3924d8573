"""What the engine is given: which rules, how bad each is, and where that differs.

Everything is decided and compiled here; the engine only looks it up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from kopslint.config.patterns import Patterns
    from kopslint.config.shard import Shard
    from kopslint.findings import Draft, Severity
    from kopslint.rulebook.model import Rule
    from kopslint.text import Span


class Override(Record):
    """What is different for some files, by rule id."""

    files: Patterns
    ignored: frozenset[str]
    severities: Mapping[str, Severity]


class Settings(Record):
    """How to check.

    Without ``rules`` it is the whole rulebook. ``severities``, by rule id, replace
    whatever the rule itself says. ``overrides`` are for paths below ``root``, seen
    from ``folder``, both absolute; of several that fit, the last one decides.
    ``kops_version`` is the version that runs the commands, if it is known; it is
    ``kops_asked`` if the command line says it, and otherwise ``kops_said`` are the
    places where the repository does, which may be of several versions.
    ``etcd_volumes`` is whether the cluster has been applied, so that its disks exist.

    ``ignores`` is whether comments may silence findings. A comment may name any of the
    ``known`` rules, whether asked or not; by default they are the rulebook's. Without
    ``today`` no comment expires. With ``shard`` only its clusters are examined.
    ``retired`` are clusters that may be gone after a change. Without ``now`` nothing
    that was observed is old. ``documentation`` is where the rules' pages are.
    """

    rules: tuple[Rule, ...] | None = None
    severities: Mapping[str, Severity] = {}
    overrides: tuple[Override, ...] = ()
    root: str = "/"
    folder: str = "/"
    kops_version: str | None = None
    kops_asked: bool = False
    kops_said: tuple[tuple[str, Span], ...] = ()
    etcd_volumes: bool = True
    ignores: bool = True
    known: tuple[Rule, ...] | None = None
    today: date | None = None
    shard: Shard | None = None
    retired: frozenset[str] = frozenset()
    now: datetime | None = None
    documentation: str | None = None

    def severity(self, rule: Rule, draft: Draft) -> Severity | None:
        """How bad a finding is, or None if it is to be ignored.

        An override is about every finding that has one of its places in one of its
        files: the command that does the harm and the spec that it harms.
        """
        chosen = self.severities.get(rule.id, draft.severity or rule.severity)
        if not self.overrides:
            return chosen
        paths = {self._below_root(each.span.source.path) for each in draft.locations}
        result: Severity | None = chosen
        for override in self.overrides:
            if any(map(override.files.match, paths)):
                if rule.id in override.ignored:
                    result = None
                elif rule.id in override.severities:
                    result = override.severities[rule.id]
        return result

    def _below_root(self, path: str) -> str:
        absolute = os.path.normpath(os.path.join(self.folder, path))  # noqa: PTH118
        return os.path.relpath(absolute, self.root).replace(os.sep, "/")


DEFAULT = Settings()


def selected(
    rules: Iterable[Rule], layers: Iterable[tuple[set[str] | None, set[str]]]
) -> tuple[Rule, ...]:
    """The rules that are left, by id.

    Every layer may choose rules anew and then takes some away, so that whoever
    comes later, the command line after all, has the last word. A rule that is not
    ignorable always stays.
    """
    rules = tuple(rules)
    chosen = {rule.id for rule in rules}
    for select, ignore in layers:
        chosen = (chosen if select is None else select) - ignore
    return tuple(rule for rule in rules if rule.id in chosen or not rule.ignorable)


# ------------------------------------------------------------------------------------
# How a configuration names rules: by id, name, prefix or category, or all of them

EVERYTHING = "all"


class UnknownRuleError(ValueError):
    """No rule is meant by a selector; ``near`` are those that may have been."""

    def __init__(self, selector: str, near: Sequence[str]) -> None:
        super().__init__(f"unknown rule {selector}")
        self.hint = (
            f"did you mean {' or '.join(near)}?" if near else "see 'kopslint rules'"
        )


def rule_ids(rules: Sequence[Rule], selector: str) -> set[str]:
    """The ids of the rules that ``selector`` means, in upper or lower case.

    ``KL301``, ``ig-deleted-before-etcd-member``, ``KL3``, ``order`` and ``all`` are
    selectors. Raises UnknownRuleError if no rule is meant.
    """
    wanted = selector.strip().lower()
    found = {
        rule.id
        for rule in rules
        if wanted in (rule.id.lower(), rule.name, rule.category, EVERYTHING)
        or (wanted.startswith("kl") and rule.id.lower().startswith(wanted))
    }
    if found:
        return found
    known = {
        key.lower(): key
        for rule in rules
        for key in (rule.id, rule.name, rule.category, EVERYTHING)
    }
    from difflib import get_close_matches

    near = get_close_matches(wanted, known, n=2)
    raise UnknownRuleError(selector, [known[key] for key in near])
