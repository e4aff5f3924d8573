"""What ``kops toolbox template`` makes of templates, values and snippets.

Sources: kops cmd/kops/toolbox_template.go, pkg/util/templater/templater.go and
template_functions.go, third_party/forked/helmstrvals/parser.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.errors import InputError
from kopslint.gotemplate.functions import BUILTINS, GoFunction
from kopslint.gotemplate.output import Output, Piece
from kopslint.gotemplate.parse import parse
from kopslint.gotemplate.run import Assumed, Renderer, rendered
from kopslint.gotemplate.sprig import SPRIG
from kopslint.gotemplate.tree import Place
from kopslint.gotemplate.values import Int64, Listing, Table, Unknown
from kopslint.records import Record
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence, read_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kopslint.syntax.yaml import Node
    from kopslint.text import Source, Span

_MAIN = "mainTemplate"
_CUT = "---\n"
_CHANNEL = "the channel of kops when it runs"


class Arguments(Record):
    """What one call renders; ``complete`` is whether all its values are known.

    ``sets`` and ``set_strings`` are the values of these flags, in order, each with its
    place. ``name`` is the cluster that the call names. Without ``fails_on_missing`` a
    value that is not there is empty. ``holds`` is what conditions on unknown values
    are taken to be.
    """

    templates: tuple[Source, ...]
    values: tuple[Source, ...] = ()
    snippets: tuple[tuple[str, Source], ...] = ()
    sets: tuple[tuple[str, Span | None], ...] = ()
    set_strings: tuple[tuple[str, Span | None], ...] = ()
    name: str = ""
    complete: bool = False
    fails_on_missing: bool = True
    holds: bool = True


class Result(Record):
    """A rendered template, and what was taken to be so."""

    output: Output
    assumed: tuple[Assumed, ...]


def render(arguments: Arguments) -> Result:
    """The text that kops would print.

    Raises ``TemplateError`` for what kops refuses, and ``InputError`` for values that
    cannot be read or a text that becomes too large.
    """
    outputs, assumed = [], dict[Assumed, None]()
    for template in arguments.templates:
        output, renderer = _rendered(arguments, template)
        assumed.update(renderer.assumed)
        if output.text:
            outputs.append(output)
    return Result(_joined(outputs), (*assumed,))


def _rendered(arguments: Arguments, template: Source) -> tuple[Output, Renderer]:
    names = {**BUILTINS, **_functions(None)}
    texts = [(_MAIN, template), *arguments.snippets]
    parsed = [(name, parse(source, names)) for name, source in texts]
    complete = arguments.complete and arguments.fails_on_missing
    renderer: Renderer | None = None

    def include(name: str, dot: object) -> object:
        assert renderer is not None  # noqa: S101 (it is at work when this is called)
        return renderer.execute(name, dot)

    renderer = Renderer(
        parsed, _functions(include), complete=complete, holds=arguments.holds
    )
    return rendered(renderer, _MAIN, context(arguments), template), renderer


def _joined(outputs: list[Output]) -> Output:
    """One text after the other as kops joins them, a line end missing or not."""
    text, pieces = "", list[Piece]()
    for output in outputs:
        if text:
            last = pieces[-1]
            end = Place(last.place.end, last.place.end)
            between = Piece(len(text), len(_CUT), last.source, end, False, None)
            pieces.append(between)
            text += _CUT
        pieces += (p._replace(start=p.start + len(text)) for p in output.pieces)
        text += output.text
    return Output(text, tuple(pieces))


def _functions(include: object) -> Mapping[str, GoFunction]:
    """Functions of sprig, and those that kops adds or has in their place."""

    def called(name: str, dot: object) -> object:
        assert callable(include)  # noqa: S101 (a parser only asks for names)
        return include(name, dot)

    return {
        **SPRIG,
        "indent": GoFunction(_indent, "is"),
        "include": GoFunction(called, "sm", weighs=True),
        "ChannelRecommendedKubernetesUpgradeVersion": _unknown(1),
        "ChannelRecommendedKopsKubernetesVersion": _unknown(0),
        "ChannelRecommendedImage": _unknown(3),
    }


def _unknown(count: int) -> GoFunction:
    def unknown(*arguments: object) -> object:
        shown = " ".join(a for a in arguments if isinstance(a, str))
        return Unknown(f"recommended {shown}".strip(), f"it depends on {_CHANNEL}")

    return GoFunction(unknown, "s" * count, weighs=True)


def _indent(spaces: int, text: str) -> str:
    """As kops has it: the first line and empty ones stay where they are."""
    first, *rest = text.split("\n")
    pad = " " * max(spaces, 0)
    return "\n".join([first, *(pad + line if line else line for line in rest)])


# ------------------------------------------------------------------------------------
# Values: files one over the other, then what the flags set


def context(arguments: Arguments) -> Table:
    """What the template's dot is."""
    merged = Table()
    for source in arguments.values:
        for document in read_yaml(source)[:1]:
            if isinstance(document.root, YamlMapping):
                _merge(merged, _table(document.root))
            elif document.root is not None:
                raise InputError(
                    "values are a mapping",
                    span=document.root.span,
                    hint="write them as key: value",
                )
    for text, span in arguments.sets:
        _set(merged, text, span, typed=True)
    for text, span in arguments.set_strings:
        _set(merged, text, span, typed=False)
    if not isinstance(merged.get("clusterName"), str):
        known = arguments.name or arguments.complete
        merged["clusterName"] = (
            arguments.name
            if known
            else Unknown(".clusterName", "no value for it was found")
        )
    return merged


