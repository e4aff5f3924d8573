"""Where the rulebook is and how it is read: a folder a rule, only the manifests.

The wheel carries the rules inside the package, the repository beside it. Every
run loads all manifests, so nothing else is read here.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

import kopslint
from kopslint.errors import RuleError, UsageError
from kopslint.findings import Severity
from kopslint.rulebook.model import Manifest, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

# libyaml reads the manifests about ten times faster than Python does.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def bundle() -> Path:
    """The folder of the rulebook.

    Raises ``RuleError`` if there is none; a folder that happens to be called
    ``rules`` is not taken for one.
    """
    package = Path(kopslint.__file__).parent
    for folder in (package / "_rules", package.parent / "rules"):
        index = folder / "index.yaml"
        if index.is_file() and _read(index).get("bundle") == "kopslint":
            return folder
    raise RuleError("kopslint has no rulebook", hint="install kopslint again")


@cache
def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """All rules of a folder, the rulebook's own by default, by id.

    Raises ``RuleError`` that names the file and the field if a manifest is not as
    it must be, or if two rules have the same id or name.
    """
    folder = bundle() if folder is None else folder
    rules = [load_rule(path.parent) for path in sorted(folder.glob("*/rule.yaml"))]
    taken: dict[str, Rule] = {}
    for rule in rules:
        for key in (rule.id, rule.name):
            other = taken.setdefault(key, rule)
            if other is not rule:
                path = rule.folder / "rule.yaml"
                raise RuleError(f"{path}: {key} is taken by {other.folder.name}")
    return tuple(sorted(rules, key=lambda rule: rule.id))


def load_rule(folder: Path) -> Rule:
    """The rule of one folder. Raises ``RuleError`` as ``load_rules`` does."""
    path = folder / "rule.yaml"
    try:
        manifest = Manifest.model_validate(_read(path))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RuleError(f"{path}: {field}: {first['msg']}") from error
    if folder.name != f"{manifest.id}-{manifest.name}":
        raise RuleError(
            f"{path}: the folder is called {folder.name},"
            f" and the rule {manifest.id}-{manifest.name}",
            hint="make them agree",
        )
    return Rule(
        id=manifest.id,
        name=manifest.name,
        summary=manifest.summary,
        category=manifest.category,
        severity=Severity(manifest.severity),
        since=manifest.since,
        sources=tuple(manifest.sources),
        check=manifest.check,
        ignorable=manifest.ignorable,
        folder=folder,
    )


def find_rule(rules: Iterable[Rule], wanted: str) -> Rule:
    """The rule with this id or name, in upper or lower case.

    Raises ``UsageError`` with the nearest ones if there is none.
    """
    known = {key.lower(): rule for rule in rules for key in (rule.id, rule.name)}
    found = known.get(wanted.lower())
    if found is not None:
        return found
    near = get_close_matches(wanted.lower(), known, n=3)
    ids = dict.fromkeys(f"{known[key].id} ({known[key].name})" for key in near)
    raise UsageError(
        f"there is no rule {wanted}",
        hint=f"did you mean {' or '.join(ids)}?" if ids else "see 'kopslint rules'",
    )


def _read(path: Path) -> dict[str, object]:
    try:
        data = yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 (a safe one)
    except OSError as error:
        raise RuleError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise RuleError(
            f"{path}{where}: not valid YAML: {getattr(error, 'problem', error)}"
        ) from error
    if not isinstance(data, dict):
        raise RuleError(f"{path}: must be a mapping of fields")
    return data
