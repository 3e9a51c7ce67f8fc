"""A corpus is the same however it is kept and however it is cut."""

from __future__ import annotations

import csv
import gzip
import hashlib
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import Corpus, read_text
from unrolled.errors import ConfigError, DataError, UnrolledError

WORDS = st.text("ab \t\n.\u00e9\u65e5", max_size=60).map(lambda text: "x" + text)


def texts_of(corpus: Corpus, size: int = 1 << 20) -> list[str]:
    """The whole documents."""
    found: list[str] = []
    for begins, piece in corpus.stream(size):
        if begins:
            found.append("")
        found[-1] += piece
    return found


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(WORDS, min_size=1, max_size=4), size=st.integers(1, 40))
def test_pieces_of_any_size_join_to_the_documents(texts, size):
    corpus = Corpus.of(texts)
    assert texts_of(corpus, size) == texts
    assert "".join(corpus.pieces(size)) == "\n".join(texts)
    assert corpus.characters == len("\n".join(texts))
    assert corpus.documents == len(texts)
    assert corpus.digest == hashlib.sha256("\0".join(texts).encode()).hexdigest()


@settings(max_examples=60, deadline=None)
@given(text=WORDS, size=st.integers(4, 30))
def test_pieces_are_cut_after_line_breaks_or_before_spaces_and_stay_short(text, size):
    pieces = [piece for _, piece in Corpus.of([text * 20]).stream(size)]
    for one, following in pairwise(pieces):
        broken = one.endswith("\n") or (following[0] in " \t" and not one[-1].isspace())
        assert broken or len(one) == 4 * size
    assert max(map(len, pieces)) <= 6 * size


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(WORDS, min_size=1, max_size=4),
    size=st.integers(1, 40),
    begin=st.integers(0, 80),
    length=st.integers(0, 80) | st.none(),
)
def test_a_part_of_the_text_is_that_part(texts, size, begin, length):
    end = None if length is None else begin + length
    part = "".join(Corpus.of(texts).pieces(size, begin=begin, end=end))
    assert part == "\n".join(texts)[begin:end]


def test_a_text_a_file_and_a_gzipped_file_are_one_corpus(tmp_path):
    text = "One line.\nAnother, \u00e9\u65e5.\n" * 30_000
    raw = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    (tmp_path / "a.txt").write_bytes(raw)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(raw))
    of_text = Corpus.of(text)
    for path in (tmp_path / "a.txt", str(tmp_path / "a.txt.gz")):
        corpus = Corpus.of(path)
        assert "".join(corpus.pieces()) == text == read_text(path)
        assert (corpus.digest, corpus.documents) == (of_text.digest, 1)
        assert corpus.file == str(path)
    assert of_text.digest == hashlib.sha256(text.encode()).hexdigest()
    assert of_text.name == "the text"
    assert Corpus.of(tmp_path / "a.txt").name == "a.txt"
    assert Corpus.of(of_text) is of_text


def test_a_large_file_is_never_held_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("word " * 800_000)
    sizes = [len(piece) for piece in Corpus.of(path).pieces(10_000)]
    assert sum(sizes) == 4_000_000
    assert max(sizes) < 400_000


def test_a_folder_is_a_document_a_file_in_the_order_of_names(tmp_path):
    (tmp_path / "b.txt").write_text("second")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"first\n"))
    (tmp_path / "c.dat").write_text("not read")
    assert texts_of(Corpus.of(tmp_path)) == ["first\n", "second"]
    paths = [tmp_path / "b.txt", tmp_path / "a.txt.gz"]
    assert texts_of(Corpus.of(paths)) == texts_of(Corpus.of([*map(str, paths)]))
    assert Corpus.of(paths).name == "2 files"


def test_labelled_texts_are_documents_those_without_a_label_too():
    labelled = SimpleNamespace(texts=("one", "", "two"), unlabelled=("three",), name="reviews")
    corpus = Corpus.of(labelled)
    assert texts_of(corpus) == ["one", "two", "three"]
    assert corpus.name == "reviews"


TABLES = {
    "a.csv": 'id,Review\n1,"one, ""1""\n- more"\n2,\n3,two\n',
    "a.tsv": 'id\tReview\n1\t"one, ""1""\n- more"\n3\ttwo\n',
    "a.jsonl": '{"id": 1, "Review": "one, \\"1\\"\\n- more"}\n\n{"id": 2, "Review": null}\n'
    '{"Review": "two"}\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_of_a_table_are_documents(tmp_path, name):
    (tmp_path / name).write_text(TABLES[name])
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(TABLES[name].encode()))
    for path in (tmp_path / name, tmp_path / f"{name}.gz"):
        corpus = Corpus.of(path)
        assert texts_of(corpus) == ['one, "1"\n- more', "two"]
        assert corpus.notes == ("the texts are column 'Review': text_column= names another",)
        assert texts_of(Corpus.of(path, text_column="Review")) == texts_of(corpus)
        assert not Corpus.of(path, text_column="Review").notes


