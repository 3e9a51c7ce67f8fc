"""Connected speech joined from single recordings: digits one by one become "three seven one".

Each is of one speaker. Between the words stand pauses, or they overlap; all have the same level.
How they run into each other in a mouth is missing, so it is a likeness of connected speech only,
easier where there are pauses and harder where a cut is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unrolled.data.memory import check_size
from unrolled.data.recordings import Recording, Recordings
from unrolled.data.spoken_channel import active_level
from unrolled.errors import ConfigError, DataError, ShapeError

Loader = Callable[[Recording], np.ndarray]


def join_sounds(
    sounds: Sequence[np.ndarray], gaps: Sequence[float], rate: float, *, fade: float = 0.005
) -> tuple[np.ndarray, list[int]]:
    """One sound of several, and the place of the first sample of each.

    Args:
        sounds: `S` sounds, each `(N,)`, none empty.
        gaps: seconds of silence before each and after the last, `S + 1` of them. Below 0 between
            two of them they overlap, by half of the shorter one at most, and the first fades out
            while the second fades in, over all of the overlap.
        rate: samples a second.
        fade: seconds over which each begins and ends beside silence; 0 for a plain cut.

    Returns: samples `(M,)` float32, and `S` places.

    Raises:
        ShapeError: no sounds, an empty one, or another number of gaps.
    """
    if not sounds or any(sound.ndim != 1 or not len(sound) for sound in sounds):
        raise ShapeError("sounds: got none, or one without samples (N,): leave empty ones out")
    if len(gaps) != len(sounds) + 1:
        raise ShapeError(f"gaps: got {len(gaps)}, expected {len(sounds) + 1}: one at each end too")
    before = [round(gap * rate) for gap in gaps]
    before[0], before[-1] = max(0, before[0]), max(0, before[-1])
    for at in range(1, len(sounds)):
        shorter = min(len(sounds[at - 1]), len(sounds[at]))
        before[at] = max(before[at], -(shorter // 2))

    begins, end = [], 0
    for gap, sound in zip(before, sounds, strict=False):
        begins.append(end + gap)
        end = begins[-1] + len(sound)
    joined = np.zeros(end + before[-1], np.float32)
    short = round(fade * rate)
    for at, (begin, sound) in enumerate(zip(begins, sounds, strict=True)):
        part = sound.astype(np.float32)
        half = len(part) // 2
        rise = -before[at] if before[at] < 0 else min(short, half)
        fall = -before[at + 1] if before[at + 1] < 0 else min(short, half)
        part[:rise] *= _ramp(rise)
        part[len(part) - fall :] *= _ramp(fall)[::-1]
        joined[begin : begin + len(part)] += part
    return joined, begins


def join_recordings(
    data: Recordings,
    load: Loader,
    *,
    count: int,
    rate: int = 8000,
    words: tuple[int, int] = (3, 7),
    pauses: tuple[float, float] = (0.05, 0.4),
    ends: tuple[float, float] = (0.05, 0.3),
    fade: float = 0.005,
    level: bool = True,
    seed: int = 0,
) -> Recordings:
    """Recordings joined from single ones, each of one speaker, texts joined with a space.

    The speaker of each is drawn in proportion to the recordings that there are of them, the
    recordings uniformly among those of the speaker, none twice in one as long as there are enough;
    the number of them and the pauses are uniform. Recordings of whom nobody is named count as one
    speaker's. `place` tells what stands where: "seven at 0.31 s, two at 0.98 s".

    So that a test's speakers are not in training, give those of the test alone, such as
    `data.select(...)`.

    Args:
        data: single recordings.
        load: gives the samples `(N,)` of one, in [-1, 1], `rate` a second.
        count: of recordings to make.
        rate: samples a second, of what `load` gives and of what is made.
        words: the fewest and the most of one.
        pauses: seconds between two, from and to; below 0 they overlap, crossfaded.
        ends: seconds of silence before the first and after the last, from and to.
        fade: seconds over which each begins and ends beside silence; 0 for plain cuts.
        level: bring all of one to the same level, their median (see `active_level`).
        seed: of the draws.

    Returns: transcripts, not labels of the whole. A larger count goes on after a smaller one's.

    Raises:
        ConfigError: an argument that is none of these.
        DataError: no recordings, features in place of sounds, or samples that are not finite.
    """
    check_size("count", count, 1, "recordings are made")
    check_size("seed", seed, 0, "draws start from it")
    check_size("rate", rate, 1, "samples a second")
    few, many = word_counts(words)
    pauses = _span("pauses", pauses, -np.inf)
    ends = _span("ends", ends, 0.0)
    if not 0.0 <= fade < np.inf:
        raise ConfigError(f"fade: got {fade!r}, expected seconds, 0 or more")
    if data.kind != "sound":
        raise DataError(f"{data.name}: holds features, expected sounds: only those can be joined")
    if not len(data):
        raise DataError(f"{data.name}: holds no recordings, expected some to join")

    mine: dict[str | None, list[int]] = {}
    for at, one in enumerate(data.items):
        mine.setdefault(one.speaker, []).append(at)
    items = []
    for number in range(count):
        draws = np.random.default_rng([seed, number])
        speaker = data.items[int(draws.integers(len(data)))].speaker
        size = int(draws.integers(few, many, endpoint=True))
        taken = [data.items[at] for at in _taken(mine[speaker], size, draws)]
        gaps = draws.uniform(*pauses, size + 1)
        gaps[[0, -1]] = draws.uniform(*ends, 2)
        sounds = [_loaded(one, load, data.name) for one in taken]
        if level:
            sounds = _levelled(sounds, rate)
        samples, begins = join_sounds(sounds, gaps.tolist(), rate, fade=fade)
        samples /= max(1.0, float(np.abs(samples).max()))
        told = (f"{one.text} at {at / rate:.2f} s" for one, at in zip(taken, begins, strict=True))
        items.append(
            Recording(
                " ".join(one.text for one in taken),
                len(samples) / rate,
                rate,
                values=samples,
                speaker=speaker,
                place=", ".join(told),
            )
        )
    return Recordings(tuple(items), "sound", False, f"{data.name}, joined")


def word_counts(words: tuple[int, int]) -> tuple[int, int]:
    """The fewest and the most words of one recording; ConfigError where they are none."""
    try:
        few, many = words
    except (TypeError, ValueError):
        few, many = 0, 0
    for got in (few, many):
        check_size("words", got, 1, "the fewest and the most, such as (3, 7)", most=100)
    if few > many:
        raise ConfigError(f"words: got {words!r}, expected the fewest before the most")
    return int(few), int(many)


def _span(name: str, got: tuple[float, float], least: float) -> tuple[float, float]:
    try:
        low, high = (float(one) for one in got)
        right = bool(least <= low <= high < np.inf) and low > -np.inf
    except (TypeError, ValueError):
        right = False
    if not right:
        bound = "" if least < 0 else ", 0 or more"
        raise ConfigError(f"{name}: got {got!r}, expected seconds from and to{bound}")
    return low, high


def _taken(places: list[int], size: int, draws: np.random.Generator) -> list[int]:
    order: list[int] = []
    while len(order) < size:
        order += draws.permutation(places)[: size - len(order)].tolist()
    return order


def _loaded(one: Recording, load: Loader, name: str) -> np.ndarray:
    samples = np.asarray(load(one), np.float32)
    place = one.place or (one.path.name if one.path else repr(one.text))
    if samples.ndim != 1 or not len(samples):
        raise DataError(f"{name}, {place}: got samples of shape {samples.shape}, expected (N,)")
    if not np.isfinite(samples).all():
        raise DataError(f"{name}, {place}: holds samples that are not finite: leave it out")
    return samples


def _levelled(sounds: list[np.ndarray], rate: int) -> list[np.ndarray]:
    levels = np.array([active_level(sound, rate) for sound in sounds])
    heard = levels > 0
    if not heard.any():
        return sounds
    aim = float(np.median(levels[heard]))
    return [
        sound * np.float32(aim / level) if level > 0 else sound
        for sound, level in zip(sounds, levels, strict=True)
    ]


def _ramp(count: int) -> np.ndarray:
    """From 0 to 1 as half a cosine; two of them, one turned round, add up to 1."""
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))).astype(np.float32)
