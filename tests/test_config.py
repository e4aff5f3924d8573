"""The configuration: where it is found, what it may hold, and who has the last word."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

import kopslint.config
from kopslint.cli.check_options import CheckOptions
from kopslint.cli.options import FailOn
from kopslint.cli.program import run
from kopslint.cli.settings import configuration_for, fail_on_for, settings_for
from kopslint.config.load import find_configuration
from kopslint.config.patterns import Match, Patterns
from kopslint.config.schema import ConfigModel
from kopslint.engine import Request, check
from kopslint.errors import InputError, KopslintError
from kopslint.findings import Severity
from kopslint.rulebook.loader import find_rule, load_rules
from kopslint.syntax.yaml import YamlMapping, read_yaml
from kopslint.text import Source

SCHEMA = "see 'kopslint schema config'"
EVERY = {rule.id for rule in load_rules()}
ORDER = {rule.id for rule in load_rules() if rule.category == "order"}
ALWAYS = {rule.id for rule in load_rules() if not rule.ignorable}

# Two members: an even count, which is KL103, an error.
SPEC = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata:
  name: demo.example.com
spec:
  etcdClusters:
  - name: main
    etcdMembers:
    - {name: a, instanceGroup: cp-a}
    - {name: b, instanceGroup: cp-b}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a repository, which is the current folder."""
    for name in [name for name in os.environ if name.startswith("KOPSLINT_")]:
        monkeypatch.delenv(name)
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(config: str, name: str = ".kopslint.yaml") -> tuple[str, str, str | None]:
    """Position, sentence and hint with which a configuration is refused."""
    write(Path(name), config)
    with pytest.raises(KopslintError) as error:
        settings_for(find_configuration(Path()), {}, CheckOptions())
    return str(error.value.span), error.value.message, error.value.hint


def rules_of(
    config: str,
    environment: dict[str, str] | None = None,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
) -> set[str]:
    write(Path(".kopslint.yaml"), config)
    found = find_configuration(Path())
    settings = settings_for(
        found, environment or {}, CheckOptions(select=select, ignore=ignore)
    )
    return {rule.id for rule in settings.rules or ()}


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["a.yaml"], "a.yaml", True),
        (["a.yaml"], "sub/a.yaml", False),
        (["*.yaml"], "a.yaml", True),
        (["*.yaml"], ".hidden.yaml", False),
        ([".*.yaml"], ".hidden.yaml", True),
        (["*"], "a/b", False),
        (["a*/x"], "abc/x", True),
        (["?.yaml"], "a.yaml", True),
        (["?.yaml"], "ab.yaml", False),
        (["[ab].yaml"], "b.yaml", True),
        (["[!ab].yaml"], "b.yaml", False),
        (["[!ab].yaml"], "c.yaml", True),
        (["**/a.yaml"], "a.yaml", True),
        (["**/a.yaml"], "x/y/a.yaml", True),
        (["**/a.yaml"], "x/.git/a.yaml", False),
        (["x/**"], "x/y/z", True),
        (["x/**"], "x", False),
        (["x/"], "x/y/z", True),
        (["./x/"], "x/y", True),
        (["x/**/z"], "x/z", True),
        ([".github/workflows/*.yml"], ".github/workflows/deploy.yml", True),
        (["*.yaml", "!t*.yaml"], "template.yaml", False),
        (["*.yaml", "!t*.yaml", "te*.yaml"], "template.yaml", True),
        (["a+b(c).yaml"], "a+b(c).yaml", True),
        (["a.yaml"], "aXyaml", False),
    ],
)
def test_a_pattern_means_paths(patterns: list[str], path: str, expected: bool) -> None:
    assert (Patterns(patterns).match(path) is not None) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "cluster"),
    [
        ("runbooks/{cluster}.md", "runbooks/prod.md", "prod"),
        ("{cluster}/**", "prod.example.com/a/b.yaml", "prod.example.com"),
        ("x/{cluster}/{cluster}.yaml", "x/a/a.yaml", "a"),
        ("kops-{cluster}.yaml", "kops-prod.yaml", "prod"),
    ],
)
def test_a_pattern_names_the_cluster(pattern: str, path: str, cluster: str) -> None:
    assert Patterns([pattern]).match(path) == Match(cluster)


