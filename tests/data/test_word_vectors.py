"""Word vectors in text form: only what is wanted is kept, and a damaged line is named."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import read_word_vectors
from unrolled.errors import DataError

GLOVE = "the 0.1 0.2 0.3\nfilm 1 2 3\n, -1 -2 -3\nat the 9 9 9\nthe 5 5 5\n"
VECTORS = {"the": (0.1, 0.2, 0.3), "film": (1, 2, 3), ",": (-1, -2, -3)}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return folder / name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", GLOVE),
        ("glove.txt.gz", GLOVE),
        ("glove.txt", GLOVE.replace("\n", "\r\n")),
        ("wiki.vec", "5 3\n" + GLOVE.replace("\n", " \n")),
        ("tabs.txt", GLOVE.replace("at the", "at_the").replace(" ", "\t")),
    ],
)
def test_every_text_form_gives_the_same_vectors(tmp_path, name, content):
    found = read_word_vectors(write(tmp_path, name, content), ["film", "the", "no such", ","])
    assert found.words == ("film", "the", ",")
    assert found.vectors.dtype == np.float32
    np.testing.assert_allclose(found.vectors, [VECTORS[word] for word in found.words], rtol=1e-6)
    assert (found.size, found.lines, len(found)) == (3, 5, 3)


def test_a_word_of_two_words_is_not_its_first(tmp_path):
    with pytest.raises(DataError, match="none of the 1 words"):
        read_word_vectors(write(tmp_path, "a.txt", GLOVE), ["at"])


def test_a_word_is_looked_for_in_lower_case_where_it_is_not_there(tmp_path):
    path = write(tmp_path, "a.txt", "the 1 2\nThe 3 4\nfilm 5 6\n")
    found = read_word_vectors(path, ["The", "Film", "the", "FILM"])
    assert dict(zip(found.words, found.vectors.tolist(), strict=True)) == {
        "The": [3, 4],
        "Film": [5, 6],
        "the": [1, 2],
        "FILM": [5, 6],
    }
    assert found.lowered == 2


def test_the_matrix_has_a_row_for_each_word_and_says_which_are_known(tmp_path):
    found = read_word_vectors(write(tmp_path, "a.txt", GLOVE), ["film", "the"])
    matrix, known = found.matrix(["\n", "film", "film", "x"])
    assert matrix.tolist() == [[0, 0, 0], [1, 2, 3], [1, 2, 3], [0, 0, 0]]
    assert known.tolist() == [False, True, True, False]


def test_memory_is_that_of_the_wanted_words(tmp_path):
    line = " ".join(["0.123456"] * 50)
    path = write(tmp_path, "a.txt.gz", "".join(f"w{n} {line}\n" for n in range(6_000)))
    tracemalloc.start()
    found = read_word_vectors(path, ["w3", "w5999"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 2
    assert peak < 600_000  # the text is 2.7 million bytes


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"", "is empty"),
        ("a.txt", b"the\nfilm\n", "line 1: the first line has no numbers"),
        ("a.txt", b"x 1 2\nthe 1\n", "line 2: has 1 numbers where the first word has 2"),
        ("a.txt", b"x 1 2\nthe 1 2 3\n", "line 2: has 3 numbers"),
        ("a.txt", b"x 1 2\nthe 1 nan\n", "line 2: holds a number that is not finite"),
        ("a.txt", b"x 1 2\nthe 1 two\n", "line 2: holds something that is no number"),
        ("a.vec", b"9 2\nthe 1 2\n", "first line says 9"),
        ("a.txt", b"other 1 2\n", "none of the 1 words"),
        ("a.bin", b"3 2\nthe \x00\x01\x00\x02", "the binary form"),
        ("a.zip", b"PK\x03\x04", "a zip archive"),
        ("a.gz", gzip.compress(b"the 1 2\n" * 999)[:-9], "not a whole gzip file"),
        ("a.txt", None, "there is no such file"),
        ("a.txt", "folder", "is a folder"),
    ],
)
def test_what_is_no_file_of_vectors_is_named_in_one_line(refused, name, content, told):
    refused(lambda path: read_word_vectors(path, ["the"]), name, content, told)


WORD = st.text(st.characters(categories=["L", "P"]), min_size=1, max_size=6)
NUMBER = st.floats(-1e3, 1e3, width=32)


@settings(max_examples=50)
@given(st.dictionaries(WORD, st.tuples(NUMBER, NUMBER), min_size=1), st.booleans())
def test_what_is_written_is_read_as_it_was(tmp_path_factory, vectors, header):
    text = f"{len(vectors)} 2\n" if header else ""
    text += "".join(f"{word} {one!r} {two!r}\n" for word, (one, two) in vectors.items())
    path = write(tmp_path_factory.mktemp("a"), "a.txt", text)
    found = read_word_vectors(path, vectors)
    assert found.words == tuple(vectors)
    assert found.vectors.tolist() == [list(one) for one in vectors.values()]
