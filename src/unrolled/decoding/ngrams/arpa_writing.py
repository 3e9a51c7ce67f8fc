"""Writing a model as an ARPA file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unrolled.decoding.ngrams.trie import Reals, Trie
from unrolled.decoding.ngrams.vocabulary import Vocabulary
from unrolled.writing import replacing

# Grams whose lines are made at once.
_LINES = 1 << 16


def write_arpa(path: str | os.PathLike[str], trie: Trie, vocabulary: Vocabulary) -> Path:
    """Write an ARPA file, gzipped where the name ends in `.gz`; log10, as short as tells each
    number from its neighbours, so that the file reads back to the same bits.

    Raises:
        OutputError: the folder does not exist or can't be written.

    Source: the format as SRILM documents it in ngram-format(5).
    """
    path = Path(path)
    with replacing(path) as aside, aside.open("wb") as raw:
        if path.suffix.lower() != ".gz":
            raw.writelines(_parts(trie, vocabulary))
        else:
            # No name and no time in it: the same model gives the same bytes.
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
                file.writelines(_parts(trie, vocabulary))
    return path


def _parts(trie: Trie, vocabulary: Vocabulary) -> Iterator[bytes]:
    counts = "".join(f"ngram {n}={count}\n" for n, count in enumerate(trie.counts, start=1))
    yield f"\\data\\\n{counts}".encode()
    # Of the level below, without and with the space behind them.
    words = list(vocabulary.tokens)
    grams = [""]
    for length in range(1, trie.order + 1):
        yield f"\n\\{length}-grams:\n".encode()
        first, last = trie.starts[length : length + 2]
        below = trie.starts[length - 1]
        longer: list[str] = []
        for begin in range(first, last, _LINES):
            here = slice(begin, min(begin + _LINES, last))
            spelt = [
                grams[prefix] + words[token]
                for prefix, token in zip(
                    (trie.parent[here] - below).tolist(), trie.token[here].tolist(), strict=True
                )
            ]
            yield "".join(_lines(trie, here, spelt)).encode()
            longer += [f"{gram} " for gram in spelt] if length < trie.order else []
        grams = longer
    yield b"\n\\end\\\n"


def _lines(trie: Trie, here: slice, spelt: list[str]) -> Iterator[str]:
    after = slice(here.start + 1, here.stop + 1)
    weighs = (trie.first_child[here] != trie.first_child[after]) | (trie.backoff[here] != 0)
    numbers, weights = _written(trie.log_prob[here]), _written(trie.backoff[here])
    for gram, number, weight, has_weight in zip(
        spelt, numbers, weights, weighs.tolist(), strict=True
    ):
        yield f"{number}\t{gram}\t{weight}\n" if has_weight else f"{number}\t{gram}\n"


def _written(numbers: Reals) -> list[str]:
    """Each as short as tells it from the next float32."""
    found: list[str] = numbers.astype(np.str_).tolist()
    return found
