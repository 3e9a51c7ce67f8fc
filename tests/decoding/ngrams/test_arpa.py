"""ARPA files: written, read, and refused with a line."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.ngrams.small import random_trie, same, texts
from unrolled import NGramModel
from unrolled.decoding.ngrams.arpa_reading import read_arpa
from unrolled.decoding.ngrams.arpa_writing import write_arpa
from unrolled.decoding.ngrams.vocabulary import Vocabulary
from unrolled.errors import DataError

# As SRILM writes them: a tab, seven digits, back-off weights only where something follows. Words
# are 0.25, 0.1, 0.4 and 0.25; after "a" 0.5 and 0.05 are seen, and 0.25 and 0.25 of these by words
# alone: the weight is 0.45 / 0.5 = 0.9.
SRILM = r"""
some words before

\data\
ngram 1=5
ngram 2=3

\1-grams:
-0.60206	</s>
-1	<unk>
-99	<s>	-0.1760913
-0.3979400	a	-0.0457575
-0.60206	b

\2-grams:
-0.2218487	<s> a
-0.30103	a b
-1.30103	a </s>

\end\
what comes behind is not read
"""


def written(tmp_path, text, name="m.arpa"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@given(lines=texts, order=st.integers(1, 5), prune=st.sampled_from([0.0, 1e-3]))
def test_what_is_written_reads_back_to_the_same_bits_and_writes_the_same_bytes(
    tmp_path_factory, lines, order, prune
):
    folder = tmp_path_factory.mktemp("arpa")
    model = NGramModel(order, prune_entropy=prune).fit(lines, holdout=0)
    first = model.write_arpa(folder / "a.arpa")
    read = NGramModel.read_arpa(first)
    assert same(read.trie, model.trie)
    assert read.vocabulary.tokens == model.vocabulary.tokens
    assert read.write_arpa(folder / "b.arpa").read_bytes() == first.read_bytes()


def test_grams_without_their_suffixes_and_any_numbers_read_back(tmp_path):
    for seed in range(20):
        trie, words = random_trie(seed), Vocabulary(["<unk>", "<s>", "</s>", "x", "é", "z"])
        trie.log_prob[2] = -99
        found = read_arpa(write_arpa(tmp_path / "m.arpa", trie, words))
        assert same(found.trie, trie)
        assert found.vocabulary.tokens == words.tokens


def test_a_gzipped_file_holds_the_same_and_two_are_equal(tmp_path):
    model = NGramModel(2).fit("a b\nb c\n", holdout=0)
    plain = model.write_arpa(tmp_path / "m.arpa").read_bytes()
    one = model.write_arpa(tmp_path / "m.arpa.gz")
    assert gzip.decompress(one.read_bytes()) == plain
    assert model.write_arpa(tmp_path / "n.arpa.gz").read_bytes() == one.read_bytes()
    assert same(NGramModel.read_arpa(one).trie, model.trie)
    one.write_bytes(one.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"m\.arpa\.gz: is not a whole gzip file"):
        NGramModel.read_arpa(one)


def test_a_file_of_another_toolkit_is_read(tmp_path):
    model = NGramModel.read_arpa(written(tmp_path, SRILM))
    assert model.trie.counts == [5, 3]
    assert model.vocabulary.tokens == ("<unk>", "<s>", "</s>", "a", "b")
    (score,) = model.log_probabilities(["a zebra"])
    log10 = [-0.2218487, -0.0457575 - 1, -0.60206]
    np.testing.assert_allclose(score, np.log(10) * np.array(log10), rtol=1e-6)


def test_the_start_of_a_sentence_is_never_predicted_though_kenlm_writes_0(tmp_path):
    text = SRILM.replace("-99\t<s>", "0\t<s>")
    assert NGramModel.read_arpa(written(tmp_path, text)).next_probabilities(0)[1] <= 1e-98


def test_a_file_without_an_unknown_word_gives_it_hardly_anything_and_says_so(tmp_path):
    text = SRILM.replace("-1\t<unk>\n", "").replace("ngram 1=5", "ngram 1=4")
    text = text.replace("-0.3979400", "-0.30103")
    model = NGramModel.read_arpa(written(tmp_path, text), check=False)
    assert model.step("zebra", 0)[0] == pytest.approx(-100 * np.log(10))
    assert "has no <unk>" in model.notes[0]


def test_spaces_for_tabs_crlf_and_capital_unk_are_read(tmp_path):
    text = SRILM.replace("\t", "  ").replace("\n", "\r\n").replace("<unk>", "<UNK>")
    whole = NGramModel.read_arpa(written(tmp_path, SRILM))
    assert same(NGramModel.read_arpa(written(tmp_path, text)).trie, whole.trie)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("ngram 2=3", "ngram 2=4", 20, "3 2-grams, but the head of the file says 4"),
        ("ngram 2=3", "ngram 3=3", 6, "got 'ngram 3=3', expected ngram 2=..."),
        ("ngram 1=5", "ngram one=5", 5, "got 'ngram one=5', expected ngram 1=..."),
        ("\\2-grams:", "\\3-grams:", 15, r"got '\\3-grams:', expected \2-grams:"),
        ("\\end\\", "\\2-grams:", 20, r"expected \end\\"[:-1]),
        ("-1\t<unk>", "-1x\t<unk>", 10, "expected numbers around the words"),
        ("-1\t<unk>", "nan\t<unk>", 10, "got the log-probability 'nan'"),
        ("-1\t<unk>", "0.1\t<unk>", 10, "got the log-probability '0.1', expected a number of at"),
        ("-0.0457575", "inf", 12, "got the back-off weight inf, expected a number"),
        ("-1\t<unk>", "-1e39\t<unk>", 10, "'-1e39', expected a number of at most 0 that float32"),
        ("-0.0457575", "1e300", 12, "got the back-off weight 1e+300, expected a number that float"),
        ("ngram 1=5", "ngram 1=" + "4" * 5000, 5, "444...', expected ngram 1=..."),
        ("a b", "a b b b", 17, "got '-0.30103\\ta b b b', expected a log-probability, 2 words"),
        ("-0.30103\ta b", "-0.30103\tb", 17, "expected a log-probability, 2 words"),
        ("a b", "a b\t-0.5", 17, "got the back-off weight -0.5, expected none"),
        ("<s> a", "<s> zebra", 17 - 1, "the word 'zebra' is no 1-gram of this file"),
        ("-1.30103\ta </s>", "-1.30103\ta b", 18, "'a b' stands here again"),
        ("-0.60206\tb", "-0.60206\ta", 13, "the word 'a' stands here again"),
        ("</s>", "end", 15, "no 1-gram is </s>"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, line, told):
    assert old in SRILM
    text = SRILM.replace(old, new)
    path = written(tmp_path, text)
    with pytest.raises(DataError) as caught:
        NGramModel.read_arpa(path)
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_gram_whose_beginning_is_missing_is_told_with_its_line(tmp_path):
    text = SRILM.replace("ngram 2=3", "ngram 2=3\nngram 3=1").replace(
        "\\end\\", "\\3-grams:\n-1 b a b\n\n\\end\\"
    )
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=r"line 22: this 3-gram begins with 'b a', which is no 2"):
        NGramModel.read_arpa(path)


def test_bytes_that_are_not_utf8_are_told_with_line_and_offset(tmp_path):
    raw = SRILM.encode().replace(b"\tb\n", b"\tb\xe9\n")
    path = written(tmp_path, raw)
    offset = raw.index(b"\xe9")
    with pytest.raises(DataError, match=f"line 13: byte 0xe9 at offset {offset} is not UTF-8"):
        NGramModel.read_arpa(path)


def test_a_file_that_ends_after_any_line_is_refused_with_that_line(tmp_path):
    lines = SRILM.split("\n")
    end = lines.index("\\end\\")
    for count in range(1, end + 1):
        path = written(tmp_path, "\n".join(lines[:count]))
        with pytest.raises(DataError) as caught:
            NGramModel.read_arpa(path)
        assert f"{path}, line " in str(caught.value)
        assert caught.value.line in (count - 1, count)
        assert "::" not in str(caught.value)
    assert NGramModel.read_arpa(written(tmp_path, "\n".join(lines[: end + 1])))


def test_weights_that_do_not_sum_to_one_are_refused_with_the_context_or_taken_unchecked(tmp_path):
    path = written(tmp_path, SRILM.replace("-0.0457575", "-0.5"))
    with pytest.raises(DataError, match=r"the probabilities after 'a' sum to 0.70\d+, expected 1"):
        NGramModel.read_arpa(path)
    model = NGramModel.read_arpa(path, check=False)
    assert model.next_probabilities(model.step("a", 0)[1]).sum() == pytest.approx(0.708, abs=1e-3)
    path = written(tmp_path, SRILM.replace("-0.60206\tb", "-0.2\tb"))
    with pytest.raises(DataError, match="the probabilities"):
        NGramModel.read_arpa(path)


def test_a_weight_that_float64_can_not_raise_is_refused_without_a_warning(tmp_path):
    path = written(tmp_path, SRILM.replace("-0.0457575", "400"))
    with pytest.raises(DataError, match="the probabilities after 'a' sum to inf, expected 1"):
        NGramModel.read_arpa(path)
    model = NGramModel.read_arpa(path, check=False)
    assert model.next_probabilities(model.step("a", 0)[1]).max() == np.inf
    assert model.pruned(1e-3).trie.order == 2


def test_the_word_space_makes_characters_only_of_tokens_of_one_character(tmp_path):
    words = NGramModel(2, normalise="none").fit("hit the <space> bar\n" * 3, holdout=0)
    found = NGramModel.read_arpa(words.write_arpa(tmp_path / "words.arpa"))
    assert found.unit == "words"
    assert found.score("the <space> bar").count == 4
    letters = NGramModel(2, unit="characters").fit("hit the bar\n" * 3, holdout=0)
    assert NGramModel.read_arpa(letters.write_arpa(tmp_path / "m.arpa")).unit == "characters"


def test_an_arpa_file_is_no_text_to_learn_or_to_measure_on(tmp_path):
    model = NGramModel(2).fit("a b\n" * 3, holdout=0)
    path = model.write_arpa(tmp_path / "m.arpa")
    for use in (NGramModel().fit, model.perplexity):
        with pytest.raises(DataError) as caught:
            use(path)
        assert str(caught.value).startswith(f"{path}, line 1: got \\data\\, with which an ARPA")
        assert f"`unrolled train ngram --from {path} " in str(caught.value)


def test_no_file_and_a_folder_are_one_line(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        NGramModel.read_arpa(tmp_path / "no.arpa")
    with pytest.raises(DataError, match="is a folder"):
        NGramModel.read_arpa(tmp_path)
