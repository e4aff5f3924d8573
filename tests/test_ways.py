"""A word that has one of several values is followed with each of them.

An option that a switch adds, a group that a branch picks: the list is one list for each
value, and what is found in one of them says with which.
"""

from __future__ import annotations

import pytest
from test_safe_lists import Case, told

from kopslint.findings import Certainty, Report, Severity, Verdict

OPTIONAL = {
    "an option if a variable is set": ("run.sh", "COMMAND ${APPROVE:+--yes}\n"),
    "an option unless a variable is set": ("run.sh", "COMMAND ${DRY_RUN:---yes}\n"),
    "an option of a branch": (
        "run.sh",
        'Y=\nif [ "$1" = apply ]; then Y=--yes; fi\nCOMMAND $Y\n',
    ),
    "an option of one branch alone": (
        "run.sh",
        'if [ "$1" = apply ]; then Y=--yes; fi\nCOMMAND $Y\n',
    ),
    "an option of a case": (
        "run.sh",
        "case $1 in apply) Y=--yes ;; *) Y= ;; esac\nCOMMAND $Y\n",
    ),
    "an item of an array": (
        "run.sh",
        'A=()\nif [ -n "$1" ]; then A+=(--yes); fi\nCOMMAND "${A[@]}"\n',
    ),
    "an item behind others": (
        "run.sh",
        'A=(--v 1)\nif [ -n "$1" ]; then A+=(--yes); fi\nCOMMAND "${A[@]}"\n',
    ),
    "make's if": ("Makefile", "up:\n\tCOMMAND $(if $(filter 1,$(YES)),--yes)\n"),
    "an expression of GitHub": (
        "steps.yml",
        (
            "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
            "    - run: COMMAND ${{ inputs.go && '--yes' || '' }}\n"
        ),
    ),
    "an expression of Groovy": (
        "Jenkinsfile",
        (
            'pipeline { agent any\n stages { stage("a") { steps {\n'
            " sh \"COMMAND ${params.GO ? '--yes' : ''}\"\n } } } }\n"
        ),
    ),
}


def case(path: str, text: str, after: str = "more-workers") -> Report:
    return Case("", "", "aws3", "", "", text, after=after, path=path).report


@pytest.mark.parametrize(("path", "text"), OPTIONAL.values(), ids=OPTIONAL)
def test_an_optional_option_leaves_a_safe_list_safe(path: str, text: str) -> None:
    report = case(
        path, text.replace("COMMAND", "kops update cluster --name prod.example.com")
    )

    assert report.verdict is Verdict.SAFE, told(report)


@pytest.mark.parametrize(("path", "text"), OPTIONAL.values(), ids=OPTIONAL)
def test_what_one_value_breaks_is_possible_and_named(path: str, text: str) -> None:
    """The cluster is deleted, or only what goes with it is printed."""
    report = case(
        path, text.replace("COMMAND", "kops delete cluster --name prod.example.com"), ""
    )

    (deleted,) = [f for f in report.findings if f.severity is Severity.WARNING]
    assert deleted.rule == "KL316"
    assert deleted.certainty is Certainty.POSSIBLE
    assert "This applies if " in deleted.why


def test_two_words_with_one_cause_go_the_same_way() -> None:
    """A roll that is for real never meets an update that was only looked at."""
    report = case(
        "run.sh",
        "kops replace -f after.yaml\n"
        "kops update cluster --name prod.example.com ${GO:+--yes}\n"
        "kops rolling-update cluster --name prod.example.com ${GO:+--yes}\n",
        "larger-control-planes",
    )

    assert report.verdict is Verdict.SAFE, told(report)


def test_a_group_that_a_branch_picks_is_each_of_them() -> None:
    text = (
        'G=nodes\nif [ -n "$1" ]; then G=control-plane-a; fi\n'
        "kops delete ig --name prod.example.com $G --yes\n"
    )
    report = case("run.sh", text, "")

    (deleted,) = [f for f in report.findings if f.rule == "KL301"]
    assert deleted.certainty is Certainty.POSSIBLE
    assert deleted.why.endswith("This applies if $G is control-plane-a.")
