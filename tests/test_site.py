"""The documentation's site in a real browser, and the pictures of the README."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import re
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import MISSING, PROGRAM, Browser
from test_report_page import axe, wrong

from kopslint.report.pictures import standing_alone
from kopslint.rulebook.loader import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["axe"]

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs/pictures"

needs_site = pytest.mark.skipif(
    PROGRAM is None or find_spec("material") is None,
    reason=f"{MISSING}, or mkdocs-material is missing",
)


def build() -> Any:
    """The module that makes the documentation."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "docs/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pictures_of_the_repository_are_those_that_are_drawn() -> None:
    """KOPSLINT_UPDATE_EXPECTED=1 draws them anew; the test fails that one time."""
    drawn = {name: standing_alone(svg) for name, svg in build().drawn().items()}
    if os.environ.get("KOPSLINT_UPDATE_EXPECTED"):
        for name, svg in drawn.items():
            (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")

    kept = {path.stem: path.read_text("utf-8") for path in PICTURES.glob("*.svg")}
    assert kept == drawn


def test_every_rule_is_listed_by_its_hazard_once() -> None:
    page = build().rule_list(load_rules())
    hazards = page.partition("## By hazard")[2].partition("\n## ")[0]

    listed = re.findall(r"\[(KL\d{3})\]", hazards)
    assert sorted(listed) == [rule.id for rule in load_rules()]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site, built and served on this machine."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


PAGES = ("", "simulation/", "rules/", "rules/KL301/", "first-change/", "reports/")


@needs_site
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_quiet_and_fits_a_phone_and_a_desk(
    browser: Browser, site: str, axe: str, page: str
) -> None:
    """No report is wider than its column, and nothing is asked of other hosts.

    What is around the text is the theme's.
    """
    for width, dark in ((1280, False), (390, True)):
        browser.said.clear()
        browser.requests.clear()
        browser.open(f"{site}{page}", width=width, dark=dark)
        kept = os.environ.get("KOPSLINT_SCREENSHOTS")
        if kept:
            name = page.strip("/").replace("/", "-") or "index"
            browser.picture(Path(kept) / f"site-{name}-{width}.png")

        assert browser.said == []
        assert {
            r for r in browser.requests if not r.startswith((site, "data:"))
        } == set()
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert wrong(browser, axe, ".md-content") == []
        if width == 1280:
            wide = browser.run(
                "[...document.querySelectorAll('.language-text code')]"
                ".filter(c => c.scrollWidth > c.clientWidth + 1)"
                ".map(c => c.textContent)"
            )
            assert wide == []


@needs_site
def test_light_and_dark_can_be_chosen(browser: Browser, site: str) -> None:
    """First as the system has it, then light, then dark."""
    browser.open(f"{site}rules/KL301/", dark=True)
    scheme = "document.body.dataset.mdColorScheme"
    toggle = (
        "[...document.querySelectorAll('.md-header__option label')]"
        ".find(label => !label.hidden).click()"
    )
    seen = [browser.run(scheme)]
    for _ in range(2):
        browser.run(toggle)
        seen.append(browser.run(scheme))
    browser.run("localStorage.clear()")

    assert seen == ["slate", "default", "slate"]
    assert (
        browser.run("document.querySelectorAll('.k-figure svg[role=img]').length") == 1
    )
