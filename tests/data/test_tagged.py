"""Words with tags: CoNLL and CoNLL-U, and the line of what is wrong in them."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data import read_tagged
from unrolled.data.tag_schemes import broken_spans, scheme_of
from unrolled.data.tagged import write_conll
from unrolled.errors import DataError

CONLL = """-DOCSTART- -X- O O

U.N. NNP I-NP I-ORG
official NN I-NP O
Ekeus NNP I-NP I-PER

# # O O
1 CD I-NP O
"""

CONLLU = """# newdoc id = a
# text = I don't.
1\tI\tI\tPRON\tPRP\tCase=Nom\t3\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t3\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t0\troot\t_\t_
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t_\t_
4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\t_

# text = Yes
1\t#\t#\tSYM\tNFP\t_\t0\troot\t_\t_
"""


@pytest.fixture
def write(tmp_path):
    def to(name: str, text: str):
        raw = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return tmp_path / name

    return to


@pytest.mark.parametrize("name", ["a.conll", "a.txt.gz"])
@pytest.mark.parametrize("change", [("", ""), (" ", "\t"), ("\n", "\r\n")])
def test_conll_gives_words_and_the_last_column(write, name, change):
    found = read_tagged(write(name, CONLL.replace(*change) if change[0] else CONLL))
    assert found.words == (("U.N.", "official", "Ekeus"), ("#", "1"))
    assert found.tags == (("I-ORG", "O", "I-PER"), ("O", "O"))
    assert (found.column, found.scheme, found.name) == (3, "IOB1", name)


@pytest.mark.parametrize("column", [1, "1", "pos", -3])
def test_another_column_of_conll_is_named_or_counted(write, column):
    found = read_tagged(write("a.conll", CONLL), column=column)
    assert found.tags == (("NNP", "NN", "NNP"), ("#", "CD"))
    assert found.scheme is None


def test_conllu_leaves_out_comments_ranges_and_empty_nodes(write):
    found = read_tagged(write("a.conllu", CONLLU))
    assert found.words == (("I", "do", "n't", "."), ("#",))
    assert found.tags == (("PRON", "AUX", "PART", "PUNCT"), ("SYM",))
    assert found.column == "upos"
    assert read_tagged(write("a.conllu", CONLLU), column="xpos").tags[0][0] == "PRP"
    assert read_tagged(write("a.conllu", CONLLU), column="feats").tags[0] == (
        "Case=Nom",
        "_",
        "_",
        "_",
    )


def test_a_file_of_words_has_no_tags(write):
    assert read_tagged(write("a.txt", "one\ntwo\n\nthree\n")).tags is None
    bare = "1\tI\t_\t_\t_\t_\t_\t_\t_\t_\n"
    found = read_tagged(write("a.conllu", bare))
    assert (found.words, found.tags, found.column) == ((("I",),), None, None)


def test_a_word_may_hold_a_no_break_space(write):
    assert read_tagged(write("a.conll", "10\u00a0000 NUM\n")).words == (("10\u00a0000",),)


def test_comments_before_a_sentence_are_left_out(write):
    text = "# id 12 domain=en\nParis B-LOC\n\n# sent_id = 3\nhe O\n"
    assert read_tagged(write("a.conll", text)).words == (("Paris",), ("he",))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.conll", b"", "is empty"),
        ("a.conll", b"-DOCSTART- O\n\n", "holds no word"),
        ("a.conll", b"one A\ntwo\n", "line 2: has 1 column where line 1 has 2"),
        ("a.conll", b"one\tA\ntwo B\n", "line 2: has 1 column where line 1 has 2"),
        ("a.conll", b"one\tA\ntwo\t\n", "line 2: has no tag"),
        ("a.conllu", CONLLU.encode().replace(b"\t3\taux", b"", 1), "line 5: has 8 columns"),
        ("a.conllu", CONLLU.encode().replace(b"\n4\t", b"\nx\t", 1), "line 8: begins with 'x'"),
        ("a.conll", "one A\nfünf B\n".encode("latin-1"), "line 2: byte 0xfc"),
        ("a.conll", None, "there is no such file"),
    ],
)
def test_what_is_no_conll_is_named_with_its_line(refused, name, content, told):
    refused(read_tagged, name, content, told)


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [(CONLL, 4, "the line has 4 columns"), (CONLL, "upos", "pos, chunk"), (CONLLU, "ner", "xpos")],
)
def test_a_column_that_is_not_there_is_told(write, text, column, told):
    with pytest.raises(DataError, match=told):
        read_tagged(write("a.conll", text), column=column)


def test_two_sequences_are_words_and_tags():
    found = read_tagged(([["a", "b"], ["c"]], [["X", "Y"], ["X"]]))
    assert found.words == (("a", "b"), ("c",))
    assert found.classes == ("X", "Y")
    assert read_tagged(found) is found
    assert read_tagged(([["a"]], None)).tags is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (([["a"]], [["X", "Y"]]), "1 words and 2 tags"),
        (([["a"]], []), "tags for 0"),
        ((["a b"], [["X"]]), "is one text"),
        (([[]], [[]]), "no words"),
        (([], []), "no sentence"),
        (7, "got int"),
        (([["a", 3]], None), "no text"),
    ],
)
def test_sequences_that_do_not_fit_are_refused(source, told):
    with pytest.raises(DataError, match=told):
        read_tagged(source)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ([["B-A", "I-A", "O"]], "BIO"),
        ([["B-A", "O", "B-A"]], "BIO"),
        ([["I-A", "B-A", "O"]], "IOB1"),
        ([["I-A", "O", "I-B"]], "IOB1"),
        ([["I-A", "O", "B-A"]], "BIO"),
        ([["S-A", "O"]], "BIOES"),
        ([["B-A", "E-A"]], "BIOES"),
        ([["U-A", "B-A", "L-A"]], "BIOES"),
        ([["NOUN", "VERB"]], None),
        ([["O", "O"]], None),
        ([["B-A", "NOUN"]], None),
    ],
)
def test_the_scheme_of_spans_is_known_by_its_tags(tags, scheme):
    assert scheme_of(tags) == scheme


@pytest.mark.parametrize(
    ("tags", "scheme", "places"),
    [
        (["O", "I-A"], "BIO", [1]),
        (["B-A", "I-B"], "BIO", [1]),
        (["B-A", "I-A", "I-A"], "BIO", []),
        (["B-A", "O"], "BIOES", [1]),
        (["B-A", "E-A", "S-B", "B-A"], "BIOES", [3]),
        (["I-A", "O", "I-B"], "IOB1", []),
    ],
)
def test_tags_that_cannot_follow_are_found(tags, scheme, places):
    assert list(broken_spans(tags, scheme)) == places


WORD = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
SENTENCE = st.lists(st.tuples(WORD, st.sampled_from(["X", "B-Y", "Z"])), min_size=1, max_size=6)


@settings(max_examples=50)
@given(st.lists(SENTENCE, min_size=1, max_size=5))
def test_what_is_written_as_conll_is_read_as_it_was(tmp_path_factory, rows):
    words = [[word for word, _ in row] for row in rows]
    tags = [[tag for _, tag in row] for row in rows]
    path = tmp_path_factory.mktemp("a") / "a.conll"
    tagged = read_tagged((words, tags))
    write_conll(tagged, path)
    again = read_tagged(path)
    assert (again.words, again.tags) == (tagged.words, tagged.tags)
