"""Who gives a kind of frame gets that kind back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from unrolled.data import SeriesSet, read_series, same_kind

FRAME = pl.DataFrame(
    {
        "unique_id": ["a", "a", None],
        "ds": np.array(["2024-01-01", "2024-01-02", "2024-01-03T04:05"], "datetime64[us]"),
        "q0.5": [1.5, None, 3.0],
        "step": [1, 2, 3],
    }
)


def test_pandas_gives_pandas_with_its_own_times():
    import pandas as pd

    for like in (pd.DataFrame({"y": [1]}), pd.Series([1.0])):
        found = same_kind(FRAME, like)
        assert isinstance(found, pd.DataFrame)
        assert found["ds"].dtype.kind == "M"
        assert found["ds"].dt.year.tolist() == [2024] * 3
        np.testing.assert_array_equal(found["q0.5"].to_numpy(), [1.5, np.nan, 3.0])
        assert found["step"].tolist() == [1, 2, 3]
        assert found["unique_id"][:2].tolist() == ["a", "a"]
        assert found["unique_id"].isna().tolist() == [False, False, True]


def test_pyarrow_gives_pyarrow():
    import pyarrow as pa

    found = same_kind(FRAME, pa.table({"y": [1]}))
    assert isinstance(found, pa.Table)
    assert pl.from_arrow(found).equals(FRAME)


@pytest.mark.parametrize(
    "like", [FRAME, "sales.csv", None, {"y": [1]}, SeriesSet.from_arrays([1.0])]
)
def test_anything_else_gives_polars(like):
    assert same_kind(FRAME, like) is FRAME


def test_every_kind_reads_back_as_the_same_series():
    frame = SeriesSet.from_arrays({"a": [1.0, 2.0], "b": [3.0, 4.0, 5.0]}, frequency="h").to_frame()
    for like in (FRAME.to_pandas(), FRAME.to_arrow(), FRAME):
        assert read_series(same_kind(frame, like)).to_frame().equals(frame)


def test_pandas_is_not_loaded_for_another_kind():
    code = (
        "import sys, polars as pl; from unrolled.data import same_kind; "
        "f = pl.DataFrame({'a': [1]}); same_kind(f, f); print('pandas' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_names_that_are_whole_numbers_stay_so_and_join(kind):
    frame = pl.DataFrame({"shop": ["7", "7", "11"], "q0.5": [1.0, 2.0, 3.0]})

    def given(names):
        like = pl.DataFrame({"shop": names})
        return {"pandas": like.to_pandas, "pyarrow": like.to_arrow}.get(kind, lambda: like)()

    def told(answer, like):
        found = same_kind(answer, like, "shop")
        return pl.DataFrame(found)["shop"].to_list()

    assert told(frame, given([7, 11])) == [7, 7, 11]
    assert told(frame, given(["7", "11"])) == ["7", "7", "11"]
    several = frame.with_columns(shop=pl.Series(["7/sales", "7/price", "11/price"]))
    assert told(several, given([7, 11])) == ["7/sales", "7/price", "11/price"]
    assert same_kind(frame, "shops.csv", "shop") is frame
