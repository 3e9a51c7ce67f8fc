"""`Endpoint`: when an utterance is over, by the probability of the blank alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real

from unrolled.decoding.ctc_checks import Floats
from unrolled.errors import ConfigError


@dataclass(frozen=True)
class EndpointState:
    """What an endpoint has to know of the frames of an utterance so far.

    Attributes:
        frames: how many there are.
        blanks: how many of the last are blanks.
        spoken: whether one is not.
    """

    frames: int = 0
    blanks: int = 0
    spoken: bool = False


@dataclass(frozen=True)
class Endpoint:
    """The rule by which an utterance is over.

    It is over at the frame where, after speech, the blanks have lasted `after` seconds; or where it
    has lasted `longest`. A frame is a blank where the model gives the blank the probability
    `blank` or more, and speech otherwise.

    Attributes:
        after: seconds.
        longest: seconds, the silence before the speech included; None: no such limit.
        blank: above 0 and up to 1.

    Raises:
        ConfigError: numbers out of range.

    The rules are those of Kaldi's online decoding ("trailing silence" after something was
    decoded, and the longest utterance).
    """

    after: float = 0.8
    longest: float | None = None
    blank: float = 0.5

    def __post_init__(self) -> None:
        for name, value in (("after", self.after), ("longest", self.longest)):
            if value is not None and not (isinstance(value, Real) and 0 < value < math.inf):
                raise ConfigError(f"endpoint, {name}: got {value!r}, expected seconds above 0")
        if not 0 < self.blank <= 1:
            raise ConfigError(
                f"endpoint, blank: got {self.blank!r}, expected a probability above 0, up to 1"
            )

    def find(
        self, blanks: Floats, state: EndpointState, seconds: float
    ) -> tuple[int | None, EndpointState]:
        """The first frame at which the utterance is over.

        Args:
            blanks: `(T,)` log-probabilities of the blank.
            state: of the frames before.
            seconds: from a frame to the next.

        Returns:
            How many of the frames still belong to the utterance, and the state of a new one; or
            None, and the state after all of them.
        """
        after = _frames(self.after, seconds)
        longest = math.inf if self.longest is None else _frames(self.longest, seconds)
        least = math.log(self.blank)
        frames, run, spoken = state.frames, state.blanks, state.spoken
        for at, value in enumerate(blanks.tolist()):
            frames += 1
            run, spoken = (run + 1, spoken) if value >= least else (0, True)
            if (spoken and run >= after) or frames >= longest:
                return at + 1, EndpointState()
        return None, EndpointState(frames, run, spoken)


def _frames(duration: float, seconds: float) -> int:
    """Frames that last so long at least; a hair's breadth is not one frame more."""
    return max(1, math.ceil(duration / seconds - 1e-6))
