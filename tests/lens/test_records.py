"""The records: what they refuse, and what they become."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.lens.records import Fan, ForecastSeries, Report
from unrolled.lens.trace_page import packed


def test_a_report_becomes_strict_json_and_keeps_its_values(
    make_report: Callable[[], Report],
) -> None:
    report = make_report()
    read = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert read["title"] == report.title
    assert (
        read["forecasts"][0]["series"][0]["fans"][0]["quantiles"]
        == report.forecasts[0].series[0].fans[0].quantiles
    )
    whole = report.unfolded
    assert read["unfolded"]["layers"][1]["states"]["h"] == packed(whole.layers[1].states["h"])
    assert read["text"]["bits_per_character"] == 1.918


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=6))
def test_what_is_not_finite_becomes_none_and_the_rest_stays(values: list[float]) -> None:
    read = ForecastSeries("s", [str(k) for k in range(len(values))], list(values)).to_json()["y"]
    assert read == [v if np.isfinite(v) else None for v in values]


def test_numpy_scalars_become_plain_numbers() -> None:
    fan = Fan(["a"], {"0.5": [np.float32(1.5)]}, [np.float64("nan")], "z")
    assert (
        json.dumps(fan.to_json())
        == '{"ds": ["a"], "quantiles": {"0.5": [1.5]}, "actual": [null], "origin": "z"}'
    )


def test_a_value_that_is_no_plain_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="holds object"):
        Report("t", "s", "m", notes=[object()]).to_json()  # type: ignore[list-item]


def test_lengths_that_do_not_fit_are_refused_with_both_numbers() -> None:
    with pytest.raises(ConfigError, match=r"Fan.actual has 1 entries, expected 2"):
        Fan(["a", "b"], {}, [1.0], "z")
    with pytest.raises(ConfigError, match=r"quantiles\['0.5'\] has 3 entries, expected 2"):
        Fan(["a", "b"], {"0.5": [1.0, 2.0, 3.0]}, [1.0, 2.0], "z")
    with pytest.raises(ConfigError, match=r"ForecastSeries.y has 0 entries, expected 1"):
        ForecastSeries("s", ["a"], [])


@pytest.mark.parametrize("level", ["0", "1", "-0.1", "median", "nan"])
def test_a_level_outside_zero_to_one_is_refused(level: str) -> None:
    with pytest.raises(ConfigError, match="has the level"):
        Fan(["a"], {level: [1.0]}, [1.0], "z")
