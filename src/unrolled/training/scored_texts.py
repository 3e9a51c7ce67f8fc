"""What every score of texts asks of them: as many answers as references, all strings."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.errors import DataError


def check_texts(hypotheses: Sequence[str], references: Sequence[str], what: str) -> None:
    """Nothing where the texts can be scored.

    Args:
        hypotheses, references: what was answered and what is right, in the same order.
        what: an answer is, such as "translation".

    Raises:
        DataError: other numbers of them, none at all, or no strings.
    """
    for name, texts in ((f"{what}s", hypotheses), ("references", references)):
        if isinstance(texts, str):
            raise DataError(f"the {name} are one string; give a list of them")
    if len(hypotheses) != len(references):
        raise DataError(
            f"got {len(hypotheses)} {what}s and {len(references)} references; give one"
            f" reference for each {what}, in the same order"
        )
    if not len(hypotheses):
        raise DataError(f"got no {what}s; give at least one with its reference")
    for row, pair in enumerate(zip(hypotheses, references, strict=True), 1):
        for name, text in zip((what, "reference"), pair, strict=True):
            if not isinstance(text, str):
                raise DataError(f"{name} {row} is of type {type(text).__name__}; give a string")
