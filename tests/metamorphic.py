"""Cases written in other words: the same change, the same commands, the same verdict.

A transformation takes a case and gives it back in another notation, or None where it
does not apply. What kops, bash and etcd make of both is the same.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import yaml

API = "kops.k8s.io/v1alpha2"


class _Loader(yaml.CSafeLoader):
    """YAML as kops reads it, but for times: they stay the texts that they are."""


_LOADER_RESOLVERS = {
    first: [(tag, form) for tag, form in found if not tag.endswith("timestamp")]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.yaml_implicit_resolvers = _LOADER_RESOLVERS


@dataclass(frozen=True)
class Case:
    """A change and its commands; ``before`` and ``after`` are files by name."""

    name: str
    before: tuple[tuple[str, str], ...] | None
    after: tuple[tuple[str, str], ...]
    commands: tuple[str, str] | None
    at_hand: tuple[tuple[str, str], ...] = ()


Transformation = Callable[[Case], Case | None]


def documents(text: str) -> list[dict[str, Any]] | None:
    """The kops objects of a file; None if there is anything else in it."""
    try:
        found = [d for d in yaml.load_all(text, _Loader) if d is not None]
    except (yaml.YAMLError, ValueError):
        return None
    plain = all(
        isinstance(d, dict)
        and str(d.get("apiVersion", "")) == API
        and isinstance(d.get("spec"), dict)
        and isinstance((d.get("metadata") or {}).get("name"), str)
        for d in found
    )
    twice = re.search(r"(?m)^---[^\n]+$|&|<<:|!!|\$\{|\{\{", text)
    return found if found and plain and not twice and _is_whole(text, found) else None


def _is_whole(text: str, found: list[dict[str, Any]]) -> bool:
    """Whether nothing of the text is lost by reading it: no key stands twice."""
    return sum(map(_keys, found)) == sum(
        isinstance(token, yaml.KeyToken) for token in yaml.scan(text, yaml.CLoader)
    )


def _keys(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if isinstance(value, list) else 0


def _dumped(found: list[dict[str, Any]], **options: Any) -> str:
    options.setdefault("sort_keys", False)
    options.setdefault("width", 10_000)
    text: str = yaml.dump_all(found, Dumper=_Dumper, explicit_start=True, **options)
    return text


class _Dumper(yaml.SafeDumper):
    """Writes no aliases of its own."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def specs(change: Callable[[list[dict[str, Any]]], str | None]) -> Transformation:
    """A transformation of every file with specs, from its objects to another text."""

    def transform(case: Case) -> Case | None:
        def side(
            files: tuple[tuple[str, str], ...] | None,
        ) -> tuple[tuple[str, str], ...] | None:
            if files is None:
                return None
            new = []
            for name, text in files:
                found = documents(text)
                changed = None if found is None else change(found)
                if changed is None:
                    raise LookupError(name)
                new.append((name, changed))
            return tuple(new)

        try:
            before, after = side(case.before), side(case.after)
            at_hand = tuple(
                (name, changed)
                for name, text in case.at_hand
                for changed in [_other(name, text, change)]
            )
        except LookupError:
            return None
        assert after is not None
        return replace(case, before=before, after=after, at_hand=at_hand)

    return transform


def _other(
    name: str, text: str, change: Callable[[list[dict[str, Any]]], str | None]
) -> str:
    """A file at hand in the new notation, if it holds specs and nothing else."""
    if not name.endswith((".yaml", ".yml")):
        return text
    found = documents(text)
    return (change(found) if found else None) or text


def commands(change: Callable[[str], str | None]) -> Transformation:
    """A transformation of a shell script."""

    def transform(case: Case) -> Case | None:
        if case.commands is None or not case.commands[0].endswith(".sh"):
            return None
        text = case.commands[1]
        if "kopslint:" in text or not text.isascii():
            return None
        new = change(text)
        return None if new is None else replace(case, commands=("commands.sh", new))

    return transform


# --- notations of specs -------------------------------------------------------------


def _reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _reversed_keys(v) for k, v in reversed(value.items())}
    return [_reversed_keys(v) for v in value] if isinstance(value, list) else value


def json_spec(case: Case) -> Case | None:
    """The same objects in JSON, where no program of the list works on the text."""
    if case.commands is not None and re.search(r"\bsed\s+-i", case.commands[1]):
        return None  # Its pattern is one for YAML: JSON quotes every key.
    return specs(_as_json)(case)


