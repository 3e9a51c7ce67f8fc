"""Runs the Python of a page, block by block, and holds what it prints against what the page shows.

A block marked `python` is followed by what it printed as a block marked `text`, or by nothing. With
`--write` the pages are written anew: python tools/outputs.py --write docs/learn/*.md
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAIR = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def same(code: str) -> str:
    return code


def outputs(page: str, change: Callable[[str], str] = same) -> Iterator[tuple[str, str, str]]:
    """Each block of a page, what the page shows for it, and what it printed; in one namespace.

    Args:
        page: the text.
        change: of a block before it runs, as to make it quick.
    """
    names: dict[str, Any] = {"__name__": "__page__"}
    for code, shown in PAIR.findall(page):
        said = io.StringIO()
        with redirect_stdout(said):
            exec(compile(change(code), "page", "exec"), names)
        yield code, shown, said.getvalue()


def words_of(text: str) -> list[str]:
    """A text without its numbers and blanks: what must be the same on every machine."""
    return NUMBER.sub("#", text).split()


def numbers_of(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def written(page: str) -> str:
    """The page with what its blocks print."""
    blocks = outputs(page)

    def anew(_: re.Match[str]) -> str:
        code, _, said = next(blocks)
        return f"```python\n{code}```\n" + (f"\n```text\n{said}```\n" if said else "")

    return PAIR.sub(anew, page)


if __name__ == "__main__":
    for name in (argument for argument in sys.argv[1:] if argument != "--write"):
        page = Path(name).resolve()
        text = page.read_text(encoding="utf-8")
        # What the blocks write, such as pages to open, is a reader's and not the repository's.
        with TemporaryDirectory() as folder, chdir(folder):
            new = written(text)
        if "--write" in sys.argv:
            page.write_text(new, encoding="utf-8")
        print(f"{name}: {'the same' if new == text else 'not the same'}")
