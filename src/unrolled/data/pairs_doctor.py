"""`examine_pairs`: what a person should know of pairs before a network learns from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.pairs import SentencePairs, places_told, read_pairs
from unrolled.data.pairs_doctor_characters import characters
from unrolled.data.pairs_doctor_lengths import lengths
from unrolled.data.pairs_doctor_shift import shifted
from unrolled.data.pairs_doctor_sides import languages
from unrolled.data.pairs_doctor_twice import across, twice
from unrolled.data.text_doctor_findings import MANY, found, share, shown
from unrolled.data.text_doctor_items import encoding_damage

_IDENTICAL = 0.05


def examine_pairs(data: Any, *, validation: Any = None, test: Any = None) -> Checkup:
    """Looks through pairs before training, changes nothing, and says what it found.

    | kind | found where |
    |---|---|
    | across splits | a pair of a held-out part, or one side of it, stands in another part too |
    | language | a side is in another script than its others, or in the words of the other side |
    | misaligned | from a line on, targets belong to other sources; or nothing goes together |
    | length ratio | a translation is far longer or shorter than is usual for its source |
    | identical | both sides are the same |
    | encoding | characters that were read with the wrong encoding, with what they likely were |
    | characters | invisible characters, or marks of HTML |
    | duplicate | the same pair again (capitals and spaces do not count) |
    | several targets | the same source with different translations |
    | empty | pairs with an empty side, which were left out while they were read |
    | long | sentences of more than 100 words (500 characters where there are no spaces) |

    A warning is what spoils what is learnt or measured (as a rule more than 1% of the pairs), a
    note what is good to know. Places are lines of the file, or numbers of pairs counted from 0.
    Each check is linear in the pairs.

    Args:
        data: what `read_pairs` takes.
        validation: likewise: what the best weights will be chosen on.
        test: likewise: what will be tested on.

    Raises: the errors of `read_pairs`.
    """
    pairs = read_pairs(data)
    given = {"test": test, "validation": validation}
    apart = {name: read_pairs(part) for name, part in given.items() if part is not None}
    return Checkup.of(str(pairs), _findings(pairs, apart))


def _findings(pairs: SentencePairs, apart: dict[str, SentencePairs]) -> Iterable[DataFinding]:
    yield from _left_out(pairs)
    for part, others in apart.items():
        yield from _left_out(others, part)
    yield from _identical(pairs)
    shifts = list(shifted(pairs))
    yield from shifts
    yield from lengths(pairs, aligned=not shifts)
    yield from languages(pairs)
    for side, sentences in (("source", pairs.sources), ("target", pairs.targets)):
        yield from encoding_damage(sentences, f"{side} sentence", pairs.place)
    yield from characters(pairs)
    yield from twice(pairs)
    yield from across(pairs, apart)


def _left_out(pairs: SentencePairs, part: str | None = None) -> Iterable[DataFinding]:
    count = len(pairs.one_sided)
    if count:
        what = "line" if pairs.lines else "row"
        yield found(
            "empty",
            f"{share(count, len(pairs) + count)} pairs{'' if part is None else f' of the {part}'}"
            f" have one empty side: "
            f"{places_told(pairs.one_sided, what)}",
            "left out",
            warning=count > MANY * (len(pairs) + count),
        )


def _identical(pairs: SentencePairs) -> Iterable[DataFinding]:
    same = [
        place
        for place, (source, target) in enumerate(zip(pairs.sources, pairs.targets, strict=True))
        if source == target and any(map(str.isalpha, source))
    ]
    if same:
        yield found(
            "identical",
            f"{share(len(same), len(pairs))} pairs have the same text on both sides, such as "
            f"{shown(pairs.sources[same[0]])}",
            "left as they are: names are so by right; take out what was not translated, or the"
            " network learns to copy",
            warning=len(same) > _IDENTICAL * len(pairs),
            place=pairs.place(same[0]),
        )