def _as_json(found: list[dict[str, Any]]) -> str:
    return "\n---\n".join(json.dumps(d, indent=2) for d in found) + "\n"


def _as_list(found: list[dict[str, Any]]) -> str:
    whole = {"apiVersion": "v1", "kind": "List", "items": found}
    return yaml.dump(whole, Dumper=_Dumper, sort_keys=False, width=10_000)


def _commented(found: list[dict[str, Any]]) -> str | None:
    """A remark before every line; none before the first, which would be a document."""
    text = _dumped(found)
    if re.search(r"[|>][+-]?$|^ *[^ :#-][^:]*$", text.replace("---", ""), re.MULTILINE):
        return None
    return text.replace("\n", "\n# why\n\n").removesuffix("# why\n\n")


def _flow(found: list[dict[str, Any]]) -> str:
    """Braces and brackets; kops cuts a file where a line is nothing but ``---``."""
    return _dumped(found, default_flow_style=True).replace("--- {", "---\n{")


def _windows(found: list[dict[str, Any]]) -> str:
    return _dumped(found).replace("\n", "\r\n")


def split_files(case: Case) -> Case | None:
    """Every object in a file of its own."""
    if "KL217" in case.name:
        return None  # A cluster that has another name is known by its file.
    sides: list[tuple[tuple[str, str], ...] | None] = []
    if case.commands is not None and re.search(r"\.ya?ml", case.commands[1]):
        return None
    for side in (case.before, case.after):
        if side is None:
            sides.append(None)
            continue
        files = []
        for name, text in side:
            found = documents(text)
            if found is None:
                return None
            files += [
                (f"{name.removesuffix('.yaml')}-{i}.yaml", _dumped([d]))
                for i, d in enumerate(found)
            ]
        sides.append(tuple(files))
    assert sides[1] is not None
    return replace(case, before=sides[0], after=sides[1])


# --- names --------------------------------------------------------------------------


def _names(case: Case) -> tuple[list[str], list[str], list[str]] | None:
    """Cluster names, control-plane group names and member names of a case."""
    clusters: dict[str, None] = {}
    groups: dict[str, None] = {}
    members: dict[str, None] = {}
    for _, text in (*(case.before or ()), *case.after):
        for d in documents(text) or ():
            name = d["metadata"]["name"]
            if d["kind"] == "Cluster":
                clusters[name] = None
                for etcd in d["spec"].get("etcdClusters") or ():
                    for member in etcd.get("etcdMembers") or ():
                        if isinstance(member.get("name"), str):
                            members[member["name"]] = None
            elif d["kind"] == "InstanceGroup":
                groups[name] = None
    if any(documents(text) is None for _, text in (*(case.before or ()), *case.after)):
        return None
    return [*clusters], [*groups], [*members]


def renamed(new: Callable[[int], str], which: int) -> Transformation:
    """Clusters (0), groups (1) or members (2) under other names, everywhere."""

    def transform(case: Case) -> Case | None:
        found = _names(case)
        if found is None or not found[which] or ".k8s.local" in str(found[0]):
            return None  # The end of the name says that there is no DNS.
        others = {n for i, names in enumerate(found) if i != which for n in names}
        if which != 0 and others & set(found[which]):
            return None  # A word would not tell which of both it is.
        names = dict(zip(found[which], map(new, range(len(found[which]))), strict=True))
        texts = " ".join(t for _, t in (*(case.before or ()), *case.after))
        lists = case.commands[1] if case.commands else ""
        if which != 0 and "$" in lists:
            return None  # A name may be put together there.
        for name in names:
            # A name that is also a part of a word or of another name stays out of it.
            inside = (
                rf"[\w.-]{re.escape(name)}|{re.escape(name)}[\w-]|{re.escape(name)}\.\w"
            )
            if which != 0 and re.search(inside, texts + lists):
                return None
            if which != 0 and not re.fullmatch(r"(?=.*[0-9-])[a-z0-9-]{4,}", name):
                return None
        form = re.compile("|".join(sorted(map(re.escape, names), key=len)[::-1]))

        def put(text: str) -> str:
            return form.sub(lambda m: names[m[0]], text)

        return replace(
            case,
            before=None
            if case.before is None
            else tuple((n, put(t)) for n, t in case.before),
            after=tuple((n, put(t)) for n, t in case.after),
            commands=None
            if case.commands is None
            else (case.commands[0], put(case.commands[1])),
            at_hand=tuple((n, put(t)) for n, t in case.at_hand),
        )

    return transform


