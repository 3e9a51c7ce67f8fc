"""`unrolled suggest`: the next words, as one types."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from unrolled.cli import options
from unrolled.cli.options import given, option
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.generating.keystrokes import Typing

EXAMPLES = (
    "unrolled suggest writer.unrolled",
    "unrolled suggest writer.unrolled --n 5",
    "echo 'It was the b' | unrolled suggest writer.unrolled",
)
HELP = "Tab takes a word, arrows choose another, Enter begins a line, Ctrl-C ends."


def suggest(
    model: options.Model,
    n: Annotated[int | None, option("Words to suggest.", "5", min=1)] = None,
    as_json: options.AsJson = False,
) -> None:
    """Type, and see the likeliest next words; Tab takes one.

    A half-typed word is completed. Where standard input is no terminal, each of its lines is
    answered with a line of its own: the words and their probabilities.
    """
    from unrolled.cli.answers import standard_input
    from unrolled.cli.models import a_kind, kind, open_model

    task: Any = open_model(model)
    if kind(task) != "Generator":
        raise ConfigError(f"{model} holds {a_kind(task)}; give the model of a generator")
    how_many = given(n=n)
    if standard_input().isatty() and sys.stdout.isatty() and not as_json:
        _converse(task.typing(), how_many, sys.stdout)
    else:
        _answer_lines(task, how_many, as_json)


def _answer_lines(task: Any, how_many: dict[str, int], as_json: bool) -> None:
    import json

    from unrolled.cli.answers import typed_lines

    for line in typed_lines():
        words = task.suggest(line, **how_many)
        if as_json:
            print(json.dumps([{"word": word, "probability": p} for word, p in words]), flush=True)
        else:
            print("  ".join(f"{word} {share:.3f}" for word, share in words), flush=True)


def _converse(typed: Typing, how_many: dict[str, int], out: TextIO) -> None:
    from unrolled.cli.keys import (
        BACK,
        END,
        ENTER,
        NEXT,
        PREVIOUS,
        TAB,
        WORD_BACK,
        decoded,
        raw_terminal,
    )

    print(HELP, file=out)
    with raw_terminal() as read:
        words, chosen = typed.suggest(**how_many), 0
        _show(out, _line(typed), words, chosen)
        for key, is_text in decoded(read):
            if key == END and not is_text:
                break
            if is_text:
                typed.type(key)
            elif key == TAB and words:
                typed.take(words[chosen][0])
            elif key == BACK and _line(typed):
                typed.back()
            elif key == WORD_BACK:
                typed.back(len(_line(typed)) - len(_without_word(_line(typed))))
            elif key == ENTER:
                _finish(out, _line(typed))
                typed.type("\n")
            if not is_text and key in (NEXT, PREVIOUS) and words:
                chosen = (chosen + (1 if key == NEXT else -1)) % len(words)
            else:
                words, chosen = typed.suggest(**how_many), 0
            _show(out, _line(typed), words, chosen)
    _finish(out, _line(typed))


def _line(typed: Typing) -> str:
    return typed.text.rpartition("\n")[2]


def _without_word(line: str) -> str:
    """The line up to its last word, as Ctrl-W leaves it."""
    return line.rstrip()[: len(line.rstrip()) - len(line.split()[-1])] if line.split() else ""


def _show(out: TextIO, line: str, words: list[tuple[str, float]], chosen: int) -> None:
    """The line that is typed with the words under it, in place of what stood there."""
    width = shutil.get_terminal_size().columns - 1
    shown = line[-(width - 2) :]
    under = _row(words, chosen, width)
    # Clear from here down, write both lines, go back to the end of the first.
    out.write(f"\r\x1b[J{shown}\n{under}\x1b[1A\r")
    if shown:
        out.write(f"\x1b[{_cells(shown)}C")
    out.flush()


def _row(words: list[tuple[str, float]], chosen: int, width: int) -> str:
    row, used = [], 0
    for place, (word, share) in enumerate(words):
        told = f" {word} {share:.0%} "
        used += _cells(told) + 1
        if used > width:
            break
        row.append(f"\x1b[7m{told}\x1b[0m" if place == chosen else f"\x1b[2m{told}\x1b[0m")
    return " ".join(row)


def _finish(out: TextIO, line: str) -> None:
    """Leave the line as it is, without the words under it."""
    out.write(f"\r\x1b[J{line}\n")
    out.flush()


def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
