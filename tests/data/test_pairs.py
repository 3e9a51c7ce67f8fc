"""Pairs of sentences: every form gives the same pairs, and what is wrong is told with its line."""

from __future__ import annotations

import gzip
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.pairs import SentencePairs, read_pairs
from unrolled.errors import DataError

SOURCES = ("Guten Tag.", "Er sagte: „Ja\u00a0und nein“.", 'Das "Haus", hier.')
TARGETS = ("Good day.", "He said: 'Yes, no'.", 'The "house", here.')
LICENCE = "CC-BY 2.0 (France) Attribution: tatoeba.org #1 (a) & #2 (b)"


def tabbed(*more: str) -> str:
    rows = zip(SOURCES, TARGETS, strict=True)
    return "".join("\t".join((*row, *more)) + "\n" for row in rows)


@pytest.fixture
def write(tmp_path):
    def to(name: str, text: str | bytes):
        raw = text.encode() if isinstance(text, str) else text
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return tmp_path / name

    return to


def frame() -> pl.DataFrame:
    return pl.DataFrame({"de": SOURCES, "en": TARGETS})


def nested() -> str:
    rows = zip(SOURCES, TARGETS, strict=True)
    return "".join(json.dumps({"id": 1, "translation": {"de": a, "en": b}}) + "\n" for a, b in rows)


