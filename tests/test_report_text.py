"""What people read: frames, quorum traces, the timeline and the last line."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Meanwhile,
    Report,
    Severity,
    Summary,
    TimelineEntry,
    TraceLine,
)
from kopslint.report import display
from kopslint.report.text import render_findings, render_text
from kopslint.text import Source

CLUSTER = "prod.example.com"
FIVE = ("a", "b", "c", "d", "e")
HEALTHY = EtcdView(FIVE, FIVE, 3, 2, 5, "yes")
ONE_DEAD = EtcdView(FIVE, FIVE[:4], 3, 1, 5, "yes")
TWO_DEAD = EtcdView(FIVE, FIVE[:3], 3, 0, 5, "yes")
LOST = EtcdView(FIVE, FIVE[:2], 3, -1, 5, "no")
MIXED = EtcdView(FIVE[:4], FIVE[:3], 3, 0, 4, "maybe", joining=("d",), expelled=("e",))

COMMANDS = Source(
    "run.sh", "kops delete ig master-3 --yes\nkops update cluster --yes\n"
)


def finding(
    *places: Location,
    severity: Severity = Severity.ERROR,
    certainty: Certainty = Certainty.CERTAIN,
    trace: tuple[TraceLine, ...] = (),
    story: tuple[str, ...] = (),
    fix: tuple[str, ...] = (),
    message: str = "master-3 is deleted",
    why: str = "It is gone.",
    rule: str = "KL301",
    step: int | None = None,
) -> Finding:
    return Finding(
        rule=rule,
        name="a-rule",
        severity=severity,
        certainty=certainty,
        message=message,
        why=why,
        locations=places or (Location(COMMANDS.span(1, 1, 1, 5), ""),),
        subject="master-3",
        fix=fix,
        trace=trace,
        story=story,
        step=step,
        cluster=CLUSTER,
    )


def place(source: Source, line: int, start: int, end: int, label: str = "") -> Location:
    return Location(source.span(line, start, line, end), label)


def shown(item: Finding, *, width: int = 80, unicode: bool = True) -> str:
    """The finding alone, as it is printed."""
    return render_findings(Report((item,)), color=False, width=width, unicode=unicode)


def frame(*places: Location, width: int = 80, unicode: bool = True) -> str:
    """The finding's frames: what stands between its first line and ``why``."""
    lines = shown(finding(*places), width=width, unicode=unicode).splitlines()
    return "\n".join(lines[1 : lines.index("", 1)])


def picture(text: str) -> str:
    """An expected picture, without the indentation of the test's own code."""
    lines = text.split("\n")
    indent = len(lines[-1])
    return "\n".join(line[indent:] for line in lines[1:-1])


def test_a_finding_shows_every_file_its_trace_the_reason_and_what_to_run() -> None:
    before = Source(
        "old/before.yaml",
        "\n" * 23 + "    - instanceGroup: master-3\n      name: d\n",
        revision="HEAD",
    )
    complete = finding(
        place(COMMANDS, 1, 1, 30, "the instance is terminated at once"),
        place(before, 24, 22, 30, "d of main lives here"),
        trace=(
            TraceLine("main", HEALTHY, ONE_DEAD, ""),
            TraceLine("events", HEALTHY, ONE_DEAD, "it stays registered"),
        ),
        why="A node that is gone is never taken out of etcd, and it counts "
        "against quorum until it is.\nThis holds for every version.",
        fix=("etcdctl member remove d   # in main and in events", "# then go on"),
    )

    assert (
        shown(complete)
        == picture(
            """
        run.sh:1:1: error[KL301]: master-3 is deleted
           |
         1 | kops delete ig master-3 --yes
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the instance is terminated at once
         --> old/before.yaml:24:22 (HEAD)
           |
        24 |     - instanceGroup: master-3
           |                      -------- d of main lives here

           main    ●●●●● -> ●●●●✗   4 of 5 alive, quorum 3, one more may fail, dead: e
           events  ●●●●● -> ●●●●✗   4 of 5 alive, quorum 3, one more may fail, dead: e;
                                    it stays registered

           why   A node that is gone is never taken out of etcd, and it counts against
                 quorum until it is.
                 This holds for every version.
           fix   etcdctl member remove d   # in main and in events
                 # then go on
           more  kopslint explain KL301
        """
        )
        + "\n"
    )


