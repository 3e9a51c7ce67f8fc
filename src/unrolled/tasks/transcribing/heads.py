"""What a `Transcriber`'s network says at its steps, and how it is searched: one object a head.

A head's decoder has the methods of `CtcDecoder`, and gives the same results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.data.batching.padded import padded
from unrolled.decoding.ctc import search_ctc
from unrolled.decoding.ctc_checks import Floats, Ints
from unrolled.decoding.ctc_endpoint import Endpoint, EndpointState
from unrolled.decoding.ctc_greedy import PathState
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_options import CtcOptions
from unrolled.decoding.ctc_state import PrefixState
from unrolled.decoding.ctc_stream import CtcDecoder, CtcStream
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.transducer import TransducerOptions
from unrolled.decoding.transducer_state import TransducerState
from unrolled.decoding.transducer_stream import (
    TransducerDecoder,
    TransducerStream,
    search_transducer,
)
from unrolled.tasks.arrays import Arrays, Shape
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.transducer_network import TransducerNetwork
from unrolled.training.ctc_text_sums import ctc_text_sums

HEADS = ("ctc", "transducer")
_SEARCH, _ENDPOINT = "search.", "endpoint."
# What a transducer predicts next, and the state of its prediction network.
Said = tuple[Floats, Floats]
# Recordings that a search of CTC runs over at once.
_AT_ONCE = 32


class Head(Protocol):
    """How what a network answers, of each recording or stream `(T', A)`, becomes symbols."""

    name: str

    def search(
        self,
        answers: Sequence[np.ndarray],
        *,
        beam: int,
        n_best: int = 1,
        scores: PrefixScores | None = None,
    ) -> list[list[CtcHypothesis]]:
        """The likeliest sequences of symbols of recordings."""

    def after(self, tokens: Sequence[int], begin: Said | None = None) -> Said | None:
        """What a head goes on from when it has said tokens after those that led to `begin` (None:
        nothing was said); None of one whose steps do not know of each other."""

    def text_sums(
        self, answer: np.ndarray, texts: Sequence[Sequence[int]], begin: Said | None = None
    ) -> NDArray[np.float64]:
        """`(N,)`: log-probabilities of texts, each over all its alignments with a recording, or
        with a part of it, before which is said what led to `begin`."""

    def decoder(
        self,
        seconds: float,
        beam: int,
        endpoint: Endpoint | None = None,
        scores: PrefixScores | None = None,
    ) -> Any:
        """What follows streams; `seconds` from one step to the next."""

    def to_stream(self, arrays: Arrays) -> Any:
        """The inverse of `of_stream`."""

    def shapes(self, greedy: bool) -> dict[str, Shape]:
        """What `of_stream` gives: numbers, and arrays that grow."""


def head_of(model: TranscriptionNetwork) -> Head:
    """The head of a network of transcripts."""
    return TransducerHead(model) if isinstance(model, TransducerNetwork) else CtcHead()


def of_stream(stream: CtcStream | TransducerStream) -> Arrays:
    """Plain arrays of where a search is."""
    found = {f"{_SEARCH}{name}": np.array(one) for name, one in vars(stream.search).items()}
    found |= {f"{_ENDPOINT}{name}": np.array(one) for name, one in asdict(stream.endpoint).items()}
    return found | {"begin": np.array(stream.begin)}


def _parts(arrays: Arrays) -> tuple[dict[str, Any], EndpointState, int]:
    """What a search holds, an endpoint's state, and where the utterance began."""

    def part(prefix: str) -> dict[str, Any]:
        found = {
            name.removeprefix(prefix): one
            for name, one in arrays.items()
            if name.startswith(prefix)
        }
        return {name: one.item() if one.ndim == 0 else one for name, one in found.items()}

    return part(_SEARCH), EndpointState(**part(_ENDPOINT)), int(arrays["begin"])


