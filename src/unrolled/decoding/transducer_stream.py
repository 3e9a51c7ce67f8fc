"""Searching with a transducer, in what was heard as a whole or while it comes.

    decoder = TransducerDecoder(model, seconds=0.04, endpoint=Endpoint(after=0.8))
    stream = decoder.start()
    finals, stream = decoder.step(frames, stream)
    shown = decoder.partial(stream)
    last = decoder.finish(stream)

It has the methods of a `CtcDecoder` and gives the same results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from unrolled.decoding.ctc_checks import Floats, check_count
from unrolled.decoding.ctc_endpoint import Endpoint, EndpointState
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_stream import CtcResult
from unrolled.decoding.transducer import Transducer, TransducerOptions
from unrolled.decoding.transducer_search import beam_frame, greedy_frame
from unrolled.decoding.transducer_state import (
    TransducerHypothesis,
    TransducerState,
    packed,
    stable_tokens,
    start_transducer,
    transducer_hypotheses,
    unpacked,
)
from unrolled.errors import ConfigError, ShapeError


@dataclass(frozen=True, eq=False)
class TransducerStream:
    """Where a stream is; a step makes a new one and leaves this as it was.

    Attributes:
        search: of the utterance that is being said.
        endpoint: what the endpoint knows of it.
        begin: the frame where it began, counted from the start of the stream.
    """

    search: TransducerState
    endpoint: EndpointState
    begin: int


@dataclass(frozen=True, eq=False)
class TransducerDecoder:
    """A search that goes on from chunk to chunk, one utterance after the other.

    However the frames are cut, the results are those of `search_transducer` over each utterance as
    a whole: to the bit.

    Attributes:
        model: the prediction network and the joiner.
        seconds: from a frame to the next.
        options: how to search.
        n_best: how many hypotheses to give, up to the beam.
        endpoint: when an utterance is over; None: when the stream is. A frame is a blank where the
            best hypothesis says nothing on it.

    Raises:
        ConfigError: a number out of range.
    """

    model: Transducer
    seconds: float
    options: TransducerOptions = field(default_factory=TransducerOptions)
    n_best: int = 1
    endpoint: Endpoint | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds < float("inf"):
            raise ConfigError(f"seconds: got {self.seconds!r}, expected a number above 0")
        check_count("n_best", self.n_best, self.options.beam)

    def start(self) -> TransducerStream:
        """The beginning of a stream."""
        return TransducerStream(start_transducer(self.model), EndpointState(), 0)

    def step(
        self, frames: Floats, stream: TransducerStream
    ) -> tuple[list[CtcResult], TransducerStream]:
        """Takes the next frames of one stream, `(T, J)`; T may be 0.

        Returns:
            The utterances that were over within them, and the stream after them.

        Raises:
            ShapeError: frames of another shape.
            ConfigError: frames that are no numbers. The stream stays as it was.
        """
        if frames.ndim != 2 or frames.shape[1] != stream.search.said.shape[1]:
            size = stream.search.said.shape[1]
            raise ShapeError(f"frames: got shape {frames.shape}, expected (T, J) with J = {size}")
        if not np.isfinite(frames).all():
            at = int((~np.isfinite(frames)).any(1).argmax())
            raise ConfigError(
                f"frames: frame {at} holds NaN or infinity; look for the first value that is not"
                " finite in the weights or the input"
            )
        finals: list[CtcResult] = []
        places, count = unpacked(stream.search), stream.search.count
        begin, ends = stream.begin, stream.endpoint
        for frame in frames:
            places, blank = self._frame(frame, places, count)
            count += 1
            if self.endpoint is None:
                continue
            over, ends = self.endpoint.find(np.array([blank]), ends, self.seconds)
            if over is not None:
                done = TransducerStream(packed(count, places), ends, begin)
                finals.append(self.finish(done))
                begin, places = count, unpacked(start_transducer(self.model))
        return finals, TransducerStream(packed(count, places), ends, begin)

    def step_all(
        self,
        frames: Floats,
        lengths: Sequence[int] | None,
        streams: Sequence[TransducerStream],
    ) -> tuple[list[list[CtcResult]], list[TransducerStream]]:
        """The same for many streams, one after the other: frames `(T, B, J)`, of which each stream
        has as many as `lengths` tells; None: all T."""
        counts = [len(frames)] * len(streams) if lengths is None else lengths
        found = [
            self.step(frames[:count, row], stream)
            for row, (count, stream) in enumerate(zip(counts, streams, strict=True))
        ]
        return [finals for finals, _ in found], [stream for _, stream in found]

    def partial(self, stream: TransducerStream) -> CtcResult:
        """What the utterance that is being said is taken for so far."""
        return self._result(stream, final=False)

    def finish(self, stream: TransducerStream) -> CtcResult:
        """What it is taken for where nothing more comes."""
        return self._result(stream, final=True)

    def _frame(
        self, frame: Floats, places: list[TransducerHypothesis], at: int
    ) -> tuple[list[TransducerHypothesis], float]:
        if self.options.beam == 1:
            place, blank = greedy_frame(self.model, frame, places[0], at, self.options)
            return [place], blank
        return beam_frame(self.model, frame, places, at, self.options)

    def _result(self, stream: TransducerStream, *, final: bool) -> CtcResult:
        search = stream.search
        found = transducer_hypotheses(search, self.n_best, self.options.scores if final else None)
        stable = len(found[0].tokens) if final else stable_tokens(search)
        return CtcResult(tuple(found), stable, stream.begin, search.count, final)


def search_transducer(
    model: Transducer,
    frames: Sequence[Floats],
    *,
    options: TransducerOptions,
    n_best: int = 1,
) -> list[list[CtcHypothesis]]:
    """The likeliest sequences of symbols of recordings, as far as a beam finds them.

    Args:
        model: the prediction network and the joiner.
        frames: of each what was heard, `(T, J)`.
        options: how to search.
        n_best: how many hypotheses to give, up to the beam.

    Returns:
        For each up to `n_best` hypotheses, best first, no two with the same tokens; one at least,
        which may be empty.

    Raises:
        As `TransducerDecoder.step`.
    """
    decoder = TransducerDecoder(model, 1.0, options, n_best)
    return [
        list(decoder.finish(decoder.step(one, decoder.start())[1]).hypotheses) for one in frames
    ]