def test_what_is_only_possible_says_so_and_tells_how_it_comes_about() -> None:
    possible = finding(
        certainty=Certainty.POSSIBLE,
        severity=Severity.WARNING,
        story=("the leader re-reads the member count", "it expels b " + "x " * 40),
    )

    lines = shown(possible).splitlines()

    assert lines[0] == "run.sh:1:1: warning[KL301]: possible: master-3 is deleted"
    assert lines[5:9] == [
        "   how   1. the leader re-reads the member count",
        "         2. it expels b" + " x" * 27,
        "           " + " x" * 13,
        "   why   It is gone.",
    ]


LINES = Source("a.yaml", "one: 1\ntwo: 2\nthree: 3\nfour: 4\nfive: 5\nsix: 6\n")

FRAMES = {
    "lines next to each other": (
        (place(LINES, 1, 1, 4, "here"), place(LINES, 2, 1, 4, "and here")),
        """
           |
         1 | one: 1
           | ^^^ here
         2 | two: 2
           | --- and here
        """,
    ),
    "one line between is shown": (
        (place(LINES, 3, 1, 6, "here"), place(LINES, 1, 1, 4, "first")),
        """
           |
         1 | one: 1
           | --- first
         2 | two: 2
         3 | three: 3
           | ^^^^^ here
        """,
    ),
    "more lines between are dots": (
        (place(LINES, 1, 1, 4, "here"), place(LINES, 4, 1, 5, "and here")),
        """
           |
         1 | one: 1
           | ^^^ here
        ...
         4 | four: 4
           | ---- and here
        """,
    ),
    "several labels in a line": (
        (
            place(COMMANDS, 1, 1, 5, "kops"),
            place(COMMANDS, 1, 16, 24, "this group"),
            place(COMMANDS, 1, 25, 30, "at once"),
        ),
        """
           |
         1 | kops delete ig master-3 --yes
           | ^^^^           -------- ----- at once
           | |              this group
           | kops
        """,
    ),
    "the primary mark covers a wider one": (
        (place(COMMANDS, 1, 16, 24, "gone"), place(COMMANDS, 1, 1, 30)),
        """
           |
         1 | kops delete ig master-3 --yes
           | ---------------^^^^^^^^------
           |                gone
        """,
    ),
    "several lines are shown up to the end of the first": (
        (Location(LINES.span(2, 3, 4, 2), "all this"),),
        """
           |
         2 | two: 2
           |   ^^^^ all this
        ...
        """,
    ),
    "an empty place still has a mark": (
        (place(LINES, 1, 7, 7, "a value is missing"),),
        """
           |
         1 | one: 1
           |       ^ a value is missing
        """,
    ),
}


@pytest.mark.parametrize(("places", "expected"), FRAMES.values(), ids=FRAMES)
def test_frames(places: tuple[Location, ...], expected: str) -> None:
    """Places of one file share a frame, in the order of its lines."""
    assert frame(*places) == picture(expected)


def test_a_label_that_does_not_fit_beside_its_mark_goes_below_it() -> None:
    source = Source(
        "a.sh", "kops delete instancegroup master-3 --name prod.example.com"
    )

    assert frame(
        place(source, 1, 27, 35, "terminated without a drain"),
        width=80,
    ) == picture(
        """
           |
         1 | kops delete instancegroup master-3 --name prod.example.com
           |                           ^^^^^^^^ terminated without a drain
        """
    )
    assert frame(place(source, 1, 1, 59, "the label " * 6), width=80) == picture(
        """
           |
         1 | kops delete instancegroup master-3 --name prod.example.com
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           | the label the label the label the label the label the label
        """
    )
    assert frame(place(source, 1, 43, 59, "the name of the cluster")) == picture(
        """
           |
         1 | kops delete instancegroup master-3 --name prod.example.com
           |                                           ^^^^^^^^^^^^^^^^
           |                                           the name of the cluster
        """
    )


def test_a_long_line_is_cut_around_its_mark() -> None:
    long = Source("a.sh", "a" * 100 + " master-3 " + "b" * 100)

    assert frame(place(long, 1, 102, 110, "this one")) == picture(
        f"""
           |
         1 | …{"a" * 15} master-3 {"b" * 48}…
           |                  ^^^^^^^^ this one
        """
    )
    assert frame(place(long, 1, 1, 5, "start")) == picture(
        f"""
           |
         1 | {"a" * 74}…
           | ^^^^ start
        """
    )


