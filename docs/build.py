"""What the documentation does not say by hand: rules, settings, and printed output.

MkDocs calls the three functions whose names begin with ``on_``. The pages of the rules
are made from the rulebook, the tables of settings from the models that check them,
and below every example of a command stands what the command prints now. So none of
this can be out of date; what is wrong fails the build.
"""  # noqa: INP001 - A hook that MkDocs loads by its path.

from __future__ import annotations

import os
import posixpath
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kopslint.cli.test_rules import report_on
from kopslint.config.schema import ConfigModel
from kopslint.engine import Request, check
from kopslint.report import pictures
from kopslint.rulebook.loader import load_rules
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

    from kopslint.rulebook.model import Example, Hazard, Rule

ROOT = Path(__file__).parents[1]
SETTINGS = "<!-- settings -->"

CATEGORIES = {
    "spec": "One spec",
    "change": "A change",
    "order": "Order and quorum",
    "commands": "The command list",
    "observed": "What was observed on the cluster",
    "undecided": "What could not be decided",
    "suppression": "Comments that silence findings",
}

HAZARDS: dict[Hazard, str] = {
    "quorum": "The API goes down: etcd loses quorum, or has no member to spare",
    "dead-member": "A dead member stays registered",
    "membership": "A member is expelled, never joins, or serves another cluster",
    "data-loss": "etcd's data or its backups are lost",
    "upgrade": "An upgrade goes wrong",
    "access": "Machines, people or programs lose access",
    "refused": "kops refuses the spec or the command, or does something else",
    "no-effect": "A command has no effect, or an effect on something else",
    "coverage": "Less was checked than it seems",
}
"""What each hazard means, in the words of the index of rules."""

# A report is eighty columns wide, and what is shown has to fit beside both menus.
SITE_STYLE = f"""
[data-md-color-scheme="default"] {{ {pictures.LIGHT} --k-paper: transparent; }}
[data-md-color-scheme="slate"] {{ {pictures.DARK} --k-paper: #1e2129; }}
{pictures.STYLE}{pictures.SCROLL}
.k-figure {{ margin: 1em 0; justify-content: start;
  --k-ground: var(--md-default-bg-color); }}
@media screen and (min-width: 76.25em) {{
  .md-grid {{ max-width: 68rem; }}
  .md-sidebar--secondary {{ width: 9.5rem; }}
}}
.md-typeset pre {{ overflow-x: auto; }}
.md-typeset pre > code {{ font-size: 0.64rem; overflow: visible; width: max-content;
  min-width: 100%; }}
@media screen and (max-width: 40em) {{
  .md-typeset table:not([class]) :is(th, td) {{ min-width: 0; padding: .6em;
    overflow-wrap: anywhere; }}
  .md-typeset table:not([class]) code {{ white-space: normal; }}
}}
.md-content a:not(.headerlink, .md-content__button) {{ text-decoration: underline; }}
.md-typeset .highlight .nb, .md-typeset .highlight .bp {{
  color: var(--md-code-fg-color);
}}
[data-md-color-scheme] {{
  --md-code-hl-comment-color: var(--k-soft);
  --md-code-hl-variable-color: var(--md-code-fg-color);
  --md-code-hl-constant-color: var(--k-joins);
}}
"""

# What the columns of a picture share, so that it fits beside both menus.
COLUMN = 640

_PICTURE = re.compile(r"^<!-- picture ([a-z]+) -->$", re.MULTILINE)

_COMMAND = re.compile(
    r"^```console folder=(?P<folder>\S+)\n\$ (?P<command>(?:.*\\\n)*.*)\n```$",
    re.MULTILINE,
)
_CODE = re.compile(r"<pre(?=[^>]*>(?:<span></span>)?<code)")
_LINK = re.compile(r"(?<!!)\[(?P<words>[^]]*)\]\((?P<target>(?:\.\./)+[^)\s]*)\)")
_RULE_FOLDER = re.compile(r"(?:\.\./)+rules/(KL\d{3})-[a-z0-9-]+(?:/README\.md|/)?$")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the rules."""
    from mkdocs.structure.files import File

    pages = {**rule_pages(), "stylesheets/kopslint.css": SITE_STYLE}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Put settings, output and links into a page as it is written."""
    text = _PICTURE.sub(lambda found: figure(drawn()[found[1]]), markdown)
    text = text.replace(SETTINGS, settings())
    return with_site_links(with_output(text), page.file.src_uri)