def test_both_names_of_a_cluster_in_a_path_must_agree() -> None:
    assert Patterns(["{cluster}/{cluster}.yaml"]).match("a/b.yaml") is None


@pytest.mark.parametrize(
    ("files", "start", "expected"),
    [
        ([".kopslint.yaml"], "sub/deep", ".kopslint.yaml"),
        ([".kopslint.yaml", "sub/.kopslint.yaml"], "sub/deep", "sub/.kopslint.yaml"),
        ([".kopslint.yaml", "sub/.kopslint.yaml"], ".", ".kopslint.yaml"),
        ([".kopslint.yaml", "pyproject.toml"], ".", ".kopslint.yaml"),
        (["pyproject.toml"], "sub", "pyproject.toml"),
        ([".kopslint.yaml"], "sub/no-such-file.yaml", ".kopslint.yaml"),
        (["../.kopslint.yaml"], "sub", None),
    ],
)
def test_the_nearest_configuration_up_to_the_root_of_the_repository_counts(
    folder: Path, files: list[str], start: str, expected: str | None
) -> None:
    (folder / "sub" / "deep").mkdir(parents=True)
    for file in files:
        toml = "[tool.kopslint]\nfail-on = 'info'\n"
        write(Path(file), toml if file.endswith("toml") else "fail-on: info\n")

    found = find_configuration(Path(start))

    assert found.path == expected
    assert found.fail_on == (None if expected is None else "info")


def test_a_pyproject_of_somebody_else_is_passed_by(folder: Path) -> None:
    write(folder / ".kopslint.yaml", "fail-on: never\n")
    write(folder / "sub" / "pyproject.toml", "[tool.ruff]\nline-length = 88\n")

    assert find_configuration(Path("sub")).path == ".kopslint.yaml"


@pytest.mark.parametrize(
    "text",
    ["", "tool = 3\n", "[tool]\nx = 1\n", "name = 'kopslint'\n", "x = = 1\n"],
)
def test_a_pyproject_without_the_table_is_no_configuration(
    folder: Path, text: str
) -> None:
    """Nor is it read as TOML if it does not so much as name kopslint."""
    write(folder / "pyproject.toml", text)

    assert find_configuration(Path()).path is None


def test_outside_a_repository_only_the_folder_itself_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies above, as in /tmp, may be anybody's."""
    write(tmp_path / ".kopslint.yaml", "fail-on: never\n")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")

    assert find_configuration(Path()).path is None
    assert find_configuration(Path("..")).fail_on == "never"


TOML = """\
[project]
name = "x"

[tool.kopslint]
specs = ["clusters/*.yaml"]
select = ["KL3", "order"]

[tool.kopslint.severity]
KL303 = "error"

[[tool.kopslint.overrides]]
files = ["dev/**"]
ignore = ["KL1"]
"""
YAML = """\
specs: ["clusters/*.yaml"]
select: [KL3, order]
severity: {KL303: error}
overrides:
- files: [dev/**]
  ignore: [KL1]
"""


