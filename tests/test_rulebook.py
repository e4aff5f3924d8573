"""The rulebook: what a rule folder must hold, and how a wrong one is refused."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
import yaml

import kopslint
from kopslint.errors import KopslintError, RuleError, UsageError
from kopslint.findings import Severity
from kopslint.rulebook import loader
from kopslint.rulebook.loader import (
    INDEX,
    bundle,
    find_rule,
    load_check,
    load_rule,
    load_rules,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kopslint.rulebook.model import Rule

MANIFEST = """\
id: KL301
name: member-outlives-its-group
summary: An instance group is deleted while etcd still counts on its member
category: order
hazard: dead-member
severity: error
since: 0.1.0
sources:
  - kops pkg/instancegroups/delete.go, DeleteInstanceGroup
check: order:member_outlives_its_group
"""

SECTIONS = (
    "What it finds",
    "Why it breaks",
    "Do this instead",
    "When it is safe",
    "References",
)

RULES = load_rules()
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def write_rule(
    folder: Path,
    manifest: str = MANIFEST,
    name: str = "KL301-member-outlives-its-group",
) -> Path:
    rule = folder / name
    rule.mkdir()
    (rule / "rule.yaml").write_text(manifest, encoding="utf-8")
    return rule


@each_rule
def test_a_rule_has_prose_in_the_five_sections(rule: Rule) -> None:
    """Whoever reads one README knows where to look in all of them."""
    headings = re.findall(r"^## (.+)$", rule.readme(), flags=re.MULTILINE)

    assert tuple(headings) == SECTIONS


@each_rule
def test_a_rule_has_two_bad_and_two_good_examples(rule: Rule) -> None:
    examples = rule.examples()
    bad = [example for example in examples if example.bad]

    assert len(bad) >= 2
    assert len(examples) - len(bad) >= 2
    assert [e.name for e in bad if e.expected is None] == []
    assert [e.name for e in examples if e not in bad and e.expected is not None] == []
    assert [e.name for e in examples if not (e.before or e.after or e.commands)] == []


@each_rule
def test_a_rule_names_a_check_that_exists(rule: Rule) -> None:
    assert callable(load_check(rule))


def test_the_index_of_the_rulebook_repeats_its_manifests() -> None:
    """They are checked here and no more at every run, where it would cost too much.

    KOPSLINT_UPDATE_EXPECTED=1 writes the index; the test fails that one time.
    """
    if os.environ.get("KOPSLINT_UPDATE_EXPECTED"):
        paths = sorted(bundle().glob("*/rule.yaml"))
        manifests = [yaml.safe_load(path.read_text("utf-8")) for path in paths]
        index = json.dumps(manifests, indent=1, ensure_ascii=False)
        (bundle() / INDEX).write_text(f"{index}\n", encoding="utf-8")

    assert load_rules(bundle()) == RULES, "run with KOPSLINT_UPDATE_EXPECTED=1"


def test_ids_and_names_are_unique() -> None:
    keys = [key for rule in RULES for key in (rule.id, rule.name)]

    assert sorted(keys) == sorted(set(keys))


def test_every_folder_of_the_rulebook_is_a_rule() -> None:
    """A folder without a manifest would be skipped without a word."""
    folders = {path.name for path in bundle().glob("*/")}

    assert folders == {rule.folder.name for rule in RULES}


def test_a_manifest_is_read_into_a_rule(tmp_path: Path) -> None:
    rule = load_rule(write_rule(tmp_path))

    assert (rule.id, rule.name) == ("KL301", "member-outlives-its-group")
    assert rule.severity is Severity.ERROR
    assert rule.ignorable is True
    assert rule.sources == ("kops pkg/instancegroups/delete.go, DeleteInstanceGroup",)


FAULTS = {
    "a missing field": ("severity: error\n", "", "severity is missing"),
    "an unknown field": (
        "id: KL301",
        "id: KL301\nlevel: 1",
        "rule.yaml:2:1: unknown field level",
    ),
    "no severity of ours": ("severity: error", "severity: bad", "severity: Input"),
    "no sources": (
        "sources:\n  - kops pkg/instancegroups/delete.go, DeleteInstanceGroup",
        "sources: []",
        "sources: List should have at least 1 item",
    ),
    "an id of another kind": ("KL301", "301", "id: Input should be a valid string"),
    "a check outside": ("order:member", "os.system('x')", "check: String should match"),
    "another folder's name": (
        "name: member-outlives-its-group",
        "name: other",
        "KL301-member-outlives-its-group, but the rule KL301-other",
    ),
    "not a mapping": (MANIFEST, "- KL301", "must be a mapping of fields"),
    "not YAML": ("id: KL301", "id: [unclosed", "rule.yaml:2:5: not valid YAML: "),
}


@pytest.mark.parametrize(("old", "new", "complaint"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_manifest_is_refused_with_its_file_and_field(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    folder = write_rule(tmp_path, MANIFEST.replace(old, new))

    with pytest.raises(RuleError) as refused:
        load_rule(folder)

    assert refused.value.message.startswith(f"{folder / 'rule.yaml'}:")
    assert complaint in refused.value.message
    assert "\n" not in refused.value.message


def test_two_rules_cannot_share_a_name(tmp_path: Path) -> None:
    write_rule(tmp_path)
    write_rule(
        tmp_path,
        MANIFEST.replace("KL301", "KL302"),
        "KL302-member-outlives-its-group",
    )

    with pytest.raises(
        RuleError, match="member-outlives-its-group is already used by KL301"
    ):
        load_rules(tmp_path)


def test_examples_are_found_by_their_names(tmp_path: Path) -> None:
    rule = load_rule(write_rule(tmp_path))
    for name in ("good-one", "bad-two", "bad-one"):
        (rule.folder / "examples" / name).mkdir(parents=True)
    bad = rule.folder / "examples" / "bad-one"
    (bad / "after.yaml").write_text("", encoding="utf-8")
    (bad / "commands.md").write_text("", encoding="utf-8")
    (bad / "expected.txt").write_text("said\n", encoding="utf-8")

    first, *others = rule.examples()

    assert [(e.name, e.bad) for e in others] == [("bad-two", True), ("good-one", False)]
    assert first.before is None
    assert first.after == bad / "after.yaml"
    assert first.commands == bad / "commands.md"
    assert first.expected == "said\n"


def test_an_example_that_is_neither_bad_nor_good_is_refused(tmp_path: Path) -> None:
    rule = load_rule(write_rule(tmp_path))
    (rule.folder / "examples" / "ugly").mkdir(parents=True)

    with pytest.raises(RuleError, match=r"called neither bad-\.\.\. nor good-"):
        rule.examples()


@pytest.mark.parametrize(
    "check", ["no_such_module:function", "__init__:no_such_function"]
)
def test_a_check_that_does_not_exist_is_refused(tmp_path: Path, check: str) -> None:
    manifest = MANIFEST.replace("order:member_outlives_its_group", check)
    rule = load_rule(write_rule(tmp_path, manifest))

    with pytest.raises(RuleError, match=r"rule\.yaml: check: "):
        load_check(rule)


def test_a_missing_readme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match=r"README\.md: cannot be read"):
        load_rule(write_rule(tmp_path)).readme()


@pytest.fixture
def two_rules(tmp_path: Path) -> tuple[Rule, ...]:
    write_rule(tmp_path)
    other = MANIFEST.replace("KL301", "KL402").replace("member-outlives", "typo-in")
    write_rule(tmp_path, other, "KL402-typo-in-its-group")
    return load_rules(tmp_path)


@pytest.mark.parametrize("wanted", ["KL402", "kl402", "typo-in-its-group"])
def test_a_rule_is_found_by_id_or_name(
    two_rules: tuple[Rule, ...], wanted: str
) -> None:
    assert find_rule(two_rules, wanted).id == "KL402"


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("KL4O2", "did you mean KL402 (typo-in-its-group)"),
        ("member-outlives-group", "did you mean KL301 (member-outlives-its-group)"),
        ("zzzzzz", "see 'kopslint rules'"),
    ],
)
def test_a_rule_that_does_not_exist_is_answered_with_the_nearest(
    two_rules: tuple[Rule, ...], wanted: str, hint: str
) -> None:
    with pytest.raises(UsageError) as refused:
        find_rule(two_rules, wanted)

    assert refused.value.message == f"unknown rule {wanted}"
    assert refused.value.hint is not None
    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("place", "file", "found"),
    [
        ("site/kopslint/_rules", INDEX, True),
        ("site/rules", INDEX, True),
        ("site/rules", "index.json", False),
    ],
    ids=["wheel", "repository", "a stranger's folder"],
)
def test_the_rulebook_is_found_in_the_wheel_and_in_the_repository_only(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    file: str,
    found: bool,
) -> None:
    (tmp_path / "site" / "kopslint").mkdir(parents=True)
    package = tmp_path / "site" / "kopslint" / "__init__.py"
    monkeypatch.setattr(kopslint, "__file__", str(package))
    (tmp_path / place).mkdir()
    (tmp_path / place / file).write_text("[]", encoding="utf-8")

    if found:
        assert loader.bundle() == tmp_path / place
    else:
        with pytest.raises(KopslintError, match="has no rulebook"):
            loader.bundle()
