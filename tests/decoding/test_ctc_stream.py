"""Searching in chunks: the same as at once."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.decoding import CtcDecoder, CtcOptions, CtcResult, CtcStream, Endpoint, search_ctc
from unrolled.decoding.ctc_endpoint import EndpointState
from unrolled.decoding.ctc_state import PrefixState
from unrolled.errors import ConfigError, ShapeError

from .alignments import draw

RULE = Endpoint(after=0.2, longest=2.0)


def stream_through(
    decoder: CtcDecoder, y: torch.Tensor, cuts: Sequence[int]
) -> tuple[list[CtcResult], CtcStream, list[CtcResult]]:
    """Finals, the stream at its end, and the partial after each chunk."""
    stream, finals, partials, at, chunk = decoder.start(), [], [], 0, 0
    while at < len(y):
        size = cuts[chunk % len(cuts)]
        found, stream = decoder.step(y[at : at + size], stream)
        finals += found
        partials.append(decoder.partial(stream))
        at, chunk = at + size, chunk + 1
    return finals, stream, partials


def spoken(steps: int, symbols: int, seed: int) -> torch.Tensor:
    """Log-probabilities with stretches of blanks in them."""
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(steps, symbols, generator=random) * 2
    silent = torch.rand(steps // 8 + 1, generator=random).repeat_interleave(8)[:steps] < 0.5
    logits[silent, 0] += 8.0
    return logits.log_softmax(-1)


draws = given(
    cuts=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    beam=st.integers(1, 6),
    ruled=st.booleans(),
    seed=st.integers(0, 2**31),
)


@settings(max_examples=40)
@draws
def test_any_chunks_give_what_one_gives(cuts: list[int], beam: int, ruled: bool, seed: int) -> None:
    y = spoken(90, 4, seed)
    rule = RULE if ruled else None
    decoder = CtcDecoder(0.04, CtcOptions(beam), n_best=beam, endpoint=rule)
    finals, stream, _ = stream_through(decoder, y, cuts)
    whole, end, _ = stream_through(decoder, y, [90])
    assert finals == whole
    assert decoder.finish(stream) == decoder.finish(end)
    assert decoder.partial(stream) == decoder.partial(end)


@settings(max_examples=40)
@draws
def test_each_utterance_is_what_a_search_over_it_finds(
    cuts: list[int], beam: int, ruled: bool, seed: int
) -> None:
    y = spoken(90, 4, seed)
    rule = RULE if ruled else None
    decoder = CtcDecoder(0.04, CtcOptions(beam), n_best=beam, endpoint=rule)
    finals, stream, _ = stream_through(decoder, y, cuts)
    results = [*finals, decoder.finish(stream)]
    assert [one.begin for one in results] == [0, *(one.end for one in results[:-1])]
    assert results[-1].end == 90
    for one in results:
        assert one.final
        assert one.stable == len(one.hypotheses[0].tokens)
        alone = search_ctc(y[one.begin : one.end, None], beam=beam, n_best=beam)[0]
        moved = tuple(
            replace(each, frames=tuple((a - one.begin, b - one.begin) for a, b in each.frames))
            for each in one.hypotheses
        )
        assert moved == tuple(alone)


@settings(max_examples=40)
@draws
def test_what_is_stable_never_changes(cuts: list[int], beam: int, ruled: bool, seed: int) -> None:
    y = spoken(90, 4, seed)
    decoder = CtcDecoder(0.04, CtcOptions(beam), n_best=beam)
    _, stream, partials = stream_through(decoder, y, cuts)
    last = decoder.finish(stream).hypotheses
    before = 0
    for one in partials:
        assert not one.final
        assert one.stable >= before
        before = one.stable
        said = one.hypotheses[0].tokens[: one.stable]
        for each in (*one.hypotheses, *last):
            assert each.tokens[: one.stable] == said


def test_all_that_the_beam_agrees_on_is_stable() -> None:
    y = spoken(90, 4, 3)
    decoder = CtcDecoder(0.04, CtcOptions(6), n_best=6)
    for one in stream_through(decoder, y, [7])[2]:
        said = [each.tokens for each in one.hypotheses]
        shared = 0
        while all(len(each) > shared and each[shared] == said[0][shared] for each in said):
            shared += 1
        assert one.stable == shared
    assert stream_through(CtcDecoder(0.04, CtcOptions(1)), y, [90])[2][0].stable > 0


@pytest.mark.parametrize("beam", [1, 4])
def test_many_streams_in_step_are_those_alone(beam: int) -> None:
    y = torch.stack([spoken(60, 4, seed) for seed in range(5)], dim=1)
    decoder = CtcDecoder(0.04, CtcOptions(beam), endpoint=RULE)
    streams = [decoder.start() for _ in range(5)]
    finals: list[list[CtcResult]] = [[] for _ in streams]
    taken = [[] for _ in streams]
    random = np.random.default_rng(0)
    for at in range(0, 60, 20):
        lengths = random.integers(0, 21, 5)
        found, streams = decoder.step_all(y[at : at + 20], lengths, streams)
        for row, count in enumerate(lengths):
            finals[row] += found[row]
            taken[row].append(y[at : at + count, row])
    assert sum(map(len, finals)) > 3
    for row in range(5):
        alone, stream, _ = stream_through(decoder, torch.cat(taken[row]), [60])
        assert finals[row] == alone
        assert decoder.finish(streams[row]) == decoder.finish(stream)


@pytest.mark.parametrize("beam", [1, 4])
def test_a_stream_can_be_gone_back_to(beam: int) -> None:
    y = spoken(40, 4, 1)
    decoder = CtcDecoder(0.04, CtcOptions(beam), endpoint=RULE)
    _, stream = decoder.step(y[:17], decoder.start())
    once = decoder.step(y[17:], stream)
    twice = decoder.step(y[17:], stream)
    assert once[0] == twice[0]
    assert decoder.finish(once[1]) == decoder.finish(twice[1])


def test_a_stream_is_plain_arrays_that_can_be_saved() -> None:
    y = spoken(40, 4, 2)
    decoder = CtcDecoder(0.04, CtcOptions(5), n_best=5, endpoint=RULE)
    _, stream = decoder.step(y[:17], decoder.start())
    file = io.BytesIO()
    fields = asdict(stream)
    np.savez(
        file,
        **fields["search"],
        **{f"endpoint_{name}": value for name, value in fields["endpoint"].items()},
        begin=stream.begin,
    )
    file.seek(0)
    saved = np.load(file, allow_pickle=False)
    search = PrefixState(
        int(saved["frames"]), *(saved[name] for name in ("nodes", "paths", "members"))
    )
    endpoint = EndpointState(*(saved[f"endpoint_{name}"].item() for name in fields["endpoint"]))
    again = CtcStream(search, endpoint, int(saved["begin"]))
    one, other = decoder.step(y[17:], again), decoder.step(y[17:], stream)
    assert one[0] == other[0]
    assert decoder.finish(one[1]) == decoder.finish(other[1])


def test_memory_stays_with_what_is_said() -> None:
    decoder = CtcDecoder(0.04, CtcOptions(8), endpoint=Endpoint(after=0.2))
    stream = decoder.start()
    silence = torch.full((100, 4), -20.0)
    silence[:, 0] = 0.0
    for _ in range(20):
        _, stream = decoder.step(silence, stream)
    assert isinstance(stream.search, PrefixState)
    assert stream.search.frames == 2000
    assert len(stream.search.nodes) <= 1 + 8 * 8


def test_no_frames_change_nothing() -> None:
    decoder = CtcDecoder(0.04)
    _, stream = decoder.step(draw(9, 4), decoder.start())
    finals, after = decoder.step(torch.empty(0, 4), stream)
    assert finals == []
    assert decoder.partial(after) == decoder.partial(stream)
    assert decoder.finish(decoder.start()).hypotheses[0].tokens == ()


def test_arguments_that_do_not_fit_are_refused() -> None:
    decoder = CtcDecoder(0.04, endpoint=RULE)
    with pytest.raises(ShapeError, match=r"log_probs: got shape \(3, 1, 4\), expected \(T, 1"):
        decoder.step(draw(3, 1, 4), decoder.start())
    with pytest.raises(ShapeError, match="streams: got 1, expected B = 2"):
        decoder.step_all(draw(3, 2, 4), None, [decoder.start()])
    y = draw(3, 4)
    y[1, 2] = math.nan
    with pytest.raises(ConfigError, match="row 0, frame 1 holds NaN"):
        decoder.step(y, decoder.start())
    with pytest.raises(ConfigError, match="seconds: got 0"):
        CtcDecoder(0.0)
    with pytest.raises(ConfigError, match="n_best: got 3, expected at most the beam, 2"):
        CtcDecoder(0.04, CtcOptions(2), n_best=3)
