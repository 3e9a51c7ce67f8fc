"""The catalog's pairs of sentences, and the fixed split of those that come without one."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from unrolled.data.pairs import SentencePairs, plain, read_pairs

if TYPE_CHECKING:
    from unrolled.data.catalog import Entry

# Pairs that are held out for each of validation and test.
HELD_OUT = 2_000


def load_pairs(wanted: Entry, path: Path, options: dict[str, Any]) -> SentencePairs:
    """A set of kind "pairs" from the file or the two files of it that are at hand.

    Args:
        wanted: the set.
        path: its file, the first of two where it is kept as two.
        options: of the reader; `columns`: names of the file's columns; `turned`: whether the second
            is the source where neither is named; `part`: which part of `split_fixed` is meant.

    Raises: as `read_pairs`.
    """
    columns, part = options.pop("columns", None), options.pop("part", None)
    turned = options.pop("turned", False) and not {"source", "target"} & set(options)
    if wanted.beside is not None:
        pairs = read_pairs((path, path.with_name(Path(wanted.beside.file).name)))
    else:
        pairs = read_pairs(path)
    pairs = replace(pairs, name=wanted.name)
    if columns is not None:
        pairs = replace(pairs, columns=tuple(columns))
    if part is not None:
        pairs = split_fixed(pairs)[part]
    return pairs.turned() if turned else read_pairs(pairs, **options)


def split_fixed(
    pairs: SentencePairs, held_out: int = HELD_OUT
) -> dict[Literal["test", "validation", "train"], SentencePairs]:
    """Pairs in three parts of which no two share a sentence, the same on every machine.

    Pairs that share a sentence on either side, also over others, are one group. The groups stand in
    the order of the hash of their first source sentence by its letters; each goes to the test part
    where it still fits, then to the validation part, and the others are for training. So a later
    edition of the file has nearly the same parts.

    Args:
        pairs: all of them, the side that repeats first.
        held_out: size of the test and of the validation part.
    """
    groups = pairs.groups()

    def order(group: list[int]) -> bytes:
        first = min(plain(pairs.sources[place]) for place in group)
        return blake2b(first.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    test: list[int] = []
    validation: list[int] = []
    train: list[int] = []
    for group in sorted(groups, key=order):
        for part in (test, validation):
            if len(part) + len(group) <= held_out:
                part += group
                break
        else:
            train += group
    return {
        "test": pairs.select(sorted(test)),
        "validation": pairs.select(sorted(validation)),
        "train": pairs.select(sorted(train)),
    }
