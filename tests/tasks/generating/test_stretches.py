"""Rows that begin alike are read once, and their scores are those of each alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.generating import scoring
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.scoring import log_probabilities, score_texts
from unrolled.tasks.generating.stretches import Stretch, read_once, side_by_side

Rows = list[np.ndarray]
# Of two tokens, so that many begin alike, are equal, or go on from another.
ROWS = st.lists(st.lists(st.integers(1, 2), max_size=9), max_size=8)


def ascending(rows: list[list[int]]) -> Rows:
    return [np.array(row, np.int64) for row in sorted(rows)]


def beginnings(rows: Rows, stretches: list[Stretch]) -> tuple[list[list[int]], int]:
    """What each row is read as, column after column; and how many tokens are read."""
    before: list[list[int]] = [[]]
    found: list[list[int]] = [[] for _ in rows]
    count = 0
    for one in stretches:
        now = []
        for row, parent in zip(one.rows.tolist(), one.parents.tolist(), strict=True):
            now.append([*before[parent], *rows[row][one.begin : one.end].tolist()])
            count += max(0, min(len(rows[row]), one.end) - one.begin)
        for row, column in enumerate(one.columns.tolist()):
            if column >= 0:
                found[row] = now[column][: len(rows[row])]
        before = now
    return found, count


@given(drawn=ROWS, most=st.integers(1, 12))
def test_every_row_is_read_from_its_beginning_to_its_end(drawn: list[list[int]], most: int) -> None:
    rows = ascending(drawn)
    for stretches in (read_once(rows, most)[0], side_by_side(rows, most)):
        assert beginnings(rows, stretches)[0] == sorted(drawn)
        assert all(one.end - one.begin <= most for one in stretches)
        edges = [edge for one in stretches for edge in (one.begin, one.end)]
        assert edges == sorted(edges)
    assert beginnings(rows, side_by_side(rows, most))[1] == sum(map(len, rows))


@given(drawn=ROWS.filter(any))
def test_each_column_of_a_stretch_is_another_row_up_to_its_end(drawn: list[list[int]]) -> None:
    rows = ascending(drawn)
    for one in read_once(rows, 100)[0]:
        read = [tuple(rows[row][: one.end].tolist()) for row in one.rows]
        assert len(set(read)) == len(read)


def test_long_beginnings_are_read_once() -> None:
    start = [1] * 200
    rows = ascending([[*start, 1, 2, 1], [*start, 2, 1], [*start, 2, 2, 2, 2]])
    stretches, cost = read_once(rows, 1000)
    assert beginnings(rows, stretches)[1] == 200 + 3 + 2 + 4
    assert cost < 200 * 13


@pytest.mark.parametrize("weight", [0.0, 0.3])
@pytest.mark.parametrize("members", [1, 2])
def test_texts_that_begin_alike_score_as_each_alone(
    reader_of: Callable[..., Reader],
    monkeypatch: pytest.MonkeyPatch,
    weight: float,
    members: int,
) -> None:
    reader = reader_of("characters", "abcd ", weight=weight, members=members)
    start = "a bad cab " * 4
    texts = [start + "dab", "", start + "dab", start + "d", "b", start[:-3] + "c", "cab d", "a"]
    # Two that part late from each of two that part early.
    texts += [middle * 20 + end for middle in ("cad ", "bad ") for end in ("ab", "ba", "dd")]
    alone = [score_texts(reader, [one], per_token=True, cache=None)[0] for one in texts]
    calls = []

    def counted(*given: object) -> list[np.ndarray]:
        calls.append(given)
        return log_probabilities(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(scoring, "log_probabilities", counted)
    rows = sorted((reader.tokenizer.encode(one) for one in texts), key=lambda row: row.tobytes())
    assert any(one.parents.max() > 0 for one in read_once(rows, 1000)[0])
    together = score_texts(reader, texts, per_token=True, cache=None)
    assert len(calls) == 1
    assert len(calls[0]) == 3, "none of them was read once"
    for one, want in zip(together, alone, strict=True):
        assert one.tokens is not None
        assert want.tokens is not None
        assert [piece for piece, _ in one.tokens] == [piece for piece, _ in want.tokens]
        assert one.log_probability == pytest.approx(want.log_probability, rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(
            [value for _, value in one.tokens], [value for _, value in want.tokens], rtol=1e-4
        )