def test_marks_stand_under_tabs_and_wide_characters() -> None:
    """Columns of the terminal are counted, not code points."""
    wide = Source("a.yaml", "\tname: 東京-1 🎉 e\u0301x # here")

    assert frame(
        place(wide, 1, 8, 12, "wide"), place(wide, 1, 13, 14), place(wide, 1, 15, 18)
    ) == picture(
        """
           |
         1 |     name: 東京-1 🎉 e\u0301x # here
           |           ^^^^^^ -- --
           |           wide
        """
    )


def test_nothing_in_the_input_reaches_the_terminal_as_a_control_character() -> None:
    """Escapes, bidirectional overrides and bells are shown, never sent."""
    nasty = "\x1b[31m\u202etxt\x07\x9b"
    source = Source(f"{nasty}.sh", f"kops {nasty} x", revision=nasty)
    other = Source("b.yaml", nasty)
    names = (nasty, "b")
    view = EtcdView(names, ("b",), 2, -1, 2, "no")
    item = finding(
        Location(source.span(1, 6, 1, 17), nasty),
        Location(other.span(1, 1, 1, 2), nasty),
        message=nasty,
        why=nasty,
        fix=(nasty,),
        story=(nasty,),
        trace=(TraceLine(nasty, view, view, nasty),),
    )
    entry = TimelineEntry(
        1, nasty, None, "refused", {nasty: view}, nasty, note=nasty, title=nasty
    )
    report = Report(
        (item,),
        (entry, entry._replace(cluster="other")),
        Summary((nasty,), 1, 1, 1, 1, (nasty,)),
    )

    text = render_text(report, color=False, width=80, unicode=True)

    assert {c for c in text if unicodedata.category(c)[0] == "C"} == {"\n"}
    assert r"error[KL301]: \x1b[31m\u202etxt\x07\x9b" in text
    assert r" 1 | kops \x1b[31m\u202etxt\x07\x9b x" in text
    assert r"   |      ^^^^^^^^^^^^^^^^^^^^^^^^^ \x1b[31m" in text


def test_without_unicode_everything_is_ascii() -> None:
    source = Source("a.yaml", "name: é東")
    report = Report(
        (
            finding(
                place(source, 1, 7, 9, "é"),
                trace=(TraceLine("main", HEALTHY, MIXED, "é"),),
                message="é",
                why="é",
            ),
        ),
        (TimelineEntry(1, "kops é" * 30, None, "refused", {"main": MIXED}, "c", "é"),),
    )

    text = render_text(report, color=False, width=80, unicode=False)

    assert text.isascii()
    assert " 1 | name: \\xe9\\u6771\n   |       ^^^^^^^^^^ \\xe9\n" in text
    assert "main  ***** -> ***o~   3 of 4 alive" in text


TRACES = {
    HEALTHY: ("●●●●●", "5 of 5 alive, quorum 3, two more may fail"),
    ONE_DEAD: ("●●●●✗", "4 of 5 alive, quorum 3, one more may fail, dead: e"),
    TWO_DEAD: ("●●●✗✗", "3 of 5 alive, quorum 3, none may fail, dead: d e"),
    LOST: ("●●✗✗✗", "2 of 5 alive, quorum 3, no writes, dead: c d e"),
    MIXED: (
        "●●●○◌",
        "3 of 4 alive, quorum 3, writes may stop, joining: d, no longer a member: e",
    ),
}


@pytest.mark.parametrize(("view", "expected"), TRACES.items())
def test_a_trace_says_in_words_what_its_symbols_show(
    view: EtcdView, expected: tuple[str, str]
) -> None:
    item = finding(trace=(TraceLine("main", None, view, ""),))

    row = shown(item, width=120).splitlines()[5]

    assert row == f"   main  {expected[0]}   {expected[1]}"


TIMELINE = (
    TimelineEntry(
        0, "(before)", None, "applied", {"main": HEALTHY, "events": HEALTHY}, CLUSTER
    ),
    TimelineEntry(
        1,
        "kops delete instancegroup master-3 --name prod.example.com --yes",
        COMMANDS.span(1, 1, 1, 5),
        "applied",
        {"main": ONE_DEAD, "events": ONE_DEAD},
        CLUSTER,
    ),
    TimelineEntry(
        2,
        "kops delete ig master-4",
        None,
        "applied",
        {"main": TWO_DEAD, "events": TWO_DEAD},
        CLUSTER,
        "no failure tolerated",
    ),
    TimelineEntry(
        3,
        "kops update cluster",
        None,
        "refused",
        {"main": TWO_DEAD},
        CLUSTER,
        "a member has no group",
    ),
    TimelineEntry(4, "kops get", None, "no-op", {"main": MIXED}, CLUSTER),
)


