"""The system's Chromium, driven by Playwright: found or installed, never downloaded by Playwright itself."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each window would start two hidden pages of the address bar. The list replaces Playwright's and goes on with it.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding,PreconnectToSearch",
    # Nothing outside this machine can be reached, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
APT = ("apt-get", "-qq", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=30")
APT_SECONDS = 240
PAGE_TIMEOUT_MS = 30_000  # milliseconds: a loaded machine is slow, but not wrong


class NoChromium(Exception):
    """There is none and none can be installed; the text says why."""


def find_chromium() -> str:
    """The program: the one that CHROMIUM names, the system's, or one that apt-get brings. Raises NoChromium."""
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise ValueError(f"CHROMIUM is {named!r}, and there is no such program.")
    return _on_path() or _installed()


@contextmanager
def running_browser(directory: Path) -> Iterator[Browser]:
    """One browser without a window; what it writes stays in `directory`."""
    home = {"HOME": directory, "XDG_CONFIG_HOME": directory / "config", "XDG_CACHE_HOME": directory / "cache"}
    environment = {**os.environ, **{name: str(path) for name, path in home.items()}}
    expect.set_options(timeout=PAGE_TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS, env=dict(environment))
        yield browser
        browser.close()


def _on_path() -> str:
    return next((found for name in NAMES if (found := shutil.which(name))), "")


def _installed() -> str:
    """One attempt; of several processes one installs, and the others find what it has brought."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NoChromium("There is no Chromium, and only root with apt-get could install it. CHROMIUM=… names one.")
    with (Path(tempfile.gettempdir()) / "chromium-for-tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _on_path():
            _apt_get("update")
            _apt_get("install", "--yes", "--no-install-recommends", "chromium")
    return _on_path()


def _apt_get(*words: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        subprocess.run((*APT, *words), env=environment, check=True, capture_output=True, text=True, timeout=APT_SECONDS)
    except subprocess.SubprocessError as trouble:
        told = str(getattr(trouble, "stderr", "") or trouble).strip()
        raise NoChromium(f"There is no Chromium, and apt-get {words[0]} failed: {told[-300:]}") from trouble
