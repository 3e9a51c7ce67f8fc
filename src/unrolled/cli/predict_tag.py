"""`unrolled predict` with a tagger: a tag beside every word."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from unrolled.cli.answers import STREAM, TOGETHER, is_lines, lines_of, one_of

if TYPE_CHECKING:
    from unrolled.tasks.tagger import Tagger

Tagged = list[tuple[str, str]]


def tag(
    task: Tagger, source: str | None, *, text: str | None = None, out: Path | None = None
) -> None:
    """Tag words as CoNLL: a word and its tag a line, a blank line after each sentence.

    Args:
        task: the tagger.
        source: a CoNLL file (its own tags count for nothing), a text file, or "-": standard input,
            line by line.
        text: a text, in place of it.
        out: a file for the answer.
    """
    one_of(text, source, "predict")
    sentences = _sentences(task, source, text)
    if out is None:
        _write(sys.stdout, sentences)
        return
    from unrolled.writing import replacing

    with replacing(out) as aside, aside.open("w", encoding="utf-8") as file:
        _write(file, sentences)


def _sentences(task: Tagger, source: str | None, text: str | None) -> Iterator[Tagged]:
    if text is not None or source is None:
        yield from task.predict(text or "")
        return
    if is_lines(source):
        lines = lines_of(source)
        for line in lines if source == STREAM else ["\n".join(lines)]:
            yield from task.predict(line)
        return
    from unrolled.cli.sources import loaded
    from unrolled.data.tagged import read_tagged

    words = read_tagged(loaded(source, "tagged")).words
    for begin in range(0, len(words), TOGETHER):
        part = [list(one) for one in words[begin : begin + TOGETHER]]
        for sentence, tags in zip(part, task.predict(part), strict=True):
            yield list(zip(sentence, tags, strict=True))


def _write(file: TextIO, sentences: Iterable[Tagged]) -> None:
    for sentence in sentences:
        file.write("".join(f"{word}\t{its}\n" for word, its in sentence) + "\n")
        file.flush()
