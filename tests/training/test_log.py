"""The log of a run, read while it is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from unrolled.training.log import LogReader


def line(step: int, **more: object) -> str:
    return json.dumps({"step": step, **more}) + "\n"


def steps(reader: LogReader) -> list[int]:
    return [record["step"] for record in reader.records]


@given(cuts=st.lists(st.integers(0, 400), max_size=8))
def test_in_whatever_pieces_it_is_written_each_line_is_read_once(
    cuts: list[int], tmp_path_factory: object
) -> None:
    whole = "".join(line(step, loss=step / 7, note="ü\u2028") for step in range(1, 12)).encode()
    path = tmp_path_factory.mktemp("log") / "log.jsonl"  # type: ignore[attr-defined]
    reader = LogReader(path)
    assert not reader.read()
    ends = [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for end in ends:
        path.write_bytes(whole[:end])
        before = len(reader.records)
        assert reader.read() == (whole[:end].count(b"\n") > before)
        assert len(reader.records) == whole[:end].count(b"\n")
    assert [json.dumps(record) for record in reader.records] == whole.decode().split("\n")[:-1]
    assert reader.broken == []
    assert not reader.read()


def test_a_line_without_its_end_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1) + '{"step": 2, "lo')
    reader = LogReader(path)
    assert reader.read()
    assert steps(reader) == [1]
    assert reader.broken == []
    with path.open("a") as file:
        file.write('ss": 1.5}\n')
    assert reader.read()
    assert steps(reader) == [1, 2]


def test_a_log_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    """As by a run that is resumed, whose lines after its checkpoint belong to lost work."""
    path, aside = tmp_path / "log.jsonl", tmp_path / "aside"
    first = "".join(line(step, loss=1.0) for step in range(1, 200))
    path.write_text(first)
    reader = LogReader(path)
    reader.read()
    again = "".join(line(step, loss=1.0) for step in range(1, 150))
    other = "".join(line(step, loss=2.0) for step in range(150, 260))
    for text, expected in ((again, 149), (again + other, 259)):
        aside.write_text(text)
        os.replace(aside, path)
        assert reader.read()
        assert steps(reader) == list(range(1, expected + 1))
    assert reader.records[200]["loss"] == 2.0
    # Longer than before, and other lines in it.
    aside.write_text("".join(line(step, loss=3.0) for step in range(1, 400)))
    os.replace(aside, path)
    assert reader.read()
    assert {record["loss"] for record in reader.records} == {3.0}


def test_a_log_that_is_gone_for_now_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(line(1))
    reader = LogReader(path)
    reader.read()
    path.unlink()
    assert not reader.read()
    assert steps(reader) == [1]


def test_broken_lines_are_numbered_and_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    nested = "[" * 100_000
    bad = ["{", "[1]", '{"loss": 1}', '{"step": -1}', '{"step": true}', nested, "\x00\x00", "1"]
    path.write_text(line(1) + "".join(one + "\n" for one in bad) + "\n" + line(2))
    reader = LogReader(path)
    reader.read()
    assert steps(reader) == [1, 2]
    assert reader.broken == list(range(2, 2 + len(bad)))