def table_of(report: Report, *, width: int = 80, full: bool = False) -> list[str]:
    """The table of steps and what its symbols mean."""
    text = render_text(report, color=False, width=width, unicode=True, full=full)
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if re.match(r"#  +command", line))
    return [line for line in lines[first:-1] if line]


def test_the_timeline_has_a_row_for_each_step_and_fits_eighty_columns() -> None:
    report = Report((finding(step=1), finding(step=1, rule="KL305")), TIMELINE)

    assert "\n".join(table_of(report)) == picture(
        """
        #  command                         main                      events
        0  (before)                        ●●●●● 5/5                 =
        1  delete instancegroup master-3…  ●●●●✗ 4/5                 =       KL301 KL305
        2  delete ig master-4              ●●●✗✗ 3/5 0 spare         =
             no failure tolerated
        3  update cluster                  ●●●✗✗ 3/5 0 spare
             refused: a member has no group
        4  get                             ●●●○◌ 3/4 quorum at risk          no effect
        ● votes ○ joins ✗ dead, still registered ◌ runs, no longer a member
        """
    )


def test_a_step_that_loses_quorum_on_the_way_has_a_row_for_that() -> None:
    """Between two states in which all is well; who only restarts is not dead."""
    away = EtcdView(FIVE, FIVE[1:3], 3, -1, 5, "no")
    roll = TimelineEntry(
        5,
        "kops rolling-update cluster --yes",
        None,
        "applied",
        {"main": TWO_DEAD, "events": HEALTHY},
        CLUSTER,
        during=(
            Meanwhile("master-0", {"main": away, "events": HEALTHY}),
            Meanwhile("master-1", {"main": TWO_DEAD, "events": HEALTHY}),
        ),
    )
    first = roll._replace(step=4, command="kops get", during=())
    report = Report((finding(step=5, rule="KL302"),), (first, roll))

    assert table_of(report)[2:] == [
        "5  rolling-update cluster --yes",
        "     while master-0 is away  ◍●●✗✗ 2/5 NO QUORUM  ●●●●● 5/5  KL302",
        "     after it                ●●●✗✗ 3/5 0 spare    ●●●●● 5/5",
        "● votes ◍ away, comes back ✗ dead, still registered",
    ]


def steps(*commands: str, etcd: dict[str, EtcdView]) -> tuple[TimelineEntry, ...]:
    return tuple(
        TimelineEntry(number, command, None, "applied", etcd, CLUSTER)
        for number, command in enumerate(commands)
    )


QUIET = steps("(before)", "kops get", "kops get", "kops get", etcd={"main": HEALTHY})


def test_steps_that_do_nothing_to_etcd_are_counted_unless_in_full() -> None:
    """A warning, a refusal or another state is always a row of its own."""
    warned = finding(step=4, severity=Severity.WARNING)
    told = QUIET[1]._replace(step=4)
    dead = QUIET[0]._replace(step=5, command="kops x", etcd={"main": ONE_DEAD})
    report = Report((warned,), (*QUIET, told, dead, dead._replace(step=6)))

    assert table_of(report)[1:-1] == [
        "0-3  (before)  ●●●●● 5/5",
        "4    get       ●●●●● 5/5  KL301",
        "5    x         ●●●●✗ 4/5",
        "6    x         ●●●●✗ 4/5",
    ]
    assert len(table_of(report, full=True)) == 9


EVERY = "before and after every step"


def test_a_list_that_does_nothing_to_etcd_has_one_line() -> None:
    view = {"main": HEALTHY, "events": HEALTHY, "cilium": ONE_DEAD}
    report = Report((), steps("(before)", "kops get", "kops get", etcd=view))

    text = render_text(report, color=False, width=80, unicode=True)

    assert text.splitlines()[3:-1] == [
        f"{'●●●●● 5/5 in main and events, ●●●●✗ 4/5 in cilium'}, {EVERY}",
        "● votes ✗ dead, still registered",
    ]


def test_etcd_clusters_that_are_alike_in_every_step_share_a_column() -> None:
    entries = tuple(
        entry._replace(etcd={"main": view, "events": view, "cilium": HEALTHY})
        for entry, view in zip(TIMELINE, (HEALTHY, ONE_DEAD), strict=False)
    )

    assert table_of(Report((), entries))[0].split() == [
        *("#", "command", "main,", "events", "cilium"),
    ]


