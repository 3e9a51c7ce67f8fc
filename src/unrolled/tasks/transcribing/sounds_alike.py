"""`Explanation`: why a transcript has these words and not others that sound like them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from unrolled.tasks.transcribing.transcript import HeardWord, Transcript

# Beyond it a number is no odds but a certainty, in nats.
_CERTAIN = 700.0


@dataclass(frozen=True)
class OtherContext:
    """A word beside it with which a rival would have won.

    Attributes:
        word: it would stand there in place of the one that does, or where none does.
        before: whether it is the word before the rival; else the one after it.
        odds: of the rival against the word of the transcript, above 1.
    """

    word: str
    before: bool
    odds: float


@dataclass(frozen=True)
class Rival:
    """A word that sounds like one of a transcript, in its place.

    All scores are in nats, those of the transcript with it minus those of the transcript as it is:
    below 0 they speak for the word that won.

    Attributes:
        text: how it is written.
        how: why it was looked at: "same sound" or "near sound" by a dictionary, "like letters", or
            "heard", where the search had it there.
        acoustic: how well the recording fits, over all alignments.
        language: what the n-gram model says, with its weight, bonus and penalty.
        hot: what hot words add.
        second: what the second pass says, with its weight.
        contexts: with which words beside it it would have won.
    """

    text: str
    how: str
    acoustic: float
    language: float = 0.0
    hot: float = 0.0
    second: float = 0.0
    contexts: tuple[OtherContext, ...] = ()

    @property
    def total(self) -> float:
        """All four: what the search ranks by."""
        return self.acoustic + self.language + self.hot + self.second

    @property
    def margin(self) -> float:
        """By how much the word of the transcript wins, in nats."""
        return -self.total

    @property
    def odds(self) -> float:
        """The same as so many to one."""
        return math.exp(min(self.margin, _CERTAIN))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON. Of a context `side` tells where the rival would stand, after or
        before the word."""
        numbers = ("acoustic", "language", "hot", "second", "total", "margin")
        return {
            "text": self.text,
            "how": self.how,
            **{name: round(getattr(self, name), 4) for name in numbers},
            "odds": _short(self.odds),
            "contexts": [
                {
                    "side": "after" if one.before else "before",
                    "word": one.word,
                    "odds": _short(one.odds),
                }
                for one in self.contexts
            ],
        }


@dataclass(frozen=True)
class ExplainedWord:
    """A word of a transcript, and what else it might have been.

    Attributes:
        heard: the word, with its times.
        rivals: the likeliest first.
        why: in a sentence, why it won against the first of them.
    """

    heard: HeardWord
    rivals: tuple[Rival, ...]
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "text": self.heard.text,
            "start": round(self.heard.start, 4),
            "end": round(self.heard.end, 4),
            "why": self.why,
            "rivals": [one.to_dict() for one in self.rivals],
        }


@dataclass(frozen=True)
class Explanation:
    """Why a transcript has its words.

    Attributes:
        transcript: what was heard.
        acoustic: log-probability of the text, over all its alignments with the recording.
        language, hot, second: what the language adds to it, as of `Rival`.
        words: all of them, in order.
    """

    transcript: Transcript
    acoustic: float
    language: float
    hot: float
    second: float
    words: tuple[ExplainedWord, ...]

    @property
    def score(self) -> float:
        """What the search ranks the transcript by, but that it may have left alignments out."""
        return self.acoustic + self.language + self.hot + self.second

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        numbers = ("score", "acoustic", "language", "hot", "second")
        return {
            "text": self.transcript.text,
            **{name: round(getattr(self, name), 4) for name in numbers},
            "words": [one.to_dict() for one in self.words],
        }


def _short(odds: float) -> float:
    return float(f"{odds:.4g}")
