"""Texts with labels: every form gives the same texts, guesses are told, bad input is named."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import LabelledTexts, read_labelled
from unrolled.errors import DataError
from unrolled.tasks.classifying.labels import Labels

TEXTS = ("a fine film", "dull, and long", 'he said "no"', "été à la mer")
LABELS = ("good", "bad", "bad", "good")


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    raw = content if isinstance(content, bytes) else content.encode(encoding)
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def as_csv(separator: str = ",") -> str:
    return pl.DataFrame({"text": TEXTS, "label": LABELS}).write_csv(separator=separator)


def as_jsonl() -> str:
    return "".join(
        json.dumps({"text": text, "label": label}) + "\n"
        for text, label in zip(TEXTS, LABELS, strict=True)
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", as_csv()),
        ("a.csv", "\ufeff" + as_csv()),
        ("a.csv", as_csv().replace("\n", "\r\n")),
        ("a.csv", as_csv(";")),
        ("a.csv.gz", as_csv()),
        ("a.tsv", as_csv("\t")),
        ("a.jsonl", as_jsonl()),
        ("a.jsonl.gz", as_jsonl()),
        ("a.ndjson", as_jsonl() + "\n\n"),
        ("a.json", json.dumps([json.loads(line) for line in as_jsonl().splitlines()])),
    ],
)
def test_every_file_gives_the_same_texts_and_labels(tmp_path, name, content):
    found = read_labelled(write(tmp_path, name, content))
    assert (found.texts, found.labels) == (TEXTS, LABELS)
    assert (found.text_column, found.label_column, found.several) == ("text", "label", False)
    assert found.name == name
    assert any("'text'" in note for note in found.notes)
    assert any("'label'" in note for note in found.notes)


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame, pa.table])
def test_every_frame_gives_the_same_texts_and_labels(kind):
    found = read_labelled(kind({"text": list(TEXTS), "label": list(LABELS)}))
    assert (found.texts, found.labels) == (TEXTS, LABELS)


def test_two_sequences_are_texts_and_labels_and_a_list_is_texts():
    assert read_labelled((TEXTS, LABELS)).labels == LABELS
    assert read_labelled((pd.Series(TEXTS), pd.Series(LABELS))).texts == TEXTS
    assert read_labelled(list(TEXTS)).labels is None
    assert read_labelled(pd.Series(TEXTS)).texts == TEXTS
    already = read_labelled((TEXTS, LABELS))
    assert read_labelled(already) is already


def lay_out(folder: Path) -> None:
    for place, (text, label) in enumerate(zip(TEXTS, LABELS, strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{place}.txt").write_text(text, encoding="utf-8")


def lay_out_lines(folder: Path) -> None:
    folder.mkdir()
    (folder / "README.txt").write_text("about")
    for label in set(LABELS):
        lines = [text for text, its in zip(TEXTS, LABELS, strict=True) if its == label]
        (folder / f"{label}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("lay", [lay_out, lay_out_lines])
@pytest.mark.parametrize("archive", [False, True])
def test_a_folder_or_archive_has_a_folder_or_a_file_for_each_label(tmp_path, lay, archive):
    lay(tmp_path / "set")
    source = tmp_path / "set"
    if archive:
        source = tmp_path / "set.tar.gz"
        with tarfile.open(source, "w:gz") as tar:
            tar.add(tmp_path / "set", arcname="set")
    found = read_labelled(source)
    assert set(zip(found.texts, found.labels, strict=True)) == set(zip(TEXTS, LABELS, strict=True))


def test_a_damaged_file_within_an_archive_is_named(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, content in [("pos/1.txt", b"good"), ("neg/1.txt.gz", b"\x1f\x8bno")]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(DataError, match=r"a\.tar: holds neg/1\.txt\.gz, which is not a whole gzip"):
        read_labelled(tmp_path / "a.tar")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "0.5", "-1"], ("-1", "0.5", "9", "10")),
        (["2", "10", "nan"], ("10", "2", "nan")),
        (["--5", "3", "20"], ("--5", "20", "3")),
    ],
)
def test_labels_are_in_the_order_of_numbers_where_all_are_numbers(labels, expected):
    texts = [f"text {number}" for number in range(len(labels))]
    assert read_labelled((texts, labels)).classes == expected
    assert Labels.of(labels, several=False).names == expected


def test_a_part_of_an_archive_is_read_and_unsup_is_unlabelled(tmp_path):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name in ("train/pos/1", "train/neg/1", "train/unsup/1", "test/pos/1"):
            info = tarfile.TarInfo(f"top/{name}.txt")
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    found = read_labelled(tmp_path / "a.tar.gz", within="top/train")
    assert found.texts == ("train/neg/1", "train/pos/1")
    assert found.labels == ("neg", "pos")
    assert found.unlabelled == ("train/unsup/1",)
    with pytest.raises(DataError, match="name such a folder"):
        read_labelled(tmp_path / "a.tar.gz")


def test_lines_of_a_label_file_end_at_line_ends_alone(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("one\x85more\u2028still\ntwo\n", encoding="utf-8")
    assert read_labelled(tmp_path / "a").texts == ("one\x85more\u2028still", "two")


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        (["id", "review", "sentiment"], "review", "sentiment"),
        (["Review Text", "Stars"], "Review Text", "Stars"),
        (["label", "stars", "text"], "text", "label"),
        (["tweet_id", "tweet_text", "airline_sentiment"], "tweet_text", "airline_sentiment"),
        (["a", "b"], "a", "b"),
        (["v2", "topic"], "v2", "topic"),
    ],
)
def test_columns_are_known_by_name_or_by_what_they_hold(columns, text, label):
    frame = {name: [str(place) for place in range(8)] for name in columns}
    frame[text] = [f"some words of text number {place}" for place in range(8)]
    frame[label] = ["x", "y"] * 4
    found = read_labelled(pl.DataFrame(frame))
    assert (found.text_column, found.label_column) == (text, label)


def test_the_longest_of_two_named_columns_is_the_text():
    frame = pl.DataFrame(
        {"title_text": ["short"] * 3, "body_text": ["very much longer"] * 3, "label": ["a"] * 3}
    )
    assert read_labelled(frame).text_column == "body_text"


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"p": ["one text", "two text"], "q": ["one more", "two more"]}, "text_column="),
        (
            {"text": ["w o r d s"] * 4, "a": ["1", "2"] * 2, "b": ["3", "4"] * 2},
            "label_column=",
        ),
        ({"a": [1, 2], "b": [3, 4]}, "no column holds text"),
    ],
)
def test_a_toss_up_lists_the_columns_and_names_the_argument(frame, told):
    with pytest.raises(DataError, match=told) as caught:
        read_labelled(pl.DataFrame(frame))
    assert all(repr(name) in str(caught.value) for name in frame)


def test_named_columns_are_taken_and_a_wrong_name_is_answered_with_the_closest():
    frame = pl.DataFrame({"text": TEXTS, "label": LABELS, "other": ["u", "v", "u", "v"]})
    found = read_labelled(frame, text_column="text", label_column="other")
    assert found.labels == ("u", "v", "u", "v")
    assert found.notes == ()
    with pytest.raises(DataError, match="did you mean 'label'"):
        read_labelled(frame, label_column="lable")
    with pytest.raises(DataError, match="name two columns"):
        read_labelled(frame, text_column="text", label_column="text")


@pytest.mark.parametrize("labels", [[1, 0, 1, 0], [1.0, 0.0, 1.0, 0.0], ["1", "0", " 1", "0"]])
def test_a_number_is_a_label_as_text(labels):
    assert read_labelled((TEXTS, labels)).labels == ("1", "0", "1", "0")
    assert read_labelled(pl.DataFrame({"text": TEXTS, "label": labels})).classes == ("0", "1")


def test_classes_that_are_numbers_are_in_the_order_of_their_size():
    assert read_labelled((TEXTS, [10, 9, 1, 2])).classes == ("1", "2", "9", "10")


def test_rows_without_text_or_label_are_counted_and_left_out():
    frame = pd.DataFrame(
        {
            "text": ["one", "two", None, " ", "five"],
            "label": [1.0, float("nan"), 0.0, 1.0, 0.0],
        }
    )
    found = read_labelled(frame)
    assert (found.texts, found.labels) == (("one", "five"), ("1", "0"))
    assert (found.unlabelled, found.empty) == (("two",), 2)
    assert "2 rows without text left out" in found.notes
    assert "1 row with text but no label left out" in found.notes
    alone = read_labelled(frame, labels=False)
    assert alone.texts == ("one", "two", "", " ", "five")
    assert alone.labels is None


def test_a_text_may_be_longer_than_python_reads_a_cell_of_csv(tmp_path):
    text = "long " * 40_000
    found = read_labelled(write(tmp_path, "a.csv", f'text,label\n"{text}",1\nshort,\n'))
    assert found.texts == (text,)
    assert found.unlabelled == ("short",)


def test_without_any_label_the_texts_are_unlabelled():
    found = read_labelled((["one", "two", "three"], [None, "", float("nan")]))
    assert (found.texts, found.labels) == (("one", "two", "three"), None)
    assert read_labelled(pl.DataFrame({"text": TEXTS})).labels is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"text": "p", "label": ["x", "y"]}\n{"text": "q", "label": []}\n'),
        ("a.csv", 'text,label\np,"[""x"", ""y""]"\nq,[]\n'),
    ],
)
def test_lists_are_several_labels_and_an_empty_one_says_none_holds(tmp_path, name, content):
    found = read_labelled(write(tmp_path, name, content))
    assert found.several
    assert found.labels == (("x", "y"), ())
    assert found.counts() == {"x": 1, "y": 1}


def test_separated_names_are_several_labels_where_they_recur():
    texts = ["t u v", "w x y", "z z z", "none"]
    found = read_labelled((texts, [("a", "b"), ("b",), ("a", "a"), None]))
    frame = pl.DataFrame({"text": texts, "label": ["a|b", "b", "a | a", ""]})
    assert read_labelled(frame).labels == found.labels == (("a", "b"), ("b",), ("a",))
    assert len(found.unlabelled) == 1
    whole = pl.DataFrame({"text": texts, "label": ["rock; pop", "jazz", "jazz", "blues"]})
    assert not read_labelled(whole).several
    assert read_labelled(whole, several=True).labels[0] == ("rock", "pop")
    assert read_labelled(frame, several=False).labels == ("a|b", "b", "a | a")
    with pytest.raises(DataError, match="several=False"):
        read_labelled((texts, [["a"]] * 4), several=False)


def test_renamed_labels():
    found = read_labelled((TEXTS, LABELS)).renamed({"good": "positive"})
    assert found.labels == ("positive", "bad", "bad", "positive")


@pytest.mark.parametrize("kind", [int, bool, float, str])
def test_a_column_of_1_and_0_for_each_label_gives_several_labels(kind):
    columns = {"mild": [1, 0, 1, 0], "rude": [1, 0, 0, 1]}
    frame = pl.DataFrame(
        {"text": TEXTS} | {name: [kind(one) for one in its] for name, its in columns.items()}
    )
    found = read_labelled(frame, label_column=["mild", "rude"])
    assert found.labels == (("mild", "rude"), (), ("mild",), ("rude",))
    assert (found.several, found.label_column) == (True, "mild|rude")
    with pytest.raises(DataError, match=r"column 'text': row 0 .* where 1 or 0"):
        read_labelled(frame, label_column=["mild", "text"], text_column="rude")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "ham\tGo on to the point of it\nspam\tFree entry\nham\tOk\nspam\tyes\nham\tno\n"),
        ("a.csv", '3,"Bears claw back into the black"\n3,short sellers\n2,x y\n2,z\n'),
    ],
)
def test_a_file_without_names_of_columns_is_told(tmp_path, name, content):
    with pytest.raises(DataError, match=r"line 1: .* put a line with names before it"):
        read_labelled(write(tmp_path, name, content))


def test_quotation_marks_in_a_tsv_are_marks_where_they_hold_no_cell_together(tmp_path):
    bare = 'text\tlabel\n"a good one\t1\n\nit is "bad" .\t0\n"so" "so\t\n'
    found = read_labelled(write(tmp_path, "a.tsv", bare))
    assert found.texts == ('"a good one', 'it is "bad" .')
    assert found.unlabelled == ('"so" "so',)
    held = 'text\tlabel\n"a\ngood ""one"""\t1\nbad\t0\n'
    assert read_labelled(write(tmp_path, "b.tsv", held)).texts == ('a\ngood "one"', "bad")


