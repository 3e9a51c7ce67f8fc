"""The tokens of a corpus in a file: all of them, once, and only of that text and tokenizer."""

from __future__ import annotations

import gc
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import Characters, Corpus, make_tokenizer, store_tokens, token_store
from unrolled.errors import DataError, OutputError

TEXTS = ["The cat sat.\nIt didn't move.\n", "A dog (big) ran.", "The end"]


@pytest.mark.parametrize("kind", ["characters", "words", "subwords"])
def test_every_document_is_a_line_break_and_its_tokens(kind):
    tokenizer = make_tokenizer(kind, TEXTS)
    store = store_tokens(Corpus.of(TEXTS), tokenizer)
    expected = [tokenizer.encode("\n" + text) for text in TEXTS]
    assert store.ids.tolist() == np.concatenate(expected).tolist()
    assert store.ids.dtype == np.uint16
    assert store.document_starts.tolist() == [0, len(expected[0]), sum(map(len, expected[:2]))]
    assert store.document_starts.dtype == np.int64
    assert store.unknown == sum(int((ids == 0).sum()) for ids in expected)
    counted = np.bincount(store.ids, minlength=len(tokenizer))
    assert store.counts.tolist() == counted.tolist()
    assert store.characters == sum(map(len, TEXTS))
    assert len(store) == len(store.ids)


@settings(max_examples=15, deadline=None)
@given(text=st.text("ab\n \u00e9.", min_size=1, max_size=200).map(lambda text: "x" + text))
@pytest.mark.parametrize("kind", ["characters", "words", "subwords"])
def test_tokens_of_pieces_are_those_of_the_whole_text(kind, text, pieces_of_10):
    tokenizer = make_tokenizer(kind, [text], **({} if kind == "subwords" else {"min_count": 1}))
    store = store_tokens(Corpus.of([text]), tokenizer)
    assert store.ids.tolist() == tokenizer.encode("\n" + text).tolist()


@pytest.fixture(scope="module")
def pieces_of_10():
    with pytest.MonkeyPatch.context() as patch:
        stream = Corpus.stream
        patch.setattr(Corpus, "stream", lambda corpus, size=10: stream(corpus, size))
        yield


def test_a_larger_vocabulary_takes_larger_numbers():
    tokenizer = Characters(["\ufffd", "\n", *(chr(0x20000 + i) for i in range(1 << 16))])
    store = store_tokens(Corpus.of(chr(0x20000 + 65_535)), tokenizer)
    assert store.ids.dtype == np.uint32
    assert store.ids.tolist() == [1, (1 << 16) + 1]


def test_without_a_folder_the_tokens_are_in_a_file_of_which_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = store_tokens(Corpus.of(TEXTS), Characters.learn(TEXTS))
    assert isinstance(store.ids, np.memmap)
    part = store.ids[3:8]
    expected = part.tolist()
    del store
    gc.collect()
    assert part.tolist() == expected
    del part
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_left_where_the_text_can_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "a.txt").write_bytes(b"\xff")
    with pytest.raises(DataError, match="not UTF-8"):
        store_tokens(Corpus.of(tmp_path / "a.txt"), Characters.learn(TEXTS))
    assert list((tmp_path / "work").iterdir()) == []


@pytest.fixture
def written(monkeypatch) -> list[int]:
    """Grows by one whenever tokens are written."""
    times: list[int] = []
    write = token_store._write
    monkeypatch.setattr(token_store, "_write", lambda *given: times.append(1) or write(*given))
    return times


def test_what_is_kept_is_taken_again_for_the_same_text_and_tokenizer(tmp_path, written):
    tokenizer = Characters.learn(TEXTS)
    first = store_tokens(Corpus.of(TEXTS), tokenizer, tmp_path / "kept")
    again = store_tokens(Corpus.of(list(TEXTS)), Characters(tokenizer.pieces), tmp_path / "kept")
    assert len(written) == 1
    assert again.ids.tolist() == first.ids.tolist()
    assert again.document_starts.tolist() == first.document_starts.tolist()
    assert again.counts.tolist() == first.counts.tolist()
    assert again.characters == first.characters


@pytest.mark.parametrize("change", ["text", "tokenizer", "cut", "card", "starts", "counts"])
def test_what_is_kept_is_written_anew_where_anything_differs(tmp_path, written, change):
    texts, tokenizer = TEXTS, Characters.learn(TEXTS)
    store_tokens(Corpus.of(texts), tokenizer, tmp_path)
    if change == "text":
        texts = [*TEXTS[:2], "The End"]
    elif change == "tokenizer":
        tokenizer = Characters.learn(TEXTS, vocabulary_size=5)
    elif change == "cut":
        raw = (tmp_path / "tokens.bin").read_bytes()
        (tmp_path / "tokens.bin").write_bytes(raw[:-2])
    elif change == "card":
        (tmp_path / "tokens.json").write_text(json.dumps([1]))
    else:
        (tmp_path / {"starts": "documents.npy", "counts": "counts.npy"}[change]).unlink()
    store = store_tokens(Corpus.of(texts), tokenizer, tmp_path)
    assert len(written) == 2
    assert store.ids.tolist() == store_tokens(Corpus.of(texts), tokenizer).ids.tolist()


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="can't be kept there"):
        store_tokens(Corpus.of(TEXTS), Characters.learn(TEXTS), Path(tmp_path / "file" / "in"))


def test_a_disk_that_is_full_is_told(monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(token_store, "_write", full)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        store_tokens(Corpus.of(TEXTS), Characters.learn(TEXTS))
    assert "TMPDIR" in str(caught.value)
