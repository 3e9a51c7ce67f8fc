"""Recordings that a small network learns in seconds: tones, and tones in a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.data.recordings import Recording, Recordings

RATE = 4000
TONES = {"low": 300.0, "mid": 700.0, "high": 1500.0}
# Of a network that is to be there, and need not have learnt.
SMALL: dict[str, Any] = {"hidden_size": 6, "layers": 1, "channels": 2, "bands": 16, "augment": 0.0}
ONCE: dict[str, Any] = {
    "budget": "1 steps", "validation": 0, "holdout": 0, "progress": False, "diagnose": False,
}  # fmt: skip


def tone(names: list[str], seed: int) -> np.ndarray:
    """Tones one after the other, each a fifth of a second, with pauses and a little noise."""
    random = np.random.default_rng(seed)
    parts = [np.zeros(int(RATE * random.uniform(0.05, 0.1)))]
    for name in names:
        time = np.arange(int(RATE * random.uniform(0.18, 0.22))) / RATE
        parts.append(0.3 * np.sin(2 * np.pi * TONES[name] * random.uniform(0.95, 1.05) * time))
        parts.append(np.zeros(int(RATE * random.uniform(0.05, 0.1))))
    sound = np.concatenate(parts)
    return (sound + 0.003 * random.standard_normal(len(sound))).astype(np.float32)


def labelled(count: int, seed: int = 0) -> Recordings:
    """One tone each, by six speakers."""
    items = []
    for at in range(count):
        name = list(TONES)[at % len(TONES)]
        sound = tone([name], 1000 * seed + at)
        seconds = len(sound) / RATE
        items.append(Recording(name, seconds, RATE, values=sound, speaker=f"s{at % 6}"))
    return Recordings(tuple(items), labelled=True, name="tones")


def alike(count: int, seed: int = 0, after: dict[str, str] | None = None) -> Recordings:
    """A low or middle tone, and then a high one that is written "two" or "too": by chance, or
    `after` the word before it."""
    random = np.random.default_rng(seed)
    items = []
    for at in range(count):
        first = ("low", "mid")[int(random.integers(2))]
        second = ("two", "too")[int(random.integers(2))] if after is None else after[first]
        sound = tone([first, "high"], 1000 * seed + at)
        items.append(Recording(f"{first} {second}", len(sound) / RATE, RATE, values=sound))
    return Recordings(tuple(items), name="tones that sound alike")


def spoken(count: int, seed: int = 0) -> Recordings:
    """One to four tones each, with a transcript."""
    random = np.random.default_rng(seed)
    items = []
    for at in range(count):
        names = [list(TONES)[one] for one in random.integers(0, 3, random.integers(1, 5))]
        sound = tone(names, 1000 * seed + at)
        items.append(Recording(" ".join(names), len(sound) / RATE, RATE, values=sound))
    return Recordings(tuple(items), name="tones in a row")
