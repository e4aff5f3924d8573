"""Where the rulebook is and how it is read: a folder a rule, only the manifests.

The wheel carries the rules inside the package, the repository beside it. Every run
needs all manifests of the rulebook, and reading them one by one would take longer than
checking a cluster: they are repeated in one index, which the tests write and compare.
"""

from __future__ import annotations

import importlib
import json
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

import kopslint
from kopslint.errors import RuleError, UsageError
from kopslint.findings import Severity
from kopslint.rulebook.model import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic_core import ErrorDetails

    from kopslint.findings import Draft
    from kopslint.rulebook.manifest import HouseManifest, Manifest

    _ManifestT = TypeVar("_ManifestT", Manifest, HouseManifest)

# libyaml reads the manifests about ten times faster than Python does.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

INDEX = "kopslint-rulebook.json"
"""The file in the folder of the rulebook that repeats all its manifests."""


def bundle() -> Path:
    """The folder of the rulebook.

    Raises ``RuleError`` if there is none; a folder that happens to be called
    ``rules`` and has no index is not taken for one.
    """
    package = Path(kopslint.__file__).parent
    for folder in (package / "_rules", package.parent / "rules"):
        if (folder / INDEX).is_file():
            return folder
    raise RuleError("kopslint has no rulebook", hint="reinstall kopslint")


MANIFEST = "rule.yaml"
"""The file in the folder of a rule that says what it is."""


@cache
def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """All rules of a folder, the rulebook's own by default, by id.

    The rulebook's own were checked before kopslint was published, and are taken out of
    the index as they are. For a folder that is named, raises ``RuleError`` with the
    file and the field if a manifest is not as it must be, or if two rules have the same
    id or name.
    """
    if folder is None:
        rulebook = bundle()
        return tuple(
            _rule(rulebook / f"{fields['id']}-{fields['name']}", fields)
            for fields in json.loads((rulebook / INDEX).read_bytes())
        )
    return _by_id(load_rule(path.parent) for path in _manifests(folder))


def with_house_rules(folders: Iterable[Path]) -> tuple[Rule, ...]:
    """The rulebook and the rules of a team's own folders, by id.

    Raises ``RuleError`` as ``load_rules`` does, and for a folder that holds no rule.
    """
    rules = [*load_rules()]
    for folder in folders:
        rules += load_house_rules(folder)
    return _by_id(rules)


def load_house_rules(folder: Path) -> list[Rule]:
    """The team's own rules of a folder; one rule's own folder will do as well.

    Raises ``RuleError`` as ``load_rules`` does, for a folder that holds no rule, and
    for one that names a function: no code of a repository is ever run.
    """
    from kopslint.inputs.boundary import boundary_here

    manifests = _manifests(folder)
    boundary = boundary_here()
    for path in manifests:
        boundary.refuse_what_leads_out(path)
    if not manifests:
        raise RuleError(
            f"the folder {folder} contains no rule",
            hint="put each rule into its own folder there, with a rule.yaml",
        )
    return [_load_house_rule(path.parent) for path in manifests]


def _manifests(folder: Path) -> list[Path]:
    own = folder / MANIFEST
    return [own] if own.is_file() else sorted(folder.glob(f"*/{MANIFEST}"))


