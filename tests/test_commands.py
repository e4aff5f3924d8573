"""A command means the same in every style in which people write it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.commands.kops import Validate
from kopslint.commands.model import Reads, Unreadable
from kopslint.commands.parse import recognise
from kopslint.notations.command_list import simple_commands
from kopslint.shell.ast import SimpleCommand, Unknown, Word
from kopslint.shell.read import read_shell
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.commands.model import Command

MEANINGS = Path(__file__).parents[1] / "fixtures" / "meanings"


def last_command(script: str) -> tuple[Command, ...]:
    """What the last statement of a script asks for."""
    body = read_shell(Source("run.sh", script)).body
    return recognise(list(simple_commands(body))[-1])


def one(script: str) -> Command:
    (command,) = last_command(script)
    return command


# What is said beside the meaning of a command, or is the command as it was written.
_SAID_ELSEWHERE = ("text", "span", "problems", "handed", "kops", "flags")


def told(command: Command) -> Iterator[str]:
    """A command as the files in fixtures/meanings write it."""
    parts = [type(command).__name__]
    for field in command.fields:
        value = getattr(command, field)
        default = getattr(type(command), field, None)
        if field not in _SAID_ELSEWHERE and value != default:
            parts.append(f"{field}={shown(value)}")
    yield " ".join(parts)
    for problem in command.problems:
        place = f"{problem.span.column}-{problem.span.end_column}"
        refused = ", not refused" if problem.harmless else ""
        yield f"! {problem.kind} at {place}{refused}"


def shown(value: object) -> str:
    if isinstance(value, Word):
        return value.shown
    if isinstance(value, Unknown):
        return value.name
    if isinstance(value, tuple):
        return "+".join(shown(item) for item in value)
    return str(value)


def written() -> Iterator[tuple[str, list[str]]]:
    """The command lines of fixtures/meanings, each with what it means."""
    for path in sorted(MEANINGS.glob("*.txt")):
        script, meaning = "", list[str]()
        for line in [*path.read_text(encoding="utf-8").splitlines(), "end"]:
            if line.startswith("    "):
                meaning.append(line.strip())
            elif line and not line.startswith("#"):
                if script:
                    yield script, meaning
                script, meaning = line.replace("\\n", "\n"), []


@pytest.mark.parametrize(("script", "meaning"), list(written()))
def test_what_a_command_line_asks_for(script: str, meaning: list[str]) -> None:
    said = [line for c in last_command(script) for line in told(c)]

    # The order in which a type has its fields is no promise.
    assert [sorted(line.split()) for line in said] == [
        sorted(line.split()) for line in meaning
    ]


def test_what_cannot_be_read_has_a_reason_in_words() -> None:
    command = one("kops update cluster --yes=$YES")
    assert isinstance(command, Unreadable)
    assert command.reason.reason == (
        "what `kops update cluster` does depends on $YES: $YES is not set in this file"
    )


def test_the_text_is_the_whole_command_as_written_on_one_line() -> None:
    command = one('A=b sudo  kops \\\n  delete ig "m-$X" --yes > log 2>&1')
    assert command.text == 'sudo kops delete ig "m-$X" --yes'
    assert (command.span.line, command.span.end_line) == (1, 2)


def test_a_word_that_became_several_is_shown_by_their_values() -> None:
    command = one('run() { "$@"; }\nrun kops delete ig m')
    assert command.text == "kops delete ig m"


def test_words_keep_their_places_under_a_wrapper() -> None:
    cluster = one("sudo -E kops delete ig m --name=c").cluster
    assert cluster is not None
    assert str(cluster.span) == "run.sh:1:33"


def test_every_command_of_a_line_for_another_machine_has_the_text_of_all() -> None:
    line = "ssh host 'kops delete ig a; kops delete ig b'"
    assert [command.text for command in last_command(line)] == [line, line]


def test_an_assignment_alone_is_no_command() -> None:
    assert recognise(SimpleCommand((), Source("run.sh", "A=b").whole())) == ()


VOCABULARY = """
kops etcdctl kubectl terraform aws docker ssh sudo env xargs sh go timeout exec run
update delete cluster ig member remove -- - -c -f -I -n -y --yes --name --name= -vx
--set=a=,b A=b 'a;b' $X "$X" $(x) * '' --=x =x / //
"""


def odd_words() -> st.SearchStrategy[Word]:
    span = Source("run.sh", "x").whole()

    def word(raw: str) -> Word:
        known = raw.strip("'\"")
        piece = Unknown(known, "unset") if known.startswith("$") else known
        return Word((piece,), raw, span)

    def mixed(text: str) -> Word:
        return Word((text, Unknown("$X", "unset"), text), f"{text}$X{text}", span)

    return st.one_of(
        st.sampled_from(VOCABULARY.split()).map(word),
        st.text(max_size=8).map(lambda text: Word((text,), text, span)),
        st.text(max_size=3).map(mixed),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(odd_words(), min_size=1, max_size=9))
def test_no_words_are_too_odd_to_be_recognised(words: list[Word]) -> None:
    span = Source("run.sh", "x").whole()
    for command in recognise(SimpleCommand(tuple(words), span)):
        assert command.span is span
        assert len(command.text.splitlines()) <= 1


def test_a_command_is_a_value() -> None:
    command, again = one("kops update cluster"), one("kops update cluster")
    span = command.span
    twin = Reads(text="a", span=span, verb="b")

    assert command != again  # They stand in different texts.
    assert twin == Reads(text="a", span=span, verb="b")
    assert hash(twin) == hash(Reads(text="a", span=span, verb="b"))
    assert twin != Reads(text="a", span=span, verb="c")
    assert twin != Validate(text="a", span=span)
    assert repr(twin).startswith("Reads(text='a', span=")
    with pytest.raises(AttributeError, match="verb cannot be changed"):
        twin.verb = "c"  # type: ignore[misc]


def test_a_command_takes_its_own_fields_and_no_others() -> None:
    span = one("ls").span

    with pytest.raises(TypeError, match="Unreadable needs reason"):
        Unreadable(text="a", span=span)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Reads has no yes"):
        Reads(text="a", span=span, yes=True)  # type: ignore[call-arg]