FILES = {
    "a.tsv": tabbed(),
    "a.txt": tabbed(LICENCE),
    "a": tabbed().removesuffix("\n"),
    "a.tsv.gz": tabbed().replace("\n", "\r\n"),
    "b.tsv": "\ufeff" + tabbed(),
    "c.tsv": tabbed().replace("\n", "\r"),
    "a.jsonl": frame().write_ndjson(),
    "a.jsonl.gz": nested(),
    "a.json": frame().write_json(),
    "a.csv": frame().write_csv(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_form_of_file_gives_the_same_pairs(write, name):
    found = read_pairs(write(name, FILES[name]))
    assert (found.sources, found.targets) == (SOURCES, TARGETS)
    assert (found.name, found.one_sided) == (name, ())
    if name != "a.json":
        assert found.lines == ((2, 3, 4) if name == "a.csv" else (1, 2, 3))
    assert found.columns == (("de", "en") if "json" in name or "csv" in name else None)
    turned = read_pairs(write(name, FILES[name]), source=1)
    assert (turned.sources, turned.targets) == (TARGETS, SOURCES)


def test_two_files_frames_and_lists_give_the_same_pairs(write):
    rows = list(zip(SOURCES, TARGETS, strict=True))
    files = write("x.de.gz", "\n".join(SOURCES)), write("x.en", "\n".join(TARGETS) + "\n")
    for data in (files, frame(), frame().to_pandas(), rows, (SOURCES, TARGETS), iter(rows)):
        found = read_pairs(data)
        assert (found.sources, found.targets) == (SOURCES, TARGETS)
        turned = read_pairs(data if not hasattr(data, "__next__") else rows, target=0)
        assert (turned.sources, turned.targets) == (TARGETS, SOURCES)
        assert found.lines == ((1, 2, 3) if data is files else ())
    pairs = read_pairs(files)
    assert (pairs.name, pairs.columns) == ("x", ("de", "en"))
    assert read_pairs(files, source="en").sources == TARGETS
    assert read_pairs(pairs) is pairs
    assert read_pairs(pairs, source="en") == pairs.turned()
    assert str(pairs) == "3 pairs of sentences, de to en"


def test_what_belongs_to_a_sentence_stays_and_the_space_around_it_goes(write):
    found = read_pairs(write("a.tsv", "  e\u0301 \u2028 x\r\u0085y \t\u00a0Ω\u200b  z\n"))
    # decomposed letters, and marks that other tools take for line ends
    assert found.targets == ("Ω\u200b  z",)
    assert found.sources == ("e\u0301 \u2028 x \u0085y",) or found.sources[0].startswith("e\u0301")


def test_a_carriage_return_inside_a_line_ends_no_line(write):
    found = read_pairs((write("x.a", "one\rtwo\nthree\n"), write("x.b", "eins\ndrei\n")))
    assert found.sources == ("one two", "three")
    assert found.notes == ("line breaks inside sentences are spaces now: line 1",)


def test_line_breaks_inside_cells_become_spaces_and_lines_stay_true(write):
    found = read_pairs(write("a.csv", 'de,en\n"a\nb","c ""d"""\n\ne,f\n'))
    assert (found.sources, found.targets) == (("a b", "e"), ('c "d"', "f"))
    assert found.lines == (2, 5)
    assert found.notes[-1] == "line breaks inside sentences are spaces now: line 2"


def test_a_line_without_text_is_noted_and_one_empty_side_is_kept_in_mind(write):
    text = "a\tb\n\n\tc\nd\t \n \t\ne\tf\n"
    found = read_pairs(write("a.tsv", text))
    assert (found.sources, found.targets, found.lines) == (("a", "e"), ("b", "f"), (1, 6))
    assert found.one_sided == (3, 4)
    assert found.notes == ("left out for want of any text: lines 2, 5",)
    two = read_pairs((write("x", "a\n\nc\n\n"), write("y", "b\n\n\nd\n")))
    assert (two.lines, two.one_sided) == ((1,), (3, 4))
    assert read_pairs([("a", "b"), (None, "c"), ("", " ")]).one_sided == (1,)
    assert read_pairs(frame().with_columns(en=pl.Series([None, "x", "y"]))).one_sided == (0,)


@pytest.mark.parametrize("header", ["de\ten", "English\tGerman", "source_text\ttarget_text"])
def test_a_plain_header_is_no_pair(write, header):
    found = read_pairs(write("a.tsv", f"{header}\nHow are you today?\tWie geht es dir heute?\n"))
    assert (len(found), found.lines) == (1, (2,))
    assert found.columns == tuple(header.split("\t"))
    assert "was taken for the names of the columns" in found.notes[0]


def test_what_may_be_a_header_is_a_pair_and_is_told(write):
    path = write("a.tsv", "quelle\tziel\nWie geht es dir?\tHow are you today?\n")
    found = read_pairs(path)
    assert found.sources[0] == "quelle"
    assert "line 1 ('quelle' and 'ziel') was taken for a pair" in found.notes[0]
    named = read_pairs(path, source="ziel", target="quelle")
    assert (named.sources, named.columns) == (("How are you today?",), ("ziel", "quelle"))


def test_a_list_of_words_keeps_its_first_pair(write):
    # "it" and "es" are words here, although they are codes of languages too
    found = read_pairs(write("a.tsv", "it\tes\nhouse\tHaus\nis\tist\n"))
    assert found.sources == ("it", "house", "is")


def test_columns_of_a_wider_table_are_numbered_or_named(write):
    path = write("a.tsv", "7\tHallo\t9\tHello there\n8\tJa\t10\tYes\n")
    found = read_pairs(path, source=1, target=-1)
    assert (found.sources, found.targets) == (("Hallo", "Ja"), ("Hello there", "Yes"))
    assert read_pairs(path, source="3", target="1").sources == ("Hello there", "Yes")
    table = pl.DataFrame({"id": [1, 2], "de": ["a", "b"], "note": ["x", "y"], "en": ["c", "d"]})
    found = read_pairs(table)
    assert (found.sources, found.targets, found.columns) == (("a", "b"), ("c", "d"), ("de", "en"))
    assert "columns 'de' and 'en' of 4 were taken" in found.notes[0]
    assert read_pairs(table, source="en", target="de").sources == ("c", "d")
    others = read_pairs(table.rename({"en": "remark", "de": "line"}))
    assert others.columns == ("line", "note")
    numbers = read_pairs(write("n.csv", "number,words\n3,three\n4,four\n"))
    assert numbers.sources == ("3", "4")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.tsv", b"", "is empty"),
        ("a.tsv", b"\n \n", "is empty"),
        ("a.tsv", b"a\tb\nc\n", "line 2: has one column ('c')"),
        ("a.tsv", b"a\tb\nc\td\te\n", "line 2: has 3 columns, expected two"),
        ("a.tsv", b"a\tb\tc\n", "line 1: has 3 columns, expected two"),
        ("a.tsv", b"one\ntwo\n", "two files are given as (source, target)"),
        ("a.tsv", b"\tb\n\n \tc\n", "holds no pair of sentences (an empty side in lines 1, 3)"),
        ("a.tsv", b"a\tb\nc\0\td\n", "line 2: is no text (it holds zero bytes)"),
        ("a.zip", b"PK\x03\x04\x14\x00", "is a zip archive: unpack it"),
        ("a.tsv", gzip.compress(b"a\tb\n"), "is gzipped: give it a name that ends in .gz"),
        ("a.tsv.gz", b"a\tb\n", "is not a whole gzip file"),
        ("a.tsv", "a\tb\nfünf\tfive\n".encode("latin-1"), "line 2: byte 0xfc"),
        ("a.tsv", "a\tb\n".encode("utf-16"), "encoding='utf-16'"),
        ("a.tsv", None, "there is no such file"),
        ("a.tsv", "folder", "is a folder"),
        ("a.jsonl", b'{"de": "a", "en": "b"}\n[1]\n', 'line 2: holds a list where an object'),
        ("a.jsonl", b'{"de": "a"}\n', "has one column ('de')"),
        ("a.jsonl", b'{"de": "a", "en": ["b"]}\n', "line 1, column 'en': holds list"),
        ("a.jsonl", b'{"de": "a", "en": 3}\n', "line 1, column 'en': holds int where a sentence"),
        ("a.jsonl", b'{"translation": {"a": "", "b": ""}}\n{"translation": 3}\n', "line 2, column"),
        ("a.csv", b"How are you?,Wie geht es?\na,b\n", "looks like a sentence"),
        ("a.csv", b"de,en\n", "holds only a header"),
        ("a.csv", b"de,en\na,\n", "holds no pair of sentences"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_pairs_is_named_with_its_line(refused, name, content, told):
    refused(read_pairs, name, content, told)


def test_files_of_unequal_length_are_told_with_both_counts(write):
    files = write("x.de", "a\nb\nc\n"), write("x.en", "a\nb\n")
    with pytest.raises(DataError, match=r"x\.de: has 3 lines and .*x\.en 2: line by line"):
        read_pairs(files)
    # blank lines at an end are no lines
    assert len(read_pairs((write("x.de", "a\nb\n\n\n"), write("x.en", "a\nb\n")))) == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([("a", "b"), "cd"], r"pair 1 \(counted from 0\) is one text"),
        ([("a", "b", "c")], "is 3 things, expected"),
        ([("a",)], "is 1 thing, expected"),
        ([("a", 3)], "holds int where a sentence"),
        ((["a"], ["b", "c"]), "got 1 sentences and 2 translations"),
        ([], "holds no pair"),
        (3, r"got int: give a file, .*two files \(source, target\)"),
    ],
)
def test_what_is_no_list_of_pairs_is_told(data, told):
    with pytest.raises(DataError, match=told):
        read_pairs(data)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"source": "fr"}, "there is no column 'fr' for source="),
        ({"source": 2}, "there is no column 2 for source="),
        ({"source": "EN"}, "did you mean 'en'"),
        ({"source": 1, "target": "en"}, "are the same column"),
        ({"source": 1, "target": -1}, "are the same column"),
        ({"target": True}, "there is no column True"),
    ],
)
def test_a_column_that_is_not_there_is_told(write, given, told):
    for data in (frame(), (write("x.de", "a"), write("x.en", "b"))):
        with pytest.raises(DataError, match=told):
            read_pairs(data, **given)