def _by_id(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    rules = sorted(rules, key=lambda rule: rule.id)
    taken: dict[str, Rule] = {}
    for rule in rules:
        for key in (rule.id, rule.name):
            other = taken.setdefault(key, rule)
            if other is not rule:
                path = rule.folder / "rule.yaml"
                raise RuleError(f"{path}: {key} is already used by {other.folder.name}")
    return tuple(rules)


def load_rule(folder: Path) -> Rule:
    """The rule of one folder. Raises ``RuleError`` as ``load_rules`` does."""
    from kopslint.rulebook.manifest import Manifest

    fields = _read(folder / "rule.yaml")
    _checked(Manifest, folder, fields)
    return _rule(folder, fields)


def _rule(folder: Path, fields: Mapping[str, Any]) -> Rule:
    """The rule of a manifest that is as it must be."""
    return Rule(
        id=fields["id"],
        name=fields["name"],
        summary=fields["summary"],
        category=fields["category"],
        severity=Severity(fields["severity"]),
        since=fields["since"],
        sources=tuple(fields["sources"]),
        check=fields["check"],
        ignorable=fields.get("ignorable", True),
        folder=folder,
        follows=tuple(fields.get("follows", ())),
        hazard=fields.get("hazard"),
    )


def _load_house_rule(folder: Path) -> Rule:
    from kopslint.rulebook.manifest import HouseManifest

    path = folder / "rule.yaml"
    fields = _read(path)
    if "check" in fields:
        raise RuleError(
            f"{path}: check: custom rules cannot name functions",
            hint="write the rule as an expression: when: ...",
        )
    manifest = _checked(HouseManifest, folder, fields)
    return Rule(
        id=manifest.id,
        name=manifest.name,
        summary=manifest.summary,
        category="house",
        severity=Severity(manifest.severity),
        since="",
        sources=tuple(manifest.sources),
        check="",
        ignorable=manifest.ignorable,
        folder=folder,
        house=manifest.house,
    )


def _checked(
    model: type[_ManifestT], folder: Path, fields: Mapping[str, Any]
) -> _ManifestT:
    """The manifest of a rule's folder, which has to be called like the rule."""
    from pydantic import ValidationError

    path = folder / "rule.yaml"
    try:
        manifest = model.model_validate(fields)
    except ValidationError as error:
        known = [each.alias or key for key, each in model.model_fields.items()]
        raise _complaint(path, known, error.errors()) from error
    called = folder.resolve().name
    if called != f"{manifest.id}-{manifest.name}":
        raise RuleError(
            f"{path}: the folder is called {called}, but the rule"
            f" {manifest.id}-{manifest.name}",
            hint="use the same name",
        )
    return manifest


def _complaint(path: Path, known: list[str], errors: list[ErrorDetails]) -> RuleError:
    """What is wrong with a manifest; a slip of the pen before what it makes missing."""
    first = min(errors, key=lambda error: error["type"] != "extra_forbidden")
    loc = [str(step) for step in first["loc"]]
    lines = path.read_text("utf-8", errors="replace").splitlines()
    starts = (f"{loc[0]}:", f'"{loc[0]}":', f"'{loc[0]}':") if loc else ("\0",)
    line = next((n for n, text in enumerate(lines, 1) if text.startswith(starts)), None)
    where = f":{line}:1" if line else ""
    if first["type"] == "extra_forbidden":
        from difflib import get_close_matches

        near = get_close_matches(loc[0], known, n=1)
        return RuleError(
            f"{path}{where}: unknown field {loc[0]}",
            hint=f"did you mean {near[0]}?"
            if near
            else f"use one of {', '.join(known)}",
        )
    if first["type"] == "missing":
        return RuleError(f"{path}: {'.'.join(loc)} is missing", hint="add it")
    field = "".join(f"{step}: " for step in loc)
    told = first["msg"].removeprefix("Value error, ")
    return RuleError(f"{path}{where}: {field}{told}", hint="correct it")


def find_rule(rules: Iterable[Rule], wanted: str) -> Rule:
    """The rule with this id or name, in upper or lower case.

    Raises ``UsageError`` with the nearest ones if there is none.
    """
    known = {key.lower(): rule for rule in rules for key in (rule.id, rule.name)}
    found = known.get(wanted.lower())
    if found is not None:
        return found
    from difflib import get_close_matches

    near = get_close_matches(wanted.lower(), known, n=3)
    ids = dict.fromkeys(f"{known[key].id} ({known[key].name})" for key in near)
    raise UsageError(
        f"unknown rule {wanted}",
        hint=f"did you mean {' or '.join(ids)}?" if ids else "see 'kopslint rules'",
    )


def find_rules(rules: Iterable[Rule], wanted: str) -> tuple[Rule, ...]:
    """The rule with this id or name, or all that have it in them.

    That is an id that begins like this, or every word in the name, the summary or the
    category. Raises ``UsageError`` as ``find_rule`` if there is none.
    """
    rules = tuple(rules)
    text = wanted.strip().lower()
    exact = tuple(rule for rule in rules if text in (rule.id.lower(), rule.name))
    if exact or not text:
        return exact or (find_rule(rules, wanted),)
    words = text.split()
    found = tuple(
        rule
        for rule in rules
        if (len(text) > 1 and rule.id.lower().startswith(text))
        or all(
            word in f"{rule.name} {rule.summary} {rule.category}".lower()
            for word in words
        )
    )
    return found or (find_rule(rules, wanted),)


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


def load_check(rule: Rule) -> Callable[..., Iterable[Draft]]:
    """The function that looks for the hazard of a rule, imported now.

    It takes the context of a cluster, or for a rule that ``judges_comments`` what
    came of them, or for one that ``judges_settings`` what changes of these. Raises
    ``RuleError`` if there is no such function, or if the expression of a team's own
    rule is not well-formed.
    """
    if rule.house is not None:
        from kopslint.rulebook.expressions import house_rule

        return partial(_function(rule, "checks.custom:violations"), house_rule(rule))
    room = "" if rule.judges_comments or rule.judges_settings else "checks."
    return _function(rule, room + rule.check)


def _function(rule: Rule, named: str) -> Callable[..., Iterable[Draft]]:
    """What ``module:function`` names under ``kopslint``."""
    module, _, function = named.partition(":")
    try:
        found = getattr(importlib.import_module(f"kopslint.{module}"), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise RuleError(
            f"{rule.folder / 'rule.yaml'}: check: {error}",
            hint="name a function as module:function under kopslint.checks",
        ) from error
    if not callable(found):
        raise RuleError(f"{rule.folder / 'rule.yaml'}: check: not a function")
    return found  # type: ignore[no-any-return]
