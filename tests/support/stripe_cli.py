"""The official Stripe CLI from its npm package, without the network, home or settings of whoever runs the tests."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.env import VAR

VERSION = "1.52.0"
FOLDER = VAR / "tools" / f"stripe-cli-{VERSION}"
INSTALL_SECONDS, TRIGGER_SECONDS = 180, 90


@dataclass(frozen=True)
class StripeCli:
    """`home` is a directory that the program may take for the user's."""

    program: Path
    home: Path

    def trigger(self, event_type: str, *, api_base: str, api_key: str) -> subprocess.CompletedProcess[str]:
        """`stripe trigger`: the fixture of that event, played against an API that is not Stripe's."""
        return self._run("trigger", event_type, "--api-base", api_base, "--api-key", api_key)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = str(self.home)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "NO_COLOR": "1",
            "NO_PROXY": "127.0.0.1",
        }
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TRIGGER_SECONDS,
            stdin=subprocess.DEVNULL,
        )


def stripe_cli(home: Path) -> StripeCli:
    """Found or installed; the test is skipped, with the reason, where that is not possible."""
    program = _find() or _install()
    return StripeCli(program, home)


def _find() -> Path | None:
    """The program for this machine, which is a package of its own: nothing is downloaded when it runs."""
    found = sorted((FOLDER / "node_modules" / "@stripe").glob("cli-*/bin/stripe*"))
    return found[0] if found else None


def _install() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, and the Stripe CLI comes from there")
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Its scripts would download the program a second time; it lies in the package for this machine.
    quietly = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(FOLDER / "cache"))
    command = (npm, "install", *quietly, "--prefix", str(FOLDER))
    try:
        done = subprocess.run(
            [*command, f"@stripe/cli@{VERSION}"], capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm has not installed the Stripe CLI within {INSTALL_SECONDS} seconds")
    if done.returncode != 0:
        pytest.skip(f"npm cannot install the Stripe CLI: {done.stderr.strip()[-500:]}")
    found = _find()
    if found is None:
        pytest.skip("the Stripe CLI has no program for this kind of machine")
    return found
