"""The YAML reader keeps every place, means what kops means, and never crashes."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kopslint.errors import InputError
from kopslint.syntax import yaml as yaml_reader
from kopslint.syntax.yaml import (
    MAX_DEPTH,
    Node,
    Scalar,
    YamlMapping,
    YamlSequence,
    find,
    read_yaml,
)
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.syntax.yaml import Step
    from kopslint.text import Span


def read(text: str) -> Node:
    """The root of the only document of ``text``."""
    (document,) = read_yaml(Source("spec.yaml", text))
    assert document.root is not None
    return document.root


def at(text: str, *path: Step) -> Node:
    node = find(read(text), *path)
    assert node is not None
    return node


def place(span: Span) -> tuple[int, int, int, int]:
    return span.line, span.column, span.end_line, span.end_column


def cut(span: Span) -> str:
    """The text that a span of one line covers."""
    assert span.line == span.end_line
    return span.source.line(span.line)[span.column - 1 : span.end_column - 1]


def scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, YamlSequence):
        for item in node.items:
            yield from scalars(item)
    else:
        for entry in node.entries:
            yield entry.key
            yield from scalars(entry.value)


# --- places ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: one\n", ("a",), (1, 4, 1, 7)),
        ("a:\n  - x\n  - yy # why\n", ("a", 1), (3, 5, 3, 7)),
        ('a: "q \\" q"\n', ("a",), (1, 4, 1, 12)),
        ("a: {b: [1, 22]}\n", ("a", "b", 1), (1, 12, 1, 14)),
        ("a: {b: [1, 22]}\n", ("a", "b"), (1, 8, 1, 15)),
        ("a:\n  b: 1\n  c: 2\n\n# end\nd: 3\n", ("a",), (2, 3, 3, 7)),
        ("a:\n- 1\n- 2\n\nb: 3\n", ("a",), (2, 1, 3, 4)),
        ("a: one\n   two\nb: 1\n", ("a",), (1, 4, 2, 7)),
        ("a: |\n  one\n  two\n\n\nb: 1\n", ("a",), (1, 4, 3, 6)),
        ("a: >-\n  one\n# note\nb: 1\n", ("a",), (1, 4, 2, 6)),
        ("a: |+\n\n\nb: 1\n", ("a",), (1, 4, 1, 6)),
        ("a:\nb: 1\n", ("a",), (1, 3, 1, 3)),
        ("é😀: ü\n", ("é😀",), (1, 5, 1, 6)),
        ("a: 1\r\nbb:\r\n- x\r\n- y\r\n", ("bb", 1), (4, 3, 4, 4)),
        ("a:\t x\n", ("a",), (1, 5, 1, 6)),
        ("a: x\u2028y\nb: 1\n", ("b",), (2, 4, 2, 5)),
        ("a: 'x\x85y'\nb: 1\n", ("b",), (2, 4, 2, 5)),
        ("a: &anchor  !!str  x y\n", ("a",), (1, 20, 1, 23)),
        ("a: &b # note\n  c: 1\n", ("a",), (2, 3, 2, 7)),
        ("a: !<tag:x.org,2000:y> [1]\n", ("a",), (1, 24, 1, 27)),
        ("a: 1\n? b", ("b",), (2, 4, 2, 4)),
        ("a: &x", ("a",), (1, 6, 1, 6)),
        ('{"a": {"b": "c"}}', ("a", "b"), (1, 13, 1, 16)),
    ],
)
def test_a_value_is_shown_exactly_where_it_stands(
    text: str, path: tuple[Step, ...], expected: tuple[int, int, int, int]
) -> None:
    """No anchor, tag, comment or line end belongs to the span of a value."""
    assert place(at(text, *path).span) == expected


def test_an_alias_has_its_own_place_and_knows_its_original() -> None:
    alias = at("a: &x {b: 1}\nc: *x\n", "c")
    assert place(alias.span) == (2, 4, 2, 6)
    assert alias.anchor is not None
    assert place(alias.anchor) == (1, 7, 1, 13)
    inner = find(alias, "b")
    assert inner is not None
    assert place(inner.span) == (1, 11, 1, 12)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("", []),
        ("# only a comment\n", []),
        ("---\n", [(1, 1, 1, 4)]),
        ("a: 1\n---\n", [(1, 1, 1, 5), (2, 1, 2, 4)]),
        ("---\n---\n# none\n---\nb: 1\n", [(1, 1, 1, 4), (2, 1, 2, 4), (4, 1, 5, 5)]),
        ("\n# c\n--- # c\na: 1\n...\n", [(3, 1, 4, 5)]),
    ],
)
def test_documents_are_counted_and_placed_even_if_empty(
    text: str, spans: list[tuple[int, int, int, int]]
) -> None:
    documents = read_yaml(Source("spec.yaml", text))
    assert [place(document.span) for document in documents] == spans
    assert [document.number for document in documents] == list(range(len(spans)))


def test_an_empty_document_has_no_root() -> None:
    roots = [d.root for d in read_yaml(Source("spec.yaml", "---\n---\n''\n---\n~\n"))]
    assert roots[0] is None
    assert [root.plain for root in roots[1:] if root] == ["", None]


# --- values ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("y", "Y", "yes", "Yes", "YES", "true", "on", "ON")),
        *((word, False) for word in ("n", "N", "no", "No", "false", "FALSE", "Off")),
        *((word, None) for word in ("~", "null", "Null", "NULL")),
        *((word, word) for word in ("yES", "nULL", "truE", "none", "nil", "-x", "+")),
        ("0", 0),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b101", 5),
        ("0o17", 15),
        ("017", 15),
        ("-017", -15),
        ("08", 8.0),
        ("1.30", 1.3),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("1e999", "1e999"),
        ("0x", "0x"),
        ("1.2.3", "1.2.3"),
        ("v1.30", "v1.30"),
        ("190:20:30", "190:20:30"),
        ("2001-12-14", "2001-12-14"),
        ("1h30m", "1h30m"),
        ("'yes'", "yes"),
        ('"1.30"', "1.30"),
        ("!!str 1.30", "1.30"),
        ("!!int '12'", 12),
        ("!custom 12", "12"),
        ("!!binary MS4zMA==", "1.30"),
    ],
)
def test_a_scalar_means_what_it_means_to_the_yaml_library_of_kops(
    text: str, value: object
) -> None:
    found = at(f"a: {text}\n", "a")
    assert isinstance(found, Scalar)
    assert (type(found.value), found.value) == (type(value), value)


def test_not_a_number_is_a_number() -> None:
    found = at("a: .nan\n", "a")
    assert isinstance(found, Scalar)
    assert isinstance(found.value, float)
    assert math.isnan(found.value)


def test_thousands_of_digits_are_no_error() -> None:
    assert at(f"a: {'9' * 9000}\n", "a").plain == "9" * 9000


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("1.30", False), ('"1.30"', True), ("'1.30'", True), ("|\n  1.30", True)],
)
def test_a_quoted_scalar_can_be_told_from_a_plain_one(text: str, quoted: bool) -> None:
    found = at(f"a: {text}\n", "a")
    assert isinstance(found, Scalar)
    assert (found.text.strip(), found.quoted) == ("1.30", quoted)


# --- duplicate and merged keys -----------------------------------------------------


def test_the_last_of_duplicate_keys_wins_and_the_others_are_kept() -> None:
    root = read("a: 1\nb: 2\na: 3\na: 4\n")
    assert isinstance(root, YamlMapping)
    assert root.plain == {"b": 2, "a": 4}
    assert [
        (loser.key.span.line, winner.key.span.line) for loser, winner in root.duplicates
    ] == [(1, 4), (3, 4)]


@pytest.mark.parametrize(
    ("text", "value", "lost"),
    [
        ("<<: {a: 1, b: 2}\na: 3", {"a": 3, "b": 2}, []),
        ("a: 3\n<<: {a: 1, b: 2}", {"a": 1, "b": 2}, ["a"]),
        ("<<: [{a: 1}, {a: 2, b: 2}]", {"a": 1, "b": 2}, []),
        ("<<: {a: 1}\n<<: {a: 2}", {"a": 2}, []),
        ('"<<": {a: 1}', {"<<": {"a": 1}}, []),
    ],
)
def test_a_merge_sets_keys_where_it_stands_as_in_kops(
    text: str, value: object, lost: list[str]
) -> None:
    """The YAML standard lets written keys win over a merge; kops's library does not."""
    root = read(text)
    assert isinstance(root, YamlMapping)
    assert root.plain == value
    assert [loser.key.text for loser, _ in root.duplicates] == lost