@pytest.mark.usefixtures("folder")
def test_toml_and_yaml_say_the_same() -> None:
    write(Path("y/.kopslint.yaml"), YAML)
    write(Path("t/pyproject.toml"), TOML)
    yaml, toml = (find_configuration(Path(place)) for place in "yt")

    for each in (yaml, toml):
        settings = settings_for(each, {}, CheckOptions())
        assert {rule.id for rule in settings.rules or ()} == {
            rule for rule in EVERY if rule.startswith("KL3") or rule in ORDER | ALWAYS
        }
        assert settings.severities == {"KL303": Severity.ERROR}
        assert settings.overrides[0].files.texts == ("dev/**",)
        assert settings.overrides[0].ignored == {
            r for r in EVERY - ALWAYS if r[:3] == "KL1"
        }
        assert each.layout.specs is not None
        assert each.layout.specs.texts == ("clusters/*.yaml",)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("config", "place", "message", "hint"),
    [
        ("spec: []\n", "1:1", "unknown setting spec", "did you mean specs?"),
        (
            "# x\nfail_on: info\n",
            "2:1",
            "unknown setting fail_on",
            "did you mean fail-on?",
        ),
        (
            "overrides:\n- files: [a]\n  igore: []\n",
            "3:3",
            "unknown setting igore",
            "did you mean ignore?",
        ),
        ("specs: a.yaml\n", "1:8", "specs must be a list", SCHEMA),
        ("specs:\n", "1:1", "specs must be a list", SCHEMA),
        ("specs: [a, 5]\n", "1:12", "specs must be text: put it in quotes", SCHEMA),
        ("commands: 5\n", "1:11", "commands must be a list", SCHEMA),
        (
            "commands: {a: 5}\n",
            "1:15",
            "commands.a must be a list",
            SCHEMA,
        ),
        (
            "fail-on: fatal\n",
            "1:10",
            "fail-on must be one of 'error', 'warning', 'info' or 'never'",
            SCHEMA,
        ),
        (
            "severity:\n  KL303: bad\n",
            "2:10",
            "severity.KL303 must be one of 'error', 'warning' or 'info'",
            SCHEMA,
        ),
        (
            "kops-version: 1.30\n",
            "1:15",
            "kops-version must be text: put it in quotes",
            SCHEMA,
        ),
        (
            "kops-version: new\n",
            "1:15",
            "kops-version must be a version such as '1.31'",
            SCHEMA,
        ),
        ("overrides: [{ignore: []}]\n", "1:13", "overrides.files is missing", SCHEMA),
        ("overrides: [{files: []}]\n", "1:14", "overrides.files is empty", SCHEMA),
        (
            "select: [KL999]\n",
            "1:10",
            "unknown rule KL999",
            None,
        ),
        (
            "ignore: [KL103,\n  oder]\n",
            "2:3",
            "unknown rule oder",
            "did you mean order?",
        ),
        (
            "severity: {KLx: info}\n",
            "1:12",
            "unknown rule KLx",
            "see 'kopslint rules'",
        ),
        (
            "overrides: [{files: [a], ignore: [xyz]}]\n",
            "1:35",
            "unknown rule xyz",
            "see 'kopslint rules'",
        ),
        (
            "specs: ['a/*', '/b']\n",
            "1:16",
            "'/b' is not a path below the configuration's folder",
            "correct it",
        ),
        ("specs: ['[z-a]']\n", "1:9", None, "correct it"),
        ("- a\n", "1:1", "a configuration is a mapping of settings", None),
        ("a: 1\n---\nb: 2\n", "2:1", "a configuration has only one document", None),
        ("specs: []\nspecs: []\n", "1:1", "specs is set twice", "remove one"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_what_to_do(
    config: str, place: str, message: str | None, hint: str | None
) -> None:
    where, said, advice = refused(config)

    assert where == f".kopslint.yaml:{place}"
    assert message in (None, said)
    assert hint in (None, advice)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("config", "place", "message"),
    [
        ("[tool.kopslint]\nspec = []\n", "2:1", "unknown setting spec"),
        (
            "fail-on = 1\n[tool.kopslint]\nselect = ['KL999']\n",
            "3:1",
            "unknown rule KL999",
        ),
        (
            "[tool.kopslint.severity]\nKL303 = 'bad'\n",
            "2:1",
            "severity.KL303 must be one of 'error', 'warning' or 'info'",
        ),
        ("[tool]\nkopslint = 3\n", "1:1", "tool.kopslint is not a table"),
        ("[tool.kopslint]\nspecs = [\n", None, None),
        ("x = = 1\n[tool.kopslint]\n", "1:5", "not valid TOML: Invalid value"),
    ],
)
def test_a_mistake_in_toml_is_said_with_its_line(
    config: str, place: str | None, message: str | None
) -> None:
    where, said, _ = refused(config, "pyproject.toml")

    assert where == f"pyproject.toml:{place}" or place is None
    assert message in (None, said)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", EVERY),
        ("select: [all]", EVERY),
        ("select: [KL301]", {"KL301"}),
        ("select: [kl301]", {"KL301"}),
        ("select: [even-member-count]", {"KL103"}),
        ("select: [order]", ORDER),
        ("select: [KL3, KL103]", {r for r in EVERY if r[:3] == "KL3"} | {"KL103"}),
        ("ignore: [order, KL103]", EVERY - ORDER - {"KL103"}),
        ("select: [order]\nignore: [KL301]", ORDER - {"KL301"}),
    ],
)
def test_rules_are_selected_by_id_name_prefix_and_category(
    config: str, expected: set[str]
) -> None:
    assert rules_of(config) == expected | ALWAYS


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("config", "environment", "select", "ignore", "expected"),
    [
        ("ignore: [KL301]", {}, ("KL301",), (), {"KL301"}),
        ("ignore: [KL301]", {}, (), ("KL302",), EVERY - {"KL301", "KL302"}),
        ("select: [KL301]", {"SELECT": "KL302, KL303"}, (), (), {"KL302", "KL303"}),
        (
            "select: [KL301]",
            {"SELECT": "KL302"},
            ("KL303,KL304",),
            ("KL304",),
            {"KL303"},
        ),
        ("select: [KL301, KL302]", {"IGNORE": "KL301"}, (), (), {"KL302"}),
        ("", {"IGNORE": "KL301"}, ("KL301",), (), {"KL301"}),
        ("", {"SELECT": ""}, (), (), EVERY),
    ],
)
def test_the_command_line_beats_the_environment_and_that_beats_the_file(
    config: str,
    environment: dict[str, str],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    expected: set[str],
) -> None:
    variables = {f"KOPSLINT_{name}": value for name, value in environment.items()}

    assert rules_of(config, variables, select, ignore) == expected | ALWAYS


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("KL301", "KL301 cannot be ignored"), ("all", None)],
)
@pytest.mark.usefixtures("folder")
def test_a_rule_that_must_not_be_ignored_stays(
    monkeypatch: pytest.MonkeyPatch, option: str, sentence: str | None
) -> None:
    """Naming it is a mistake, and naming many leaves it alone."""
    always, other = (find_rule(load_rules(), name) for name in ("KL301", "KL302"))
    rules = (always._replace(ignorable=False), other._replace(ignorable=True))
    monkeypatch.setattr("kopslint.rulebook.loader.load_rules", lambda: rules)
    override = f"overrides: [{{files: ['**'], ignore: [{option}]}}]\n"

    for config, ignore in (
        ("", (option,)),
        (f"ignore: [{option}]", ()),
        (override, ()),
    ):
        if sentence is None:
            kept = rules_of(config, ignore=ignore)
            assert kept == ({"KL301", "KL302"} if config == override else {"KL301"})
            overrides = settings_for(
                find_configuration(Path()), {}, CheckOptions()
            ).overrides
            assert [each.ignored for each in overrides] == [{"KL302"}] * len(overrides)
        else:
            with pytest.raises(KopslintError, match=sentence):
                rules_of(config, ignore=ignore)


