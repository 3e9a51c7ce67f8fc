"""`SoundCutter`: utterances of a stream, cut at its silences by loudness alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real

import numpy as np

from unrolled.errors import ConfigError

# Loudness is taken over so many seconds.
_FRAME = 0.01
# Decibels, of full scale: what is softer is silence wherever one is, and where nothing is known
# yet. Decibels above the background that are sound.
_SOFTEST, _LOUDER = -55.0, 10.0
# How fast the background is taken for louder, in decibels a second; softer it is at once.
_RISE = 3.0
# Sound that is shorter is a click, in frames.
_CLICK = 4


@dataclass(frozen=True)
class Utterance:
    """A piece of a stream.

    Attributes:
        samples: `(N,)` float32.
        start: of the first, in seconds from the beginning of the stream.
    """

    samples: np.ndarray
    start: float


@dataclass(frozen=True, eq=False)
class CutState:
    """Where a stream is.

    Attributes:
        kept: samples that may belong to an utterance: of one that goes on all, else the last.
        unread: samples of a frame that is not whole yet.
        begin: how many samples of the stream there were before `kept`.
        floor: decibels of the background.
        loud: frames with sound in the utterance.
        last: samples of `kept` up to the end of the last frame with sound.
    """

    kept: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    unread: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    begin: int = 0
    floor: float = _SOFTEST
    loud: int = 0
    last: int = 0


@dataclass(frozen=True)
class SoundCutter:
    """Finds where something is said: a frame of 10 ms is sound where it is 10 dB louder than the
    background, which is followed; an utterance is over after enough silence.

    It knows nothing of speech, so a door that slams is an utterance, too.

    Args:
        rate: samples a second.
        after: seconds of silence that end an utterance; None: it ends with the stream.
        longest: seconds after which one is cut wherever it is.
        margin: seconds of silence that are kept around one.

    Raises:
        ConfigError: a number out of range.
    """

    rate: float
    after: float | None = 0.8
    longest: float = 30.0
    margin: float = 0.2

    def __post_init__(self) -> None:
        given = (("after", self.after), ("longest", self.longest), ("margin", self.margin))
        for name, value in given:
            if value is not None and not (isinstance(value, Real) and 0 < value < math.inf):
                raise ConfigError(f"endpoint, {name}: got {value!r}, expected seconds above 0")

    def start(self) -> CutState:
        """Before the first sample."""
        return CutState()

    def step(self, samples: np.ndarray, state: CutState) -> tuple[list[Utterance], CutState]:
        """Hear some more; however the stream is cut into chunks, the utterances are the same.

        Args:
            samples: `(N,)` float32 in [-1, 1]; may be empty.
            state: from `start` or the call before; stays as it is.

        Returns:
            The utterances that ended, and the state after.
        """
        size = max(1, round(_FRAME * self.rate))
        unread = np.concatenate([state.unread, samples])
        count = len(unread) // size
        frames = unread[: count * size].reshape(count, size)
        levels = 10 * np.log10(np.square(frames, dtype=np.float64).mean(1) + 1e-12)
        sound = np.concatenate([state.kept, frames.ravel()])
        after = math.inf if self.after is None else self.after * self.rate
        first, at, last = 0, len(state.kept), state.last
        floor, loud, found = state.floor, state.loud, []
        for level in levels.tolist():
            at += size
            if level > floor + _LOUDER:
                loud, last = loud + 1, at
            floor = max(_SOFTEST, min(level, floor + _RISE * _FRAME))
            if loud and (at - last >= after or at - first >= self.longest * self.rate):
                if loud >= _CLICK:
                    # The next one begins behind it: no sample is heard twice.
                    end = min(at, last + self._margin)
                    found.append(Utterance(sound[first:end], (state.begin + first) / self.rate))
                    first = end
                loud = 0
            if not loud:
                first = max(first, at - self._margin)
        # Copied, so that a state does not hold all of the sound.
        kept = sound[first:].copy()
        left = unread[count * size :]
        return found, CutState(kept, left, state.begin + first, floor, loud, last - first)

    def finish(self, state: CutState) -> list[Utterance]:
        """The utterance that goes on where nothing more comes; none in silence."""
        if state.loud < _CLICK:
            return []
        sound = np.concatenate([state.kept, state.unread])
        return [Utterance(sound[: state.last + self._margin], state.begin / self.rate)]

    @property
    def _margin(self) -> int:
        return round(self.margin * self.rate)