def _table(node: YamlMapping) -> Table:
    table = Table()
    for entry in node.entries:
        key = entry.key.text
        table[key] = _value(entry.value)
        table.origins[key] = _origin(entry.value) or entry.key.span
    return table


def _origin(node: Node) -> Span | None:
    return node.span if isinstance(node, Scalar) and node.text else None


def _value(node: Node) -> object:
    if isinstance(node, YamlMapping):
        return _table(node)
    if isinstance(node, YamlSequence):
        listing = Listing()
        for item in node.items:
            listing.append(_value(item))
            listing.origins.append(item.span)
        return listing
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        # The reader goes through JSON, which has one kind of numbers.
        return float(value)
    if isinstance(value, str) and is_left_open(value):
        return Unknown(node.text, "the values file has a placeholder for it")
    return value


_LEFT_OPEN = re.compile(r"\$\{[^{}\n]+\}|\$[A-Za-z_]\w*|<[A-Za-z][^<>\n]*>|\{\{.*\}\}")


def is_left_open(text: str) -> bool:
    """Whether all of a value is still to be filled in."""
    return _LEFT_OPEN.fullmatch(text) is not None


def _merge(into: Table, other: Table) -> None:
    for key, value in other.items():
        mine = into.get(key)
        if isinstance(mine, Table) and isinstance(value, Table):
            _merge(mine, value)
        else:
            into[key] = value
        if key in other.origins:
            into.origins[key] = other.origins[key]


_ESCAPED = re.compile(r"\\(.)|([=,.\[\]{}])", re.DOTALL)


def _set(table: Table, text: str, span: Span | None, *, typed: bool) -> None:
    """``a.b=1,c={x,y}`` as helm reads it; what is written otherwise is left alone."""
    for part in _split(text):
        path, equals, value = part.partition("=")
        if not equals or "[" in path:
            continue
        *folders, last = re.split(r"(?<!\\)\.", path)
        held: dict[str, object] = table
        for name in folders:
            inner = held.setdefault(name, Table())
            if not isinstance(inner, dict):
                inner = held[name] = Table()
            held = inner
        held[last] = _given(value, typed=typed)
        if isinstance(held, Table):
            held.origins.pop(last, None)
            if span is not None:
                held.origins[last] = span


def _split(text: str) -> list[str]:
    parts = re.findall(r"(?:\\.|\{[^}]*\}|[^,\\])+", text)
    return [part for part in parts if part]


def _given(value: str, *, typed: bool) -> object:
    if value.startswith("{") and value.endswith("}"):
        return [_given(each, typed=typed) for each in value[1:-1].split(",")]
    value = re.sub(r"\\(.)", r"\1", value)
    if is_left_open(value):
        return Unknown(value, "the command line has a placeholder for it")
    if not typed:
        return value
    words: dict[str, bool | None] = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return words[value.lower()]
    is_whole = re.fullmatch(r"0|[+-]?[1-9]\d{0,17}", value)
    return Int64(int(value)) if is_whole else value


def root_fields(source: Source) -> frozenset[str]:
    """The fields of the dot that a template asks for, by its text alone."""
    found = re.findall(r"\{\{[^}]*\}\}", source.text)
    names = (re.findall(r"[\s(|{]\$?\.([A-Za-z_]\w*)", each) for each in found)
    return frozenset(name for each in names for name in each)


def keys_of(source: Source) -> frozenset[str]:
    """The keys of a file of values; none if it is no plain mapping."""
    try:
        documents = read_yaml(source)
    except InputError:
        return frozenset()
    if len(documents) != 1 or not isinstance(documents[0].root, YamlMapping):
        return frozenset()
    keys = frozenset(documents[0].root.keys())
    return frozenset() if {"apiVersion", "kind"} <= keys else keys
