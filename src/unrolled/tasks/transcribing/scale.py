"""Mean and deviation of each band, over recordings to learn from."""

from __future__ import annotations

import numpy as np

from unrolled.data.recordings import Recordings
from unrolled.tasks.transcribing.framing import Framing

# Seconds of sound that are enough to know them by.
_ENOUGH = 1800.0
# Below this deviation, in nats, a band says nothing, and is not blown up.
_LEAST = 1e-3


def scale_of(recordings: Recordings, framing: Framing, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Both `(F,)` float32; of half an hour that is drawn where there is more.

    Recordings that are too short for a frame are passed over.
    """
    order = np.random.default_rng(seed).permutation(len(recordings))
    total, squares, count, seconds = np.zeros(framing.size), np.zeros(framing.size), 0, 0.0
    for place in order:
        recording = recordings.items[int(place)]
        if seconds >= _ENOUGH:
            break
        frames = framing.frames(recording).astype(np.float64)
        total += frames.sum(0)
        squares += np.square(frames).sum(0)
        count += len(frames)
        seconds += recording.seconds
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    return mean.astype(np.float32), np.maximum(deviation, _LEAST).astype(np.float32)
