"""What mending a list promises: the same lines, some more, and a check that passes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.commands.etcd_functions import context_lines, etcd_functions
from kopslint.engine import Request, check
from kopslint.findings import Report, Severity
from kopslint.kops.decode import read_fleet
from kopslint.planner.fix import MOST_TRIES, Change, Fixed, NotFixed, mend
from kopslint.text import Source

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "fixtures/five-to-three"
NAME = "prod.example.com"


FUNCTIONS = "".join(
    f"{line}\n" for line in [*context_lines(NAME), "", *etcd_functions(NAME, "aws"), ""]
)


def gone(member: str, etcd: str) -> str:
    """Words that take a member out, for a list that has the functions."""
    return f"via master-0 && remove {etcd} {member}\n"


def before(*members: str) -> str:
    """The line that is put in above what relies on it."""
    names = "etcd-0 etcd-1 etcd-2"
    calls = [
        f"remove {etcd} {m} {names}" for m in members for etcd in ("events", "main")
    ]
    return f"{' && '.join(['via master-0', *calls])} &&\n"


OUT_3 = gone("etcd-3", "main") + gone("etcd-3", "events")
OUT_4 = gone("etcd-4", "main") + gone("etcd-4", "events")
GUARD_3, GUARD_4 = before("etcd-3"), before("etcd-4")
DELETE_3 = "kops delete ig master-3 --yes\n"
DELETE_4 = "kops delete ig master-4 --yes\n"
STORE = "kops replace -f after.yaml\n"
UPDATE = "kops update cluster --yes\n"
SAFE = GUARD_3 + DELETE_3 + GUARD_4 + DELETE_4 + STORE + UPDATE
LEFT_OUT = DELETE_3 + DELETE_4 + STORE + UPDATE
ADDED = FUNCTIONS.count("\n")


class Judge:
    """The check of one change, which counts how often it is asked."""

    def __init__(self, before: str, after: str) -> None:
        self.before = (Source("before.yaml", before),)
        self.after = (Source("after.yaml", after),)
        self.asked = 0

    def __call__(self, source: Source) -> Report:
        self.asked += 1
        return check(Request(self.before, self.after, (source,)))

    def mend(self, text: str, path: str = "commands.sh") -> Fixed | NotFixed:
        (old,) = read_fleet(self.before).manifests.values()
        (new,) = read_fleet(self.after).manifests.values()
        return mend(Change(old, new), Source(path, text), self)


def of(folder: Path, *changes: tuple[str, str]) -> Judge:
    """The change of a folder, with some texts replaced on both sides."""
    sides = []
    for side in ("before.yaml", "after.yaml"):
        text = (folder / side).read_text(encoding="utf-8")
        for old, new in changes:
            text = text.replace(old, new)
        sides.append(text)
    return Judge(*sides)


@pytest.fixture(scope="module")
def five_to_three() -> Judge:
    return of(FIXTURE)


def mended(judge: Judge, text: str) -> Fixed:
    result = judge.mend(text)
    assert isinstance(result, Fixed), result.reason
    return result


LOOP = "for g in master-3 master-4; do\n  kops delete ig $g --yes\ndone\n"

LISTS = {
    "members go before their groups": (LEFT_OUT, FUNCTIONS + SAFE, (ADDED + 2, 0)),
    "a member goes above the comments of its group, below everything before": (
        f"set -e\nexport A=1\n\n# 4th\n{DELETE_3}\n# 5th\n# Yes.\n{DELETE_4}{STORE}"
        + UPDATE,
        FUNCTIONS
        + f"set -e\nexport A=1\n\n{GUARD_3}# 4th\n{DELETE_3}\n"
        + GUARD_4
        + f"# 5th\n# Yes.\n{DELETE_4}{STORE}{UPDATE}",
        (ADDED + 2, 0),
    ),
    "a first line #! stays the first": (
        f"#!/bin/sh\n{LEFT_OUT}",
        f"#!/bin/sh\n{FUNCTIONS}{SAFE}",
        (ADDED + 2, 0),
    ),
    "a loop is kept whole": (
        LOOP + STORE + UPDATE,
        FUNCTIONS + before("etcd-3", "etcd-4") + LOOP + STORE + UPDATE,
        (ADDED + 1, 0),
    ),
    "several commands on a line run together or not at all": (
        DELETE_3.replace("\n", f" || echo no; {DELETE_4}") + STORE + UPDATE,
        FUNCTIONS
        + before("etcd-3", "etcd-4").replace("&&\n", "&& {\n")
        + DELETE_3.replace("\n", f" || echo no; {DELETE_4}")
        + "}\n"
        + STORE
        + UPDATE,
        (ADDED + 2, 0),
    ),
    "the spec is stored before it is applied": (
        FUNCTIONS + SAFE.replace(STORE + UPDATE, UPDATE + STORE),
        FUNCTIONS + SAFE,
        (0, 1),
    ),
    "what moves takes its comment, its other lines and what looks at it along": (
        FUNCTIONS
        + SAFE.replace(STORE + UPDATE, UPDATE)
        + "\n# Three members.\nkops replace \\\n  -f after.yaml\nkops get ig\n",
        FUNCTIONS
        + SAFE.replace(STORE + UPDATE, "")
        + "# Three members.\nkops replace \\\n  -f after.yaml\nkops get ig\n\n"
        + UPDATE,
        (0, 2),
    ),
    "what is stored is applied, with the state store of the list": (
        FUNCTIONS + SAFE.replace(STORE + UPDATE, "kops edit cluster --state s3://x\n"),
        FUNCTIONS
        + SAFE.replace(STORE + UPDATE, "kops edit cluster --state s3://x\n")
        + f"kops update cluster --name {NAME} --yes --state s3://x\n",
        (1, 0),
    ),
    "a preview is done in earnest in its own words": (
        FUNCTIONS + SAFE.replace("cluster --yes", f"cluster {NAME}"),
        FUNCTIONS
        + SAFE.replace("cluster --yes", f"cluster {NAME}")
        + f"kops update cluster {NAME} --yes\n",
        (1, 0),
    ),
    "line ends stay as they are": (
        LEFT_OUT.replace("\n", "\r\n"),
        (FUNCTIONS + SAFE).replace("\n", "\r\n"),
        (ADDED + 2, 0),
    ),
    "the last line ends as it did": (
        (FUNCTIONS + SAFE.replace(STORE + UPDATE, UPDATE + STORE)).rstrip("\n"),
        (FUNCTIONS + SAFE).rstrip("\n"),
        (0, 1),
    ),
}


@pytest.mark.parametrize(("text", "wanted", "counts"), LISTS.values(), ids=list(LISTS))
def test_a_list_is_mended_by_the_smallest_edit(
    five_to_three: Judge, text: str, wanted: str, counts: tuple[int, int]
) -> None:
    """Lines are put in or change places; none is changed, and nothing else moves."""
    result = mended(five_to_three, text)

    assert result.text == wanted
    assert (result.added, result.moved) == counts


REFUSED = {
    "nothing is wrong": (
        "commands.sh",
        FUNCTIONS + SAFE,
        "there is nothing to correct in it",
    ),
    "no shell": (
        "commands.md",
        f"```sh\n{DELETE_3}```\n",
        "it is written as markdown; only shell can be corrected",
    ),
    "a list of everything": (
        "commands.sh",
        DELETE_3 + "kops get ig\n" * 1_000,
        "it has more than 1,000 lines",
    ),
    "a line that cannot be read": (
        "commands.sh",
        f"{DELETE_3}kops get 'ig\n",
        "line 2 cannot be read: ",
    ),
    "line ends that differ": (
        "commands.sh",
        f"{DELETE_3}{DELETE_4}".replace("\n", "\r\n") + STORE,
        "it mixes line endings",
    ),
    "a line that kops never takes": (
        "commands.sh",
        f"{DELETE_3}kops updtae cluster --yes\n",
        "line 2 is refused in every position: `kops` has no command `updtae`",
    ),
    "a second deletion of one group": (
        "commands.sh",
        f"{FUNCTIONS}{DELETE_3}{SAFE}",
        "no order that was tried fixes KL307: ",
    ),
    "a hazard that is a line itself": (
        "commands.sh",
        "kops rolling-update cluster --cloudonly --control-plane-interval=1s --yes\n",
        "no order that was tried fixes KL310: ",
    ),
    "a folder is entered between the lines that would have to trade places": (
        "commands.sh",
        FUNCTIONS + SAFE.replace(STORE + UPDATE, f"{UPDATE}cd specs\n{STORE}"),
        "no order that was tried fixes KL307: ",
    ),
    "a program that may do anything stands between them": (
        "commands.sh",
        FUNCTIONS
        + SAFE.replace(STORE + UPDATE, f"{UPDATE}cp new.yaml after.yaml\n{STORE}"),
        "no order that was tried fixes KL307: ",
    ),
    "a file is written between them": (
        "commands.sh",
        FUNCTIONS + SAFE.replace(STORE + UPDATE, f"{UPDATE}kops get ig > log\n{STORE}"),
        "no order that was tried fixes KL307: ",
    ),
}


@pytest.mark.parametrize(
    ("path", "text", "reason"), REFUSED.values(), ids=list(REFUSED)
)
def test_a_list_that_is_not_mended_says_why(
    five_to_three: Judge, path: str, text: str, reason: str
) -> None:
    """The reason names the line, the rule, or what the list would have to be."""
    result = five_to_three.mend(text, path)

    assert isinstance(result, NotFixed)
    assert result.reason.startswith(reason)


def test_a_member_that_the_spec_keeps_is_never_removed() -> None:
    """Its machine would come back with a disk that etcd-manager never takes in."""
    spec = (FIXTURE / "before.yaml").read_text(encoding="utf-8")
    result = Judge(spec, spec).mend(DELETE_3)

    assert isinstance(result, NotFixed)
    assert result.reason.startswith("no order that was tried fixes KL301: ")


def test_an_error_of_the_spec_is_not_mended_by_any_order() -> None:
    """The list is left alone as long as kops would refuse the spec itself."""
    judge = of(FIXTURE, ("networkCIDR: 172.20.0.0/16", "networkCIDR: none"))

    result = judge.mend(DELETE_3 + DELETE_4 + STORE + UPDATE)

    assert isinstance(result, NotFixed)
    assert result.reason.startswith(
        "KL123 is about after.yaml, which no order of these commands changes: "
    )


def test_names_that_are_no_names_are_never_written_into_a_script() -> None:
    """A spec comes from a pull request, and its names would be run."""
    before, after = (
        (FIXTURE / side).read_text(encoding="utf-8")
        for side in ("before.yaml", "after.yaml")
    )
    judge = Judge(before.replace("name: etcd-3", "name: x$(reboot)"), after)

    result = judge.mend(DELETE_3 + DELETE_4 + STORE + UPDATE)

    assert result == NotFixed("'x$(reboot)' cannot be written into a script safely")


def test_volumes_that_a_new_machine_would_find_are_no_matter_of_order() -> None:
    """Another member in the same zone needs more than the lines of the list."""
    before = (FIXTURE / "before.yaml").read_text(encoding="utf-8")
    after = before.replace("master-3", "master-9").replace("etcd-3", "etcd-9")

    result = Judge(before, after).mend(f"{DELETE_3}kops replace --force -f x.yaml\n")

    assert result == NotFixed(
        "the machine of master-9 would mount the etcd volumes of master-3, which have"
        " to be deleted first"
    )


RULES = {
    "KL301-ig-deleted-before-etcd-member/examples/bad-events-forgotten": (2, 0),
    "KL301-ig-deleted-before-etcd-member/examples/bad-seven-to-five": (1, 0),
    "KL304-dead-member-left/examples/bad-lower-count-published": (2, 0),
    "KL306-member-never-joins/examples/bad-dead-member-blocks": (1, 0),
    "KL307-refused-command/examples/bad-spec-comes-last": (0, 1),
    "KL309-kubelet-newer-than-control-plane/examples/bad-all-at-once": (1, 0),
    "KL401-forgotten-yes/examples/bad-update-then-roll": (1, 0),
    "KL405-after-spec-never-stored/examples/bad-spec-forgotten": (2, 0),
    "KL406-stored-never-applied/examples/bad-replaced-and-left": (1, 0),
}


@pytest.mark.parametrize(("name", "counts"), RULES.items(), ids=list(RULES))
def test_the_examples_of_rules_about_order_are_mended(
    name: str, counts: tuple[int, int]
) -> None:
    """What is left of them is at most information."""
    folder = ROOT / "rules" / name
    judge = of(folder)

    result = mended(judge, (folder / "commands.sh").read_text(encoding="utf-8"))
    left = judge(Source("commands.sh", result.text))

    # The functions that reach etcd are put in once, and not counted here.
    functions = ADDED if "remove() {" in result.text else 0
    assert (result.added - functions, result.moved) == counts
    assert {finding.severity for finding in left.findings} <= {Severity.INFO}


def test_the_demonstration_is_mended_to_what_its_fixes_say(
    five_to_three: Judge,
) -> None:
    """The mended list ends as the list with the printed fixes in it does."""
    bad, fixed = (
        (FIXTURE / name).read_text(encoding="utf-8")
        for name in ("commands.sh", "fixed.sh")
    )

    result = five_to_three(Source("m.sh", mended(five_to_three, bad).text))
    by_hand = five_to_three(Source("f.sh", fixed))

    for report in (result, by_hand):
        # What is typed in an editor is assumed, and nothing else is said.
        assert [finding.rule for finding in report.findings] == ["KL902"]
    assert result.timeline[-1].etcd == by_hand.timeline[-1].etcd


LINES = st.lists(
    st.sampled_from(
        [
            *(DELETE_3, DELETE_4, STORE, UPDATE, "\n", "# why\n", "kops get ig\n"),
            *(gone(m, e) for m in ("etcd-3", "etcd-4") for e in ("main", "events")),
            *("kops update cluster\n", "cd x\n", "set -e\n", "echo a && echo b\n"),
            "kops rolling-update cluster \\\n  --yes\n",
        ]
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25)
@given(LINES)
def test_whatever_is_mended_keeps_every_line_and_passes(lines: list[str]) -> None:
    """No line is lost, the check finds no error, and the effort is bounded.

    The same list gives the same again.
    """
    judge = of(FIXTURE)
    text = "".join(lines)

    result = judge.mend(text)

    assert judge.asked <= 1 + MOST_TRIES
    if isinstance(result, Fixed):
        assert judge.mend(text) == result
        old, new = text.split("\n"), result.text.split("\n")
        assert Counter(old) <= Counter(new)
        assert result.added == len(new) - len(old)
        assert judge(Source("commands.sh", result.text)).count(Severity.ERROR) == 0
