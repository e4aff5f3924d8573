"""Shell scripts: control flow, values with their reasons, and exact places."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kopslint.notations.command_list import Notation, read_commands, simple_commands
from kopslint.shell.ast import (
    AndOr,
    Choice,
    Condition,
    ErrExit,
    Exit,
    Group,
    Loop,
    Opaque,
    Pipeline,
    Repeat,
    SimpleCommand,
    Statement,
    Statements,
    Unknown,
)
from kopslint.shell.output import parts
from kopslint.shell.read import read_shell, read_words
from kopslint.text import Source


def script(text: str) -> tuple[Statement, ...]:
    return read_shell(Source("run.sh", text)).body.items


def only(text: str) -> Statement:
    (statement,) = script(text)
    return statement


def commands(text: str) -> list[SimpleCommand]:
    return list(simple_commands(read_shell(Source("run.sh", text)).body))


def command(text: str) -> SimpleCommand:
    return commands(text)[-1]


def words(statement: Statement) -> list[str]:
    assert isinstance(statement, SimpleCommand)
    return [word.shown for word in statement.words]


# --- control flow -------------------------------------------------------------


def test_and_or_group_to_the_left_and_pipes_bind_closer() -> None:
    chain = only("a | b && c || d")
    assert isinstance(chain, AndOr)
    assert (chain.operator, words(chain.right)) == ("||", ["d"])
    assert isinstance(chain.left, AndOr)
    assert chain.left.operator == "&&"
    assert isinstance(chain.left.left, Pipeline)


def test_the_last_part_of_a_pipeline_does_not_swallow_the_chain() -> None:
    chain = only("a | b |& c && ! d")
    assert isinstance(chain, AndOr)
    assert isinstance(chain.left, Pipeline)
    assert [words(item) for item in chain.left.items] == [["a"], ["b"], ["c"]]
    assert isinstance(chain.right, Pipeline)
    assert chain.right.negated


def test_negation_is_of_the_whole_pipeline() -> None:
    pipeline = only("! a | b")
    assert isinstance(pipeline, Pipeline)
    assert pipeline.negated
    assert len(pipeline.items) == 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("set -e", False),
        ("set -o pipefail", True),
        ("set -euo pipefail", True),
        ("set -euo pipefail; set +o pipefail", False),
    ],
)
def test_pipefail_is_followed(options: str, expected: bool) -> None:
    pipeline = script(f"{options}\na | b")[-1]
    assert isinstance(pipeline, Pipeline)
    assert pipeline.pipefail is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("set -e", [True]),
        ("set -o errexit", [True]),
        ("set -xeu", [True]),
        ("set -e; set +e", [True, False]),
        ("set -x", []),
        ("#!/bin/bash -e\n", [True]),
        ("#!/usr/bin/env bash\n", []),
    ],
)
def test_errexit_is_followed(text: str, expected: list[bool]) -> None:
    assert [s.on for s in script(text) if isinstance(s, ErrExit)] == expected


def test_if_has_a_test_and_two_branches() -> None:
    condition = only("if a; then b; elif c; then d; else e; fi")
    assert isinstance(condition, Condition)
    inner = condition.otherwise
    assert isinstance(inner, Condition)
    assert isinstance(inner.otherwise, Statements)


def test_a_case_is_exhaustive_only_with_a_last_resort() -> None:
    for text, expected in (
        ("case $x in a) b;; *) c;; esac", True),
        ("case $x in a) b;; esac", False),
    ):
        choice = only(text)
        assert isinstance(choice, Choice)
        assert choice.exhaustive is expected
        assert choice.reason == Unknown("$x", "$x is not set in this file")


def test_while_and_until_keep_test_and_body_apart() -> None:
    loop = only("until kops validate cluster; do sleep 1; done")
    assert isinstance(loop, Loop)
    assert loop.kind == "until"
    assert isinstance(loop.test, Statements)
    assert words(loop.test.items[0]) == ["kops", "validate", "cluster"]


def test_a_loop_over_unknown_items_says_which() -> None:
    loop = only('for ig in $IGS; do kops delete ig "$ig"; done')
    assert isinstance(loop, Repeat)
    assert loop.items == Unknown("$IGS", "$IGS is not set in this file")
    (word,) = (w for w in commands("for x in $Y; do a $x; done")[0].words[1:])
    assert word.unknown == Unknown(
        "$x", "$x gets values that are only known at run time"
    )


def test_a_loop_over_files_says_that_they_are_unknown() -> None:
    loop = only("for f in *.yaml; do kops replace -f $f; done")
    assert isinstance(loop, Repeat)
    assert loop.items.name == "*.yaml"


def test_break_and_continue_leave_a_loop_and_a_turn() -> None:
    group = only("for i in 1 2; do a && break; b || continue; c; done")
    assert isinstance(group, Group)
    assert group.scope == "loop"
    assert isinstance(group.body, Statements)
    assert len(group.body.items) == 2
    assert all(isinstance(t, Group) and t.scope == "turn" for t in group.body.items)
    assert [e.leaves for e in exits(group)] == ["loop", "turn"] * 2


def test_return_leaves_the_function_and_exit_the_script() -> None:
    text = "f() { a || return 1; b || exit 2; }\nf"
    group = only(text)
    assert isinstance(group, Group)
    assert group.scope == "function"
    found = exits(group)
    assert [e.leaves for e in found] == ["function", "script"]
    assert [e.status.text for e in found if e.status is not None] == ["1", "2"]


def test_return_outside_a_function_leaves_the_script() -> None:
    (leaving,) = exits(Statements(script("a || return 0")))
    assert leaving.leaves == "script"


@pytest.mark.parametrize(
    ("leaving", "expected"),
    [
        ("break 2", [("loop", 2)]),
        ("continue 2", [("turn", 2)]),
        ("break 9", [("loop", 2)]),
        ("continue", [("turn", 1)]),
    ],
)
@pytest.mark.parametrize("inner", ["while b", "for y in 3 4"])
def test_several_loops_are_left_at_once_but_no_more_than_there_are(
    leaving: str, expected: list[tuple[str, int]], inner: str
) -> None:
    found = exits(Statements(script(f"while a; do {inner}; do {leaving}; done; done")))
    assert [(e.leaves, e.levels) for e in found[:1]] == expected


def test_an_inner_loop_that_leaves_the_outer_one_marks_both() -> None:
    group = only("for i in 1 2; do for j in 1 2; do a || continue 2; done; b; done")
    assert isinstance(group, Group)
    assert group.scope == "loop"
    first = group.body.items[0] if isinstance(group.body, Statements) else None
    assert isinstance(first, Group)
    assert first.scope == "turn"


@pytest.mark.parametrize(
    "text", ["break; kops a", "f() { break; }; for i in 1; do f; kops a; done"]
)
def test_a_break_outside_of_a_loop_leaves_nothing(text: str) -> None:
    """Since bash 4.4 a function cannot leave a loop of its caller."""
    assert exits(Statements(script(text))) == []


def test_how_many_loops_an_unknown_number_leaves_is_said() -> None:
    result = read_shell(Source("run.sh", "while a; do break $N; done"))
    assert [(str(part.span), part.reason.reason) for part in result.unread] == [
        ("run.sh:1:13", "it is not known how many loops this leaves")
    ]


def exits(statement: Statement) -> list[Exit]:
    if isinstance(statement, Exit):
        return [statement]
    return [found for part in parts(statement) for found in exits(part)]


def test_a_background_command_is_marked_and_others_become_a_job() -> None:
    assert command("kops a &").background
    group = only("{ a; b; } &")
    assert isinstance(group, Group)
    assert (group.background, group.subshell) == (True, True)


def test_nothing_runs_behind_exec() -> None:
    first, second = script("exec kops a")
    assert words(first) == ["exec", "kops", "a"]
    assert isinstance(second, Exit)
    assert script("exec > log")[1:] == ()


def test_what_a_substitution_runs_comes_first_and_cannot_fail_a_command() -> None:
    first, second = script('kops a "$(kops b)"')
    assert isinstance(first, AndOr)
    assert (first.operator, first.right) == ("||", Statements(()))
    assert isinstance(first.left, Group)
    assert first.left.subshell
    assert words(second)[:2] == ["kops", "a"]


def test_the_status_of_an_assignment_is_that_of_its_substitution() -> None:
    group = only("A=$(kops b)")
    assert isinstance(group, Group)
    assert isinstance(script("export A=$(kops b)")[0], AndOr)


# --- values -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("kops a $X", Unknown("$X", "$X is not set in this file")),
        ("kops a ${X}", Unknown("$X", "$X is not set in this file")),
        (
            "kops a $(kops get ig)",
            Unknown(
                "$(kops get ig)",
                "output of `kops get ig` is only known at run time",
            ),
        ),
        ("kops a <name>", Unknown("<name>", "placeholder")),
        ("kops a {name}", Unknown("{name}", "placeholder")),
        ("kops a ...", Unknown("...", "placeholder")),
        (
            "kops a ${X:-y}",
            Unknown("${X:-y}", "$X may be set outside this file"),
        ),
        (
            "kops a $1",
            Unknown("$1", "$1 is given to the script when it is started"),
        ),
        ("kops a $?", Unknown("$?", "$? is only known at run time")),
        ("read X; kops a $X", Unknown("$X", "$X is read at run time")),
        (
            "if a; then X=1; fi; kops a $X",
            Unknown("$X", "$X is set differently, or not at all, in another branch"),
        ),
        (
            "kops a ${{ inputs.x }}",
            Unknown(
                "${{ inputs.x }}",
                "this expression is only evaluated when the workflow runs",
            ),
        ),
    ],
)
def test_an_unknown_says_what_it_is_and_why(text: str, unknown: Unknown) -> None:
    assert command(text).words[-1].pieces == (unknown,)


def test_known_and_unknown_pieces_stay_apart() -> None:
    word = command('kops a "s3://$B/x"').words[-1]
    assert [p if isinstance(p, str) else p.name for p in word.pieces] == [
        "s3://",
        "$B",
        "/x",
    ]
    assert (word.text, word.shown, word.raw) == (None, "s3://$B/x", '"s3://$B/x"')


def test_the_same_unknown_keeps_its_name_through_variables() -> None:
    text = 'ID=$(etcdctl member list)\nX=$ID\netcdctl member remove "$X"'
    assert command(text).words[-1].pieces == (
        Unknown(
            "$(etcdctl member list)",
            "output of `etcdctl member list` is only known at run time",
        ),
    )


def test_the_environment_holds_exports_and_what_is_set_in_front() -> None:
    text = "A=0\nexport B=1 C=$X\nB=2 D=3 kops a"
    environment = command(text).environment
    assert [(a.name, a.value.shown) for a in environment] == [
        ("C", "$X"),
        ("B", "2"),
        ("D", "3"),
    ]


def test_an_export_in_a_subshell_does_not_leak() -> None:
    assert command("(export A=1; a); kops b").environment == ()


def test_a_here_document_is_standard_input() -> None:
    found = command("kops create -f - <<EOF\nname: $NAME\nEOF\n")
    assert found.stdin is not None
    assert found.stdin.shown == "name: $NAME\n"
    assert found.stdin.text is None
    assert (found.stdin.span.line, found.stdin.span.end_line) == (2, 2)
    assert (found.span.end_line, found.span.end_column) == (1, 23)


@pytest.mark.parametrize(
    ("text", "stdin"),
    [
        ("kops a <<'EOF'\n$X\nEOF", "$X\n"),
        ("kops a <<-EOF\n\t\tx\n\tEOF", "x\n"),
        ("X=1; kops a <<EOF\n$X $(echo 2)\nEOF", "1 2\n"),
        ("kops a <<EOF\n<kept>\nEOF", "<kept>\n"),
        ("kops a <<< 'x y'", "x y"),
        ("X=1; kops a 2>&1 <<<$X", "1"),
    ],
)
def test_standard_input_is_expanded_as_bash_would(text: str, stdin: str) -> None:
    found = command(text)
    assert found.stdin is not None
    if "<kept>" not in stdin:
        assert found.stdin.text == stdin
    assert found.stdin.shown == stdin


def test_redirections_keep_their_operator_and_target() -> None:
    found = command("kops a > out.txt 2>> err.txt < in.txt 2>&1")
    assert [(r.operator, r.target and r.target.text) for r in found.redirects] == [
        (">", "out.txt"),
        (">>", "err.txt"),
        ("<", "in.txt"),
        (">&", "1"),
    ]


# --- titles and places --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("kops a  # remove member d", "remove member d"),
        ("# step 1\n# and more\nkops a", "step 1 and more"),
        ("# above\nkops a # behind", "behind"),
        ("# far\n\nkops a", None),
        ("#!/bin/bash\nkops a", None),
        ("kops b # of b\nkops a", None),
    ],
)
def test_a_comment_beside_a_command_is_kept(text: str, comment: str | None) -> None:
    """People write what an editor is opened for behind the command, or above it."""
    assert command(text).comment == comment


def test_places_count_code_points_from_one() -> None:
    found = command('echo é🎉 "ü"; kops a \\\n  --ö x')
    spans = [
        (w.span.line, w.span.column, w.span.end_line, w.span.end_column)
        for w in found.words
    ]
    assert spans == [(1, 14, 1, 18), (1, 19, 1, 20), (2, 3, 2, 6), (2, 7, 2, 8)]
    whole = found.span
    assert (whole.line, whole.column, whole.end_line, whole.end_column) == (1, 14, 2, 8)


def test_words_of_one_brace_share_its_place() -> None:
    found = command("kops a x{1,2}")
    assert [w.text for w in found.words[2:]] == ["x1", "x2"]
    assert {(w.raw, w.span.column, w.span.end_column) for w in found.words[2:]} == {
        ("x{1,2}", 8, 14)
    }


def test_a_script_in_a_word_is_where_the_word_is() -> None:
    word = command("ssh host 'kops a && kops b $X'").words[-1]
    found = list(simple_commands(read_words([word]).body))
    assert [words(c) for c in found] == [["kops", "a"], ["kops", "b", "$X"]]
    assert all(c.span == word.span for c in found)


def test_unknown_parts_of_a_script_in_a_word_stay_unknown() -> None:
    word = command('ssh host "kops a $X --yes"').words[-1]
    (found,) = simple_commands(read_words([word]).body)
    assert [w.text for w in found.words] == ["kops", "a", None, "--yes"]
    assert found.words[2].unknown == Unknown("$X", "$X is not set in this file")


# --- limits -------------------------------------------------------------------


def test_loops_are_copied_out_only_so_far() -> None:
    (loop,) = script("for i in {1..300}; do kops a; done")
    assert isinstance(loop, Repeat)
    nested = "for a in {1..99}; do for b in {1..99}; do for c in {1..99}; do kops a; "
    assert len(commands(nested + "done; done; done")) < 25_000


def test_functions_that_double_are_copied_out_only_so_far() -> None:
    text = "f0() { kops a; }\n"
    text += "".join(f"f{n}() {{ f{n - 1}; f{n - 1}; }}\n" for n in range(1, 24))
    assert len(commands(text + "f23\n")) < 25_000


def test_a_value_that_doubles_becomes_unknown() -> None:
    found = command("x=abc\nfor i in {1..99}; do x=$x$x; done\nkops $x")
    assert found.words[-1].unknown is not None


@pytest.mark.parametrize("opening", ["(", "{ ", "$(", "if a; then ", "`", '"$('])
def test_deep_nesting_is_refused_and_not_followed(opening: str) -> None:
    closing = {"(": ")", "{ ": ";}", "$(": ")", '"$(': ')"'}
    closing["if a; then "] = "; fi"
    text = opening * 300 + "kops a" + closing.get(opening, "`") * 300
    result = read_shell(Source("run.sh", text))
    assert result.unread


def test_a_long_chain_is_refused_and_not_followed() -> None:
    result = read_shell(Source("run.sh", " && ".join(["kops a"] * 5_000)))
    assert [part.reason.reason for part in result.unread] == [
        "this is nested too deeply to follow"
    ]


@pytest.mark.parametrize("unit", ["a(b)", "(b) ", "[a](b)", "x=(b "])
def test_a_line_of_parentheses_out_of_place_is_refused(unit: str) -> None:
    """The parser's time grows with their square."""
    result = read_shell(Source("run.sh", unit * 20_000))
    assert [part.reason.reason for part in result.unread] == [
        "a line of this has more than 500 parentheses"
    ]


