"""Expressions in CEL, the language of Kubernetes' own admission policies.

They are checked when a rule is first asked: a misspelt variable is reported with its
place in ``rule.yaml`` first. What the spec itself holds is only known when
they are evaluated. The library is large and imported for such rules only.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from kopslint.errors import RuleError
from kopslint.inputs.decode import decode
from kopslint.records import Frozen
from kopslint.syntax.yaml import find, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.rulebook.model import Rule, Scope
    from kopslint.syntax.yaml import Plain, Step
    from kopslint.text import Span

# The library has no types that can be checked: here the typed part ends.
_Cel: TypeAlias = Any

_EVERYWHERE = {"cluster": "map", "groups": "maps", "commands": "strings"}
VARIABLES: dict[Scope, dict[str, str]] = {
    "cluster": {**_EVERYWHERE, "before": "any"},
    "group": {**_EVERYWHERE, "group": "map", "before": "any"},
    "member": {
        **_EVERYWHERE,
        "member": "map",
        "etcd": "map",
        "group": "any",
        "before": "any",
    },
    "command": {**_EVERYWHERE, "command": "string"},
}
"""The variables that a rule may use, by what it is for, and their types."""

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '(\w+)")
_STATUS = re.compile(r"^[A-Z_]+: ")


class CelRule(Frozen):
    """A team's own rule, ready to be asked."""

    id: str
    scope: Scope
    why: str
    at: tuple[Step, ...]
    fix: tuple[str, ...]
    _when: Expression
    _message: tuple[str | Expression, ...]

    def ask(self, variables: Mapping[str, Plain]) -> str | None:
        """What to say where the rule is broken, or None where it is kept.

        Raises ``RuleError`` with the reason if an expression cannot be evaluated,
        as when it takes a field that is missing.
        """
        broken = self._when.value(variables)
        if not isinstance(broken, bool):
            raise RuleError(f"when must be true or false, but is {_shown(broken)}")
        if not broken:
            return None
        return "".join(
            part if isinstance(part, str) else _shown(part.value(variables))
            for part in self._message
        )


class Expression:
    """One expression that was found to be well-formed."""

    def __init__(self, compiled: _Cel) -> None:
        self._compiled = compiled

    def value(self, variables: Mapping[str, Plain]) -> object:
        """Its value for these variables. Raises ``RuleError`` if it has none."""
        try:
            result = self._compiled.eval(data=dict(variables))
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:
            raise RuleError(_reason(str(error))) from None
        if result.type() == _cel().Type.ERROR:
            raise RuleError(_reason(str(result.value())))
        return result.plain_value()


@cache
def house_rule(rule: Rule) -> CelRule:
    """The expressions of a team's own rule, checked.

    Raises ``RuleError`` with the place in its ``rule.yaml`` for an expression that is
    not well-formed, names a variable that there is not, or confuses types; and one
    that says what to install if there is no CEL.
    """
    house = rule.house
    assert house is not None  # noqa: S101 (whoever calls has looked)
    when = _compile(rule, house.scope, "when", house.when)
    if when.return_type().name() not in ("BOOL", "DYN"):
        raise RuleError(
            "when must be true or false",
            span=_place(rule, "when", house.when, (1, 1)),
            hint="write a comparison that is true where the rule is broken",
        )
    parts = _PLACEHOLDER.split(house.message)
    return CelRule(
        id=rule.id,
        scope=house.scope,
        why=house.why,
        at=house.at,
        fix=house.fix,
        _when=Expression(when),
        _message=tuple(
            Expression(_compile(rule, house.scope, "message", part))
            if number % 2
            else part
            for number, part in enumerate(parts)
            if part
        ),
    )


MOST_CHARACTERS = 4_000
MOST_GROWING = 2
MOST_LOOPS = 4
_GROWING = re.compile(r"[.](?:replace|join|format)[(]")
_LOOP = re.compile(r"[.](?:all|exists|exists_one|filter|map)[(]")