REFUSED = "refused: a member has no group"


def test_notes_stand_beside_their_step_where_there_is_room() -> None:
    report = Report((), TIMELINE[2:4], Summary(specs=1))

    assert table_of(report, width=120)[1:3] == [
        "2  delete ig master-4  ●●●✗✗ 3/5 0 spare  =       no failure tolerated",
        f"3  update cluster      ●●●✗✗ 3/5 0 spare{'':10}{REFUSED}",
    ]


def test_headings_of_a_runbook_structure_the_timeline() -> None:
    first = TIMELINE[2]._replace(title="Remove the groups")
    entries = (first, first._replace(step=3), first._replace(step=4, title="Then"))

    assert [line[:20].rstrip() for line in table_of(Report((), entries))[1:]] == [
        "   Remove the groups",
        "2  delete ig master-",
        "3  delete ig master-",
        "   Then",
        "4  delete ig master-",
        "● votes ✗ dead, stil",
    ]


def test_every_cluster_has_a_timeline_of_its_own() -> None:
    entries = (*QUIET, *(entry._replace(cluster="stage") for entry in QUIET))

    text = render_text(Report((), entries), color=False, width=80, unicode=True)

    heads = [line for line in text.splitlines() if line.startswith("cluster ")]
    assert heads == ["cluster prod.example.com", "cluster stage"]


def test_the_timeline_can_be_left_out() -> None:
    report = Report((), TIMELINE, Summary(("prod",), specs=2, commands=4, rules=31))

    text = render_text(report, color=False, width=100, unicode=True, timeline=False)

    assert text == "SAFE  prod\n\nno findings in 4 commands, 2 specs\n"


def test_no_line_is_wider_than_asked_for_whatever_the_names_are() -> None:
    """A word that is longer than a line is broken, too."""
    long = "x" * 200
    names = tuple(f"{long}{number}" for number in range(4))
    view = {
        name: ONE_DEAD._replace(tolerance=number) for number, name in enumerate(names)
    }
    entry = TimelineEntry(1, long, None, "refused", view, long, note=f"{long} a {long}")
    item = finding(
        place(COMMANDS, 1, 1, 5, long),
        place(Source(long, "a: 1\n"), 1, 1, 2, long),
        message=f"{long} is {long}",
        why=long,
        fix=(f"# {long}",),
        trace=(TraceLine(long, HEALTHY, ONE_DEAD, long),),
        story=(long,),
    )
    report = Report(
        (item, item._replace(rule="KL302", step=1)),
        (entry, entry._replace(step=2, title=long), entry._replace(cluster="b")),
        Summary((long,), 1, 1, 1, 1, (long,), 3, 5, (), (long,)),
        existing=(item,),
    )

    for width in (80, 100):
        for full in (False, True):
            text = render_text(report, color=True, width=width, unicode=True, full=full)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
            assert max(map(display.width, plain.splitlines())) <= width


def test_a_place_in_another_revision_says_so_even_if_it_comes_first() -> None:
    """The same path may stand for two texts in one finding."""
    old = Source("a.yaml", "one: 1\n", revision="HEAD~1")

    assert frame(place(old, 1, 1, 4, "was here"), place(LINES, 1, 1, 4)) == picture(
        """
         --> a.yaml:1:1 (HEAD~1)
           |
         1 | one: 1
           | ^^^ was here
         --> a.yaml:1:1
           |
         1 | one: 1
           | ---
        """
    )


SUMMARIES = {
    "clean": (
        Report((), (), Summary(("c",), 2, 9, 31, 12, (), 5, 3)),
        "no findings in 9 commands, 2 specs (control plane 5 -> 3)",
    ),
    "one of each": (
        Report(
            (
                finding(),
                finding(severity=Severity.WARNING),
                finding(severity=Severity.INFO),
            ),
            (),
            Summary(("c",), 1, 1, 1, 1),
        ),
        "1 error, 1 warning, 1 info in 1 command, 1 spec",
    ),
    "many": (
        Report(
            (finding(severity=Severity.WARNING),) * 2
            + (finding(severity=Severity.INFO),) * 3,
            (),
            Summary(("c", "d"), 4, 0, 31),
        ),
        "2 warnings, 3 info in 4 specs of 2 clusters",
    ),
}


