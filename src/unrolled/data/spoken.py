"""Digits and commands spoken by eSpeak NG, drawn without end: the embedded task of speech.

Nothing is downloaded, and nothing is kept on the disk. What differs between real recordings is
drawn for each, and widely:

    voice       an accent of English and a timbre (variant) of eSpeak's, the length of the vocal
                tract (all formants moved by up to 15% either way), pitch and how far it moves
    speech      speed, pauses between the words, the melody of a statement, a question or a list
    recording   see `spoken_channel`

The parts are of timbres: no variant of the test or the validation is in the training, whatever its
accent, and those made from one another (`steph`, `steph2`) are together or left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.connected import word_counts
from unrolled.data.espeak import RATE, Espeak, Utterance
from unrolled.data.memory import PARTS, check_size
from unrolled.data.spoken_channel import through_channel
from unrolled.errors import ConfigError, DataError, MissingExtra

if TYPE_CHECKING:
    from unrolled.data.recordings import Recordings

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
ACCENTS = (
    "en", "en-us", "en-029", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-x-rp",
    "en-us-nyc",
)  # fmt: skip
# The timbres of people; left out are robots, effects, and the near copies of another.
TIMBRES = {
    "train": (
        "Alex", "Alicia", "Andy", "Annie", "Denis", "Diogo", "Gene", "Hugo", "Lee", "Michael",
        "Mike", "Nguyen", "Reed", "adam", "anika", "aunty", "belinda", "boris", "croak", "f1",
        "f2", "f4", "grandma", "grandpa", "klatt3", "klatt4", "linda", "m1", "m2", "m3", "m4",
        "m6", "m8", "marcelo", "max", "michel", "norbert", "pablo", "shelby", "steph", "whisper",
        "zac",
    ),
    "validation": ("Andrea", "Henrique", "f3", "kaukovalta", "m5", "sandro"),
    "test": ("Jacky", "ed", "f5", "john", "m7", "miguel", "victor"),
}  # fmt: skip
RATES = (8000, 16000)
_OTHERS = 3  # earlier voices that may be heard behind one
_VOLUME = 50  # at the usual 100 several timbres are cut off at the largest sample


def spoken_digits(
    count: int,
    *,
    words: tuple[int, int] = (1, 1),
    seed: int = 0,
    part: str = "train",
    rate: int = 8000,
    recorded: bool = True,
) -> Recordings:
    """Digits, one by one or connected, such as "three seven one".

    The digits are uniform and independent, the number of them uniform too. The same arguments give
    the same samples, bit for bit, with the same versions of eSpeak NG, soxr, numpy and scipy; a
    larger count goes on after a smaller one's.

    Args:
        count: of recordings.
        words: the fewest and the most digits of one. With (1, 1) each text is a label of the whole.
        seed: of the draws; each part has draws of its own.
        part: of the timbres: "train", "validation" or "test".
        rate: samples a second, 8,000 or 16,000.
        recorded: in rooms, with noise and all that `spoken_channel` draws; False: as eSpeak NG
            speaks, which is easier and sooner learnt, and carries over to no microphone.

    Raises:
        ConfigError: an argument that is none of these.
        MissingExtra: espeakng-loader or soxr is not installed.
    """
    return _spoken("spoken digits", DIGITS, count, word_counts(words), seed, part, rate, recorded)


def spoken_commands(
    count: int,
    *,
    commands: Sequence[str] = COMMANDS,
    seed: int = 0,
    part: str = "train",
    rate: int = 16000,
    recorded: bool = True,
) -> Recordings:
    """Short commands, each with its text as a label of the whole.

    Args:
        count: of recordings.
        commands: what may be said, each a word or a few; uniform.
        seed, part, rate, recorded: as in `spoken_digits`.

    Raises:
        ConfigError: an argument that is none of these, no command, or one twice.
        MissingExtra: espeakng-loader or soxr is not installed.
        DataError: a command that eSpeak NG crashes at, or has nothing to say for.
    """
    if isinstance(commands, str) or not commands or len(set(commands)) < len(commands):
        raise ConfigError(f'commands: got {commands!r}, expected some, each once: ("yes", "no")')
    return _spoken("spoken commands", tuple(commands), count, (1, 1), seed, part, rate, recorded)


def _spoken(
    name: str,
    vocabulary: tuple[str, ...],
    count: int,
    words: tuple[int, int],
    seed: int,
    part: str,
    rate: int,
    recorded: bool,
) -> Recordings:
    from unrolled.data.recordings import Recording, Recordings

    check_size("count", count, 1, "recordings are spoken")
    check_size("seed", seed, 0, "draws start from it")
    if part not in PARTS:
        raise ConfigError(f"part: got {part!r}, expected one of {', '.join(PARTS)}")
    if rate not in RATES:
        raise ConfigError(f"rate: got {rate!r}, expected {RATES[0]} or {RATES[1]} samples a second")

    items = []
    around: deque[np.ndarray] = deque(maxlen=_OTHERS)
    with Espeak() as espeak:
        for number in range(count):
            draws = np.random.default_rng([PARTS[part], seed, number])
            said = [
                str(one) for one in draws.choice(vocabulary, draws.integers(*words, endpoint=True))
            ]
            utterance, tract = _way(said, TIMBRES[part], draws)
            voice = _at_rate(_trimmed(espeak.speak(utterance)), RATE * tract, rate)
            if not voice.any():
                raise DataError(f"eSpeak NG says nothing for {utterance.text!r}: write it in words")
            padded = np.pad(voice, [int(pause * rate) for pause in _silences(draws)])
            samples = through_channel(padded, rate, draws, around=around) if recorded else padded
            around.append(voice)
            items.append(
                Recording(
                    " ".join(said),
                    len(samples) / rate,
                    rate,
                    values=samples,
                    speaker=utterance.variant,
                    place=f"utterance {number + 1}, {utterance.voice}+{utterance.variant}",
                )
            )
    return Recordings(tuple(items), "sound", words == (1, 1), f"{name}, {part}")


def _way(
    said: list[str], timbres: tuple[str, ...], draws: np.random.Generator
) -> tuple[Utterance, float]:
    """How the words are spoken, and how many times higher their formants are moved after it."""
    tract = float(np.exp(draws.uniform(-0.15, 0.15)))
    # Commas give each word a melody and a pause of its own, as in a list.
    between = str(draws.choice([" ", ", "]))
    utterance = Utterance(
        between.join(said) + str(draws.choice(["", ".", "?", "!", ","])),
        voice=str(draws.choice(ACCENTS)),
        variant=str(draws.choice(timbres)),
        speed=int(np.clip(draws.uniform(100.0, 260.0) / tract, 80, 450)),
        pitch=int(draws.integers(15, 86)),
        pitch_range=int(draws.integers(0, 100)),
        volume=_VOLUME,
        gap=int(draws.integers(1, 26)) if draws.random() < 0.5 else 0,
        seed=int(draws.integers(2**31)),
    )
    return utterance, tract


def _silences(draws: np.random.Generator) -> list[float]:
    """Seconds before and after: mostly short, up to half a second, one time in five none."""
    return [0.0 if draws.random() < 0.2 else min(0.5, draws.exponential(0.12)) for _ in range(2)]


def _trimmed(samples: np.ndarray) -> np.ndarray:
    """Without what is 54 dB or more below the largest sample at both ends."""
    loud = np.flatnonzero(np.abs(samples) > 0.002 * np.abs(samples).max(initial=0.0))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples[:0]


def _at_rate(samples: np.ndarray, had: float, rate: int) -> np.ndarray:
    try:
        import soxr
    except ImportError:
        raise MissingExtra("spoken", "speech at another rate") from None
    return soxr.resample(samples, had, rate) if len(samples) else samples