def _too_costly(text: str) -> str | None:
    """Why an expression may cost too much: CEL itself bounds neither time nor size.

    Each ``replace`` may multiply the size of a text, and each loop inside another one
    the time.
    """
    if len(text) > MOST_CHARACTERS:
        return f"an expression has at most {MOST_CHARACTERS:,} characters"
    if len(_GROWING.findall(text)) > MOST_GROWING:
        return f"replace, join and format may be called {MOST_GROWING} times in one"
    if _deepest(text) > MOST_LOOPS:
        return f"loops may be nested {MOST_LOOPS} deep"
    return None


def _deepest(text: str) -> int:
    """How many loops are open at once at most; brackets in texts count as well."""
    opened: list[bool] = []
    deepest = 0
    loops = {match.end() - 1 for match in _LOOP.finditer(text)}
    for index, char in enumerate(text):
        if char == "(":
            opened.append(index in loops)
            deepest = max(deepest, sum(opened))
        elif char == ")" and opened:
            opened.pop()
    return deepest


def _compile(rule: Rule, scope: Scope, field: str, text: str) -> _Cel:
    costly = _too_costly(text)
    if costly is not None:
        raise RuleError(
            f"{field}: {costly}",
            span=_place(rule, field, text, (1, 1)),
            hint="split it into two rules",
        )
    try:
        return _environment(scope).compile(text)
    except RuntimeError as error:
        line, column, told = _located(str(error), text)
        raise RuleError(
            f"{field}: {_reason(told)}",
            span=_place(rule, field, text, (line, column)),
            hint=f"a rule for a {scope} has {', '.join(sorted(VARIABLES[scope]))}",
        ) from None


@cache
def _environment(scope: Scope) -> _Cel:
    cel = _cel()
    from cel_expr_python.ext.ext_optional import ExtOptional
    from cel_expr_python.ext.ext_strings import ExtStrings

    object_type = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    types = {
        "map": object_type,
        "maps": cel.Type.List(object_type),
        "strings": cel.Type.List(cel.Type.STRING),
        "string": cel.Type.STRING,
        "any": cel.Type.DYN,
    }
    return cel.NewEnv(
        variables={name: types[kind] for name, kind in VARIABLES[scope].items()},
        extensions=[ExtOptional(), ExtStrings()],
    )


def _cel() -> _Cel:
    try:
        from cel_expr_python import cel
    except ImportError:
        raise RuleError(
            "custom rules need a library that is not installed",
            hint="pip install cel-expr-python",
        ) from None
    return cel


def _located(complaint: str, text: str) -> tuple[int, int, str]:
    """The line, the column and the words of the first thing that CEL complains of."""
    found = _COMPLAINT.search(complaint)
    if found is None:
        return 1, 1, complaint
    line, column, told = int(found[1]), int(found[2]), found[3]
    if unknown := _UNDECLARED.search(told):
        # CEL points at the dot or the parenthesis behind the name.
        start = text.split("\n")[line - 1].rfind(unknown[1], 0, column)
        column = start + 1 if start >= 0 else column
    return line, column, told


def _place(rule: Rule, field: str, text: str, at: tuple[int, int]) -> Span | None:
    """Where in ``rule.yaml`` a place of an expression is, or else its field.

    The line of the expression is looked for in the lines of the field: how YAML
    indents, quotes or folds it does not matter then.
    """
    path = rule.folder / "rule.yaml"
    source = decode(str(path), path.read_bytes())
    node = find(read_yaml(source)[0].root, field)
    if node is None:
        return None
    line, column = at
    lines = text.split("\n")
    wanted = lines[min(line, len(lines)) - 1]
    for number in range(node.span.line, node.span.end_line + 1):
        start = source.line(number).find(wanted)
        if wanted and start >= 0:
            column = start + min(column, len(wanted) + 1)
            return source.span(number, column, number, column + 1)
    return node.span


def _reason(told: str) -> str:
    """What CEL says, without its codes and in one line."""
    line = _STATUS.sub("", told).partition("\n")[0]
    line = line.replace(" (in container '')", "").replace('"', "'")
    line = line.replace("Key not found in map :", "there is no key")
    # What it would have taken instead is a list of all tokens.
    return line.partition(" expecting ")[0].strip()


def _shown(value: object) -> str:
    """A value in a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "nothing"
    return "nothing" if value is None else str(value)
