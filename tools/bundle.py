"""Builds the page's bundle from `web/` in a folder aside, after its tests, and compares it with the
committed one, byte by byte. Where Node, npm or the registry is missing it says so and passes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUNDLE = Path("src/unrolled/lens/static/lens.js")
NODE = (20, 19)  # what vite asks for
SECONDS = 300
# npm's and the system's names for a registry that can't be reached, or that has trouble of its own.
AWAY = re.compile(
    r"npm (?:error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH"
    r"|ERR_SOCKET_TIMEOUT|ENOTCACHED|EPROTO|E429|E5\d\d|E40[137])"
)


class Skip(Exception):
    """The reason why nothing could be built."""


class Fault(Exception):
    """What is wrong, and what to do."""


def check(root: Path = ROOT) -> str:
    """What was found to be right; raises `Skip` or `Fault`."""
    npm = _npm()
    with tempfile.TemporaryDirectory(prefix="unrolled-web-") as folder:
        web = Path(folder) / "web"
        shutil.copytree(root / "web", web, ignore=shutil.ignore_patterns("node_modules"))
        _install(npm, web)
        for script in ("test", "build"):
            try:
                done = _run([npm, "run", script], web)
            except subprocess.TimeoutExpired:
                raise Fault(f"npm run {script} took longer than {SECONDS} s in web/") from None
            if done.returncode:
                raise Fault(f"npm run {script} fails in web/:\n{done.stdout}{done.stderr}")
        built, committed = (Path(folder) / BUNDLE).read_bytes(), (root / BUNDLE).read_bytes()
    if built != committed:
        raise Fault(
            f"{BUNDLE} is not what web/ builds ({len(committed):,} bytes, built {len(built):,});"
            " run make web and commit the bundle"
        )
    return f"the page's tests pass, and {BUNDLE} is what web/ builds ({len(built):,} bytes)"


def _npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Skip("node and npm are not installed")
    told = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    if version < NODE:
        raise Skip(f"node is {told.strip()}, and {'.'.join(map(str, NODE))} or newer is needed")
    return npm


def _install(npm: str, web: Path) -> None:
    try:
        done = _run([npm, "ci", "--no-audit", "--fetch-retries=1", "--fetch-timeout=30000"], web)
    except subprocess.TimeoutExpired:
        raise Skip(f"npm ci took longer than {SECONDS} s") from None
    away = AWAY.search(done.stderr)
    if away:
        raise Skip(f"the registry of npm can't be reached ({away[1]})")
    if done.returncode:
        raise Fault(f"npm ci fails in web/:\n{done.stderr}")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)


if __name__ == "__main__":
    try:
        print(f"web: {check()}")
    except Skip as reason:
        print(f"web: not checked: {reason}")
    except Fault as fault:
        sys.exit(f"web: {fault}")
