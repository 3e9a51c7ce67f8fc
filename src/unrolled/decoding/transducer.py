"""What a search asks of a transducer: `Transducer`; and how to search: `TransducerOptions`.

Shapes: `N` hypotheses, `J` size of the joiner, `S` numbers of a prediction network's state, `V`
symbols.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from unrolled.decoding.ctc_checks import Floats, Ints, check_count
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.errors import ConfigError


class Transducer(Protocol):
    """The prediction network and the joiner. What it says of a row depends on the row alone, but
    for the last digits."""

    def begin(self) -> tuple[Floats, Floats]:
        """What is predicted before the first symbol `(1, J)`, and the state `(1, S)`."""

    def say(self, tokens: Ints, state: Floats) -> tuple[Floats, Floats]:
        """The same `(N, J)` and `(N, S)` after each hypothesis has said its token `(N,)`."""

    def join(self, frame: Floats, said: Floats) -> Floats:
        """Log-probabilities `(N, 1 + V)` of the blank and each symbol, of what was heard on a frame
        `(J,)` and what each hypothesis predicts `(N, J)`."""


@dataclass(frozen=True)
class TransducerOptions:
    """Options of a search with a transducer.

    Attributes:
        beam: hypotheses that go on from frame to frame; 1 is the greedy search (the best symbol,
            as long as it is better than the blank), which is quicker.
        most_symbols: so many symbols may be said on one frame.
        scores: what a language model and hot words add; None: nothing.

    Raises:
        ConfigError: a value that can't work.
    """

    beam: int = 8
    most_symbols: int = 5
    scores: PrefixScores | None = None

    def __post_init__(self) -> None:
        check_count("beam", self.beam)
        check_count("most_symbols", self.most_symbols)
        if self.scores is not None and self.beam == 1:
            raise ConfigError(
                "beam: the greedy search (beam=1) hears no language model and no hot words; search"
                " with a beam of 2 or more"
            )
