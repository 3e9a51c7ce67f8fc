"""One run of a benchmark's task, in a folder, so that a stopped run goes on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from unrolled.about import machine
from unrolled.errors import ConfigError
from unrolled.writing import replacing

RESULT, ASKED = "result.json", "asked.json"
TEST, VALIDATION = "test", "validation"


class Stopped(Exception):
    """Ctrl-C ended a training; its checkpoint is kept, and the same command goes on."""


@dataclass(frozen=True)
class Recipe:
    """What is chosen for a task, on its validation part.

    Attributes:
        options: arguments of the public class besides those that the task settles.
        budget: of `fit`.
    """

    options: dict[str, Any] = field(default_factory=dict)
    budget: str = "500 steps"

    def with_(self, budget: str | None, options: dict[str, Any]) -> Recipe:
        """The same but for what is asked otherwise."""
        return Recipe({**self.options, **options}, budget or self.budget)


@dataclass(frozen=True)
class Request:
    """What a command asks for.

    Attributes:
        task, seed, part: what is run; part is "test" or "validation".
        budget, options: other than the recipe's.
        folder: of the run; None leaves nothing behind.
    """

    task: str
    seed: int = 0
    part: str = TEST
    budget: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    def asked(self) -> dict[str, Any]:
        """All but the folder, as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    def recipe(self, own: Recipe) -> Recipe:
        """The recipe of a task as the command has it."""
        return own.with_(self.budget, self.options)

    def within(self, name: str) -> Path | None:
        """The folder of one network."""
        return None if self.folder is None else self.folder / plain(name)

    def open(self) -> None:
        """Make the folder; ConfigError where it holds another run."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / ASKED
        if path.exists() and json.loads(path.read_text()) != json.loads(json.dumps(self.asked())):
            raise ConfigError(
                f"{self.folder}: holds a run that was asked for otherwise; choose another --run-dir"
            )
        write(path, self.asked())


def result_of(request: Any, run: Callable[[Any], list[dict[str, Any]]]) -> dict[str, Any]:
    """Run a task, or take the result that its folder holds already.

    Args:
        request: a `Request`, or a task's own kind of it.
        run: gives the parts of the result.
    """
    request.open()

    def result() -> dict[str, Any]:
        parts = run(request)
        ended = time.strftime("%F %T")
        return {**request.asked(), "parts": parts, "machine": machine(), "ended": ended}

    return kept(None if request.folder is None else request.folder / RESULT, result)


def kept(path: Path | None, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file holds; or what is made now, which it holds from then on."""
    if path is not None and path.exists():
        return dict(json.loads(path.read_text()))
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, made)
    return made


def write(path: Path, values: Any) -> None:
    """As JSON, whole or not at all."""
    with replacing(path) as aside:
        aside.write_text(json.dumps(values, indent=1) + "\n")


def tell(text: str) -> None:
    """A line of the log."""
    print(text, file=sys.stderr, flush=True)


def plain(name: str) -> str:
    """A name for a file."""
    return name.replace(" ", "-").replace("/", "-")
