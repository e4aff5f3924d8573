"""Commands to a GitHub runner: what is annotated where, and nothing injected."""

from __future__ import annotations

from kopslint.findings import (
    Certainty,
    Finding,
    Location,
    Report,
    Severity,
    Summary,
)
from kopslint.report.github import render_github
from kopslint.report.places import Repository
from kopslint.text import Source

HERE = Repository(root="/checkout", folder="/checkout/ops")
COMMANDS = Source("run.sh", "kops delete ig é --yes\n")
FINDING = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.CERTAIN,
    message="é is deleted",
    why="It is gone.",
    locations=(Location(COMMANDS.span(1, 1, 1, 23), "here"),),
    subject="é",
    fix=("etcdctl member remove c", "# then go on"),
)
NOTHING = "::notice title=kopslint::no findings\n"


def lines_of(*findings: Finding, unicode: bool = True) -> list[str]:
    """The lines above the summary."""
    text = render_github(Report(findings), HERE, unicode=unicode)
    *lines, last = text.splitlines()
    assert last.startswith("::notice title=kopslint::")
    return lines


def test_a_finding_is_an_annotation_with_its_reason_and_its_fix() -> None:
    [line] = lines_of(FINDING)

    assert line == (
        "::error file=ops/run.sh,line=1,endLine=1,col=1,endColumn=23,"
        "title=KL301 a-rule::é is deleted%0AIt is gone.%0AInstead:%0A"
        "etcdctl member remove c%0A# then go on%0AMore: kopslint explain KL301"
    )


def test_a_clean_run_says_so() -> None:
    summary = Summary(("a",), specs=2, commands=5, rules=9, worlds=4, before=5, after=3)

    assert render_github(Report(()), HERE, unicode=True) == NOTHING
    assert render_github(Report((), (), summary), HERE, unicode=True) == (
        "::notice title=kopslint::no findings in 5 commands, 2 specs"
        " (control plane 5 -> 3)\n"
    )


def test_columns_are_left_out_where_there_is_more_than_one_line() -> None:
    """The runner drops a command that has both."""
    place = Location(COMMANDS.span(1, 3, 2, 1), "")

    [line] = lines_of(FINDING._replace(locations=(place,)))

    assert line.startswith("::error file=ops/run.sh,line=1,endLine=2,title=")


def test_a_finding_about_no_file_has_no_place() -> None:
    [line] = lines_of(FINDING._replace(locations=()))

    assert line.startswith("::error title=KL301 a-rule::é is deleted%0A")


def test_the_worst_come_first_and_only_as_many_as_github_shows() -> None:
    infos = [FINDING._replace(severity=Severity.INFO, subject=str(n)) for n in range(9)]
    warning = FINDING._replace(severity=Severity.WARNING)

    text = render_github(Report((*infos, warning, FINDING)), HERE, unicode=True)

    lines = text.splitlines()
    kinds = [line.split(" ")[0] for line in lines]
    assert kinds == ["::error", "::warning", *["::notice"] * 8]
    assert lines[-1] == (
        "::notice title=kopslint::1 error, 1 warning, 9 info;"
        " only the 9 worst findings are annotated"
    )


def test_no_text_of_the_input_can_end_a_property_or_start_a_command() -> None:
    """What the runner unescapes is the text with its control characters spelled out."""
    odd = Source("a,b:c%0A,line=9\n::error::x.sh", "x")
    finding = FINDING._replace(
        message="100%\r\n::add-mask::x\x1b[31m",
        why="",
        fix=(),
        locations=(Location(odd.span(1, 1, 1, 2), ""),),
    )

    [line] = lines_of(finding)

    assert line == (
        "::error file=ops/a%2Cb%3Ac%250A%2Cline=9\\n%3A%3Aerror%3A%3Ax.sh,"
        "line=1,endLine=1,col=1,endColumn=2,title=KL301 a-rule::"
        "100%25\\r\\n::add-mask::x\\x1b[31m%0AMore: kopslint explain KL301"
    )


def test_a_message_never_grows_beyond_what_github_takes() -> None:
    [line] = lines_of(FINDING._replace(message="x" * 100_000))

    assert len(line) < 5_000


def test_without_unicode_everything_is_ascii() -> None:
    [line] = lines_of(FINDING, unicode=False)

    assert "::\\xe9 is deleted%0A" in line
    assert line.isascii()
