"""kops's command line is read as kops reads it, for every command and every flag."""

from __future__ import annotations

import re

import pytest

from kopslint.commands.nodes import seconds
from kopslint.kops.command_line import Call, parse
from kopslint.kops.command_table import Flag, Verb, table
from kopslint.kops.duration import go_seconds
from kopslint.shell.ast import Unknown, Word
from kopslint.text import Source

VERBS = table().verbs
RUNNING = [path for path, verb in VERBS.items() if verb.runs]


def words(line: str) -> tuple[Word, ...]:
    """Split at blanks; ``$NAME`` is unknown, and ``"$NAME"`` is, too, but quoted."""
    source = Source("line.sh", line)

    def word(match: re.Match[str]) -> Word:
        bare = match[0].strip('"')
        parts = [part for part in re.split(r"(\$[\w@*]+)", bare) if part]
        pieces = (Unknown(p, "unset") if p.startswith("$") else p for p in parts)
        span = source.span(1, match.start() + 1, 1, match.end() + 1)
        return Word(tuple(pieces), match[0], span)

    return tuple(word(match) for match in re.finditer(r"\S+", line))


def read(line: str, default_cluster: str | None = None) -> Call:
    default = words(default_cluster)[0] if default_cluster is not None else None
    return parse(words(line), default)


def texts(found: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(word.shown for word in found)


def sample(flag: Flag) -> str:
    """A value that the flag takes and that is not what it means by itself."""
    kinds = {"bool": "false", "int": "7", "int32": "7", "Level": "7"}
    return kinds.get(flag.type) or {"duration": "7m", "target": "terraform"}.get(
        flag.type, "value"
    )


def complete(verb: Verb, without: str) -> str:
    """The least that kops accepts for a command, without one of its flags."""
    required = [f"--{name}=given" for name in verb.required if name != without]
    return " ".join(["kops", verb.path, *["object"] * verb.least, *required])


@pytest.mark.parametrize("path", RUNNING)
def test_every_flag_is_read_in_each_of_its_spellings(path: str) -> None:
    verb = VERBS[path]
    for name, flag in verb.flags.items():
        value = sample(flag)
        spelled = [(f"--{name}={value}", value)]
        if flag.bare is None:
            spelled.append((f"--{name} {value}", value))
        else:
            spelled.append((f"--{name}", flag.bare))
        if flag.short is not None and flag.bare is None:
            spelled += [
                (f"-{flag.short}{joint}{value}", value) for joint in ("", " ", "=")
            ]
        elif flag.short is not None:
            spelled.append((f"-{flag.short}", flag.bare or ""))
        for text, expected in spelled:
            call = read(f"{complete(verb, flag.name)} {text}")
            assert (call.path, call.faults) == (path, ()), text
            assert texts(call.all(flag.name)) == (expected,), text


def test_every_other_name_of_a_flag_leads_to_one_of_the_same_kind() -> None:
    for verb in VERBS.values():
        for name, flag in verb.flags.items():
            meant = verb.flags[flag.name]
            assert (meant.name, meant.type) == (flag.name, flag.type), (verb.path, name)


@pytest.mark.parametrize("path", RUNNING)
def test_global_flags_may_stand_before_the_command(path: str) -> None:
    line = complete(VERBS[path], "").removeprefix("kops ")
    call = read(f"kops --state=s3://b -v 10 --logtostderr {line}")
    assert (call.path, call.faults) == (path, ())
    assert texts(call.all("state") + call.all("v")) == ("s3://b", "10")


@pytest.mark.parametrize(
    ("said", "path"),
    [
        (f"{verb.path} {name}".strip(), path)
        for verb in VERBS.values()
        for name, path in verb.children.items()
    ],
)
def test_every_name_and_alias_of_a_command_leads_to_it(said: str, path: str) -> None:
    assert read(f"kops {said} --help").path == path


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("delete ig", "delete instancegroup"),
        ("edit instancegroups", "edit instancegroup"),
        ("create instancegroup", "create instancegroup"),
        ("get ig", "get instancegroups"),
        ("get cluster", "get clusters"),
        ("get secret", "get secrets"),
        ("get ssh", "get sshpublickeys"),
        ("export kubecfg", "export kubeconfig"),
    ],
)
def test_the_aliases_people_use_exist(said: str, path: str) -> None:
    assert read(f"kops {said} --help").path == path


