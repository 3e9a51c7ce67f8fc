"""Whether the word that counts was heard right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from heard_right_parts.drawn import Drawn
from unrolled.decoding.rescoring import TextModel, text_scores
from unrolled.training.speech_scores import speech_scores


@dataclass(frozen=True)
class Heard:
    """What came out of some sentences.

    Attributes:
        right: share of the words that count which are written right, percent.
        alike: share of those written as one that sounds alike, percent; the rest is another word or
            none.
        of_alike: of the two, the share that is right, percent.
        wer: word error rate of the whole sentences, percent.
    """

    right: float
    alike: float
    of_alike: float
    wer: float


def heard(said: Sequence[str], drawn: Sequence[Drawn]) -> Heard:
    """Scores of transcripts of the sentences, in their order."""
    found = [_word_at(text, one) for text, one in zip(said, drawn, strict=True)]
    right = sum(word == one.word for word, one in zip(found, drawn, strict=True))
    alike = sum(word in one.rivals for word, one in zip(found, drawn, strict=True))
    return Heard(
        100 * right / len(drawn),
        100 * alike / len(drawn),
        100 * right / max(1, right + alike),
        speech_scores(said, [one.text for one in drawn]).wer,
    )


def most_frequent(drawn: Sequence[Drawn], learnt: Sequence[str]) -> float:
    """The share that is right where each word is written as the most frequent of those that sound
    like it, percent; the rest of the sentence known."""
    counts = Counter(word for text in learnt for word in text.split())
    right = sum(
        one.word == max((one.word, *one.rivals), key=lambda word: (counts[word], word))
        for one in drawn
    )
    return 100 * right / len(drawn)


def read_right(model: TextModel, drawn: Sequence[Drawn], end: str = "") -> float:
    """The share of sentences that a language model finds likelier with their word than with any of
    its rivals, percent: what it can tell where all else is heard right.

    Args:
        end: what tells the model that a sentence is over.
    """
    each = [_with_each(one) for one in drawn]
    said = text_scores(model, [f"{text}{end}" for texts in each for text in texts])
    right = sum(
        all(said[f"{first}{end}"] > said[f"{other}{end}"] for other in others)
        for first, *others in each
    )
    return 100 * right / len(drawn)


def _with_each(one: Drawn) -> list[str]:
    """The sentence, and with each of the rivals in the word's place."""
    words = one.text.split()
    before, after = words[: one.place], words[one.place + 1 :]
    return [" ".join([*before, word, *after]) for word in (one.word, *one.rivals)]


def _word_at(said: str, one: Drawn) -> str | None:
    """What stands in the place of the word that counts, in the best alignment of both sentences."""
    import jiwer

    if not said.strip():
        return None
    aligned: Any = jiwer.process_words(one.text, said)
    for chunk in aligned.alignments[0]:
        if chunk.ref_start_idx <= one.place < chunk.ref_end_idx:
            if chunk.type == "delete":
                return None
            at = chunk.hyp_start_idx + one.place - chunk.ref_start_idx
            return str(aligned.hypotheses[0][at])
    return None
