"""The doors of the two small rooms stay light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unrolled import baselines, decoding


@pytest.mark.parametrize("room", [baselines, decoding])
def test_every_name_a_room_lists_is_there_and_no_other(room: object) -> None:
    assert sorted(room.__all__) == dir(room)
    for name in room.__all__:
        assert callable(getattr(room, name))
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = room.nothing_of_that_name


def test_the_baselines_need_no_torch() -> None:
    code = (
        "import sys; from unrolled.baselines import NGram, Naive, SeasonalNaive;"
        "sys.exit('torch' in sys.modules)"
    )
    paths = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    assert subprocess.run([sys.executable, "-c", code], env=paths, check=False).returncode == 0
