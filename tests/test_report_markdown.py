"""A comment on a pull request: readable, bounded, and no name becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kopslint.findings import (
    Certainty,
    EtcdView,
    Finding,
    Location,
    Report,
    Severity,
    Summary,
    TimelineEntry,
    TraceLine,
)
from kopslint.report.markdown import render_markdown
from kopslint.text import Source

CLUSTER = "prod.example.com"
COMMANDS = Source("run.sh", "kops delete ig c --yes\n")
WHOLE = EtcdView(("a", "b", "c"), ("a", "b", "c"), 2, 1, 3, "yes")
DEAD = EtcdView(("a", "b", "c"), ("a", "b"), 2, 0, 3, "yes")
LOST = EtcdView(("a", "b", "c"), ("a",), 2, 0, 3, "no")
FINDING = Finding(
    rule="KL301",
    name="a-rule",
    severity=Severity.ERROR,
    certainty=Certainty.POSSIBLE,
    message="c is deleted: too early",
    why="It is gone.\nFor good.",
    locations=(Location(COMMANDS.span(1, 1, 1, 23), "the machine goes"),),
    subject="c",
    fix=("etcdctl member remove c", "# then go on"),
    step=1,
    cluster=CLUSTER,
    trace=(TraceLine("main", WHOLE, DEAD, ""),),
    story=("the leader dies",),
)
TIMELINE = (
    TimelineEntry(0, "(before)", None, "applied", {"main": WHOLE}, CLUSTER),
    TimelineEntry(1, "kops delete ig c", None, "applied", {"main": DEAD}, CLUSTER),
    TimelineEntry(2, "kops get ig", None, "no-op", {"main": LOST}, CLUSTER, "reads"),
)
REPORT = Report((FINDING,), TIMELINE, Summary((CLUSTER,), 2, 2, 9, 4, (), 3, 2))


def html(text: str) -> str:
    """What a reader of GitHub's Markdown makes of it, tables and HTML included."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


def test_a_comment_has_a_verdict_the_findings_and_the_steps() -> None:
    assert render_markdown(REPORT, unicode=True) == (
        """\
<!-- kopslint/prod.example.com/ -->

### kopslint: UNSAFE (prod.example.com, control plane 3 -&#62; 2)

- **run.sh&#58;1** possible: c is deleted: too early
- **instead** etcdctl member remove c

#### <b>error</b> KL301: c is deleted: too early (possible)

It is gone.

For good.

```sh
etcdctl member remove c
# then go on
```

| step | command | main | note |
| --- | --- | --- | --- |
| 0 | <code>(before)</code> | ●●● 3/3, quorum 2 |  |
| 1 | <code>kops delete ig c</code> | ●●✗ 2/3, quorum 2 | KL301 |
| 2 | <code>kops get ig</code> | ●✗✗ 1/3, quorum 2, **NO QUORUM** | no-op; reads |

● votes, ◍ away and comes back, ○ joins, ✗ dead but still registered, \
◌ runs but is no longer a member

<details><summary>Where, and what it does to etcd</summary>

<code>run.sh&#58;1&#58;1</code>

1. the leader dies

```text
   |
 1 | kops delete ig c --yes
   | ^^^^^^^^^^^^^^^^^^^^^^ the machine goes

   main  ●●● -> ●●✗   2 of 3 alive, quorum 2, none may fail, dead: c
```

More: <code>kopslint explain KL301</code>

</details>

1 error in 2 commands, 2 specs (control plane 3 -&#62; 2&#41;
"""
    )


def test_further_mistakes_and_long_tables_are_folded() -> None:
    """What is read at once is one mistake and sixteen steps."""
    second = FINDING._replace(
        rule="KL107", severity=Severity.WARNING, message="one zone", step=None
    )
    steps = tuple(
        TIMELINE[1]._replace(step=n, etcd={"main": (WHOLE, DEAD)[n % 2]})
        for n in range(20)
    )

    text = render_markdown(Report((FINDING, second), steps), unicode=True)

    assert "<details><summary>Steps</summary>\n\n| step" in text
    assert (
        "<details><summary><b>warning</b> KL107: one zone (possible)</summary>" in text
    )
    assert text.count("#### ") == 1


