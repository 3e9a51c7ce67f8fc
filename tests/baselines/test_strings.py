"""Words as arrays of bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import ModelFileError


@given(st.lists(st.text(st.characters(exclude_categories=())), max_size=8))
def test_strings_come_back_as_they_were(strings: list[str]) -> None:
    arrays = pack_strings("words", strings)
    assert {name: array.dtype.kind for name, array in arrays.items()} == {
        "words_bytes": "u",
        "words_offsets": "i",
    }
    assert unpack_strings("words", arrays, "Rival") == tuple(strings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("words_offsets", np.array([0, 3, 2, 5])),
        ("words_offsets", np.array([0, 3])),
        ("words_offsets", np.array([1, 3, 5])),
        ("words_offsets", np.array([], dtype=np.int64)),
        ("words_offsets", np.array([0.0, 3.0, 5.0])),
        ("words_bytes", np.array([255, 254, 98, 97, 98], dtype=np.uint8)),
        ("words_bytes", np.zeros((5, 1), dtype=np.uint8)),
        ("words_bytes", np.zeros(5)),
    ],
)
def test_arrays_that_do_not_belong_together_are_no_strings(name: str, value: np.ndarray) -> None:
    arrays = pack_strings("words", ["abc", "de"])
    with pytest.raises(ModelFileError, match="Rival has words whose bytes"):
        unpack_strings("words", arrays | {name: value}, "Rival")
    del arrays[name]
    with pytest.raises(ModelFileError, match=f"lacks the array '{name}'"):
        unpack_strings("words", arrays, "Rival")
