"""A headless browser for tests of HTML pages. It opens local files only."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip


@contextmanager
def browser(profile: Path) -> Iterator[Chrome]:
    """A browser with an empty profile, which logs its requests."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*QUIET, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=str(DRIVER)))
    try:
        yield running
    finally:
        running.quit()


def show(running: Chrome, page: Path, *, width: int, scheme: Literal["light", "dark"]) -> None:
    """Open a page as on a device of that width, in CSS pixels."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    running.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    running.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    running.get(page.as_uri())


def becomes(running: Chrome, script: str, wanted: object) -> bool:
    """Wait until a script returns `wanted`; style and layout follow a change of media some frames later."""
    from selenium.webdriver.support.ui import WebDriverWait

    reached: bool = WebDriverWait(running, 30).until(lambda _: running.execute_script(script) == wanted)
    return reached


def requests(running: Chrome) -> list[str]:
    """The URLs that were requested since the last call."""
    entries: list[Any] = running.get_log("performance")  # type: ignore[no-untyped-call] # selenium's is untyped
    events = [json.loads(entry["message"])["message"] for entry in entries]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def screenshot(running: Chrome, path: Path) -> None:
    """Save the whole page as PNG."""
    shot = running.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
    path.write_bytes(base64.b64decode(shot["data"]))