def test_a_merged_entry_says_where_it_was_merged() -> None:
    root = at("x: &x\n  a: 1\ny:\n  <<: *x\n  b: 2\n", "y")
    assert isinstance(root, YamlMapping)
    merged = [(e.key.text, e.merged and place(e.merged)) for e in root.entries]
    assert merged == [("a", (4, 7, 4, 9)), ("b", None)]


# --- what cannot be read -----------------------------------------------------------

DEEP = MAX_DEPTH + 1
BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
LADDER = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} {'[' * 9}*a{n - 1}{']' * 9}\n" for n in range(1, 40)
)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: b: c", (1, 5), "a second `:`"),
        ("a:\n\tb: 1", (2, 1), "a tab is where YAML allows only spaces"),
        ("a: 'open\nb: 1\n", (1, 4), "never closed"),
        ("a: [1, 2\n", (1, 4), "`[` is not closed"),
        ("a: {b: 1\n", (1, 4), "`{` is not closed"),
        ("a: 1\nb", (2, 1), "a `key:` is expected"),
        ("%YAML 1.1", (1, 10), "this is not valid YAML"),
        ("a: 1\nb\n", (2, 1), "a `key:` is expected"),
        ("a: 1\n- b\n", (2, 1), "does not match the indentation"),
        ("- a\nb: 1\n", (2, 1), "indentation of the list"),
        ("a: @b\n", (1, 4), "no value can start with"),
        ("a: 1\nb: \x07\n", (2, 4), "U+0007 is not allowed"),
        ("é: \ud800\n", (1, 4), "U+D800 is not allowed"),
        ("? [a]\n: b\n", (1, 3), "used as a key"),
        ("<<: 1\n", (1, 5), "merges something that is not a mapping"),
        ("a: *b\n", (1, 4), "the alias *b has no anchor"),
        ("a: &x 1\n---\nb: *x\n", (3, 4), "the alias *x has no anchor"),
        ("a: &a [*a]\n", (1, 8), "the alias *a refers to a value that contains it"),
        ("[" * DEEP, (1, DEEP), "more than 200 levels"),
        ("- " * 5000, (1, 2 * DEEP - 1), "more than 200 levels"),
        (LADDER, (24, 20), "more than 200 levels"),
        (BOMB, (7, 30), "more than 1,000,000 values"),
        ("{{ .name }}\n", (1, 1), "a Go or Jinja template that was not rendered"),
        ("a: {{ .name }}\n", (1, 4), "a Go or Jinja template"),
        ("a: 1\n{{- if .x }}\nb: 1\n{{- end }}\n", (2, 1), "a Go or Jinja template"),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n", (2, 1), "this conflict is not resolved"),
        (
            "a: 1\nb:\n<<<<<<< HEAD\n  c: 1\n=======\n  c: 2\n>>>>>>> work\n",
            (3, 1),
            "this conflict is not resolved",
        ),
        ("{% if x %}\na: 1\n", (1, 1), "a Jinja template"),
        ("a: 1\n<% if x %>\nb: 1\n", (2, 1), "an ERB template"),
        ("a: [${A}, ${B}]\n", (1, 5), "a template with ${...} variables"),
        ("a: '{{ x }}'\nb: c: d\n", (2, 5), "a second `:`"),
        ("# {{ x }}\nb: c: d\n", (2, 5), "a second `:`"),
        ("a: ${X}\nb: c: d\n", (2, 5), "a second `:`"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_place(
    text: str, where: tuple[int, int], words: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_yaml(Source("spec.yaml", text))
    span = caught.value.span
    assert span is not None
    assert (span.line, span.column) == where
    assert words in caught.value.message
    assert "\n" not in str(caught.value)


def test_nesting_up_to_the_limit_is_read() -> None:
    assert isinstance(read("[" * MAX_DEPTH + "]" * MAX_DEPTH), YamlSequence)


# --- properties ----------------------------------------------------------------------

# PyYAML reads what follows the text of these as a string, where kops does not.
READ_DIFFERENTLY = re.compile(r"[yYnN]|[-+]?\.?[0-9].*")
PRINTABLE = st.characters(
    codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff"
)
TEXTS = st.text(PRINTABLE, max_size=12).filter(
    lambda text: READ_DIFFERENTLY.fullmatch(text) is None
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | TEXTS
)
STRUCTURES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(STRUCTURES, st.booleans(), st.booleans())
def test_values_are_those_that_were_dumped(
    value: object, flow: bool, unicode: bool
) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=unicode)
    documents = read_yaml(Source("spec.yaml", text))
    root = documents[0].root
    assert (root.plain if root is not None else None) == value


@given(STRUCTURES)
def test_json_is_yaml(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=True)
    if "Infinity" not in text and "\x7f" not in text:
        assert read(text).plain == value


WORDS = st.from_regex(r"[a-zé😀][a-z0-9é😀./@+-]{0,8}( [a-z0-9]{1,4})?", fullmatch=True)


@given(
    st.dictionaries(WORDS, WORDS | st.lists(WORDS, min_size=1), min_size=1),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
)
def test_a_plain_scalar_is_cut_out_of_the_text_as_it_was_written(
    value: dict[str, object], flow: bool, line_end: str
) -> None:
    text = yaml.safe_dump(
        value, default_flow_style=flow, allow_unicode=True, width=10**6
    )
    for scalar in scalars(read(text.replace("\n", line_end))):
        if not scalar.quoted:
            assert cut(scalar.span) == scalar.text


SAMPLE = """\
# A bit of everything.
apiVersion: kops.k8s.io/v1alpha2
spec: &anchor
  list: [1, "two", 'three', {four: 4}]
  text: |
    line
  folded: >-
    line
--- # next
<<: &m {a: b}
again: [*m, !!str 1]
"""


def test_the_tree_is_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def shape() -> list[object]:
        return [
            (scalar.value, place(scalar.span))
            for document in read_yaml(Source("spec.yaml", SAMPLE))
            if document.root is not None
            for scalar in scalars(document.root)
        ]

    with_libyaml = shape()
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    assert shape() == with_libyaml
    assert with_libyaml[-1] == ("1", (11, 19, 11, 20))


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SAMPLE)),
            st.integers(0, 3),
            st.text(
                "\t\n\r :-[]{}'\"|>&*!#%@`~?,<\\a1é\ufeff\x85\u2028\x00", max_size=3
            ),
        ),
        max_size=6,
    )
)
@example([(0, 0, "{{")])
@example([(0, 0, "&a")])
@example([(len(SAMPLE), 0, "?")])
def test_broken_text_is_an_input_error_and_nothing_else(
    edits: list[tuple[int, int, str]],
) -> None:
    text = SAMPLE
    for start, removed, added in edits:
        text = text[:start] + added + text[start + removed :]
    source = Source("spec.yaml", text)
    spans = []
    try:
        for document in read_yaml(source):
            spans += [document.span]
            if document.root is not None:
                spans += [scalar.span for scalar in scalars(document.root)]
    except InputError as error:
        # An error without a place fails below as one outside of the text.
        spans = [error.span or source.span(0, 0, 0, 0)]
    for span in spans:
        assert 1 <= span.line <= span.end_line <= len(source.lines)
        assert 1 <= span.column <= len(source.line(span.line)) + 1
        assert 1 <= span.end_column <= len(source.line(span.end_line)) + 1
