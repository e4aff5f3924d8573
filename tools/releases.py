"""Write kopslint/kops/releases.json: what differs between releases of kops.

    python -m tools.releases FACTS.json

FACTS.json has one entry a release (``"1.28"``), as read from the release branches of
kubernetes/kops: what it lacks of the newest release, and what it has besides. The
table turns that round, so that a release later is one more number: the minor that a
field, command or flag came with, and the last one that had it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "kopslint" / "kops" / "releases.json"
SOURCE = (
    "kubernetes/kops, branches release-1.20 to release-1.36 and master at 268927e264 "
    "(1.37): pkg/apis/kops/validation/validation.go and pkg/model/components/etcd.go "
    "(etcd), pkg/model/components/etcdmanager/{options,model}.go (etcd-manager, what a "
    "version is run as), upup/pkg/fi/cloudup/apply_cluster.go (oldest Kubernetes), "
    "pkg/apis/kops/v1alpha2 and v1alpha3 (fields), cmd/kops and docs/cli (commands and "
    "flags), cmd/kops/update_cluster.go (whether workers are held back)"
)
# The Go types that a value of another type is refused for, as api-fields.json has them.
TYPES = {"string": "string", "*string": "string"}


def main() -> None:
    """Write the table from the facts that the command line names."""
    facts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    by_minor = {int(name.removeprefix("1.")): fact for name, fact in facts.items()}
    text = json.dumps(table(dict(sorted(by_minor.items()))), indent=1)
    # What holds no further list or object stands on one line.
    text = re.sub(r"[\[{][^\[\]{}]*[\]}]", _on_one_line, text)
    TABLE.write_text(text + "\n", encoding="utf-8")


def _on_one_line(found: re.Match[str]) -> str:
    words = " ".join(found[0].split())
    return words[0] + words[1:-1].strip() + words[-1]


def table(facts: dict[int, Any]) -> dict[str, Any]:
    """The table of all releases, by the minor of kops."""
    commands = {minor: fact["cli"] for minor, fact in facts.items()}
    return {
        "source": SOURCE,
        "releases": {str(minor): _release(fact) for minor, fact in facts.items()},
        "fields": {
            version: {
                "since": _fields(version, facts),
                "types": _types(version, facts),
            }
            for version in ("v1alpha2", "v1alpha3")
        },
        "commands": {
            "since": _since({m: c["commands_not_yet"] for m, c in commands.items()}),
            "until": _until(
                {m: c["commands_no_longer_in_1.37"] for m, c in commands.items()}
            ),
        },
        "flags": {
            "since": _nested(
                _since({m: _flags(c["flags_not_yet"]) for m, c in commands.items()})
            ),
        },
    }


def _release(fact: dict[str, Any]) -> dict[str, Any]:
    etcd, kubernetes = fact["etcd"], fact["kubernetes"]
    return {
        "etcd": {
            "supported": etcd["supported"],
            "run_as": etcd["run_as"],
            "default": _default(etcd["default_by_kubernetes"]),
        },
        "etcd_manager": next(iter(fact["etcd_manager"]), ""),
        "oldest": _minor(kubernetes["OldestSupportedKubernetesVersion"]),
        "recommended": _minor(kubernetes["OldestRecommendedKubernetesVersion"]),
        "v1alpha3": fact["v1alpha3"]["registered"],
        "holds_workers_back": fact["update_holds_nodes_back"],
    }


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _default(facts: list[str]) -> dict[str, str]:
    """The etcd that kops takes, by the minor of Kubernetes that it takes it from.

    kops asks ``GTE`` from the newest down, or ``LT`` from the oldest up, and takes what
    is left last.
    """
    pairs, last = list(zip(facts[:-1:2], facts[1::2], strict=True)), facts[-1]
    found: dict[int, str] = {}
    if pairs and pairs[0][0].startswith("LT"):
        oldest = 0
        for condition, version in pairs:
            found[oldest] = version
            oldest = _minor(condition.split()[1])
        found[oldest] = last
    else:
        found[0] = last
        found |= {_minor(c.split()[1]): version for c, version in reversed(pairs)}
    return {str(minor): version for minor, version in found.items()}


def _fields(version: str, facts: dict[int, Any]) -> dict[str, int]:
    """The minor that a field came with; what is below a field that came is left out."""
    known = {
        minor: fact[version].get("not_yet", ())
        for minor, fact in facts.items()
        if fact[version]["registered"] and minor >= _decoded(version)
    }
    since = _since(known)
    return {
        path: minor
        for path, minor in since.items()
        if since.get(path.rpartition(".")[0]) != minor
    }


def _decoded(version: str) -> int:
    """The first minor from which on every release decodes this version of the API."""
    return 29 if version == "v1alpha3" else 0


def _types(version: str, facts: dict[int, Any]) -> dict[str, Any]:
    """Fields that took another scalar: the last minor that did, and the type."""
    found: dict[str, tuple[int, str]] = {}
    for minor, fact in facts.items():
        if minor < _decoded(version):
            continue
        for path, (then, _) in fact[version].get("other_type", {}).items():
            if then in TYPES and not path.endswith("configStore"):
                found[path] = minor, TYPES[then]
    return dict(sorted(found.items()))


def _flags(by_command: dict[str, list[str]]) -> list[str]:
    return [f"{name} --{flag}" for name, flags in by_command.items() for flag in flags]


def _since(lacking: dict[int, Any]) -> dict[str, int]:
    """The minor after the last one that lacks each."""
    found: dict[str, int] = {}
    for minor, names in lacking.items():
        found |= dict.fromkeys(map(_plain, names), minor + 1)
    return dict(sorted(found.items()))


def _until(having: dict[int, Any]) -> dict[str, int]:
    """The last minor that has each."""
    return {name: minor - 1 for name, minor in _since(having).items()}


def _plain(name: str) -> str:
    return name.removeprefix("kops").strip() if name.startswith("kops") else name


def _nested(flags: dict[str, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name, minor in flags.items():
        command, _, flag = name.rpartition("--")
        found.setdefault(command.strip(), {})[flag] = minor
    return found


if __name__ == "__main__":
    main()
