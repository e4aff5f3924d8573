"""Where the page of a rule is: in a published documentation, or in the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kopslint.rulebook.model import Rule

# The address of the repository is set in pyproject.toml; tools/address.py writes both.
SOURCE = "https://github.com/kopslint/kopslint"
PAGES = f"{SOURCE}/blob/main/rules/{{rule}}-{{name}}/README.md"


def links(
    rules: Sequence[Rule] | None, documentation: str | None
) -> Callable[[str], str | None]:
    """What gives the address of a rule's page by its id.

    ``documentation`` is the setting. Rules of a team's own have no page there. Only
    who asks for an address loads the rulebook.
    """
    known: dict[str, str] = {}

    def link(rule: str) -> str | None:
        if not known:
            known.update(_addresses(rules, documentation))
        return known.get(rule)

    return link


def _addresses(
    rules: Sequence[Rule] | None, documentation: str | None
) -> dict[str, str]:
    from kopslint.rulebook.loader import load_rules

    return {
        rule.id: address(rule, documentation)
        for rule in (load_rules() if rules is None else rules)
        if rule.house is None
    }


def address(rule: Rule, documentation: str | None) -> str:
    """The address of the page of one rule of the rulebook."""
    pages = documentation or PAGES
    if "{rule}" in pages or "{name}" in pages:
        return pages.replace("{rule}", rule.id).replace("{name}", rule.name)
    return f"{pages.rstrip('/')}/rules/{rule.id}/"
