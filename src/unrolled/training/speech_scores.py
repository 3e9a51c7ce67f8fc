"""Scores of transcripts: word and character error rate as jiwer counts them, and what is mistaken
for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unrolled.data.normalising import Normalise, normalised
from unrolled.training.scored_texts import check_texts
from unrolled.training.speech_alignment import Alignment, Counts, align

_TOLD = {
    "none": "case and punctuation as they are",
    "plain": "lower case, punctuation and symbols read as spaces",
}


@dataclass(frozen=True)
class Confusions:
    """What is heard wrong, the most frequent first, then in the order of the characters.

    Attributes:
        substitutions: `(said, heard, how often)`.
        deletions: `(said, how often)` nothing was heard.
        insertions: `(heard, how often)` nothing was said.
    """

    substitutions: tuple[tuple[str, str, int], ...] = ()
    deletions: tuple[tuple[str, int], ...] = ()
    insertions: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, alignments: Iterable[Alignment]) -> Confusions:
        """Counts."""
        pairs = Counter(
            pair for one in alignments for pair in one.pairs if pair[0] != pair[1]
        ).items()
        return cls(
            substitutions=tuple(
                sorted(
                    (
                        (said, heard, count)
                        for (said, heard), count in pairs
                        if said is not None and heard is not None
                    ),
                    key=lambda row: (-row[2], row[:2]),
                )
            ),
            deletions=_ranked((said, count) for (said, heard), count in pairs if heard is None),
            insertions=_ranked((heard, count) for (said, heard), count in pairs if said is None),
        )

    def lines(self, most: int = 5) -> list[str]:
        """The most frequent ones of each kind that there is, a line for a kind."""
        told = {
            "heard for said": [
                f"{heard} for {said} ({count})" for said, heard, count in self.substitutions[:most]
            ],
            "not heard": [f"{said} ({count})" for said, count in self.deletions[:most]],
            "heard though not said": [
                f"{heard} ({count})" for heard, count in self.insertions[:most]
            ],
        }
        return [f"{kind}: {', '.join(found)}" for kind, found in told.items() if found]


@dataclass(frozen=True)
class SpeechScores:
    """How near transcripts come to what was said.

        WER = 100 (S + D + I) / N

    over all recordings together, with `S` words heard as others, `D` not heard, `I` heard though
    not said, and `N` said; CER is the same of characters. Both can be above 100.

    Attributes:
        words, characters: the counts.
        recordings: how many.
        exact: share of the recordings of which all is right.
        empty: references without a word: what is heard there is inserted.
        confusions: of words.
        signature: how it was counted, to be printed beside a score.

    Source: Morris, Maier and Green 2004 (WER and its kin).
    """

    words: Counts
    characters: Counts
    recordings: int
    exact: float
    empty: int
    confusions: Confusions
    signature: str

    @property
    def wer(self) -> float:
        """The word error rate in percent; NaN where no word was said."""
        return self.words.rate

    @property
    def cer(self) -> float:
        """The character error rate in percent; NaN where no word was said."""
        return self.characters.rate

    @property
    def sentence_error_rate(self) -> float:
        """Recordings of which something is wrong, in percent."""
        return 100 * (1 - self.exact)

    def __str__(self) -> str:
        counts = self.words
        return "\n".join(
            [
                f"WER {self.wer:.2f}% ({counts.substitutions:,} substitutions,"
                f" {counts.deletions:,} deletions, {counts.insertions:,} insertions,"
                f" {counts.said:,} words)",
                f"CER {self.cer:.2f}% ({self.characters.said:,} characters)",
                f"sentence error rate {self.sentence_error_rate:.2f}%"
                f" ({self.recordings:,} recordings)",
                self.signature,
                *self.confusions.lines(),
            ]
        )


def speech_scores(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    normalise: Normalise = "none",
    spaces: bool = True,
) -> SpeechScores:
    """WER, CER and confusions of transcripts, one reference each.

    Args:
        hypotheses: what was heard.
        references: what was said; one may be empty.
        normalise: what is done to both before: see `normalised`.
        spaces: whether the spaces between words count as characters.

    Raises:
        DataError: other numbers of transcripts and references, none at all, or no strings.
        ConfigError: an unknown `normalise`.
        MissingExtra: jiwer is not installed.
    """
    check_texts(hypotheses, references, "transcript")
    heard, said = (
        [normalised(text, normalise) for text in texts] for texts in (hypotheses, references)
    )
    words, alignments = align(heard, said)
    closed = [text if spaces else text.replace(" ", "") for text in (*heard, *said)]
    characters, _ = align(closed[: len(heard)], closed[len(heard) :], "characters")
    empty = sum(not text for text in said)
    return SpeechScores(
        words=words,
        characters=characters,
        recordings=len(said),
        exact=sum(map(str.__eq__, heard, said)) / len(said),
        empty=empty,
        confusions=Confusions.of(alignments),
        signature=_signature(normalise, spaces, empty),
    )


def _ranked(found: Iterable[tuple[str | None, int]]) -> tuple[tuple[str, int], ...]:
    rows = [(word, count) for word, count in found if word is not None]
    return tuple(sorted(rows, key=lambda row: (-row[1], row[0])))


def _signature(normalise: Normalise, spaces: bool, empty: int) -> str:
    from importlib.metadata import version

    told = f"WER and CER by jiwer {version('jiwer')}: {_TOLD[normalise]}"
    told += "" if spaces else ", spaces no characters"
    if not empty:
        return told
    many = f"{empty:,} references have" if empty > 1 else "1 reference has"
    return f"{told}; {many} no word: what is heard there is inserted"
