"""`unrolled train ngram`, and the verbs that read what it wrote."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

import unrolled
from tests.decoding.ngrams.small import same
from unrolled import NGramModel
from unrolled.tasks.text_models import open_ngrams

TEXT = "The cat sat on the mat.\nThe dog sat on the cat!\nA cat can't sit on a dog.\n" * 20


@pytest.fixture
def sentences(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def model(call, sentences, tmp_path):
    path = tmp_path / "lm.unrolled"
    assert call("train", "ngram", sentences, "--out", path).code == 0
    return path


def test_a_text_becomes_a_model_that_is_measured_beside_its_rival(call, sentences, tmp_path):
    out = tmp_path / "lm.unrolled"
    told = call("train", "ngram", sentences, "--out", out)
    assert (told.code, told.err) == (0, "")
    found = unrolled.load(out)
    assert found.evaluation.model.sentences == 3
    assert found.evaluation.wins
    counts = ", ".join(f"{count:,} {n}-grams" for n, count in enumerate(found.trie.counts, 1))
    notes = "".join(f"{note}\n" for note in found.notes)
    assert told.out == f"{found.evaluation}\n{notes}{counts}\nsaved to {out}\n"
    assert same(NGramModel().fit(TEXT).trie, found.trie)


def test_each_option_reaches_python_under_its_own_name(call, sentences, tmp_path):
    out = tmp_path / "lm.unrolled"
    given = {
        "order": 4, "unit": "characters", "normalise": "none", "vocabulary_size": 20,
        "min_count": 2, "prune_entropy": 1e-05,
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    told = call(
        *("train", "ngram", sentences, *words, "--prune-counts", "0,0,1", "--holdout", "0.5"),
        *("--out", out),
    )
    assert told.code == 0, told.err
    found = unrolled.load(out)
    assert found.get_params() == {**given, "prune_counts": [0, 0, 1]}
    assert found.evaluation.model.sentences == 30
    told = call("train", "ngram", sentences, "--validation", sentences, "--out", out)
    assert unrolled.load(out).evaluation.model.sentences == 60
    told = call("train", "ngram", sentences, "--holdout", "0", "--out", out)
    assert told.out.startswith("nothing was held out, so nothing was measured\n")


def test_a_model_goes_to_arpa_and_back(call, model, tmp_path):
    arpa, back = tmp_path / "lm.arpa.gz", tmp_path / "back.unrolled"
    assert call("train", "ngram", "--from", model, "--out", arpa).code == 0
    told = call("train", "ngram", "--from", arpa, "--normalise", "plain", "--out", back)
    assert told.code == 0, told.err
    assert same(unrolled.load(back).trie, unrolled.load(model).trie)
    told = call("train", "ngram", "--from", model, "--prune-entropy", "0.01", "--out", back)
    assert len(unrolled.load(back).trie) < len(unrolled.load(model).trie)
    assert f"saved to {back} (replaced the file that was there)\n" in told.out


def test_score_info_and_evaluate_read_it(call, model, sentences):
    told = list(csv.reader(io.StringIO(call("score", model, "--text", "The cat sat.").out)))
    found = unrolled.load(model).score("The cat sat.")
    assert told[1][1:3] == [f"{found.log_probability:.4f}", f"{found.perplexity:.4f}"]
    tokens = list(csv.reader(io.StringIO(
        call("score", model, "--text", "The cat", "--per-token").out
    )))  # fmt: skip
    assert [row[1] for row in tokens[1:]] == ["the", "cat", "</s>"]
    assert json.loads(call("evaluate", model, "--json").out)["model"]["perplexity"] > 1
    told = call("info", model)
    assert (told.code, told.out) == (0, f"{unrolled.info(model)}\n")
    assert json.loads(call("info", model, "--json").out)["holds"] == "NGramModel"
    assert "order" in told.out
    figure = json.loads(call("info", model, "--json").out)["perplexity"]
    assert figure == round(unrolled.load(model).evaluation.model.with_unknown, 2)
    told = call("evaluate", model, sentences)
    measured = unrolled.load(model).perplexity(TEXT)
    assert told.out == f"{measured}\n"
    record = json.loads(call("evaluate", model, sentences, "--json").out)
    assert record["perplexity"] == pytest.approx(measured.with_unknown)
    assert record["perplexity_without_unknown"] == pytest.approx(measured.without_unknown)
    assert call("evaluate", model).out == f"{unrolled.load(model).evaluation}\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("{text}", "--out", "{folder}/m.txt"), "expected a name that ends in .unrolled or .arpa"),
        (("--out", "{folder}/m.unrolled"), "give FILE to learn from, or --from MODEL to convert"),
        (("{text}", "--from", "x.arpa"), "give FILE to learn from, or --from MODEL to convert"),
        (("--from", "{folder}/no.arpa"), "no.arpa: there is no such file"),
        (("--from", "{bad}"), "bad.arpa, line 2: the file ends here, expected"),
        (("--from", "{bad}", "--order", "3"), "--order: only where FILE is learnt from"),
        (("{text}", "--unchecked"), "--unchecked: only with --from, of an ARPA file"),
        (("{text}", "--prune-counts", "0;1"), "--prune-counts 0;1: expected whole numbers"),
        (("{text}", "--prune-counts", "1,1"), "prune_counts is [1, 1]; the first must be 0"),
        (("{text}", "--prune-counts", "0,2,1"), "prune_counts is [0, 2, 1]"),
        (("{text}", "--order", "0"), "order is 0; give a whole number of 1 or more"),
        (("{text}", "--unit", "bytes"), "unit is 'bytes'; choose 'words' or 'characters'"),
        (("{text}", "--normalise", "all"), "normalise is 'all'; choose 'none' or 'plain'"),
        (("{text}", "--holdout", "0.9"), "holdout is 0.9; give a share from 0 to 0.5"),
        (("{text}", "--min-count", "1000"), "none of the words stands in the text 1000 times"),
        (("{text}", "--prune-entropy", "-1"), "prune_entropy is -1.0; give a share"),
        (("{marks}",), "no words are left of the text (normalise='plain')"),
        (("{text}", "--validation", "{other}"), "none of the 2 tokens of the text, such as 'zug'"),
        (("{reserved}", "--normalise", "none"), "sentence 2 has the word <s> or </s>"),
    ],
)
def test_bad_input_is_one_plain_line(check, sentences, tmp_path, words, told):
    files = {"bad": "bad.arpa", "marks": "m.txt", "other": "o.txt", "reserved": "r.txt"}
    paths = {name: tmp_path / file for name, file in files.items()}
    paths["bad"].write_text("\\data\\\nngram 1=3\n")
    paths["marks"].write_text("... !\n--\n")
    paths["other"].write_text("zug zug\n")
    paths["reserved"].write_text("a b\nc <s> d\n")
    given = [word.format(folder=tmp_path, text=sentences, **paths) for word in words]
    if "--out" not in given:
        given += ["--out", str(tmp_path / "m.unrolled")]
    check(tmp_path, ["train", "ngram", *given], [told])


@pytest.mark.parametrize("words", [("{text}", "--validation", "{held}"), ("{folder}",)])
def test_no_text_that_is_read_is_replaced(check, sentences, tmp_path, words):
    folder = tmp_path / "texts"
    folder.mkdir()
    held = folder / "held.txt.gz"
    held.write_bytes(gzip.compress(TEXT.encode()))
    given = [one.format(text=sentences, held=held, folder=folder) for one in words]
    check(tmp_path, ["train", "ngram", *given, "--out", held], ["is an input itself"])


@pytest.mark.parametrize("name", ["LM.ARPA", "lm.arpa.gz", "lm.gz"])
def test_an_arpa_file_in_place_of_a_model_says_how_to_convert_it(
    check, model, sentences, tmp_path, name
):
    arpa = unrolled.load(model).write_arpa(tmp_path / name)
    told = f"{arpa}: an ARPA file by its name, expected a .unrolled file; `unrolled train ngram"
    for words in (("score", arpa, sentences), ("evaluate", arpa, sentences), ("info", arpa)):
        check(tmp_path, words, [told, f"--from {arpa} --out"])
    assert same(open_ngrams(arpa, "the model").trie, unrolled.load(model).trie)


def test_a_sentence_without_words_is_told(call, model, tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("the cat\n...\n--\n")
    told = call("score", model, path)
    assert told.code == 0
    assert len(told.out.splitlines()) == 4
    assert told.err == (
        "warning: 2 of 3 texts, such as '...', have no words for this model (normalise='plain'):"
        " only the end of a sentence is scored\n"
    )
    assert call("score", model, "--text", "the cat").err == ""


def test_another_model_as_an_n_gram_model_is_told_with_its_article(call, generator, model):
    told = call("train", "ngram", "--from", generator, "--out", model)
    assert "holds a Generator; give an n-gram model" in told.err
    told = call("suggest", model)
    assert told.err == f"unrolled: {model} holds an n-gram model; give the model of a generator\n"


def test_verbs_of_other_models_say_that_it_is_none(call, model, sentences):
    told = call("predict", model, sentences)
    assert told == (
        2,
        "",
        f"unrolled: {model} holds an n-gram model, which answers no input; `unrolled score` says"
        " how likely sentences are to it\n",
    )
    told = call("score", model, sentences, "--cache")
    assert told.err == f"unrolled: --cache: not for {model}, which holds an n-gram model\n"
