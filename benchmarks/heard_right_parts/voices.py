"""eSpeak NG's voices, and sentences spoken by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from unrolled.data.espeak import RATE, Espeak, Utterance
from unrolled.data.spoken import TIMBRES
from unrolled.writing import replacing

# CMUdict's accent: in others other words sound alike.
ACCENT = "en-us"
SAMPLED = 16000
# The first formant of "kaukovalta" lies at 40% of its height, so that no recogniser here makes out
# what it says: weights chosen by it would trust the language alone. The test has all its timbres.
LEFT_OUT = frozenset({"kaukovalta"})
# In a process the flutter of the voice runs on from sentence to sentence, so each of a part that is
# spoken anew after a stop begins with a process of its own.
TOGETHER = 500


def way(sentence: str, part: str, seed: int, number: int) -> Utterance:
    """How the sentence of that number is spoken: the timbres of a part are in no other.

    Args:
        sentence: as it is written; "i" is spoken as "I".
        part: "train", "validation" or "test".
        seed, number: of the draws.
    """
    draws = np.random.default_rng([seed, number])
    return Utterance(
        sentence,
        voice=ACCENT,
        variant=str(draws.choice([one for one in TIMBRES[part] if one not in LEFT_OUT])),
        speed=int(draws.integers(130, 221)),
        pitch=int(draws.integers(25, 76)),
        pitch_range=int(draws.integers(20, 81)),
        volume=50,  # at the usual 100 several timbres are cut off at the largest sample
        seed=int(draws.integers(2**31)),
    )


def sound_the_same(utterance: Utterance, others: list[str]) -> bool:
    """Whether other texts give the same samples, bit for bit, each spoken by a new process."""
    first = _alone(utterance)
    return all(np.array_equal(first, _alone(replace(utterance, text=one))) for one in others)


def _alone(utterance: Utterance) -> np.ndarray:
    with Espeak() as espeak:
        return espeak.speak(utterance)


@dataclass
class Speaker:
    """Speaks sentences into files, those that are there already left as they are."""

    folder: Path

    def paths(self, count: int) -> list[Path]:
        """The files, `000000.wav` and so on; the folder is made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return [self.folder / f"{number:06d}.wav" for number in range(count)]

    def speak(self, ways: list[Utterance]) -> None:
        """Into `paths`: 16 bits, 16,000 samples a second."""
        paths = self.paths(len(ways))
        for start in range(0, len(ways), TOGETHER):
            some = list(zip(paths, ways, strict=True))[start : start + TOGETHER]
            if all(path.exists() for path, _ in some):
                continue
            with Espeak() as espeak:
                for path, one in some:
                    _write(path, espeak.speak(one))


def _write(path: Path, samples: np.ndarray) -> None:
    import soundfile
    import soxr

    with replacing(path) as aside:
        at_rate = soxr.resample(samples, RATE, SAMPLED)
        soundfile.write(aside, at_rate, SAMPLED, "PCM_16", format="WAV")
