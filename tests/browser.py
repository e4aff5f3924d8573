"""A real browser without a window, spoken to over two pipes.

It is the machine's own chromium, started here with a profile of its own and ended with
the test. Its protocol (https://chromedevtools.github.io/devtools-protocol/) is JSON
with a NUL behind each message, so nothing has to be installed to speak it.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

PROGRAM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
MISSING = "there is no chromium here (Debian: apt-get install chromium)"

_SECONDS = 60


def _high(descriptor: int) -> int:
    """The same under a number from ten on."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return copy


class Browser:
    """One page of one browser, with what it logged and what it asked for."""

    def __init__(self) -> None:
        assert PROGRAM is not None, MISSING
        self.profile = tempfile.mkdtemp(prefix="kopslint-browser-")
        self.said: list[str] = []
        self.requests: list[str] = []
        self._buffer = b""
        self._number = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._events: list[str] = []
        # The browser reads 3 and writes 4, so ours are kept out of their way.
        to_browser, self._out = map(_high, os.pipe())
        self._in, from_browser = map(_high, os.pipe())

        def pipes() -> None:
            os.dup2(to_browser, 3)
            os.dup2(from_browser, 4)

        self.process = subprocess.Popen(
            [
                PROGRAM,
                *("--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--remote-debugging-pipe", f"--user-data-dir={self.profile}"),
                *("--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars"),
                *("--disable-background-networking", "--disable-component-update"),
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Nothing else runs here at this moment.
            preexec_fn=pipes,  # noqa: PLW1509
            close_fds=False,
        )
        os.close(to_browser)
        os.close(from_browser)
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(each for each in targets if each["type"] == "page")
        self.session: str | None = None
        answer = self.ask(
            "Target.attachToTarget", targetId=page["targetId"], flatten=True
        )
        self.session = answer["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self.profile, ignore_errors=True)

    def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """One call of the protocol and its answer."""
        self._number += 1
        number = self._number
        message: dict[str, object] = {
            "id": number,
            "method": method,
            "params": parameters,
        }
        session = getattr(self, "session", None)
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _SECONDS
        while number not in self._answers:
            self._read(end)
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self, end: float) -> None:
        ready, _, _ = select.select([self._in], [], [], max(end - time.monotonic(), 0))
        assert ready, "the browser does not answer"
        data = os.read(self._in, 1 << 20)
        assert data, "the browser has ended"
        self._buffer += data
        *whole, self._buffer = self._buffer.split(b"\0")
        for each in whole:
            self._hear(json.loads(each))

    def _hear(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        name, told = message["method"], message.get("params", {})
        self._events.append(name)
        match name:
            case "Runtime.exceptionThrown":
                self.said.append(json.dumps(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning"):
                self.said.append(json.dumps(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.said.append(told["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case _:
                pass

    def open(
        self,
        page: Path | str,
        *,
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
    ) -> None:
        """Open a file or an address, and wait until it is loaded."""
        self.look(width=width, height=height, dark=dark)
        self._events.clear()
        address = page if isinstance(page, str) else page.resolve().as_uri()
        self.ask("Page.navigate", url=address)
        end = time.monotonic() + _SECONDS
        while "Page.loadEventFired" not in self._events:
            self._read(end)

    def look(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Be a screen of this size, and prefer light or dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        motion = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme, motion])

    def run(self, script: str) -> Any:
        """What an expression of JavaScript comes to, also if it comes later."""
        answer = self.ask(
            "Runtime.evaluate",
            expression=script, awaitPromise=True, returnByValue=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key of the keyboard, down and up."""
        code = {"ArrowLeft": 37, "ArrowRight": 39, "Tab": 9, "Enter": 13, "End": 35}[
            key
        ]
        for kind in ("keyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent",
                type=kind, key=key, code=key, windowsVirtualKeyCode=code,
            )  # fmt: skip

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """The page as a PNG, all of it or what is on the screen."""
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0, "y": 0, "scale": 1,
            "width": size["width"], "height": min(size["height"], 12_000),
        }  # fmt: skip
        more = {"captureBeyondViewport": True, "clip": clip} if whole else {}
        data = self.ask("Page.captureScreenshot", format="png", **more)["data"]
        path.write_bytes(base64.b64decode(data))