class CtcHead:
    """Connectionist temporal classification: log-probabilities at every step."""

    name = "ctc"

    def search(
        self,
        answers: Sequence[np.ndarray],
        *,
        beam: int,
        n_best: int = 1,
        scores: PrefixScores | None = None,
    ) -> list[list[CtcHypothesis]]:
        found: list[list[CtcHypothesis]] = []
        for start in range(0, len(answers), _AT_ONCE):
            some = answers[start : start + _AT_ONCE]
            lengths = np.array([len(one) for one in some])
            side_by_side = padded(some, 0, np.float32)
            found += search_ctc(side_by_side, lengths, beam=beam, n_best=n_best, scores=scores)
        return found

    def after(self, tokens: Sequence[int], begin: Said | None = None) -> Said | None:
        return None

    def text_sums(
        self, answer: np.ndarray, texts: Sequence[Sequence[int]], begin: Said | None = None
    ) -> NDArray[np.float64]:
        return ctc_text_sums(answer, texts)

    def decoder(
        self,
        seconds: float,
        beam: int,
        endpoint: Endpoint | None = None,
        scores: PrefixScores | None = None,
    ) -> CtcDecoder:
        options = CtcOptions(beam, scores=scores)
        return CtcDecoder(seconds, options, n_best=beam, endpoint=endpoint)

    def to_stream(self, arrays: Arrays) -> CtcStream:
        search, endpoint, begin = _parts(arrays)
        kind = PathState if "symbols" in search else PrefixState
        return CtcStream(kind(**search), endpoint, begin)

    def shapes(self, greedy: bool) -> dict[str, Shape]:
        return _ctc_shapes(greedy)


@cache
def _ctc_shapes(greedy: bool) -> dict[str, Shape]:
    arrays = of_stream(CtcDecoder(1.0, CtcOptions(1 if greedy else 2)).start())
    return {name: (None,) * one.ndim for name, one in arrays.items()}


class TransducerHead:
    """A transducer: what joins with the prediction network, at every step.

    Args:
        model: in evaluation when it is searched.
    """

    name = "transducer"

    def __init__(self, model: TransducerNetwork) -> None:
        self._model = model

    # What a search asks (`Transducer`).

    def begin(self) -> tuple[Floats, Floats]:
        return self._model.begin_search()

    def say(self, tokens: Ints, state: Floats) -> tuple[Floats, Floats]:
        return self._model.prediction.step(tokens, state)

    def join(self, frame: Floats, said: Floats) -> Floats:
        return self._model.join(frame, said)

    def search(
        self,
        answers: Sequence[np.ndarray],
        *,
        beam: int,
        n_best: int = 1,
        scores: PrefixScores | None = None,
    ) -> list[list[CtcHypothesis]]:
        options = TransducerOptions(beam, scores=scores)
        return search_transducer(self, answers, options=options, n_best=n_best)

    def after(self, tokens: Sequence[int], begin: Said | None = None) -> Said | None:
        said, state = self.begin() if begin is None else begin
        for token in tokens:
            said, state = self.say(np.array([token]), state)
        return said, state

    def text_sums(
        self, answer: np.ndarray, texts: Sequence[Sequence[int]], begin: Said | None = None
    ) -> NDArray[np.float64]:
        return self._model.text_sums(answer, texts, begin)

    def decoder(
        self,
        seconds: float,
        beam: int,
        endpoint: Endpoint | None = None,
        scores: PrefixScores | None = None,
    ) -> TransducerDecoder:
        options = TransducerOptions(beam, scores=scores)
        return TransducerDecoder(self, seconds, options, n_best=beam, endpoint=endpoint)

    def to_stream(self, arrays: Arrays) -> TransducerStream:
        search, endpoint, begin = _parts(arrays)
        return TransducerStream(TransducerState(**search), endpoint, begin)

    def shapes(self, greedy: bool) -> dict[str, Shape]:
        arrays = of_stream(self.decoder(1.0, 1 if greedy else 2).start())
        shapes: dict[str, Shape] = {name: (None,) * one.ndim for name, one in arrays.items()}
        for name in ("said", "state"):
            shapes[f"{_SEARCH}{name}"] = (None, arrays[f"{_SEARCH}{name}"].shape[1])
        return shapes | {f"{_SEARCH}scores": (None, 3)}