def _letter(index: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[index % 26] + "z" * (index // 26)


def second_cluster(case: Case) -> Case | None:
    """Another cluster beside this one, which nothing changes."""
    found = _names(case)
    if found is None or len(found[0]) != 1 or case.before is None:
        return None
    if re.search(r"KL403|KL408", case.name):
        return None  # What a wrong name means depends on which clusters there are.
    name = found[0][0]
    if case.commands is not None:
        if not case.commands[0].endswith(".sh") or "--name" in case.commands[1]:
            return None
        if re.search(r"NAME|context|kubectl|KUBECONFIG", case.commands[1]):
            return None
        if name in case.commands[1]:
            return None  # kops takes the name from one place only.
        first = f"export KOPS_CLUSTER_NAME={name}\n"
        case = replace(case, commands=("commands.sh", first + case.commands[1]))
    other = ("other.yaml", OTHER_CLUSTER)
    before = (*(case.before or ()), other)
    return replace(case, before=before, after=(*case.after, other))


OTHER_CLUSTER = """\
apiVersion: kops.k8s.io/v1alpha2
kind: Cluster
metadata: {name: quiet.example.net}
spec:
  api: {dns: {}}
  channel: stable
  cloudProvider: aws
  configBase: s3://example-state/quiet.example.net
  etcdClusters:
  - {name: main, cpuRequest: 200m, etcdMembers: [{instanceGroup: cp-q, name: q}]}
  - {name: events, cpuRequest: 100m, etcdMembers: [{instanceGroup: cp-q, name: q}]}
  iam: {allowContainerRegistry: true}
  kubernetesApiAccess: [10.0.0.0/8]
  kubernetesVersion: 1.31.4
  networkCIDR: 10.9.0.0/16
  networking: {cilium: {}}
  nonMasqueradeCIDR: 100.64.0.0/10
  subnets: [{cidr: 10.9.32.0/19, name: eu-west-1a, type: Public, zone: eu-west-1a}]
  topology: {dns: {type: Public}}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels: {kops.k8s.io/cluster: quiet.example.net}
  name: cp-q
spec: {machineType: m5.large, maxSize: 1, minSize: 1,
  role: Master, subnets: [eu-west-1a]}
---
apiVersion: kops.k8s.io/v1alpha2
kind: InstanceGroup
metadata:
  labels: {kops.k8s.io/cluster: quiet.example.net}
  name: nodes-q
spec: {machineType: m5.large, maxSize: 2, minSize: 2, role: Node, subnets: [eu-west-1a]}
"""


# --- notations of lists -------------------------------------------------------------

_HEREDOC = re.compile(r"<<")
_CALL = re.compile(r"^(\s*)(kops )(?=[a-z])", re.MULTILINE)
_LEAVES = re.compile(
    r"\b(exit|return|exec|break|continue|trap|set)\b|^\s*\.\s|source |&\s*$",
    re.MULTILINE,
)


def _plain(text: str) -> bool:
    """Whether every line is a command of its own."""
    return not _HEREDOC.search(text) and not re.search(
        r"\\$|^\s*(if|for|while|until|case|do|done|then|else|fi|esac|function)\b|[{}]\s*$|\(\)",
        text,
        re.MULTILINE,
    )


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def _in_function(text: str) -> str | None:
    if _HEREDOC.search(text) or re.search(r"\$[@*0-9#]|return|\bf0\b", text):
        return None
    return f"f0() {{\n{text.rstrip()}\n}}\nf0\n"


def _in_group(text: str) -> str:
    return f"{{\n{text.rstrip()}\n}}\n"


def _in_if(text: str) -> str:
    return f"if true; then\n{text.rstrip()}\nfi\n"


def _in_loop(text: str) -> str | None:
    if re.search(r"\b(break|continue)\b", text):
        return None
    return f"for once in 1; do\n{text.rstrip()}\ndone\n"


def _in_heredoc(text: str) -> str | None:
    if "$" in text:
        return None  # Its variables need not be exported.
    if re.search(
        r"\$[@*0-9#]|stdin|\bread\b|^\s*kops edit|\bssh\b|exec -i|-it|\bvi\b|^\s*\. "
        r"|kops delete (?:ig|instancegroup)(?!.*--yes)",
        text,
        re.MULTILINE,
    ) or _HEREDOC.search(text):
        return None
    return f"bash <<'END_OF_LIST'\n{text.rstrip()}\nEND_OF_LIST\n"


def _as_markdown(text: str) -> str | None:
    if _LEAVES.search(text) or "```" in text or not _plain(text):
        return None
    return f"# Steps\n\nAs agreed:\n\n```bash\n{text.rstrip()}\n```\n"


def markdown(case: Case) -> Case | None:
    """A runbook with the same commands in one block."""
    new = commands(_as_markdown)(case)
    return new and replace(new, commands=("commands.md", new.commands[1]))  # type: ignore[index]


def workflow(case: Case) -> Case | None:
    """A job of GitHub that runs the same commands in one step, by a plain bash."""
    if case.commands is None or not case.commands[0].endswith(".sh"):
        return None
    text = case.commands[1]
    if "kopslint:" in text or not text.isascii() or "${{" in text:
        return None
    if re.search(r"^\s*kops edit|/dev/tty|KUBECONFIG", text, re.MULTILINE):
        return None
    if re.search(r"kops create (ig|instancegroup)(?!.*--edit=false|.*--dry-run)", text):
        return None  # It opens an editor, and in a pipeline nobody is there to type.
    if re.search(r"kops delete (ig|instancegroup)(?!.*--yes)", text):
        return None
    head = (
        "on: workflow_dispatch\njobs:\n  go:\n    runs-on: ubuntu-latest\n    steps:\n"
    )
    step = "      - shell: bash {0}\n        run: |\n"
    body = "".join(
        f"          {line}\n" if line else "\n" for line in text.splitlines()
    )
    return replace(case, commands=("steps.yml", head + step + body))


def _with_remarks(text: str) -> str | None:
    if not _plain(text):
        return None
    return "".join(f"\n# next\n{line}\n" for line in text.splitlines())


def _with_echoes(text: str) -> str | None:
    if not _plain(text) or re.search(r"[|&]\s*$", text, re.MULTILINE):
        return None
    lines = text.splitlines()
    return "".join(f"echo next\n{line}\n" if line.strip() else "\n" for line in lines)


def _continued(text: str) -> str | None:
    new = _CALL.sub(r"\1kops \\\n    ", text)
    return new if new != text and not _HEREDOC.search(text) else None


def _by_path(text: str) -> str | None:
    new = _CALL.sub(r"\1/usr/local/bin/kops ", text)
    return new if new != text and "kops()" not in text else None


def _prefixed(prefix: str) -> Callable[[str], str | None]:
    def change(text: str) -> str | None:
        new = _CALL.sub(rf"\1{prefix} kops ", text)
        return new if new != text and "kops()" not in text else None

    return change


def _yes_written_out(text: str) -> str | None:
    new = re.sub(r"(?<=\s)--yes(?=\s|$)", "--yes=true", text, flags=re.MULTILINE)
    return new if new != text else None


def _long_names(text: str) -> str | None:
    new = re.sub(r"kops (delete|create|edit|get) ig\b", r"kops \1 instancegroup", text)
    return new if new != text else None


def _short_names(text: str) -> str | None:
    new = re.sub(r"kops (delete|create|edit|get) instancegroup\b", r"kops \1 ig", text)
    return new if new != text else None


def _name_joined(text: str) -> str | None:
    new = re.sub(r"--name (?=[\w$\"])", "--name=", text)
    return new if new != text else None


def _quoted(text: str) -> str | None:
    def line(match: re.Match[str]) -> str:
        words = match[2].split(" ")
        return match[1] + " ".join(
            f'"{w}"' if re.fullmatch(r"[\w./-]+", w) else w for w in words
        )

    new = re.sub(r"^(\s*)(kops [\w ./-]+)$", line, text, flags=re.MULTILINE)
    return new if new != text and _plain(text) else None


def _flags_first(text: str) -> str | None:
    new = re.sub(
        r"^(\s*)kops (delete \w+|update cluster|rolling-update cluster) (.*?) ?--yes$",
        r"\1kops --yes \2 \3",
        text,
        flags=re.MULTILINE,
    )
    new = re.sub(
        r"^(\s*)kops --yes (\S+ \S+) ?(.*)$",
        r"\1kops \2 --yes \3",
        new,
        flags=re.MULTILINE,
    )
    new = re.sub(r" +$", "", new, flags=re.MULTILINE)
    return new if new != text and _plain(text) else None


def _spaced(text: str) -> str | None:
    new = re.sub(r"^(\s*)kops (\S+) ", r"\1  kops   \2   ", text, flags=re.MULTILINE)
    return new if new != text and not _HEREDOC.search(text) else None


def _program_in_variable(text: str) -> str | None:
    new = _CALL.sub(r"\1$KOPS ", text)
    return (
        f"KOPS=kops\n{new}"
        if new != text and "kops()" not in text and "KOPS" not in text
        else None
    )


def _words_in_variables(text: str) -> str | None:
    found = re.findall(r"kops delete (?:ig|instancegroup) ([a-z0-9][\w-]+)", text)
    if not found or _HEREDOC.search(text) or "bash -c" in text or "'" in text:
        return None
    for i, name in enumerate(dict.fromkeys(found)):
        text = re.sub(
            rf"(kops delete (?:ig|instancegroup) ){name}\b(?![\w-])",
            rf'\1"$G{i}"',
            text,
        )
        text = f"G{i}={name}\n{text}"
    return text


def _traced(text: str) -> str:
    return f"set -x\n{text}"


def _with_shebang(text: str) -> str | None:
    return (
        None
        if text.startswith("#!")
        else f"#!/usr/bin/env bash\n# Run by hand.\n\n{text}"
    )


def _in_subshell(text: str) -> str | None:
    if re.search(r"\bcd\b|&\s*$", text, re.MULTILINE):
        return None
    return f"(\n{text.rstrip()}\n)\n"


def _in_main(text: str) -> str | None:
    if _HEREDOC.search(text) or re.search(r"\$[@*0-9#]|return|main", text):
        return None
    return f'main() {{\n{_indented(text)}}}\nmain "$@"\n'


TRANSFORMATIONS: dict[str, Transformation] = {
    "another indentation": specs(lambda found: _dumped(found, indent=4)),
    "keys the other way round": specs(lambda found: _dumped(_reversed_keys(found))),
    "keys by the alphabet": specs(lambda found: _dumped(found, sort_keys=True)),
    "every text quoted": specs(
        lambda found: (
            _dumped(found, default_style='"')
            if not _has_scalars_of_other_types(found)
            else None
        )
    ),
    "JSON": json_spec,
    "flow style": specs(_flow),
    "a List": specs(_as_list),
    "objects the other way round": specs(lambda found: _dumped(found[::-1])),
    "comments everywhere": specs(_commented),
    "line ends of Windows": specs(_windows),
    "a file for each object": split_files,
    "another cluster name": renamed(lambda i: f"c{i}.example.org", 0),
    "groups with one letter": renamed(_letter, 1),
    "groups that begin alike": renamed(lambda i: "g" * (i + 1), 1),
    "members with one letter": renamed(_letter, 2),
    "members that begin alike": renamed(lambda i: "m" * (i + 1), 2),
    "a second cluster": second_cluster,
    "in a function": commands(_in_function),
    "in main": commands(_in_main),
    "in braces": commands(_in_group),
    "in a subshell": commands(_in_subshell),
    "in if true": commands(_in_if),
    "in a loop of one turn": commands(_in_loop),
    "in a here-document for bash": commands(_in_heredoc),
    "in a runbook": markdown,
    "in a workflow": workflow,
    "remarks between": commands(_with_remarks),
    "echo between": commands(_with_echoes),
    "continued lines": commands(_continued),
    "kops by its path": commands(_by_path),
    "command kops": commands(_prefixed("command")),
    "time kops": commands(_prefixed("time")),
    "env kops": commands(_prefixed("env")),
    "sudo kops": commands(_prefixed("sudo")),
    "kops in a variable": commands(_program_in_variable),
    "group names in variables": commands(_words_in_variables),
    "--yes=true": commands(_yes_written_out),
    "instancegroup for ig": commands(_long_names),
    "ig for instancegroup": commands(_short_names),
    "--name=": commands(_name_joined),
    "quoted words": commands(_quoted),
    "flags first": commands(_flags_first),
    "more blanks": commands(_spaced),
    "set -x": commands(_traced),
    "a shebang": commands(_with_shebang),
}


def _has_scalars_of_other_types(value: object) -> bool:
    """Whether quoting every value would change the type of one."""
    if isinstance(value, dict):
        return any(map(_has_scalars_of_other_types, value.values()))
    if isinstance(value, list):
        return any(map(_has_scalars_of_other_types, value))
    return not isinstance(value, str)


def sampled(
    names: list[tuple[str, str]], count: int, seed: int
) -> list[tuple[str, str]]:
    """Some pairs of case and transformation, the same for the same seed."""
    return random.Random(seed).sample(names, min(count, len(names)))  # noqa: S311