def test_rules_are_links_to_their_pages() -> None:
    text = render_markdown(
        REPORT, unicode=True, link=lambda rule: f"https://docs.example/{rule}?a&b"
    )

    assert '<a href="https://docs.example/KL301?a&amp;b">KL301</a>: c is' in text


def test_a_bot_finds_its_comment_by_the_first_line() -> None:
    """It is the same for every report about the same cluster, and for no other."""

    def marker(*clusters: str) -> str:
        report = Report((), (), Summary(clusters))
        return render_markdown(report, unicode=True).splitlines()[0]

    assert marker(CLUSTER) == render_markdown(REPORT, unicode=True).splitlines()[0]
    assert marker("a", "b") == marker() == "<!-- kopslint/ -->"
    assert marker("a --> <b>") == "<!-- kopslint/a%20--%3E%20%3Cb%3E/ -->"


def test_a_clean_report_is_the_verdict() -> None:
    assert render_markdown(Report(()), unicode=True) == (
        "<!-- kopslint/ -->\n\n### kopslint: NOT CHECKED\n\nno findings\n"
    )


ODD = {
    "code": "`a` ``b`` ```",
    "a table's column": "a | b \\| c",
    "emphasis": "*a* _b_ **c** ~~d~~",
    "a link": "[a](b.html) ![b](c) <mailto:d> :tada:",
    "HTML": "</details><script>x</script><!-- --> &lt;",
    "a heading": "# a",
    "a list": "- a",
    "a numbered list": "12. a",
    "a rule": "---",
    "indented code": "    a",
    "mathematics": "$a$ $$b$$",
}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD)
def test_a_name_is_shown_as_it_is_wherever_it_stands(name: str) -> None:
    """Read as Markdown, the page has the same marks and the name among its text."""
    named = FINDING._replace(message=name, why=name, story=(name,))
    step = TIMELINE[0]._replace(command=name, etcd={name: WHOLE}, note=name)
    plain = FINDING._replace(message="x", why="x", story=("x",))
    usual = step._replace(command="x", etcd={"x": WHOLE}, note="x")

    odd_page = html(render_markdown(Report((named,), (step,)), unicode=True))
    page = html(render_markdown(Report((plain,), (usual,)), unicode=True))

    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = shown.replace('"', "&quot;")
    for before, after in (
        ("possible: x</li>", f"possible: {shown}</li>"),
        ("KL301: x (pos", f"KL301: {shown} (pos"),
        ("<p>x</p>", f"<p>{shown}</p>"),
        ("<li>x</li>", f"<li>{shown}</li>"),
        ("<th>x</th>", f"<th>{shown}</th>"),
        ("<code>x</code>", f"<code>{shown}</code>"),
        ("<td>x</td>", f"<td>{shown}</td>"),
    ):
        assert before in page
        page = page.replace(before, after)
    assert odd_page == page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ask @octocat", "ask @\u200boctocat"),
        ("see #12 and org/repo#3", "see #\u200b12 and org/repo#\u200b3"),
        ("see !12", "see !\u200b12"),
        ("at https://example.com", "at https:\u200b//example.com"),
        ("at www.example.com", "at www\u200b.example.com"),
        ("a # b", "a # b"),
    ],
)
def test_a_name_calls_nobody_and_links_nowhere(text: str, shown: str) -> None:
    """GitHub makes links of these after it has read the Markdown."""
    report = Report((FINDING._replace(why=text),))

    assert f"<p>{shown}</p>" in html(render_markdown(report, unicode=True))