def test_many_substitutions_on_a_line_are_read() -> None:
    assert len(commands("kops a " + "$(b) " * 1_000)) == 1_001


def test_many_errors_are_given_up_on_and_said() -> None:
    result = read_shell(Source("run.sh", "kops (a\n" * 200))
    assert "too many syntax errors" in result.unread[-1].reason.reason


_FRAGMENTS = """
    kops delete $X ${X:-a} ${X%b} "a" 'b' $( ) ` { } {a,b} {1..3} <name> < > >> <<EOF
    EOF <<< | || && & ! if then else fi for in do done while case esac ;; f() return
    exit set -e export A=1 A=( [[ ]] [ (( )) #c \\ ... ${{ }} $1 "$@" eval bash -c é 🎉
    $ $$ ~ * read local break = += % $'x' time "
"""
FRAGMENTS = st.sampled_from([*_FRAGMENTS.split(), "\x00", "\x7f", "\r", "\u2013"])
TEXTS = st.one_of(
    st.text(max_size=120),
    st.lists(st.one_of(FRAGMENTS, st.sampled_from(" \n\t;")), max_size=40).map(
        " ".join
    ),
    st.lists(FRAGMENTS, max_size=30).map("".join),
)
NOTATIONS: st.SearchStrategy[Notation] = st.sampled_from(
    ["shell", "markdown", "makefile", "jenkins"]
)


