"""The report as a page: complete by itself, closed to whatever a stranger writes."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
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
from kopslint.report import pictures
from kopslint.report.html import Instead, PlanStep, render_html
from kopslint.text import Source

FIVE = ("a", "b", "c", "d", "e")
WELL = EtcdView(FIVE, FIVE, 3, 2, 5, "yes")
LOST = EtcdView(FIVE, FIVE[:2], 3, -1, 5, "no")
LIST = Source("run.sh", "kops delete ig master-3 --yes\nkops update cluster --yes\n")


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def names(self) -> set[str]:
        return {tag for tag, _ in self.elements}


def report_with(text: str) -> Report:
    """A report in which every text is this one."""
    source = Source(text, f"kops {text}\nls\n")
    view = EtcdView((text, "b"), ("b",), 2, -1, 2, "no")
    item = Finding(
        rule="KL301",
        name="a-rule",
        severity=Severity.ERROR,
        certainty=Certainty.POSSIBLE,
        message=text,
        why=text,
        locations=(Location(source.span(1, 1, 1, 5), text),),
        subject=text,
        fix=(text, f"# {text}"),
        step=1,
        cluster=text,
        trace=(TraceLine(text, view, view, text),),
        story=(text, text),
    )
    away = Meanwhile(text, {text: view})
    entry = TimelineEntry(
        1, text, source.span(1, 1, 1, 5), "refused",
        {text: view._replace(writable="yes")}, text, note=text, title=text,
        during=(away,),
    )  # fmt: skip
    return Report(
        (item, item._replace(rule="KL302", follows=("KL301",))),
        (entry._replace(step=0, span=None), entry, entry._replace(cluster="other")),
        Summary((text,), 1, 1, 1, 1, (text,), 3, 5, (text,), (text,)),
        existing=(item._replace(existing=True),),
    )


INSTEAD = Instead(
    "2 steps", (PlanStep("why", ("kops a",), {"main": WELL}),), "kopslint plan",
    "can be corrected", ("+new", "-old", " same", "..."),
)  # fmt: skip

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "the end of an attribute": "\"><b onmouseover='x'>",
    "the end of a style or a script": "</style></script></title><h1>x",
    "a template": "{{ 7 * 7 }}{% raw %}{# x #}",
    "an address": "javascript:alert(1) https://evil.example/ //evil.example",
    "control characters": "\x1b[31m\x00\x07\u202e\u200bx",
    "references": "&lt;b&gt; &#60; &amp;",
    "lines": "a\nb\r\nc\u2028d",
    "a comment": "--><!-- <![CDATA[ ]]>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_stays_text(text: str) -> None:
    """It adds no element and no attribute, and it leads nowhere."""
    hostile, plain = (Page(render_html(report_with(t))) for t in (text, "x"))

    kinds, expected = (
        {(tag, *attributes) for tag, attributes in page.elements}
        for page in (hostile, plain)
    )
    assert kinds <= expected
    assert all((a["href"] or "").startswith("#") for a in hostile.all("a"))
    assert not any(name.startswith("on") for _, a in hostile.elements for name in a)
    assert "49" not in hostile.words


@given(st.text(max_size=80))
@settings(max_examples=40)
def test_any_text_stays_text(text: str) -> None:
    page = Page(render_html(report_with(text), instead=INSTEAD))

    assert {"script", "style", "title", "h1"} <= page.names
    assert [len(page.all(tag)) for tag in ("script", "style", "h1", "title")][:3] == [
        1,
        1,
        1,
    ]
    assert not {"img", "iframe", "object", "embed", "form", "base"} & page.names


def test_the_policy_allows_the_page_s_own_style_and_script_and_nothing_else() -> None:
    html = render_html(report_with("x"), instead=INSTEAD)

    policy = Page(html).all("meta")[1]["content"] or ""
    style, script = (
        re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[0]
        for tag in ("style", "script")
    )
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashed(style)}'",
        "script-src": f"'sha256-{hashed(script)}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.search(r"\sstyle=|\son\w+=", html)


def hashed(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def test_the_page_leads_nowhere_but_to_the_pages_of_the_rules() -> None:
    html = render_html(
        report_with("x"), link=lambda rule: f"https://docs.example/{rule}"
    )

    page = Page(html)
    away = {a["href"] for a in page.all("a") if not (a["href"] or "").startswith("#")}
    assert away == {"https://docs.example/KL301", "https://docs.example/KL302"}
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    inside = {(a["href"] or "#")[1:] for a in page.all("a")} - {
        (each or "#")[1:] for each in away
    }
    assert inside <= set(ids)


def test_the_same_report_gives_the_same_page() -> None:
    report = report_with("x")

    assert render_html(report, instead=INSTEAD) == render_html(report, instead=INSTEAD)


def test_everything_that_a_finding_says_is_on_the_page() -> None:
    item = Finding(
        rule="KL301", name="a-rule", severity=Severity.ERROR,
        certainty=Certainty.CERTAIN, message="master-3 is deleted", why="It is gone.",
        locations=(Location(LIST.span(1, 1, 1, 30), "at once"),), subject="x",
        fix=("kopslint plan",), step=1, cluster="prod",
    )  # fmt: skip
    entries = (
        TimelineEntry(0, "(before)", None, "applied", {"main": WELL}, "prod"),
        TimelineEntry(
            1, "kops delete ig master-3 --yes", LIST.span(1, 1, 1, 30), "applied",
            {"main": WELL}, "prod", during=(Meanwhile("master-0", {"main": LOST}),),
        ),
    )  # fmt: skip
    report = Report((item,), entries, Summary(("prod",), 2, 2, lists=("run.sh",)))

    words = " ".join(Page(render_html(report, instead=INSTEAD)).words.split())

    for said in (
        "UNSAFE", "master-3 is deleted", "It is gone.", "at once", "kopslint plan",
        "Step 1 while master-0 is away", "2 of 5 alive, quorum 3, no writes",
        "away: c d e", "The order to take", "can be corrected", "run.sh:1",
    ):  # fmt: skip
        assert said in words


def test_a_picture_says_the_same_in_words_and_in_shapes() -> None:
    entries = (
        TimelineEntry(0, "(before)", None, "applied", {"main": WELL}, "prod"),
        TimelineEntry(1, "x", None, "applied", {"main": LOST}, "prod"),
    )
    told = pictures.moments(entries, "main")

    svg = pictures.quorum("main", told, "one")

    assert svg.count('class="k-dead"') == 3
    assert svg.count('class="k-votes"') == 7
    assert ">NO<" in svg
    assert ">QUORUM<" in svg
    assert pictures.in_words("main", told) in svg
    assert pictures.in_words("main", told) == (
        "Step 0: 5 of 5 members of main vote, 3 needed."
        " Step 1: 2 of 5 members of main vote, 3 needed, no quorum."
    )
