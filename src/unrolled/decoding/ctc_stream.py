"""Searching in the output of a CTC model while it comes, in chunks of any size.

    decoder = CtcDecoder(seconds=0.04, endpoint=Endpoint(after=0.8))
    stream = decoder.start()
    finals, stream = decoder.step(log_probs, stream)
    shown = decoder.partial(stream)
    last = decoder.finish(stream)

A stream is plain arrays and numbers: it can be kept, copied by name, and gone back to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unrolled.decoding.ctc_checks import BLANK, Floats, Ints, as_array, check_count, check_log_probs
from unrolled.decoding.ctc_endpoint import Endpoint, EndpointState
from unrolled.decoding.ctc_greedy import PathState, advance_path, path_hypothesis, start_path
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.ctc_options import CtcOptions
from unrolled.decoding.ctc_prefix import advance_prefixes
from unrolled.decoding.ctc_state import (
    PrefixState,
    prefix_hypotheses,
    stable_prefix,
    start_prefixes,
)
from unrolled.decoding.prefix_scores import Place
from unrolled.errors import ConfigError, ShapeError

Search = PathState | PrefixState


@dataclass(frozen=True, eq=False)
class CtcStream:
    """Where a stream is; a step makes a new one and leaves this as it was.

    Attributes:
        search: of the utterance that is being said.
        endpoint: what the endpoint knows of it.
        begin: the frame where it began, counted from the start of the stream.
    """

    search: Search
    endpoint: EndpointState
    begin: int


@dataclass(frozen=True)
class CtcResult:
    """What was heard of an utterance, so far or for good.

    Attributes:
        hypotheses: best first. Frames are counted from the start of the stream.
        stable: how many tokens of the best can't change any more: those that all prefixes of the
            beam begin with. The frames of the last of them may.
        begin, end: its first frame, and the one after its last.
        final: whether it is over.
    """

    hypotheses: tuple[CtcHypothesis, ...]
    stable: int
    begin: int
    end: int
    final: bool


@dataclass(frozen=True, eq=False)
class CtcDecoder:
    """A search that goes on from chunk to chunk, one utterance after the other.

    However the frames are cut, the results are those of `search_ctc` over each utterance as a
    whole: to the bit.

    Attributes:
        seconds: from a frame to the next.
        options: how to search.
        n_best: how many hypotheses to give, up to the beam.
        endpoint: when an utterance is over; None: when the stream is.

    Raises:
        ConfigError: a number out of range.
    """

    seconds: float
    options: CtcOptions = field(default_factory=CtcOptions)
    n_best: int = 1
    endpoint: Endpoint | None = None

    def __post_init__(self) -> None:
        if not 0 < self.seconds < float("inf"):
            raise ConfigError(f"seconds: got {self.seconds!r}, expected a number above 0")
        check_count("n_best", self.n_best, self.options.beam)

    def start(self) -> CtcStream:
        """The beginning of a stream."""
        return self._begin(0)

    def step(self, log_probs: Any, stream: CtcStream) -> tuple[list[CtcResult], CtcStream]:
        """Takes the next frames of one stream, `(T, 1 + V)`; T may be 0.

        Returns:
            The utterances that were over within them, and the stream after them.

        Raises:
            As `search_ctc`; frames are counted within the chunk. The stream stays as it was.
        """
        values = as_array("log_probs", log_probs)
        if values.ndim != 2:
            raise ShapeError(f"log_probs: got shape {values.shape}, expected (T, 1 + V)")
        (finals,), (stream,) = self.step_all(values[:, None], None, [stream])
        return finals, stream

    def step_all(
        self, log_probs: Any, lengths: Any, streams: Sequence[CtcStream]
    ) -> tuple[list[list[CtcResult]], list[CtcStream]]:
        """The same for many streams at once.

        Args:
            log_probs: `(T, B, 1 + V)`.
            lengths: `(B,)` how many frames there are for each; None: all T.
            streams: B of them.
        """
        values, counts = check_log_probs(log_probs, lengths)
        if len(streams) != values.shape[1]:
            raise ShapeError(f"streams: got {len(streams)}, expected B = {values.shape[1]}")
        now = list(streams)
        finals: list[list[CtcResult]] = [[] for _ in now]
        done = np.zeros_like(counts)
        rows = np.arange(len(now))
        while len(rows):
            # Each row up to its own endpoint; the few that have frames behind it once more.
            cuts = [
                self._cut(values[done[row] : counts[row], row, BLANK], now[row]) for row in rows
            ]
            took = np.array(
                [
                    counts[row] - done[row] if cut is None else cut
                    for row, (cut, _) in zip(rows, cuts, strict=True)
                ]
            )
            moved = self._advance([now[row].search for row in rows], values, rows, done[rows], took)
            done[rows] += took
            for row, search, (cut, endpoint) in zip(rows, moved, cuts, strict=True):
                now[row] = CtcStream(search, endpoint, now[row].begin)
                if cut is not None:
                    finals[row].append(self.finish(now[row]))
                    now[row] = self._begin(search.frames)
            rows = rows[done[rows] < counts[rows]]
        return finals, now

    def partial(self, stream: CtcStream) -> CtcResult:
        """What the utterance that is being said is taken for so far."""
        return self._result(stream, final=False)

    def finish(self, stream: CtcStream) -> CtcResult:
        """What it is taken for where nothing more comes."""
        return self._result(stream, final=True)

    def _begin(self, frame: int) -> CtcStream:
        scores = self.options.scores
        place = Place() if scores is None else scores.start()
        search = start_path(frame) if self.options.beam == 1 else start_prefixes(frame, place)
        return CtcStream(search, EndpointState(), frame)

    def _cut(self, blanks: Floats, stream: CtcStream) -> tuple[int | None, EndpointState]:
        if self.endpoint is None:
            return None, stream.endpoint
        return self.endpoint.find(blanks, stream.endpoint, self.seconds)

    def _advance(
        self, searches: list[Search], values: Floats, rows: Ints, begin: Ints, count: Ints
    ) -> list[Search]:
        paths = [one for one in searches if isinstance(one, PathState)]
        if paths:
            places = zip(paths, rows, begin, count, strict=True)
            return [advance_path(one, values[at : at + n, row]) for one, row, at, n in places]
        prefixes = [one for one in searches if isinstance(one, PrefixState)]
        if not begin.any() and len(rows) == values.shape[1]:
            return [*advance_prefixes(prefixes, values, count, self.options)]
        chunk = np.zeros((int(count.max()), len(rows), values.shape[2]), np.float32)
        for place, (row, at, n) in enumerate(zip(rows, begin, count, strict=True)):
            chunk[:n, place] = values[at : at + n, row]
        return [*advance_prefixes(prefixes, chunk, count, self.options)]

    def _result(self, stream: CtcStream, *, final: bool) -> CtcResult:
        search = stream.search
        if isinstance(search, PathState):
            found, stable = [path_hypothesis(search)], len(search.symbols)
        else:
            scores = self.options.scores if final else None
            found, stable = prefix_hypotheses(search, self.n_best, scores), stable_prefix(search)
        stable = len(found[0].tokens) if final else stable
        return CtcResult(tuple(found), stable, stream.begin, search.frames, final)