def test_code_to_copy_is_left_alone() -> None:
    """A fence is longer than any in the code, so that nothing ends it early."""
    fix = ("ssh admin@10.0.0.1 | cat", "```", "</details> @bob", "a\x1b\nb")

    page = html(render_markdown(Report((FINDING._replace(fix=fix),)), unicode=True))

    assert (
        '<pre><code class="language-sh">ssh admin@10.0.0.1 | cat\n```\n'
        "&lt;/details&gt; @bob\na\\x1b\\nb\n</code></pre>" in page
    )


def test_each_cluster_has_a_table_of_its_own() -> None:
    other = TIMELINE[1]._replace(cluster="b|c", etcd={"events": DEAD})

    text = render_markdown(Report((), (*TIMELINE[:2], other)), unicode=True)

    headings = [line for line in text.splitlines() if line.startswith("#### ")]
    assert headings == ["#### prod.example.com", "#### b&#124;c"]
    assert html(text).count("<table>") == 2


def test_a_comment_is_never_longer_than_github_takes() -> None:
    """The worst findings stay, what is left out is counted, and the table is cut."""
    warnings = [
        FINDING._replace(
            rule=f"KL{400 + n}", severity=Severity.WARNING, message=f"{n} is deleted"
        )
        for n in range(300)
    ]
    steps = tuple(
        TIMELINE[1]._replace(step=n, etcd={"main": (WHOLE, DEAD)[n % 2]})
        for n in range(1000)
    )

    text = render_markdown(Report((*warnings, FINDING), steps), unicode=True)

    page = html(text)
    shown = page.count("<details>") - 1
    rows = page.count("<tr>") - 2
    assert len(text) < 65_536
    assert page.index("KL301: c is deleted") < page.index("KL400: 0 is deleted")
    assert f"Not shown, for lack of room: {301 - shown} warnings." in page
    assert f"<td>and {1000 - rows} steps more</td>" in page
    assert shown > 50
    assert rows > 100


@pytest.mark.parametrize(
    "report",
    [
        Report((FINDING._replace(message="x" * 70_000),)),
        Report((), (TIMELINE[1]._replace(etcd={"x" * 70_000: DEAD}),)),
        Report((), (), Summary(("x" * 70_000,))),
    ],
    ids=["finding", "etcd cluster", "cluster"],
)
def test_no_single_name_makes_it_too_long(report: Report) -> None:
    assert len(render_markdown(report, unicode=True)) < 65_536


def test_without_unicode_everything_is_ascii() -> None:
    report = Report((FINDING._replace(message="é @bob"),), TIMELINE)

    text = render_markdown(report, unicode=False)

    page = html(text)
    assert text.isascii()
    assert "KL301: &#92;xe9 @&#8203;bob (possible)" in text
    assert "<td>**x 2/3, quorum 2</td>" in page
    assert (
        "<p>* votes, - away and comes back, o joins, x dead but still registered"
        in page
    )


@given(
    st.lists(st.text(max_size=4000), min_size=1, max_size=40),
    st.integers(1, 60),
    st.booleans(),
)
@settings(max_examples=25)
def test_it_is_under_65000_characters_however_large(
    texts: list[str], times: int, unicode: bool
) -> None:
    """Texts of any length and in any number; each of them stays text."""
    found = [
        FINDING._replace(
            rule=f"KL{100 + n % 800}", message=text, why=text, fix=(text,) * 3,
            story=(text,), cluster=text, step=n,
        )
        for n, text in enumerate(texts * times)
    ]  # fmt: skip
    steps = tuple(
        TIMELINE[n % 3]._replace(step=n, command=text, note=text, etcd={text: DEAD})
        for n, text in enumerate(texts * times)
    )
    report = Report(
        tuple(found),
        steps,
        Summary((texts[0],), 2, 2, lists=(texts[-1],), skipped=tuple(texts)),
        existing=tuple(f._replace(existing=True) for f in found),
    )

    text = render_markdown(
        report, unicode=unicode, link=lambda rule: f"https://d/{rule}"
    )

    assert len(text) < 65_000
    assert text.startswith("<!-- kopslint/")
