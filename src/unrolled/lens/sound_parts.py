"""What a trace of a recogniser holds beside its spectrogram: plain records that check themselves.

    Heard        the probability of each symbol at each step, and the words, with times
    SoundsAlike  for each word those that sound like it, and why they lost
    Sound        the samples, to be played

Shapes: `T` steps, `K` symbols or labels, `W` words, `R` words of a reference, `N` samples.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError
from unrolled.lens.trace_parts import Array, check


@dataclass(frozen=True, eq=False)
class Heard:
    """What a recogniser made of a sound.

    Attributes:
        text: what it heard.
        names: `K` symbols, "" for the blank; or labels of the whole.
        chances: `(T, K)`: of symbols, how probable each is at the step (of a transducer as the
            first that the step says, after what was heard before it); of labels, how probable
            each is after all up to the step.
        words: `W` texts.
        spans: `(W, 2)`, where each begins and ends, in seconds.
        confidences: `(W,)`, how sure each is, 0 to 1.
        reference: `R` words of a text that was given, where it fits the sound best; none where
            none was given.
        reference_spans: `(R, 2)`, in seconds.
        reference_confidences: `(R,)`.
        repeats: whether the same symbol on two steps in a row was said twice, as of a transducer;
            of CTC it goes on.
    """

    text: str
    names: tuple[str, ...]
    chances: Array
    words: tuple[str, ...]
    spans: Array
    confidences: Array
    reference: tuple[str, ...]
    reference_spans: Array
    reference_confidences: Array
    repeats: bool = False

    def __post_init__(self) -> None:
        check("heard, chances", self.chances, "float32", (len(self.chances), len(self.names)))
        if not ((self.chances >= 0) & (self.chances <= 1 + 1e-4)).all():
            raise ConfigError("heard, chances: expected probabilities, from 0 to 1")
        for words, prefix in ((self.words, ""), (self.reference, "reference_")):
            spans = getattr(self, f"{prefix}spans")
            check(f"heard, {prefix}spans", spans, "float32", (len(words), 2))
            sure = getattr(self, f"{prefix}confidences")
            check(f"heard, {prefix}confidences", sure, "float32", (len(words),))
            if not ((spans[:, 0] >= 0) & (spans[:, 0] < spans[:, 1])).all():
                raise ConfigError(f"heard, {prefix}spans: expected each to begin before it ends")

    @property
    def labelled(self) -> bool:
        """Whether the names are labels of the whole."""
        return "" not in self.names


@dataclass(frozen=True)
class SoundsAlike:
    """Why a recogniser heard these words and not others.

    Attributes:
        words: of each plain values, as `ExplainedWord.to_dict` has them (`tasks.transcribing`).
    """

    words: tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Sound:
    """What a recogniser heard, as it is played.

    Attributes:
        samples: `(N,)` int16.
        rate: of them a second.
    """

    samples: NDArray[np.int16]
    rate: int

    def __post_init__(self) -> None:
        count = np.size(self.samples)
        check("sound", self.samples, "int16", (count,))
        if not (count and self.rate > 0):
            raise ConfigError(
                f"sound: got {count} samples, {self.rate} a second, expected a sample at least and"
                " a rate above 0"
            )

    @classmethod
    def of(cls, samples: Array, rate: int) -> Sound:
        """Of samples in [-1, 1]; what is louder is clipped."""
        whole = np.round(np.clip(samples, -1, 1) * np.iinfo(np.int16).max)
        return cls(whole.astype(np.int16), rate)

    def wav(self) -> bytes:
        """The file (.wav, 16 bits, one channel) of it."""
        content = io.BytesIO()
        with wave.open(content, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(self.samples.astype("<i2").tobytes())
        return content.getvalue()