@pytest.mark.parametrize(
    ("flag", "canonical"),
    [
        ("--ig=a", "instance-group"),
        ("--instance-groups=a", "instance-group"),
        ("--role=a", "instance-group-roles"),
        ("--roles=a", "instance-group-roles"),
        ("--instance-group-role=a", "instance-group-roles"),
        ("--master-interval=1s", "control-plane-interval"),
    ],
)
def test_rolling_update_knows_the_other_names_of_its_flags(
    flag: str, canonical: str
) -> None:
    call = read(f"kops rolling-update cluster {flag}")
    assert (list(call.values), call.faults) == ([canonical], ())


@pytest.mark.parametrize("name", ["size", "zones", "count", "image", "tenancy"])
def test_create_cluster_takes_the_deprecated_master_flags(name: str) -> None:
    call = read(f"kops create cluster --master-{name}=3")
    assert (list(call.values), call.faults) == ([f"control-plane-{name}"], ())


def test_the_last_value_wins_and_lists_grow() -> None:
    call = read(
        "kops update cluster --out=a --instance-group=a,b --out=c --instance-group c"
    )
    assert call.value("out") == call.all("out")[1]
    assert texts(call.all("out")) == ("a", "c")
    assert texts(call.all("instance-group")) == ("a", "b", "c")


def test_items_of_a_list_have_their_own_places() -> None:
    call = read("kops update cluster --instance-group=one,$TWO,three")
    assert [
        (w.raw, str(w.span), w.span.end_column) for w in call.all("instance-group")
    ] == [
        ("one", "line.sh:1:38", 41),
        ("$TWO", "line.sh:1:42", 46),
        ("three", "line.sh:1:47", 52),
    ]


def test_a_value_in_a_quoted_word_has_its_own_place() -> None:
    call = read('kops edit cluster "--set=spec.version=$V"')
    (value,) = call.all("set")
    assert (value.raw, value.span.column, value.span.end_column) == (
        "spec.version=$V",
        26,
        41,
    )


def test_letters_of_short_flags_may_be_joined() -> None:
    call = read("kops rolling-update cluster -iyv10")
    assert call.is_on("interactive")
    assert call.is_on("yes")
    assert texts(call.all("v")) == ("10",)


@pytest.mark.parametrize(
    ("given", "on"),
    [
        ("", False),
        ("--yes", True),
        ("-y", True),
        ("--yes=true", True),
        ("-y=1", True),
        ("--yes=false", False),
        ("--yes=F", False),
        ("--yes --yes=0", False),
        ("--yes=$YES", False),
    ],
)
def test_a_boolean_flag_is_on_as_given(given: str, on: bool) -> None:
    assert read(f"kops update cluster {given}").is_on("yes") is on


def test_boolean_flags_have_the_defaults_of_kops() -> None:
    roll = read("kops rolling-update cluster --fail-on-drain-error=false")
    assert roll.is_on("fail-on-validate-error")
    assert not roll.is_on("fail-on-drain-error")
    assert not roll.is_on("force")


def test_two_hyphens_end_the_flags() -> None:
    call = read("kops delete ig --yes -- --odd-name")
    assert (texts(call.positionals), call.faults) == (("--odd-name",), ())


def test_flags_with_values_may_stand_inside_the_command() -> None:
    call = read("kops update --target terraform cluster --name c")
    assert (call.path, call.faults) == ("update cluster", ())
    assert texts(call.all("target")) == ("terraform",)


def test_a_comma_list_of_groups_is_one_odd_name() -> None:
    call = read("kops delete ig nodes-a,nodes-b")
    assert (texts(call.positionals), call.faults) == (("nodes-a,nodes-b",), ())


