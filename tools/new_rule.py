"""Lays out the folder of a new rule. Its tests fail until the rule is written.

Usage: ``python tools/new_rule.py KL3xx a-name-that-says-the-hazard [module]``
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CATEGORIES = {
    "1": "spec",
    "2": "change",
    "3": "order",
    "4": "commands",
    "5": "observed",
}
EXAMPLES = ("bad-one-way", "bad-another-way", "good-done-right", "good-close-to-it")

README = """\
# {title}

## What it finds

## Why it breaks

## Do this instead

## When it is safe

## References

- [the file or issue that shows it](https://example.org)
"""

MANIFEST = """\
id: {id}
name: {name}
summary: {title}
category: {category}
hazard: HAZARD
severity: error
since: {version}
sources:
  - "the file and function of kops, the issue or the document that shows it"
check: {module}:{function}
"""


def lay_out(rule: str, name: str, module: str | None, root: Path = ROOT) -> Path:
    """Make the folder of a rule and say what is missing.

    ``rule`` is ``KL`` with three digits, ``name`` words with hyphens, ``module`` a
    module of ``kopslint.checks``. Returns the folder. Raises ``SystemExit`` with a
    sentence if the id or the name cannot be had.
    """
    category = CATEGORIES.get(rule[2:3])
    if not re.fullmatch(r"KL\d{3}", rule) or category is None:
        raise SystemExit(f"{rule} is no id of a rule: KL1xx to KL5xx")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise SystemExit(f"{name} is no name: lower-case words with hyphens between")
    taken = sorted(path.name for path in (root / "rules").glob(f"{rule}-*"))
    taken += sorted(path.name for path in (root / "rules").glob(f"KL???-{name}"))
    if taken:
        raise SystemExit(f"{taken[0]} is there already")
    text = (root / "kopslint" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'__version__ = "([^"]+)"', text)
    folder = root / "rules" / f"{rule}-{name}"
    for example in EXAMPLES:
        (folder / "examples" / example).mkdir(parents=True)
    words = {
        "id": rule,
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "category": category,
        "version": version[1] if version else "0.1.0",
        "module": module or "MODULE",
        "function": name.replace("-", "_"),
    }
    (folder / "rule.yaml").write_text(MANIFEST.format(**words), encoding="utf-8")
    (folder / "README.md").write_text(README.format(**words), encoding="utf-8")
    return folder


def main() -> None:
    """Read the command line."""
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    rule, name, *module = sys.argv[1:]
    folder = lay_out(rule, name, module[0] if module else None)
    function = name.replace("-", "_")
    sys.stdout.write(
        f"{folder.relative_to(ROOT)} is laid out. Now write:\n"
        "  examples/*/   before.yaml, after.yaml, commands.sh, as far as needed\n"
        f"  kopslint/checks/{module[0] if module else 'MODULE'}.py   {function}()\n"
        "  rule.yaml (hazards are in kopslint/rulebook/model.py) and README.md\n"
        f"and run: pytest tests/test_rulebook.py tests/test_rules.py -k {rule}\n"
    )


if __name__ == "__main__":
    main()