@pytest.mark.usefixtures("folder")
def test_a_check_without_any_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = (find_rule(load_rules(), "KL301")._replace(ignorable=True),)
    monkeypatch.setattr("kopslint.rulebook.loader.load_rules", lambda: rules)

    with pytest.raises(KopslintError, match="no rule is selected"):
        rules_of("", ignore=("KL301",))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("option", "variable", "config", "expected"),
    [
        (None, None, "", FailOn.ERROR),
        (None, None, "fail-on: info", FailOn.INFO),
        (None, "never", "fail-on: info", FailOn.NEVER),
        (FailOn.WARNING, "never", "fail-on: info", FailOn.WARNING),
    ],
)
def test_what_fails_a_run_is_decided_by_the_nearest(
    option: FailOn | None, variable: str | None, config: str, expected: FailOn
) -> None:
    write(Path(".kopslint.yaml"), config)
    variables = {"KOPSLINT_FAIL_ON": variable} if variable else {}

    assert fail_on_for(option, find_configuration(Path()), variables) is expected


def test_severities_are_the_configuration_s_and_narrower_ones_win(
    folder: Path,
) -> None:
    config = "severity: {KL103: info, all: warning, spec: error}\n"
    write(folder / ".kopslint.yaml", config)
    settings = settings_for(find_configuration(Path()), {}, CheckOptions())

    report = check(Request(None, (Source("a.yaml", SPEC),)), settings)

    assert settings.severities["KL301"] is Severity.WARNING
    assert settings.severities["KL101"] is Severity.ERROR
    assert {f.rule: f.severity for f in report.findings}["KL103"] is Severity.INFO


