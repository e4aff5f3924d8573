"""Go templates: what Go itself prints, positions, unknown values, and bounds."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.errors import InputError
from kopslint.gotemplate.functions import BUILTINS, GoFunction
from kopslint.gotemplate.output import Output, Rendered
from kopslint.gotemplate.parse import TemplateError, parse
from kopslint.gotemplate.run import Renderer, rendered
from kopslint.gotemplate.sprig import SPRIG
from kopslint.gotemplate.values import Table, Unknown
from kopslint.text import Source

CASES = json.loads((Path(__file__).parent / "gotemplate/cases.json").read_text("utf-8"))
HOSTILE = [
    "{{ range until 9999 }}{{ range until 9999 }}x{{ end }}{{ end }}",
    '{{ $s := "x" }}{{ range until 100 }}{{ $s = print $s $s }}{{ end }}{{ $s }}',
    "{{ $l := list 1 }}{{ range until 100 }}{{ $l = list $l $l }}{{ end }}{{ $l }}",
    "{{ $l := list 1 }}{{ range until 99 }}{{ $l = concat $l $l }}{{ end }}{{ $l }}",
    '{{ define "r" }}{{ template "r" . }}{{ end }}{{ template "r" . }}',
    '{{ define "r" }}x{{ template "r" }}{{ template "r" }}{{ end }}{{ template "r" }}',
    '{{ repeat 1000000000 "xxxxxxxxxx" }}',
    '{{ printf "%1000000000d" 1 }}',
    '{{ regexMatch "(a+)+$" (repeat 60 "a" | printf "%sb") }}',
    '{{ regexMatch "a*a*a*a*a*a*b" (repeat 5000 "a") }}',
    '{{ $d := dict "a" 1 }}{{ $_ := set $d "d" $d }}{{ $d }}{{ toJson $d }}',
    "{{ (" * 500 + "1" + ")" * 500 + " }}",
    "{{ if .t }}" * 500,
    "{{ until 999999 | toJson | sha256sum | repeat 9999 | quote | quote }}",
    "{{ div 1 0 }}",
    "{{ untilStep 0 9223372036854775807 1 }}",
]


def _kops_indent(spaces: int, text: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        " " * spaces + line if n and line else line for n, line in enumerate(lines)
    )


def _as_json(value: object) -> object:
    """Numbers of values are float64, as a reader of JSON makes them."""
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def execute(
    template: str,
    values: object = None,
    snippets: dict[str, str] | None = None,
    *,
    complete: bool = True,
) -> tuple[Output, Renderer, Source]:
    def include(name: str, dot: object) -> object:
        return renderer.execute(name, dot)

    functions = {
        **SPRIG,
        "indent": GoFunction(_kops_indent, "is"),
        "include": GoFunction(include, "sm"),
    }
    names = {**BUILTINS, **functions}
    source = Source("spec.tpl", template)
    texts = [("main", source)]
    texts += [(name, Source(name, text)) for name, text in (snippets or {}).items()]
    parsed = [(name, parse(text, names)) for name, text in texts]
    renderer = Renderer(parsed, functions, complete=complete)
    dot = {} if values is None else values
    return rendered(renderer, "main", dot, source), renderer, source


def values() -> object:
    return _as_json(json.loads(json.dumps(CASES["values"])))


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["template"][:40])
def test_it_prints_what_go_prints(case: dict[str, object]) -> None:
    """With the sprig and the Go whose versions stand in the file of cases."""
    template, snippets = str(case["template"]), case.get("snippets")
    assert isinstance(snippets, dict | None)
    if "error" in case:
        with pytest.raises(TemplateError) as caught:
            execute(template, values(), snippets)
        assert caught.value.span is not None
        return
    output, _, _ = execute(template, values(), snippets)
    if "unknown" in case:
        assert "\u2039" in output.text
        return
    assert output.text == case["text"]


def test_the_cases_say_what_made_them() -> None:
    assert CASES["go"].startswith("go1.")
    assert len(CASES["cases"]) >= 150
    assert {"text", "error", "unknown"} <= {key for c in CASES["cases"] for key in c}


def test_every_function_of_sprig_is_known() -> None:
    """Those that are called in no case, too: a name that is unknown is refused."""
    assert len(SPRIG) > 180


def test_a_value_has_its_place_in_the_template_and_where_it_is_written() -> None:
    file = Source("values.yaml", "name: web\n")
    table = Table()
    table["name"] = "web"
    table.origins["name"] = file.span(1, 7, 1, 10)
    output, _, source = execute("a: 1\nb: {{ .name }}x\n", table)
    made = Rendered(output, (source, file))
    where = made.written_at(made.span(2, 4, 2, 7))

    assert made.text == "a: 1\nb: webx\n"
    assert [str(place) for place in where] == ["spec.tpl:2:4", "values.yaml:1:7"]
    assert where[0][3:] == (2, 15)
    assert [str(p) for p in made.written_at(made.span(2, 7, 2, 8))] == ["spec.tpl:2:15"]


def test_an_included_text_keeps_its_places_when_it_is_moved_in() -> None:
    snippet = {"s": "x: 1\ny: {{ .n }}\n"}
    output, _, source = execute(
        'a:\n  {{ include "s" . | indent 2 }}', {"n": 5}, snippet
    )
    made = Rendered(output, (source,))

    assert made.text == "a:\n  x: 1\n  y: 5\n"
    assert str(made.written_at(made.span(2, 3, 2, 4))[0]) == "s:1:1"
    assert str(made.written_at(made.span(3, 3, 3, 4))[0]) == "s:2:1"
    assert str(made.written_at(made.span(3, 6, 3, 7))[0]) == "s:2:4"


@pytest.mark.parametrize(
    ("template", "text", "assumed"),
    [
        ("n: {{ .u }}", "n: \u2039.u\u203a", []),
        ("n: {{ .u.v | upper }}", "n: \u2039.u.v\u203a", []),
        ('{{ .u | default "x" }}', "\u2039.u\u203a", []),
        ('{{ printf "a-%s-%d" .u .n }}', "a-\u2039.u\u203a-1", []),
        ("{{ .u | quote }}", '"\u2039.u\u203a"', []),
        ("{{ if .u }}a{{ else }}b{{ end }}", "a", ["condition"]),
        ('{{ if eq .u "x" }}a{{ end }}', "a", ["condition"]),
        ("{{ if and .u .e }}a{{ else }}b{{ end }}", "b", []),
        ("{{ if or .u .n }}a{{ else }}b{{ end }}", "a", []),
        ("{{ with .u }}{{ .x }}{{ end }}", "\u2039.x\u203a", ["condition"]),
        ("{{ range .u }}-{{ . }};{{ end }}", "-\u2039.u\u203a;", ["range"]),
        ("{{ range $i, $x := .u }}{{ $x }}{{ end }}", "\u2039.u\u203a", ["range"]),
        ('{{ join "," (list .u 2) }}', "\u2039.u\u203a,2", []),
        ('{{ .n | include "nope" }}', None, []),
    ],
)
def test_what_is_not_known_flows_through(
    template: str, text: str | None, assumed: list[str]
) -> None:
    data = {"n": 1, "e": ""}
    if text is None:
        with pytest.raises(TemplateError):
            execute(template, data, complete=False)
        return
    output, renderer, _ = execute(template, data, complete=False)

    assert output.text == text
    assert [each.kind for each in renderer.assumed] == assumed


@pytest.mark.parametrize("template", HOSTILE)
def test_a_hostile_template_is_over_soon(template: str) -> None:
    began = time.process_time()
    with suppress(InputError):
        output, _, _ = execute(template)
        assert len(output.text) <= 2_000_000
    assert time.process_time() - began < 5


_WORDS = st.sampled_from(
    [
        *("{{", "}}", "{{-", "-}}", " ", "if", "range", "end", "else", "with", ".x"),
        *("$", "$a", ":=", "=", "|", "(", ")", '"a"', "`", "1", "/*", "*/", "\n"),
        *("include", "index", "printf", "len", "template", "break", ",", "'", "\\"),
        *("nil", "define", "a: b"),
    ]
)


def _assert_is_placed(error: InputError) -> None:
    assert error.span is not None
    assert error.span.line <= len(error.span.source.lines)


@settings(max_examples=400, deadline=None)
@given(st.lists(_WORDS, max_size=25).map(" ".join) | st.lists(_WORDS).map("".join))
def test_any_text_is_rendered_or_refused_with_its_place(text: str) -> None:
    data = {"x": [1, "a", {"b": Unknown("b", "")}], "a": None}
    try:
        output, _, source = execute(text, data, complete=False)
    except InputError as error:
        _assert_is_placed(error)
        return
    made = Rendered(output, (source,))
    for number, line in enumerate(made.lines, 1):
        for column in range(1, len(line) + 1):
            place = made.written_at(made.span(number, column, number, column + 1))[0]
            assert place.line <= len(source.lines)
            assert place.column <= len(source.line(place.line)) + 1
    assert sum(piece.length for piece in output.pieces) == len(output.text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab\r\n \u00e9}-", max_size=40))
def test_a_text_without_actions_is_copied_place_by_place(text: str) -> None:
    output, _, source = execute(text)
    made = Rendered(output, (source,))

    assert made.text == text
    for number, line in enumerate(made.lines, 1):
        for column in range(1, len(line) + 1):
            span = made.span(number, column, number, column + 1)
            assert made.written_at(span)[0] == source.span(*span[1:])
