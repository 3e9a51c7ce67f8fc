"""Reading text from files."""

from __future__ import annotations

import gzip

import pytest

from unrolled.data import read_text
from unrolled.errors import DataError


def test_line_ends_become_newlines_and_a_byte_order_mark_goes(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_text(tmp_path / "a.txt") == "one\ntwo\nthree\n"


def test_a_folder_is_its_texts_in_the_order_of_their_names(tmp_path):
    (tmp_path / "b.txt").write_text("second")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"first"))
    (tmp_path / "c.md").write_text("not read")
    assert read_text(tmp_path) == "first\nsecond"
    assert read_text([tmp_path / "b.txt", tmp_path / "a.txt.gz"]) == "second\nfirst"


def test_bytes_that_are_not_utf8_are_told_with_line_and_offset(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("eins\nzwei\nfünf".encode("latin-1"))
    with pytest.raises(DataError) as caught:
        read_text(path)
    assert caught.value.line == 3
    assert "byte 0xfc at offset 11" in str(caught.value)
    assert "iconv" in str(caught.value)
    assert read_text(path, encoding="latin-1") == "eins\nzwei\nfünf"


def test_utf16_is_recognised(tmp_path):
    path = tmp_path / "wide.txt"
    path.write_bytes("hello".encode("utf-16"))
    with pytest.raises(DataError, match="looks like UTF-16"):
        read_text(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.txt", b"", "holds no text"),
        ("blank.txt", b" \n\n", "holds no text"),
        ("cut.txt.gz", gzip.compress(b"some text" * 100)[:-20], "not a whole gzip file"),
        ("plain.txt.gz", b"not gzip", "not a whole gzip file"),
        ("missing.txt", None, "there is no such file"),
        ("folder", "folder", "there is no .txt file in this folder"),
    ],
)
def test_what_is_no_text_is_named_in_one_line(refused, name, content, told):
    refused(read_text, name, content, told)


def test_an_unknown_encoding_is_told(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(DataError, match="klingon"):
        read_text(tmp_path / "a.txt", encoding="klingon")