@pytest.mark.parametrize("flag", ["--help", "-h", "--yes -h"])
def test_help_is_help_wherever_it_stands(flag: str) -> None:
    call = read(f"kops delete ig {flag}")
    assert (call.help, call.faults) == (True, ())


FAULTS = [
    # line, kind, the text it points at, whether kops refuses, suggestion
    ("update cluster --yess", "unknown-flag", "--yess", True, "--yes"),
    ("update cluster --instance-grup a --yes", "unknown-flag", "--instance-grup",
     True, "--instance-group"),
    ("update cluster --yess=true", "unknown-flag", "--yess", True, "--yes"),
    ("update cluster --qqq", "unknown-flag", "--qqq", True, None),
    ("update cluster -q", "unknown-flag", "-q", True, None),
    ("--yes update cluster", "unknown-flag", "--yes", True, None),
    ("update -y cluster", "unknown-flag", "-y", True, None),
    ("update cluster \N{EN DASH}yes", "unknown-flag", "\N{EN DASH}yes", True, "--yes"),
    ("updte cluster", "unknown-command", "updte", True, "kops update"),
    ("rollingupdate cluster --yes", "unknown-command", "rollingupdate", True,
     "kops rolling-update"),
    ("apply -f x", "unknown-command", "apply", True, "kops update cluster --yes"),
    ("rm ig x", "unknown-command", "rm", True, "kops delete"),
    ("delete clusters x", "unknown-command", "clusters", True, "kops delete cluster"),
    # kops prints the help of `update` and succeeds, unless a flag is wrong, too.
    ("update clustr", "unknown-command", "clustr", False, "kops update cluster"),
    ("update clustr -y", "unknown-command", "clustr", True, "kops update cluster"),
    ("rolling-update", "missing-argument", "rolling-update", False,
     "kops rolling-update cluster"),
    ("rolling-update --yes", "missing-argument", "rolling-update", True,
     "kops rolling-update cluster"),
    ("set cluster c spec.a=b", "removed-command", "set cluster", False,
     "kops edit cluster --set"),
    ("unset ig g spec.a", "removed-command", "unset ig", False,
     "kops edit instancegroup --unset"),
    ("toolbox convert-imported", "removed-command", "convert-imported", False, None),
    ("import cluster --region r", "removed-command", "import cluster", False, None),
    ("update cluster --yes=maybe", "bad-value", "maybe", True, None),
    ("validate cluster --wait 10", "bad-value", "10", True, None),
    ("validate cluster --count=two", "bad-value", "two", True, None),
    ("update cluster --target=foo", "bad-value", "foo", True, None),
    ("update cluster --name --yes", "bad-value", "--name --yes", True, None),
    ("update cluster --yes true", "bool-needs-equals", "true", True, "--yes=true"),
    ("update cluster c --prune false", "bool-needs-equals", "false", True,
     "--prune=false"),
    ("update cluster --name", "missing-argument", "--name", True, None),
    ("delete ig --yes", "missing-argument", "ig", True, None),
    ("edit ig", "missing-argument", "ig", True, None),
    ("replace --force", "missing-argument", "replace", True, None),
    ("create", "missing-argument", "create", True, None),
    ("delete ig a b", "extra-argument", "b", True, None),
    ("delete instance a b", "extra-argument", "b", True, None),
    ("update cluster a b", "extra-argument", "b", True, None),
    ("replace cluster -f x", "extra-argument", "cluster", True, None),
    ("update cluster a --name b", "name-twice", "a", True, None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "kind", "pointed", "refused", "suggestion"), FAULTS)
def test_a_fault_is_named_placed_and_mended(
    line: str, kind: str, pointed: str, refused: bool, suggestion: str | None
) -> None:
    (fault,) = read(f"kops {line}").faults
    start, end = fault.span.column - 1, fault.span.end_column - 1
    assert (fault.kind, fault.harmless, fault.hint or None) == (
        kind,
        not refused,
        suggestion,
    )
    assert f"kops {line}"[start:end] == pointed