@pytest.mark.parametrize(
    ("overrides", "path", "expected"),
    [
        ("- {files: ['dev/'], ignore: [KL103]}", "dev/a.yaml", None),
        ("- {files: ['dev/'], ignore: [KL103]}", "prod/a.yaml", Severity.ERROR),
        ("- {files: ['dev/'], severity: {spec: info}}", "dev/a.yaml", Severity.INFO),
        (
            "- {files: ['**'], ignore: [all]}\n- {files: [p*/], severity: {all: info}}",
            "prod/a.yaml",
            Severity.INFO,
        ),
        (
            "- {files: [dev/, '!dev/keep.yaml'], ignore: [KL103]}",
            "dev/keep.yaml",
            Severity.ERROR,
        ),
    ],
)
def test_an_override_is_for_some_files(
    folder: Path, overrides: str, path: str, expected: Severity | None
) -> None:
    write(folder / ".kopslint.yaml", f"overrides:\n{overrides}\n")
    settings = settings_for(find_configuration(Path()), {}, CheckOptions())

    report = check(Request(None, (Source(path, SPEC),)), settings)

    found = {finding.rule: finding.severity for finding in report.findings}
    assert found.get("KL103") is expected


def test_an_override_fits_a_file_from_whatever_folder_it_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        folder / ".kopslint.yaml", "overrides: [{files: [a/x.yaml], ignore: [all]}]\n"
    )
    write(folder / "a" / "x.yaml", SPEC)
    (folder / "b").mkdir()
    monkeypatch.chdir(folder / "b")

    assert run(["check", "../a/x.yaml"]) == 0
    assert run(["check", str(folder / "a" / "x.yaml")]) == 0


