"""Options of a search: what is refused, and the most steps."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unrolled.decoding import BeamOptions
from unrolled.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"beam": 0}, "beam: got 0"),
        ({"beam": 2.5}, r"beam: got 2\.5"),
        ({"beam": True}, "beam: got True"),
        ({"n_best": 0}, "n_best: got 0"),
        ({"beam": 2, "n_best": 3}, "n_best: got 3 with a beam of 2"),
        ({"length_penalty": -0.1}, r"length_penalty: got -0\.1"),
        ({"length_penalty": math.nan}, "length_penalty: got nan"),
        ({"length_penalty": "sum"}, "length_penalty: got 'sum'"),
        ({"coverage_penalty": -1}, "coverage_penalty: got -1"),
        ({"coverage_penalty": math.inf}, "coverage_penalty: got inf"),
        ({"prune": -1.0}, r"prune: got -1\.0"),
        ({"prune": math.nan}, "prune: got nan"),
        ({"no_repeat": -1}, "no_repeat: got -1"),
        ({"max_length": 0}, "max_length: got 0"),
        ({"max_length": (1.0,)}, r"max_length: got \(1\.0,\)"),
        ({"max_length": (-1.0, 5)}, r"max_length: got -1\.0"),
        ({"max_length": "9"}, "max_length: got '9'"),
        ({"min_length": -1}, "min_length: got -1"),
        ({"forbidden": (1, -2)}, "forbidden: got -2"),
        ({"forbidden": 3}, "forbidden: got 3"),
    ],
)
def test_an_option_out_of_its_range_is_refused_by_name(
    options: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        BeamOptions(**options)  # type: ignore[arg-type]


def test_the_most_steps_follow_each_source() -> None:
    lengths = np.array([0, 1, 5, 10])
    assert BeamOptions(max_length=(1.5, 2)).limits(lengths).tolist() == [2, 3, 9, 17]
    assert BeamOptions(max_length=(0.1, 0)).limits(lengths).tolist() == [1, 1, 1, 1]
    assert BeamOptions(max_length=7).limits(lengths).tolist() == [7, 7, 7, 7]