def test_the_value_of_a_misspelt_flag_is_no_argument() -> None:
    call = read("kops update cluster --instance-grup a --yes")
    assert call.positionals == ()
    assert call.is_on("yes")


@pytest.mark.parametrize(
    "line",
    [
        "update cluster $NAME $FLAGS --yes",
        "update cluster $FLAGS --name c --yes",
        "delete ig $GROUP $MORE --yes",
        "delete ig $@ --yes",
        "replace $KOPS_ARGS",
        "$KOPS_DEFAULTS replace -f $FILE",
        "update cluster $NAME --name c",
        "validate cluster --wait $WAIT",
        "update cluster --instance-group=$GROUPS ...",
    ],
)
def test_nobody_is_blamed_for_what_is_known_only_at_run_time(line: str) -> None:
    assert read(f"kops {line}").faults == ()


def test_a_quoted_variable_is_an_argument_for_sure() -> None:
    call = read('kops update cluster "$NAME" --name c')
    assert [fault.kind for fault in call.faults] == ["name-twice"]


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("update cluster --yes=$YES", "$YES"),
        ("update cluster c $FLAGS", "$FLAGS"),
        ("update cluster $NAME $MORE", "$MORE"),
        ("update cluster --target=$TARGET --yes", "$TARGET"),
        ("$ACTION cluster --yes", "$ACTION"),
        ("update $WHAT --yes", "$WHAT"),
        # What is known decides.
        ("update cluster $NAME --yes", None),
        ("update cluster c $FLAGS --yes", None),
        ("update cluster $NAME", None),
        ("update cluster --name=$NAME --state=$STATE", None),
        ("update cluster --target terraform ...", None),
        ("replace -f $FILE", None),
    ],
)
def test_an_unknown_that_decides_what_happens_is_told(
    line: str, unknown: str | None
) -> None:
    found = read(f"kops {line}").undecided
    assert (found.name if found is not None else None) == unknown


@pytest.mark.parametrize(
    ("line", "variable", "cluster"),
    [
        ("update cluster a", None, "a"),
        ("update cluster --name a", None, "a"),
        ("update cluster", None, None),
        ("update cluster", "env", "env"),
        ("update cluster --name a", "env", "a"),
        ("export kubecfg a", None, "a"),
        ("get a", None, "a"),
        # The argument of these is the group or the instance.
        ("delete ig g", None, None),
        ("delete ig g --name a", None, "a"),
        ("edit ig g", "env", "env"),
        ("delete instance i", "env", "env"),
        # The cluster is named in the files.
        ("replace -f x --name a", None, None),
        ("create -f x", "env", None),
        ("delete -f x --yes", "env", None),
    ],
)
def test_the_cluster_is_named_as_each_family_of_commands_does(
    line: str, variable: str | None, cluster: str | None
) -> None:
    call = read(f"kops {line}", variable)
    assert (call.cluster.shown if call.cluster else None) == cluster
    assert call.faults == ()


def test_the_environment_names_the_cluster_as_the_flag_does() -> None:
    (fault,) = read("kops validate cluster a", "b").faults
    assert fault.kind == "name-twice"
    assert "KOPS_CLUSTER_NAME" in fault.message


@pytest.mark.parametrize(
    ("text", "go", "any_notation"),
    [
        ("10m", 600.0, 600.0),
        ("1h30m", 5400.0, 5400.0),
        ("15s", 15.0, 15.0),
        ("500ms", 0.5, 0.5),
        ("1.5h", 5400.0, 5400.0),
        ("-1s", -1.0, -1.0),
        ("0", 0.0, 0.0),
        ("30", None, 30.0),
        ("2d", None, 172800.0),
        (".5", None, 0.5),
        ("10 m", None, None),
        ("m10", None, None),
        ("", None, None),
    ],
)
def test_durations_are_those_of_go_and_of_sleep(
    text: str, go: float | None, any_notation: float | None
) -> None:
    assert go_seconds(text) == (pytest.approx(go) if go is not None else None)
    assert seconds(text) == (
        pytest.approx(any_notation) if any_notation is not None else None
    )
