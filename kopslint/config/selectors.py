"""How a configuration names rules: by id, name, prefix or category, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.rulebook.model import Rule

EVERYTHING = "all"


class UnknownRuleError(ValueError):
    """No rule is meant by a selector; ``near`` are those that may have been."""

    def __init__(self, selector: str, near: Sequence[str]) -> None:
        super().__init__(f"there is no rule {selector}")
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