@pytest.mark.parametrize("source", [3, None, {"text": ["a"]}])
def test_what_is_no_source_is_told_by_its_type(source):
    with pytest.raises(DataError, match=f"got {type(source).__name__}: give a file"):
        read_labelled(source)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"text,label\n", "only a header"),
        ("a.csv", b"text,label\n,1\n ,0\n", "every text is empty"),
        ("a.csv", b'text,label\n"open,1\nmore,0\n', "never closed"),
        ("a.csv", b'text,label\na "b" c,1\nsaid "no,0\nmore,0\n', "line 3: can't be read as CSV"),
        ("a.csv", b"text,label\none,1\ntwo, and more,0\n", "line 3: has 3 cells"),
        ("a.jsonl", b'{"text": "a", "label": 1}\n{"text": \n', "line 2: is not JSON"),
        ("a.jsonl", b'{"text": "a"}\n\n["b"]\n', "line 3: holds a list"),
        ("a.jsonl", b'{"text": ["a", "b"], "label": 1}\n', "line 1, column 'text': holds a list"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "b"}\n{"text": ["c"]}\n', "line 3, column 'text'"),
        ("a.json", b"{}", "a list of objects"),
        ("a.csv", b"text,label\none,[1\ntwo,[x]\n", "line 3, column 'label': '[x]' is no JSON"),
        ("a.doc", b"words", "labelled texts are a .csv"),
        ("a.csv", None, "there is no such file"),
        ("a", "folder", "there is no .txt file in it"),
        ("a.tar.gz", b"not a tar", "not a whole tar archive"),
        ("a.csv", "text,label\nÃ©t\n".encode("utf-16"), "encoding='utf-16'"),
        ("a.csv", "text,label\nok,1\nété,0\n".encode("cp1252"), "encoding='cp1252'"),
        ("a.jsonl", '{"text": "привет всем вам"}'.encode("cp1251"), "encoding='cp1251'"),
    ],
)
def test_what_is_no_labelled_text_is_named_in_one_line(refused, name, content, told):
    refused(read_labelled, name, content, told)


def test_another_encoding_is_told_by_byte_and_line_and_read_where_named(tmp_path):
    path = write(tmp_path, "a.csv", as_csv(), "cp1252")
    with pytest.raises(DataError) as caught:
        read_labelled(path)
    assert caught.value.line == 5
    assert "byte 0xe9" in str(caught.value)
    assert read_labelled(path, encoding="cp1252").texts == TEXTS
    with pytest.raises(DataError, match="klingon"):
        read_labelled(path, encoding="klingon")


def test_two_sequences_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="2 texts and 1 labels"):
        read_labelled((["a", "b"], [1]))
    with pytest.raises(DataError, match=r"text 1 .* is int"):
        read_labelled(["a", 2])


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
                lambda text: text.strip() and "\r" not in text and "\x00" not in text
            ),
            st.sampled_from(["x", "y", "z"]),
        ),
        min_size=1,
    )
)
def test_what_is_written_as_json_lines_is_read_as_it_was(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("a") / "a.jsonl"
    path.write_text(
        "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
    )
    found = read_labelled(path)
    assert isinstance(found, LabelledTexts)
    assert list(zip(found.texts, found.labels, strict=True)) == rows