def test_a_name_for_a_file_without_a_header_is_told_with_the_line_that_is_there(write):
    told = r"a\.tsv, line 1: has no header that could name 'fr' for target= \(it begins with 'Guten"
    with pytest.raises(DataError, match=told):
        read_pairs(write("a.tsv", tabbed()), source=0, target="fr")
    with pytest.raises(DataError, match=r"there is no column 'fr' .* the columns are 'de', 'en'"):
        read_pairs(write("a.tsv", "de\ten\n" + tabbed()), source="fr")


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("id\tDeutsch\tEnglish", ("Deutsch", "English")),
        ("no\tde\ten\tnotes", ("de", "en")),
        ("link\tDeutsch\tEnglisch", ("Deutsch", "Englisch")),
        ("nr\tहिन्दी\tไทย", ("हिन्दी", "ไทย")),
        ("date\tIcelandic\tFaroese", ("Icelandic", "Faroese")),
        ("key\tgerman_text\tenglish_text", ("german_text", "english_text")),
    ],
)
@pytest.mark.parametrize("end", [".tsv", ".csv"])
def test_just_two_columns_that_are_called_by_languages_are_taken(write, header, named, end):
    names = header.split("\t")
    cells = ["7", "Wie geht es dir heute?", "How are you today?", "-"][: len(names)]
    text = f"{header}\n" + "\t".join(cells) + "\n"
    found = read_pairs(write(f"a{end}", text if end == ".tsv" else text.replace("\t", ",")))
    assert (found.sources, found.targets) == ((cells[1],), (cells[2],))
    assert (found.columns, found.lines) == (named, (2,))
    told = f"columns {named[0]!r} and {named[1]!r} of {len(names)} were taken"
    assert told in found.notes[0]