def test_a_named_configuration_counts_from_the_current_folder(folder: Path) -> None:
    """And instead of one that would be found."""
    write(folder / ".kopslint.yaml", "ignore: [all]\n")
    write(folder / "ci" / "strict.yaml", "specs: [a.yaml]\n")

    by_option = configuration_for([], {}, config=Path("ci/strict.yaml"))
    by_variable = configuration_for([], {"KOPSLINT_CONFIG": "ci/strict.yaml"})

    for found in (by_option, by_variable):
        assert (found.path, found.layout.folder) == ("ci/strict.yaml", str(folder))
    assert configuration_for([], {}, no_config=True).ignore == ()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "variables", "complaint"),
    [
        ("--config no.yaml", {}, "the configuration no.yaml cannot be read"),
        ("--config x.toml", {}, "x.toml has no table tool.kopslint"),
        ("--config x.toml --no-config", {}, "cannot be used together"),
        ("--select KL999", {}, "--select: unknown rule KL999"),
        ("--ignore odrer", {}, "did you mean order?"),
        ("", {"KOPSLINT_IGNORE": "x"}, "KOPSLINT_IGNORE: unknown rule x"),
        ("", {"KOPSLINT_FAIL_ON": "x"}, "KOPSLINT_FAIL_ON is x"),
        ("", {"KOPSLINT_CONFIG": "no"}, "the configuration no cannot be read"),
    ],
)
def test_a_wrong_option_or_variable_gives_status_two_and_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    variables: dict[str, str],
    complaint: str,
) -> None:
    write(Path("a.yaml"), SPEC)
    write(Path("x.toml"), "a = 1\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert run(["check", "a.yaml", *arguments.split()]) == 2
    assert complaint in capsys.readouterr().err


def test_without_an_input_the_configured_specs_are_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        folder / ".kopslint.yaml", "specs: ['clusters/{cluster}.yaml', '!**/t.yaml']\n"
    )
    write(folder / "clusters" / "a.yaml", SPEC)
    write(folder / "clusters" / "t.yaml", "{{ not: rendered\n")
    write(folder / "other.yaml", SPEC)

    assert run(["check", "--format", "json"]) == 1

    report = json.loads(capsys.readouterr().out)
    assert report["summary"]["specs"] == 1
    assert {
        place["path"] for each in report["findings"] for place in each["locations"]
    } == {"clusters/a.yaml"}


def test_configured_specs_that_are_not_there_are_no_pass(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / ".kopslint.yaml", "specs: [clusters/]\n")

    assert run(["check"]) == 2
    assert "no file matches the patterns in specs" in capsys.readouterr().err


def test_a_folder_of_rules_that_is_missing_is_said_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".kopslint.yaml").write_text("rule-paths:\n  - nosuch\n", "utf-8")

    assert run(["check", "after.yaml"]) == 2
    assert capsys.readouterr().err == (
        "kopslint: .kopslint.yaml:2:5: there is no rules folder nosuch\n"
        f"  hint: kopslint looks for it in {Path.cwd()}\n"
    )


def test_init_writes_a_configuration_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init"]) == 0
    first = (folder / ".kopslint.yaml").read_text(encoding="utf-8")
    assert run(["init"]) == 2

    assert ".kopslint.yaml already exists here" in capsys.readouterr().err
    assert (folder / ".kopslint.yaml").read_text(encoding="utf-8") == first
    assert rules_of(first) == EVERY


def test_everything_that_init_suggests_can_be_set(folder: Path) -> None:
    """Whoever removes every '#' before a setting gets a configuration that works."""
    run(["init"])
    text = (folder / ".kopslint.yaml").read_text(encoding="utf-8")
    # A line of prose has one blank behind the '#', and a setting none or several.
    settings = re.findall(r"^#(?! \S)(.*)", text, flags=re.MULTILINE)
    suggested = "\n".join(settings)

    # The folder of own rules is invented and would have to be there.
    there = re.sub(r"^rule-paths:.*$", "", suggested, flags=re.MULTILINE)
    assert rules_of(there) == EVERY - {"KL107"}
    root = read_yaml(Source("x", suggested))[0].root
    assert isinstance(root, YamlMapping)
    assert {*root.keys()} == {f.alias for f in ConfigModel.model_fields.values()}