@pytest.mark.parametrize(("report", "expected"), SUMMARIES.values(), ids=SUMMARIES)
def test_the_last_line_says_what_was_found_and_what_was_checked(
    report: Report, expected: str
) -> None:
    text = render_text(report, color=False, width=100, unicode=True)

    assert text.splitlines()[-1] == expected


def test_skipped_files_are_named_so_that_nothing_is_silently_unchecked() -> None:
    report = Report((), (), Summary(specs=1, skipped=("a", "b", "c", "d", "e")))

    text = render_text(report, color=False, width=100, unicode=True)

    assert text.splitlines()[3] == ("skipped, no kops object in it: a, b, c and 2 more")


def test_the_worst_come_first_then_by_path_line_column_and_rule() -> None:
    """An info of a file that is named first does not stand before an error."""
    other = Source("a.yaml", "x: 1\n")
    items = (
        finding(rule="KL305"),
        finding(place(COMMANDS, 2, 1, 5)),
        finding(rule="KL301"),
        finding(place(COMMANDS, 1, 6, 9)),
        finding(place(other, 1, 1, 2), severity=Severity.INFO),
    )

    text = render_findings(Report(items), color=False, width=80, unicode=True)

    heads = [line[: line.index("]")] for line in text.splitlines() if "[KL" in line]
    assert heads == [
        "run.sh:1:1: error[KL301",
        "run.sh:1:1: error[KL305",
        "run.sh:1:6: error[KL301",
        "run.sh:2:1: error[KL301",
        "a.yaml:1:1: info[KL301",
    ]


def test_no_findings_render_to_nothing() -> None:
    assert render_findings(Report(()), color=False, width=80, unicode=True) == ""


def test_color_adds_escapes_of_sixteen_colours_and_changes_nothing_else() -> None:
    report = Report(
        (
            finding(
                place(COMMANDS, 1, 1, 5, "here"),
                place(COMMANDS, 1, 16, 24, "there"),
                trace=(TraceLine("main", HEALTHY, LOST, "note"),),
                story=("first",),
                fix=("do",),
                step=1,
            ),
            finding(severity=Severity.WARNING),
            finding(severity=Severity.INFO),
        ),
        TIMELINE,
        Summary(("prod",), 2, 4, 31, 12, ("x",), 5, 3),
    )

    plain = render_text(report, color=False, width=80, unicode=True)
    painted = render_text(report, color=True, width=80, unicode=True)

    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    assert set(re.findall(r"\x1b\[([0-9;]*)m", painted)) <= {
        *("0", "1", "2", "31", "32", "33", "36"),
        *("1;31", "1;33", "1;36"),
    }
    assert "\x1b[1;31merror[KL301]\x1b[0m" in painted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("etcd", 4),
        ("東京", 4),
        ("e\u0301", 1),
        ("🎉", 2),
        ("✗●○◌…", 5),
        ("\u2764", 1),
        ("\u2764\ufe0f", 2),
        ("ｶﾅ", 2),
    ],
)
def test_text_is_as_wide_as_a_terminal_draws_it(text: str, expected: int) -> None:
    assert display.width(text) == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("commands", 8, "commands"),
        ("commands", 5, "comm…"),
        ("東京都", 5, "東京…"),
        ("東京都", 4, "東…"),
        ("e\u0301e\u0301e", 2, "e\u0301…"),
    ],
)
def test_text_is_cut_between_characters(text: str, limit: int, expected: str) -> None:
    assert display.cut(text, limit, "…") == expected


@given(st.text(max_size=60), st.integers(20, 60))
def test_any_text_is_wrapped_to_the_width_without_losing_a_word(
    text: str, limit: int
) -> None:
    safe = display.visible(text)

    lines = display.wrap(safe, limit)

    assert " ".join(lines).split() == safe.split()
    assert all(display.width(line) <= limit or " " not in line for line in lines)


@given(st.text(max_size=40), st.integers(1, 50), st.integers(1, 50))
def test_any_line_is_shown_in_the_width_with_its_mark(
    text: str, start: int, length: int
) -> None:
    """However odd the input: no row is too wide or holds a control character."""
    source = Source("a", text.replace("\n", "").replace("\r", "") * 5)

    rows = frame(place(source, 1, start, start + length, "label"), width=80).split("\n")

    assert all(display.width(row) <= 80 for row in rows)
    assert rows[2].count("^") >= 1
    categories = {unicodedata.category(char) for char in "".join(rows)}
    assert categories & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} == set()
