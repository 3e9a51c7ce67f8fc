"""A recogniser that is told what it hears, such as a word of which two spellings are as likely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.tasks.transcribing.small import ONCE, RATE, SMALL, tone
from unrolled import Transcriber
from unrolled.data.pronunciations import Pronunciations
from unrolled.data.recordings import Recording, Recordings
from unrolled.decoding.ngrams import NGramModel
from unrolled.tasks.transcribing.symbols import Symbols

TEXTS = (
    *["turn right now", "keep right here", "i write a letter", "to write letters"] * 3,
    *["a rite of spring", "we wear it", "where is it", "turn left now", "to write it"] * 2,
    "a ride at night",
)
R_AY_T = (("R", "AY", "T"),)
DICTIONARY = Pronunciations(
    {
        **dict.fromkeys(("right", "write", "rite"), R_AY_T),
        "wear": (("W", "EH", "R"),),
        "where": (("W", "EH", "R"),),
        "we're": (("W", "IH", "R"),),
        "ride": (("R", "AY", "D"),),
    }
)
ANYTHING = (tone(["low", "mid"], 0), RATE)


def recogniser(
    head: str = "ctc", symbols: str = "characters", texts: Sequence[str] = TEXTS
) -> Transcriber:
    """One that can write the texts, and has learnt nothing."""
    sounds = [tone(["low", "mid", "high", "low", "mid"], at) for at in range(len(texts))]
    items = tuple(
        Recording(text, len(sound) / RATE, RATE, values=sound)
        for text, sound in zip(texts, sounds, strict=True)
    )
    given = Recordings(items, name="texts")
    return Transcriber(symbols, head=head, **SMALL).fit(given, tell=lambda _: None, **ONCE)


def language_model(order: int = 3, texts: Sequence[str] = TEXTS) -> NGramModel:
    return NGramModel(order).fit(list(texts), holdout=0.0)


def told(symbols: Symbols, *texts: str, seed: int = 0, shares: Sequence[float] = ()) -> np.ndarray:
    """Log-probabilities `(T, 1 + V)` under which some texts of one length are likely, each as
    `shares` has it (alike unless said), and all else is not."""
    random = np.random.default_rng(seed)
    steps = 2 * len(texts[0])
    chances = random.uniform(1e-5, 4e-5, (steps, len(symbols)))
    chances[:, 0] += 1e-3
    for text, share in zip(texts, shares or [1 / len(texts)] * len(texts), strict=True):
        (tokens,) = symbols.encode([text])
        chances[2 * np.arange(len(tokens)), tokens] += share
        chances[1 + 2 * np.arange(len(tokens)), 0] += share
    chances /= chances.sum(1, keepdims=True)
    found: np.ndarray = np.log(chances).astype(np.float32)
    return found
