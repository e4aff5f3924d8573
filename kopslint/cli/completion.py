"""What a shell completes besides options: the rules."""

from __future__ import annotations


def complete_rules(incomplete: str) -> list[tuple[str, str]]:
    """The ids that begin like this, or the names, each with what it is.

    What cannot be read completes to nothing: nobody reads an error while typing.
    """
    from kopslint.errors import KopslintError
    from kopslint.rulebook.loader import load_rules

    try:
        rules = load_rules()
    except KopslintError:
        return []
    wanted = incomplete.lower()
    return [
        (key, rule.summary)
        for rule in rules
        for key in (rule.id, rule.name)
        if key.lower().startswith(wanted) and (wanted or key == rule.id)
    ]