def places(statement: Statement) -> list[SimpleCommand | Opaque]:
    if isinstance(statement, SimpleCommand | Opaque):
        return [statement]
    return [found for part in parts(statement) for found in places(part)]


@settings(max_examples=150, deadline=None)
@given(TEXTS, NOTATIONS)
@example("\\", "shell")
@example("x=(", "shell")
@example("${", "shell")
@example("```sh\n$ a <<E\n```", "markdown")
@example("a:\n\t$(", "makefile")
@example("sh '''", "jenkins")
def test_any_text_is_read_and_every_place_is_in_it(
    text: str, notation: Notation
) -> None:
    if notation == "markdown":
        text = f"# x\n\n```console\n{text}\n```\n"
    if notation == "makefile":
        text = "a:\n" + "\n".join(f"\t{line}" for line in text.split("\n"))
    if notation == "jenkins":
        text = f"sh '''{text}'''"
    source = Source("any", text)
    script = read_commands(source, notation=notation)
    for found in (*places(script.body), *script.unread):
        spans = [found.span]
        if isinstance(found, SimpleCommand):
            spans += [word.span for word in found.words]
        for span in spans:
            assert 1 <= span.line <= span.end_line <= len(source.lines)
            assert 1 <= span.column <= len(source.line(span.line)) + 1
            assert 1 <= span.end_column <= len(source.line(span.end_line)) + 1
            assert (span.line, span.column) <= (span.end_line, span.end_column)