@pytest.mark.parametrize("header", ["Deutsch\tEnglisch", "Svenska\tSuomi", "Latein\tDeutsch"])
def test_a_header_may_name_languages_in_one_of_them(write, header):
    found = read_pairs(write("a.tsv", f"{header}\nWie geht es dir?\tHow are you today?\n"))
    assert (found.sources, found.columns) == (("Wie geht es dir?",), tuple(header.split("\t")))


def test_of_three_languages_two_have_to_be_named(write):
    path = write("a.tsv", "id\tde\ten\tfr\n1\tJa\tYes\tOui\n")
    told = r"name two with source= and target=, counted from 0 to 3 or by name \('id', 'de', 'en', "
    with pytest.raises(DataError, match=told):
        read_pairs(path)
    assert read_pairs(path, source="fr", target="de").sources == ("Oui",)
    sentences = write("b.tsv", "How are you?\tWie geht es?\tComment ca va?\n")
    with pytest.raises(DataError, match=r"counted from 0 to 2$"):
        read_pairs(sentences)


def test_some_of_the_pairs_know_their_lines_and_differ_in_their_digest(write):
    pairs = read_pairs(write("a.tsv", tabbed() + "x\t\n"))
    some = pairs.select([2, 0])
    assert (some.sources, some.lines) == ((SOURCES[2], SOURCES[0]), (3, 1))
    assert (some.one_sided, some.place(1), pairs.one_sided) == ((), "line 1", (4,))
    assert pairs.select(range(3)).digest() == pairs.digest() != some.digest()
    assert pairs.digest() != pairs.turned().digest()
    assert SentencePairs(("a", "b"), ("c", "d")).digest() != SentencePairs(("a",), ("b",)).digest()
    assert SentencePairs(("a",), ("b",)).place(0) == "pair 0"


SENTENCES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=6))
def test_no_pair_is_lost_silently(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("pairs") / "a.tsv"
    path.write_text("x\ty\n" + "".join(f"{a}\t{b}\n" for a, b in rows), "utf-8", newline="\n")
    found = read_pairs(path)
    kept = dict(zip(found.lines, zip(found.sources, found.targets, strict=True), strict=True))
    for line, (a, b) in enumerate(rows, 2):
        a, b = a.strip(), b.strip()
        if a and b:
            assert kept.pop(line) == (a, b)
        else:
            assert (line in found.one_sided) == bool(a or b)
    assert kept == {1: ("x", "y")}


@pytest.mark.parametrize("made", ["jsonl", "list", "pairs"])
def test_half_a_character_is_told_with_its_line(write, made):
    rows = [("Hallo", "Hello"), ("cut \\ud83d", "café")]
    text = "".join(f'{{"de": "{a}", "en": "{b}"}}\n' for a, b in rows)
    real = [("Hallo", "Hello"), ("cut \ud83d", "café")]
    if made == "jsonl":
        data, place = write("pairs.jsonl", text), r"pairs.jsonl.*line 2.*holds half a character"
    else:
        sides = tuple(zip(*real, strict=True))
        data = real if made == "list" else SentencePairs(*sides)
        place = r"pair 1 \(counted from 0\) holds half a character"
    with pytest.raises(DataError, match=place):
        read_pairs(data)
    assert read_pairs([("an emoji \U0001f600", "é")]).sources == ("an emoji \U0001f600",)
