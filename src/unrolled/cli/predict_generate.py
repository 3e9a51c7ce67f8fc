"""`unrolled predict` with a generator: text that goes on, symbol by symbol."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from unrolled.cli.answers import STREAM, is_lines, lines_of
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator


def write(task: Generator, source: str | None, writing: dict[str, Any]) -> None:
    """Write on from a prompt, or from each line of a file or of standard input.

    Args:
        task: the generator.
        source: a text file with a prompt a line, or "-": standard input.
        writing: the options that were given.
    """
    from unrolled.cli.models import refuse

    prompt = writing.pop("prompt", None)
    if prompt is not None and source is not None:
        raise ConfigError("predict: give INPUT or --prompt, not both")
    if source is not None and not is_lines(source):
        raise ConfigError(f"{source}: expected a .txt file with a prompt a line, or {STREAM}")
    prompts = [prompt or ""] if source is None else lines_of(source)
    if "n" in writing:
        n = writing.pop("n")
        refuse(writing, "can't go together with --suggest, which draws nothing")
        for one in prompts:
            for word, probability in task.suggest(one, n):
                print(f"{probability:.3f}  {word}", flush=True)
        return
    for one in prompts:
        for symbol in task.stream(one, **writing):
            sys.stdout.write(symbol)
            sys.stdout.flush()
        print(flush=True)
