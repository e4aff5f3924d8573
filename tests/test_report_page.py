"""The page in a real browser: quiet, closed, usable by keyboard and by everybody.

``KOPSLINT_SCREENSHOTS=FOLDER`` keeps what it looks like.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import MISSING, PROGRAM, Browser

from kopslint.cli.program import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
INCIDENT = ROOT / "fixtures/five-to-three"
POSSIBLE = ROOT / "rules/KL303-no-failure-tolerated/examples"
AXE = "axe-core@4.10.3"

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page about the incident."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    status = run(
        [
            *("check", "--no-config", f"--before={INCIDENT / 'before.yaml'}"),
            *(f"--after={INCIDENT / 'after.yaml'}", f"--format=html={path}"),
            f"--commands={INCIDENT / 'commands.sh'}",
        ]
    )
    assert status == 1
    return path


@pytest.fixture(scope="module")
def axe(pytestconfig: pytest.Config) -> str:
    """The script of axe-core, fetched once into the cache of the tests."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("axe")
    script = folder / f"{AXE}.js"
    if not script.exists():
        if shutil.which("npm") is None:
            pytest.skip("there is no npm to fetch axe-core with")
        fetched = subprocess.run(
            ["npm", "pack", "--silent", AXE],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if fetched.returncode:
            pytest.skip("axe-core cannot be had from the registry of npm")
        with tarfile.open(folder / fetched.stdout.split()[-1]) as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            script.write_bytes(member.read())
    return script.read_text(encoding="utf-8")


def shown(browser: Browser) -> list[str]:
    """The headings of the cards of steps that can be seen."""
    return list(
        browser.run(
            "[...document.querySelectorAll('[data-card]')].filter(c => !c.hidden)"
            ".map(c => c.querySelector('h3, h4').textContent)"
        )
    )


def wrong(browser: Browser, axe: str, where: str = "html") -> list[Any]:
    """What axe finds in a part of the page that is serious or critical."""
    browser.run(f"{axe}; 0")
    found = browser.run(
        f"axe.run(document.querySelector('{where}'), {{resultTypes: ['violations']}})"
        ".then(r => JSON.stringify(r.violations"
        ".map(v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => n.html)])))"
    )
    return [each for each in json.loads(found) if each[0] in ("serious", "critical")]


def test_it_asks_for_nothing_and_says_nothing(browser: Browser, page: Path) -> None:
    browser.said.clear()
    browser.requests.clear()

    browser.open(page)
    browser.run("window.print = () => 0; dispatchEvent(new Event('beforeprint'))")

    assert browser.said == []
    assert browser.requests == [page.as_uri()]


def test_nothing_can_be_run_on_it_that_is_not_its_own(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    """The policy holds: a script that got in is refused."""
    pierced = tmp_path / "pierced.html"
    text = page.read_text(encoding="utf-8")
    pierced.write_text(
        text.replace("</main>", "<script>document.title = 'pierced'</script></main>")
    )

    browser.open(pierced)

    assert browser.run("document.title") != "pierced"
    browser.said.clear()


def test_the_slider_and_the_keys_walk_through_the_steps(
    browser: Browser, page: Path
) -> None:
    """It opens at the worst moment; every moment is one step away from the next."""
    browser.open(page)
    assert shown(browser) == ["Step 5 while master-0 is away"]

    browser.press("ArrowRight")
    assert shown(browser) == ["Step 5 after it"]
    for _ in range(9):
        browser.press("ArrowLeft")
    assert shown(browser) == ["Before the list"]
    browser.run(
        "const s = document.querySelector('input[type=range]'); s.value = 2;"
        " s.dispatchEvent(new Event('input')); s.focus()"
    )
    assert shown(browser) == ["Step 2"]
    browser.press("ArrowRight")
    assert shown(browser) == ["Step 3"]
    spoken = browser.run("document.querySelector('input[type=range]').ariaValueText")
    assert spoken is None or "Step 3" in spoken
    browser.run("document.querySelector('[data-moment=\"1\"].k-hit').dispatchEvent("
                "new MouseEvent('click', {bubbles: true}))")  # fmt: skip
    assert shown(browser) == ["Step 1"]
    x = browser.run("document.querySelector('.k-cursor').getAttribute('x')")
    picture = browser.run("({...document.querySelector('svg[data-wide]').dataset})")
    assert int(x) == int(picture["left"]) + int(picture["wide"])


def test_the_names_of_the_members_stay_in_sight_on_a_phone(
    browser: Browser, page: Path
) -> None:
    """However far the picture is moved, and the moment that is shown is beside them."""
    browser.open(page, width=390)
    for _ in range(9):
        browser.press("ArrowRight")
    place = browser.run(
        "(() => {"
        " const frame = document.querySelector('.scroll');"
        " const box = (of) => frame.querySelector(of).getBoundingClientRect();"
        " const names = box('.k-names'), now = box('.k-cursor');"
        " return [frame.scrollLeft, names.left, names.right, now.left, now.right]"
        "})()"
    )
    moved, names_left, names_right, now_left, now_right = place

    assert moved > 0
    assert names_left >= 0
    assert names_right <= now_left + 1
    assert now_right <= 390


def test_a_link_leads_to_its_step(browser: Browser, page: Path) -> None:
    browser.open("about:blank")
    browser.open(f"{page.as_uri()}#cluster-1-moment-2")

    assert shown(browser) == ["Step 2"]


def test_without_a_script_everything_is_there(browser: Browser, page: Path) -> None:
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)

    assert len(shown(browser)) == 7
    assert browser.run("document.getElementById('theme').hidden") is True


def test_the_theme_follows_the_system_until_somebody_chooses(
    browser: Browser, page: Path
) -> None:
    def ground() -> str:
        return str(browser.run("getComputedStyle(document.body).backgroundColor"))

    browser.open(page, dark=True)
    browser.run("localStorage.clear(); 0")
    browser.open(page, dark=True)
    assert ground() == "rgb(13, 17, 23)"
    browser.run("document.getElementById('theme').click()")
    assert ground() == "rgb(255, 255, 255)"
    browser.open(page, dark=True)
    assert ground() == "rgb(255, 255, 255)"
    browser.run("localStorage.clear(); 0")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_can_be_read_by_everybody(
    browser: Browser, page: Path, axe: str, width: int, *, dark: bool
) -> None:
    """At the width of a phone and of a desk, nothing is cut off sideways."""
    browser.open(page, width=width, dark=dark)
    kept = os.environ.get("KOPSLINT_SCREENSHOTS")
    if kept:
        name = f"report-{width}-{'dark' if dark else 'light'}.png"
        browser.picture(Path(kept) / name)

    assert browser.run("document.documentElement.scrollWidth") <= width
    assert wrong(browser, axe) == []


def test_the_courses_that_are_possible_can_be_chosen(
    browser: Browser, tmp_path: Path
) -> None:
    """Choosing one tells its story and goes to its step."""
    from test_report_html import report_with

    from kopslint.report.html import render_html

    path = tmp_path / "course.html"
    path.write_text(render_html(report_with("x")), encoding="utf-8")
    browser.open(path)
    seen = "[...document.querySelectorAll('.course')].filter(c => !c.hidden).length"
    assert browser.run(seen) == 0

    browser.run(
        "const c = document.querySelector('[data-course]'); c.selectedIndex = 1;"
        " c.dispatchEvent(new Event('change')); 0"
    )

    assert browser.run(seen) == 1
    assert "Step 1" in shown(browser)[0]


def test_a_comment_as_a_browser_shows_it_runs_and_asks_nothing(
    browser: Browser, axe: str, tmp_path: Path
) -> None:
    """The Markdown of a hostile report, made HTML as on GitHub: details that fold."""
    from markdown_it import MarkdownIt
    from test_report_html import HOSTILE, report_with

    from kopslint.report.markdown import render_markdown

    bodies = [
        MarkdownIt("gfm-like", {"linkify": False}).render(
            render_markdown(report_with(text), unicode=True)
        )
        for text in HOSTILE.values()
    ]
    path = tmp_path / "comment.html"
    path.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>x</title>"
        "<style>pre {white-space: pre-wrap}</style><body><main><h1>x</h1><h2>x</h2>"
        f"{''.join(bodies)}</main>",
        encoding="utf-8",
    )
    browser.said.clear()
    browser.requests.clear()

    browser.open(path, width=390)

    assert browser.said == []
    assert browser.requests == [path.as_uri()]
    assert browser.run("document.querySelectorAll('script, img').length") == 0
    assert browser.run("document.querySelectorAll('details').length") >= len(bodies)
    assert wrong(browser, axe) == []
