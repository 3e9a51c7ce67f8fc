"""Checks README.md and docs/: relative links lead somewhere, and blocks marked `python` compile."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)")
FENCE = re.compile(r"^\s*```\s*(\w*)")


def faults(page: Path) -> list[str]:
    """What is wrong with a page, one line each: `page:line: fault`."""
    found: list[str] = []
    language: str | None = None  # of the block that we are in
    block: list[str] = []
    start = 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if fence and language is None:
            language, block, start = fence[1], [], number
        elif fence:
            if language == "python":
                try:
                    compile("\n" * start + "\n".join(block), str(page), "exec")
                except SyntaxError as error:
                    found.append(
                        f"{page}:{error.lineno}: this Python does not compile: {error.msg}"
                    )
            language = None
        elif language is not None:
            block.append(line)
        else:
            for target in LINK.findall(line):
                path = target.partition("#")[0]
                outside = re.match(r"[a-z]+:", target)
                if path and not outside and not (page.parent / path).exists():
                    found.append(f"{page}:{number}: the link to {path} leads nowhere")
    if language is not None:
        found.append(f"{page}:{start}: the block that opens here never ends")
    return found


def main() -> int:
    pages = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    wrong = [fault for page in pages for fault in faults(page.relative_to(Path.cwd()))]
    print("\n".join(wrong) if wrong else f"docs: {len(pages)} pages, links and Python blocks good")
    return 1 if wrong else 0


if __name__ == "__main__":
    import os

    os.chdir(ROOT)
    sys.exit(main())