def test_quotation_marks_in_a_tsv_that_quotes_nothing_are_text(tmp_path):
    (tmp_path / "a.tsv").write_text('label\ttext\n1\t"Well," he said\n0\tso "it is\n')
    assert texts_of(Corpus.of(tmp_path / "a.tsv")) == ['"Well," he said', 'so "it is']


def test_a_table_may_be_separated_by_semicolons_and_have_long_cells(tmp_path):
    long = "word, " * 40_000
    (tmp_path / "a.csv").write_text(f"label;text\n1;{long}\n")
    assert texts_of(Corpus.of(tmp_path / "a.csv")) == [long]


def test_the_column_with_the_longest_cells_is_taken_where_no_name_tells(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c\n1,a long text here,y\n2,and another,n\n")
    assert texts_of(Corpus.of(tmp_path / "a.csv")) == ["a long text here", "and another"]
    named = Corpus.of(tmp_path / "a.csv", text_column="c")
    assert texts_of(named) == ["y", "n"]


@pytest.mark.parametrize(
    ("name", "content", "told", "line"),
    [
        ("a.txt", b"one\n" * 100_000 + b"f\xfcnf", "byte 0xfc at offset 400001 is not", 100_001),
        ("cut.txt", b"one\nt\xc3", "byte 0xc3 at offset 5 is not", 2),
        ("empty.txt", b"", "holds no text", None),
        ("blank.txt", b" \n\n", "holds no text", None),
        ("wide.txt", "hello".encode("utf-16"), "looks like UTF-16", 1),
        ("cut.txt.gz", gzip.compress(b"some text" * 100)[:-20], "not a whole gzip file", None),
        ("plain.txt.gz", b"not gzip", "not a whole gzip file", None),
        ("missing.txt", None, "there is no such file", None),
        ("missing.csv", None, "there is no such file", None),
        ("folder", "folder", "there is no .txt file in this folder", None),
        ("a.csv", b"id,text\n1,one\n2,two,three\n", "has 3 cells where the header has 2", 3),
        ("b.csv", b"id,text\n", "has no rows", None),
        ("c.csv", b"", "has no rows", None),
        ("a.jsonl", b'{"text": "one"}\n{"text": \n', "is no JSON", 2),
        ("b.jsonl", b'{"text": "one"}\n["two"]\n', "expected an object", 2),
        ("c.jsonl", b'{"text": "one"}\n{"text": 2}\n', "holds int and no text", 2),
    ],
)
def test_what_is_no_text_is_named_with_its_place(tmp_path, name, content, told, line):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(Corpus.of(path).pieces())
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.file == str(path)
    if line is not None:
        assert caught.value.line == line


def test_a_quotation_mark_that_is_never_closed_is_told_before_all_is_read(tmp_path, monkeypatch):
    usual = csv.field_size_limit()
    monkeypatch.setattr("unrolled.data.corpus_tables._LONGEST_CELL", 1000)
    (tmp_path / "a.csv").write_text('text\nx\n"' + "x\n" * 600)
    try:
        csv.field_size_limit(1000)
        with pytest.raises(DataError, match="is opened here and never closed") as caught:
            list(Corpus.of(tmp_path / "a.csv").pieces())
    finally:
        csv.field_size_limit(usual)
    assert caught.value.line == 3


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n1,one\n")
    with pytest.raises(DataError, match="no column 'body', only 'id', 'text'"):
        list(Corpus.of(tmp_path / "a.csv", text_column="body").pieces())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (3, "data: got int, expected a text"),
        ([], "got an empty list"),
        (["a", 3], "a list with a int in it"),
        ("a\ud800", "half a surrogate pair at character 1"),
        (["a", "\ud800"], "half a surrogate pair at character 0"),
        ("", "holds no text"),
        ([" ", "\n"], "holds no text"),
    ],
)
def test_what_is_no_corpus_is_told_in_one_line(data, told):
    with pytest.raises(UnrolledError) as caught:
        list(Corpus.of(data).pieces())
    assert told in str(caught.value)
    assert isinstance(caught.value, (DataError, ConfigError))
    assert "\n" not in str(caught.value)


def test_a_one_line_text_is_no_file_unless_it_looks_like_one():
    assert list(Corpus.of("Hello there.txt is a file").pieces()) == ["Hello there.txt is a file"]
    with pytest.raises(DataError, match="no such file"):
        list(Corpus.of("nothere.txt").pieces())