def on_page_content(html: str, **_: object) -> str:
    """Let the keyboard scroll blocks of code, which are wider than a phone."""
    return _CODE.sub('<pre tabindex="0"', html)


def drawn() -> dict[str, str]:
    """The pictures of the documentation by name, made from what the replay says."""
    folder = ROOT / "fixtures/five-to-three"

    def told(commands: str) -> list[pictures.Moment]:
        sources = [
            Source(name, (folder / name).read_text(encoding="utf-8"))
            for name in ("before.yaml", "after.yaml", commands)
        ]
        report = check(Request((sources[0],), (sources[1],), (sources[2],)))
        return pictures.moments(report.timeline, "main")

    return {
        "planes": pictures.planes(),
        "incident": pictures.quorum("main", told("commands.sh"), "incident", COLUMN),
        "orders": pictures.orders(told("commands.sh"), told("fixed.sh"), COLUMN),
    }


def figure(svg: str, names: str = "") -> str:
    """A picture in a page; one that is wider than the column can be moved sideways.

    ``names`` is what stays in sight at its left meanwhile.
    """
    label = svg.partition("</title>")[0].rpartition(">")[2]
    return (
        '<div class="k-figure k-scroll" tabindex="0" role="region"'
        f' aria-label="{label}">{names}{svg}</div>'
    )


def example_picture(example: Example) -> str | None:
    """The figure of what an example does to etcd; None if it does nothing there."""
    entries = report_on(example).timeline
    names = dict.fromkeys(name for entry in entries for name in entry.etcd)
    changing = {
        name: told
        for name in names
        if len(told := pictures.moments(entries, name)) > 1
        and any(moment.view != told[0].view for moment in told)
    }
    if not changing:
        return None
    worst = max(changing, key=lambda name: _harm(changing[name]))
    return figure(
        pictures.quorum(worst, changing[worst], "example", room=COLUMN),
        pictures.names_alone(worst, changing[worst]),
    )


def _harm(told: list[pictures.Moment]) -> int:
    """How often a member is dead, away or outside of the list."""
    harmed = {"dead", "away", "gone"}
    return sum(
        pictures.state_of(member, moment) in harmed
        for moment in told
        for member in pictures.members_of([moment])
    )


def rule_pages() -> dict[str, str]:
    """The Markdown of the list of rules and of a page for each, by path."""
    rules = load_rules()
    pages = {f"rules/{rule.id}.md": rule_page(rule) for rule in rules}
    return {"rules/index.md": rule_list(rules), **pages}


def rule_list(rules: tuple[Rule, ...]) -> str:
    """All rules in one table for each category."""
    lines = [
        "# Rules",
        "",
        f"{len(rules)} rules. `kopslint rules` lists them,",
        "and `kopslint explain RULE` tells one in full. With a word,",
        "such as `kopslint explain quorum`, it lists those that have it.",
        "",
        "## By hazard",
        "",
        *_by_hazard(rules),
    ]
    for category, title in CATEGORIES.items():
        lines += ["", f"## {title}", "", "| rule | severity | finds |", "|---|---|---|"]
        lines += [
            f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {rule.summary} |"
            for rule in rules
            if rule.category == category
        ]
    return "\n".join(lines) + "\n"


def _by_hazard(rules: tuple[Rule, ...]) -> Iterator[str]:
    yield from ("| hazard | rules |", "|---|---|")
    for hazard, title in HAZARDS.items():
        links = [
            f'[{rule.id}]({rule.id}.md "{rule.summary}")'
            for rule in rules
            if rule.hazard == hazard
        ]
        yield f"| {title} | {' '.join(links)} |"