def test_the_published_schema_is_the_one_that_is_used(
    capsys: pytest.CaptureFixture[str],
) -> None:
    published = Path(kopslint.config.__file__).with_name("config.schema.json")

    assert run(["schema", "config"]) == 0
    assert published.read_text(encoding="utf-8") == capsys.readouterr().out


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("config", "valid"),
    [
        (YAML, True),
        ("commands: a.sh", True),
        ("commands: {a: [b.sh], c: d.sh}", True),
        ("kops-version: '1.31.2'", True),
        ("spec: []", False),
        ("specs: a", False),
        ("fail-on: fatal", False),
        ("kops-version: 1.31", False),
        ("overrides: [{ignore: [KL301]}]", False),
    ],
)
def test_the_schema_accepts_what_kopslint_accepts(config: str, valid: bool) -> None:
    import jsonschema

    published = Path(kopslint.config.__file__).with_name("config.schema.json")
    schema = json.loads(published.read_text(encoding="utf-8"))
    root = read_yaml(Source("x", config))[0].root
    assert root is not None

    assert jsonschema.Draft202012Validator(schema).is_valid(root.plain) is valid
    write(Path(".kopslint.yaml"), config)
    if valid:
        assert find_configuration(Path()).path == ".kopslint.yaml"
    else:
        with pytest.raises(InputError):
            find_configuration(Path())


def test_doctor_shows_what_would_be_checked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = "specs: ['*.yaml']\ncommands: [run.sh]\nignore: [KL103]\nfail-on: info\n"
    write(folder / ".kopslint.yaml", config)
    write(folder / "a.yaml", SPEC)
    monkeypatch.setenv("KOPSLINT_FAIL_ON", "never")

    assert run(["doctor"]) == 0

    out = capsys.readouterr().out
    told = {line[:15].strip(): line[15:] for line in out.splitlines() if line[0] != " "}
    assert told["configuration"] == ".kopslint.yaml"
    assert told["rulebook"].endswith(f"{len(EVERY)} rules")
    assert told["libyaml"].startswith(("yes", "no"))
    assert told["specs"] == "1 file"
    assert told["commands"] == "no file matches the patterns"
    assert f"{'':15}{len(EVERY) - 1} rules selected\n" in out
    assert f"{'':15}fails on never\n" in out
    assert f"{'':17}a.yaml\n" in out


def test_doctor_survives_what_it_is_there_to_find(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / ".kopslint.yaml", "spec: []\n")

    assert run(["doctor"]) == 2
    assert (
        "configuration  ERROR: .kopslint.yaml:1:1: unknown setting spec"
        " (did you mean specs?)\n" in capsys.readouterr().out
    )


def test_doctor_names_a_few_files_and_counts_the_rest(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / ".kopslint.yaml", "specs: [missing/]\ncommands: ['*.sh']\n")
    for number in range(30):
        write(folder / f"{number:02}.sh", "kops get ig\n")

    assert run(["doctor"]) == 0

    out = capsys.readouterr().out
    named = re.findall(r"^ +\d\d\.sh$", out, re.MULTILINE)
    assert "specs          no file matches the patterns\n" in out
    assert "commands       30 files\n" in out
    assert f"  and {30 - len(named)} more\n" in out
    assert 0 < len(named) < 30


def test_statistics_count_findings_by_rule(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / "a.yaml", SPEC)
    write(folder / "b.yaml", SPEC.replace("demo", "other"))

    arguments = ["--select=KL103", "--statistics", "--format=json"]
    assert run(["check", "a.yaml", "b.yaml", *arguments]) == 1

    out, err = capsys.readouterr()
    assert err == "    2  KL103  error    even-member-count\n"
    assert len(json.loads(out)["findings"]) == 2


def test_verbose_says_which_configuration_counts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder / ".kopslint.yaml", "ignore: [KL103]\n")
    write(folder / "a.yaml", SPEC)

    assert run(["check", "a.yaml", "--verbose"]) == 0
    assert capsys.readouterr().err == "kopslint: configuration: .kopslint.yaml\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands_and_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str
) -> None:
    monkeypatch.setenv("_KOPSLINT_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "kopslint doc")
    monkeypatch.setenv("COMP_WORDS", "kopslint doc")
    monkeypatch.setenv("COMP_CWORD", "1")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setattr(sys, "argv", ["kopslint"])

    run([])

    assert "doctor" in capsys.readouterr().out
