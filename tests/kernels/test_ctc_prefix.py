"""The kernel that searches in a CTC model's output: the oracle against all alignments, the fast
code against the oracle."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.decoding.ctc_state import MEMBER, NODE, PATH, PrefixState, start_prefixes

UNTOUCHED = 77
NO_LIMIT = (10**6, math.inf)  # most symbols, threshold


def draw(shape: tuple[int, ...], seed: int, size: float = 2.0) -> np.ndarray:
    """Log-probabilities that float32 holds."""
    logits = size * np.random.default_rng(seed).standard_normal(shape)
    return (logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)).astype(np.float32)


def ask_oracle(
    native: Any,
    y: np.ndarray,
    beam: int,
    limits: tuple[int, float] = NO_LIMIT,
    extension: np.ndarray | None = None,
) -> list[tuple[tuple[int, ...], float, float, tuple[tuple[int, int], ...]]]:
    """Of each prefix its tokens, log-probability, that of its best alignment, and the frames."""
    steps, symbols = y.shape
    y = np.ascontiguousarray(y, np.float64)
    totals, bests = np.empty(beam), np.empty(beam)
    count, lengths = np.zeros(1, np.int64), np.empty(beam, np.int64)
    tokens, first, last = (np.empty((beam, steps), np.int64) for _ in range(3))
    call = native.OracleCtcPrefix()
    call.steps, call.symbols, call.beam = steps, symbols, beam
    call.most_symbols, call.threshold = limits
    call.log_probs = y.ctypes.data
    call.extension = 0 if extension is None else extension.ctypes.data
    for name, array in {
        "count": count,
        "totals": totals,
        "bests": bests,
        "lengths": lengths,
        "tokens": tokens,
        "first_frame": first,
        "last_frame": last,
    }.items():
        setattr(call, name, array.ctypes.data)
    native.oracle_ctc_prefix(call)
    found = []
    for k in range(count[0]):
        said = tuple(tokens[k, : lengths[k]].tolist())
        frames = tuple(zip(first[k].tolist(), last[k].tolist(), strict=True))[: lengths[k]]
        found.append((said, float(totals[k]), float(bests[k]), frames))
    return found


def run(
    native: Any,
    states: list[PrefixState],
    y: np.ndarray,
    lengths: list[int],
    beam: int,
    limits: tuple[int, float] = NO_LIMIT,
    extension: np.ndarray | None = None,
    threads: int = 1,
) -> list[PrefixState]:
    """The fast code; nothing around what it writes is touched."""
    parts = [(one.nodes, one.paths, one.members) for one in states]
    counts = np.array([[len(part) for part in one] for one in parts], np.int64)
    more = max(lengths) * beam
    rooms = [counts[:, 0].max() + more, counts[:, 1].max() + more, beam]
    frames, arrays = [], []
    for at, (room, dtype) in enumerate(zip(rooms, (NODE, PATH, MEMBER), strict=True)):
        bytes_ = len(states) * room * dtype.itemsize
        frames.append(np.full(bytes_ + 128, UNTOUCHED, np.uint8))
        array = frames[-1][64 : 64 + bytes_].view(dtype).reshape(len(states), room)
        for row, one in enumerate(parts):
            array[row, : len(one[at])] = one[at]
        arrays.append(array)
    many = np.array(lengths, np.int64)
    seen = np.array([one.frames for one in states], np.int64)
    call = native.CtcPrefix()
    call.steps, call.batch, call.symbols = y.shape
    call.beam, call.threads = beam, threads
    call.most_symbols, call.threshold = limits
    call.log_probs = y.ctypes.data
    call.log_probs_time, call.log_probs_row = (n // 4 for n in y.strides[:2])
    call.lengths = many.ctypes.data
    call.extension = 0 if extension is None else extension.ctypes.data
    call.node_room, call.path_room = rooms[:2]
    call.nodes, call.paths, call.members = (array.ctypes.data for array in arrays)
    call.counts, call.frames = counts.ctypes.data, seen.ctypes.data
    native.ctc_prefix(call)
    for frame in frames:
        assert (frame[:64] == UNTOUCHED).all()
        assert (frame[-64:] == UNTOUCHED).all()
    return [
        PrefixState(
            int(seen[row]), *(a[row, :n].copy() for a, n in zip(arrays, counts[row], strict=True))
        )
        for row in range(len(states))
    ]


def same(one: PrefixState, other: PrefixState) -> bool:
    """To the bit."""
    return one.frames == other.frames and all(
        getattr(one, name).tobytes() == getattr(other, name).tobytes()
        for name in ("nodes", "paths", "members")
    )


def read(state: PrefixState) -> list[tuple[Any, ...]]:
    """As `ask_oracle` gives it, by pointers alone."""
    found = []
    for one in state.members:
        tokens, frames, node = [], [], one["node"]
        while node:
            tokens.append(int(state.nodes[node]["token"]))
            node = state.nodes[node]["parent"]
        blank = one["best_blank"] >= one["best_symbol"]
        path, last = (one["path_blank"], one["last"]) if blank else (one["path_symbol"], None)
        last = state.frames - 1 if last is None else last
        while path >= 0:
            frames.append((int(state.paths[path]["first"]), int(last)))
            path, last = state.paths[path]["previous"], state.paths[path]["last"]
        total = np.logaddexp(one["blank"], one["symbol"])
        best = max(one["best_blank"], one["best_symbol"])
        found.append((tuple(tokens[::-1]), float(total), float(best), tuple(frames[::-1])))
    return found


@settings(max_examples=20)
@given(steps=st.integers(1, 5), symbols=st.integers(2, 4), seed=st.integers(0, 2**31))
def test_the_oracle_sums_over_all_alignments(
    native: Any, steps: int, symbols: int, seed: int
) -> None:
    y = draw((steps, symbols), seed).astype(np.float64)
    sums: dict[tuple[int, ...], list[float]] = {}
    for path in itertools.product(range(symbols), repeat=steps):
        said = tuple(token for token, _ in itertools.groupby(path) if token)
        sums.setdefault(said, []).append(sum(y[t, s] for t, s in enumerate(path)))
    found = ask_oracle(native, y, 1000)
    assert {one[0] for one in found} == set(sums)
    for said, total, best, _ in found:
        assert abs(total - np.logaddexp.reduce(sums[said])) <= 1e-12
        assert abs(best - max(sums[said])) <= 1e-12


@settings(max_examples=80)
@given(
    steps=st.integers(1, 25),
    symbols=st.integers(2, 7) | st.just(60),
    beam=st.integers(1, 12),
    most=st.sampled_from([1, 2, 3, 10**6]),
    threshold=st.sampled_from([0.0, 1.0, 4.0, math.inf]),
    scored=st.booleans(),
    size=st.sampled_from([0.5, 2.0, 8.0, 60.0]),
    seed=st.integers(0, 2**31),
)
def test_the_fast_code_finds_what_the_oracle_finds(
    native: Any,
    steps: int,
    symbols: int,
    beam: int,
    most: int,
    threshold: float,
    scored: bool,
    size: float,
    seed: int,
) -> None:
    y = draw((steps, 1, symbols), seed, size)
    extension = np.random.default_rng(seed + 1).normal(size=symbols) if scored else None
    limits = (most, threshold)
    want = ask_oracle(native, y[:, 0], beam, limits, extension)
    (state,) = run(native, [start_prefixes()], y, [steps], beam, limits, extension)
    got = read(state)
    assert [(one[0], one[3]) for one in got] == [(one[0], one[3]) for one in want]
    np.testing.assert_allclose(
        [one[1:3] for one in got], [one[1:3] for one in want], rtol=1e-12, atol=1e-12
    )
    bonus = [0.0 if extension is None else sum(extension[c] for c in one[0]) for one in got]
    np.testing.assert_allclose(state.members["bonus"], bonus, rtol=0, atol=1e-9)


@settings(max_examples=40)
@given(
    cuts=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    beam=st.integers(1, 9),
    symbols=st.integers(2, 6),
    seed=st.integers(0, 2**31),
)
def test_frames_in_chunks_leave_the_same_numbers_as_at_once(
    native: Any, cuts: list[int], beam: int, symbols: int, seed: int
) -> None:
    y = draw((sum(cuts), 2, symbols), seed)
    whole = run(native, [start_prefixes(5)] * 2, y, [len(y)] * 2, beam)
    states, at = [start_prefixes(5)] * 2, 0
    for count in cuts:
        states = run(native, states, y[at : at + count], [count] * 2, beam)
        at += count
    numbers = [name for name in MEMBER.names or () if name != "node"]
    for one, other in zip(states, whole, strict=True):
        assert read(one) == read(other)
        assert one.members[numbers].tolist() == other.members[numbers].tolist()
        assert one.paths.tolist() == other.paths.tolist()
        assert len(one.nodes) == len(other.nodes)


def test_a_sentence_is_searched_alike_alone_and_among_others_on_any_threads(native: Any) -> None:
    y, lengths = draw((40, 7, 9), 1), [40, 3, 0, 39, 17, 40, 8]
    rows = [
        run(native, [start_prefixes()], y[:, row : row + 1], [count], 30)[0]
        for row, count in enumerate(lengths)
    ]
    for threads in (1, 2, 5, 50):
        found = run(native, [start_prefixes()] * 7, y, lengths, 30, threads=threads)
        assert all(same(one, other) for one, other in zip(found, rows, strict=True))


def test_batch_first_frames_are_read_in_place(native: Any) -> None:
    y = draw((3, 20, 5), 2)
    want = run(native, [start_prefixes()] * 3, y.transpose(1, 0, 2).copy(), [20] * 3, 6)
    got = run(native, [start_prefixes()] * 3, y.transpose(1, 0, 2), [20] * 3, 6)
    assert all(same(one, other) for one, other in zip(got, want, strict=True))


def test_no_prefix_is_in_the_beam_twice_though_its_beginning_left_it(native: Any) -> None:
    # Frames that say nothing let beginnings of prefixes leave the beam and come back.
    for seed in range(40):
        y = draw((60, 1, 4), seed, 0.3)
        (state,) = run(native, [start_prefixes()], y, [60], 5)
        said = [one[0] for one in read(state)]
        assert len(set(said)) == len(said) == 5


def test_of_equal_prefixes_the_earlier_stays_and_the_lower_symbol_comes_first(native: Any) -> None:
    y = np.full((1, 1, 4), math.log(0.25), np.float32)
    (state,) = run(native, [start_prefixes()], y, [1], 3)
    assert [one[0] for one in read(state)] == [(), (1,), (2,)]
    (state,) = run(native, [start_prefixes()], y, [1], 3, (1, math.inf))
    assert [one[0] for one in read(state)] == [(), (1,)]


def test_only_what_the_beam_needs_is_kept(native: Any) -> None:
    y = draw((500, 1, 6), 3, 6.0)
    (state,) = run(native, [start_prefixes()], y, [500], 4)
    longest = max(len(one[0]) for one in read(state))
    assert len(state.nodes) <= 1 + 4 * longest
    reached = {0}
    for node in state.members["node"]:
        while node not in reached:
            reached.add(int(node))
            node = state.nodes["parent"][node]
    assert reached == set(range(len(state.nodes)))


def test_a_symbol_that_can_not_be_is_in_no_prefix(native: Any) -> None:
    y = draw((12, 1, 4), 4)
    y[:, :, 2] = -np.inf
    y[3, 0] = [-np.inf, -np.inf, -np.inf, 0.0]
    (state,) = run(native, [start_prefixes()], y, [12], 50)
    found = read(state)
    assert len(found) == 50
    assert all(2 not in said and 3 in said for said, *_ in found)
    assert all(math.isfinite(total) and math.isfinite(best) for _, total, best, _ in found)


@pytest.mark.parametrize("beam", [1, 300])
def test_many_symbols_and_a_wide_beam_are_searched_as_the_oracle_does(
    native: Any, beam: int
) -> None:
    y = draw((8, 1, 400), 5, 3.0)
    want = ask_oracle(native, y[:, 0], beam)
    got = read(run(native, [start_prefixes()], y, [8], beam)[0])
    assert [(one[0], one[3]) for one in got] == [(one[0], one[3]) for one in want]