def rule_page(rule: Rule) -> str:
    """A rule's prose, its first bad example with what is printed, and its sources."""
    title, _, prose = rule.readme().partition("\n")
    example = next(each for each in rule.examples() if each.bad)
    picture = example_picture(example)
    shown = [] if picture is None else ["What it does to etcd:", "", picture, ""]
    return "\n".join(
        [
            f"# {rule.id}: {title.removeprefix('# ')}",
            "",
            f"**{rule.severity}** · `{rule.name}` · since {rule.since}",
            "",
            f"{rule.summary}.",
            prose.rstrip(),
            "",
            "## Example",
            "",
            *_inputs(example),
            *shown,
            "kopslint says:",
            "",
            "```text",
            f"{(example.expected or '').rstrip()}",
            "```",
            "",
            "## Sources",
            "",
            *(f"- {source}" for source in rule.sources),
            "",
        ]
    )


def _inputs(example: Example) -> Iterator[str]:
    languages = {".sh": "bash", ".md": "markdown", ".txt": "text"}
    for path in (example.before, example.after, example.commands, example.observed):
        if path is not None and path.is_file():
            language = languages.get(path.suffix, "yaml")
            text = path.read_text(encoding="utf-8").rstrip()
            # A runbook has fences of its own, of three characters.
            body = f"````{language}\n{text}\n````"
            yield f'??? quote "{path.name}"'
            yield ""
            yield from (f"    {line}".rstrip() for line in body.splitlines())
            yield ""


def settings() -> str:
    """The tables of what a configuration may hold, from the model that checks it."""
    schema = ConfigModel.model_json_schema(by_alias=True)
    lines = [*_table(schema["properties"])]
    for name, part in schema.get("$defs", {}).items():
        title = name.removesuffix("Model").lower()
        lines += ["", f"Each of `{title}s` has:", "", *_table(part["properties"])]
    return "\n".join(lines)


def _table(properties: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from ("| key | value | |", "|---|---|---|")
    for key, about in properties.items():
        yield f"| `{key}` | {_kind(about)} | {about['description']} |"


def _kind(about: Mapping[str, Any]) -> str:
    """The values that a part of a JSON Schema allows, in words."""
    match about:
        case {"anyOf": [*choices]}:
            return " or ".join(_kind(c) for c in choices if c.get("type") != "null")
        case {"enum": [*values]}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": {"$ref": _}}:
            return "list of mappings"
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}s"
        case {"type": "object", "additionalProperties": value}:
            return f"mapping to {_kind(value)}"
        case {"type": "string"}:
            return "text"
    raise ValueError(f"no words for the setting {about}")


def with_output(markdown: str) -> str:
    """The Markdown with the output of each example below its command.

    An example is a ``console`` block with a ``folder`` of the repository to run in.
    Raises ``ValueError`` for a command that is none of kopslint or cannot run.
    """
    return _COMMAND.sub(_with_output, markdown)


def _with_output(block: re.Match[str]) -> str:
    command = block["command"]
    program, *arguments = shlex.split(command)
    if program != "kopslint":
        raise ValueError(f"an example of another program: {command}")
    ran = subprocess.run(  # noqa: S603 - No shell, and the pages are our own.
        [sys.executable, "-m", "kopslint", *arguments],
        cwd=ROOT / block["folder"],
        # Whoever builds the pages, they are the same.
        env={"PATH": os.environ["PATH"], "COLUMNS": "88", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if ran.returncode not in (0, 1):
        raise ValueError(f"an example fails: {command}\n{ran.stderr}")
    return (
        f"```console\n$ {command}\n```\n\n```text\n{ran.stdout.rstrip()}\n```"
        f"\n\nExit status {ran.returncode}."
    )


def with_site_links(markdown: str, path: str) -> str:
    """The Markdown of a page with its links out of ``docs`` made to fit the site.

    A link to the folder of a rule leads to the rule's page. Other files of the
    repository are no pages, so of a link to them only its words are left.
    """

    def fitted(link: re.Match[str]) -> str:
        target = link["target"]
        rule = _RULE_FOLDER.match(target)
        if rule:
            page = posixpath.relpath(f"rules/{rule[1]}.md", posixpath.dirname(path))
            return f"[{link['words']}]({page})"
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        return link["words"] if full.startswith("..") else link[0]

    return _LINK.sub(fitted, markdown)
