"""What a translation may be asked with: long sentences, unknown words, a language model's say."""

from __future__ import annotations

import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from unrolled.decoding.ngrams import NGramModel
from unrolled.decoding.penalties import length_penalty as penalty_of
from unrolled.errors import ConfigError, DataError, DataWarning, ModelFileError, NotFittedError
from unrolled.tasks.generator import Generator
from unrolled.tasks.loading import load
from unrolled.tasks.translating.long_sentences import parts_of
from unrolled.tasks.translating.unknown_scripts import learnt_scripts, warn_of_scripts
from unrolled.tasks.translator import Translator

from .test_translator import counted, fit, small

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")


@pytest.fixture(scope="module")
def learnt() -> Translator:
    return fit(small(), counted(600), 300)


@pytest.fixture(scope="module")
def writer(learnt: Translator) -> Generator:
    """A language model of the translator's tokens, to which 7 is followed by 7."""
    text = "\n".join(["7 7 7 7"] * 400)
    made = Generator(tokenizer="words", hidden_size=8, embedding_size=8, device="cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.fit(text, tokens_of=learnt, budget=60, progress=False)


def test_a_generator_goes_on_with_its_own_tokens_and_no_others(
    learnt: Translator, writer: Generator
) -> None:
    other = fit(small(), [(one, other.replace("7", "x")) for one, other in counted()], 1)
    text = "\n".join(["7 7 7 7"] * 400)
    writer.set_params(warm_start=True)
    try:
        with pytest.raises(ConfigError, match="tokens_of: other tokens than those of the network"):
            writer.fit(text, tokens_of=other, budget=1, progress=False)
        before = writer.vocabulary
        writer.fit(text, tokens_of=learnt, budget=1, progress=False)
        assert writer.vocabulary is before
    finally:
        writer.set_params(warm_start=False)


def long(words: int) -> str:
    return " ".join(["one two, three."] * (words // 3))


def test_a_longer_sentence_than_was_learnt_is_told(learnt: Translator) -> None:
    with pytest.warns(DataWarning, match=r"1 sentence has more than the 6 tokens .* number 2\)"):
        learnt.predict(["one", long(9)])
    with pytest.warns(DataWarning, match="1 sentence of those that are measured has more than"):
        learnt.evaluate([(long(9), "1")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learnt.predict(["one two three four five"])


def test_it_is_split_after_marks_and_put_together_again(learnt: Translator) -> None:
    with pytest.warns(DataWarning, match="split"):
        (found,) = learnt.translate([long(9)], too_long="split")
    parts = ["one two, three."] * 3
    each = learnt.translate(parts)
    assert found.text == " ".join(one.text for one in each)
    assert found.log_probability == pytest.approx(sum(one.log_probability for one in each))
    assert found.alignment is not None
    assert found.alignment.shape == (len(found.tokens), len(found.source))
    np.testing.assert_allclose(found.alignment.sum(1), 1, atol=1e-5)


def test_only_the_first_part_begins_with_the_prefix(learnt: Translator) -> None:
    with pytest.warns(DataWarning, match="split"):
        (found,) = learnt.translate([long(9)], too_long="split", prefix="8 8")
    (first,) = learnt.translate(["one two, three."], prefix="8 8")
    (other,) = learnt.translate(["one two, three."])
    assert first.text.startswith("8 8")
    assert found.text == " ".join((first.text, other.text, other.text))


def test_the_best_of_a_split_sentence_are_those_of_all_ways_to_join_its_parts(
    learnt: Translator,
) -> None:
    parts = ["one two, three.", "four, five six."]
    with pytest.warns(DataWarning, match="split"):
        (found,) = learnt.translate([" ".join(parts)], too_long="split", beam=4, n_best=4)
    each = [[one, *one.alternatives] for one in learnt.translate(parts, beam=4, n_best=4)]
    ways = sorted(
        product(*each),
        key=lambda way: (sum(not one.finished for one in way), -sum(one.score for one in way)),
    )
    every = [found, *found.alternatives]
    assert [one.text for one in every] == [
        " ".join(part.text for part in way if part.text) for way in ways[:4]
    ]
    assert [one.score for one in every] == pytest.approx(
        [sum(part.score for part in way) for way in ways[:4]], abs=1e-5
    )
    assert all(one.source == found.source and not one.alternatives for one in every[1:])


def test_it_is_cut_where_that_is_asked_for(learnt: Translator) -> None:
    with pytest.warns(DataWarning, match="truncated"):
        assert learnt.predict([long(9)], too_long="truncate") == learnt.predict(["one two, three."])


@pytest.mark.parametrize(
    ("sentence", "most", "parts"),
    [
        ("a b c d e f", 4, ["a b c d", "e f"]),
        ("a b c. d e f", 4, ["a b c.", "d e f"]),
        ("a b c, d e. f", 4, ["a b c,", "d e. f"]),
        ("a. b c d e f", 4, ["a. b c d", "e f"]),
        ("a b", 4, ["a b"]),
        ("", 4, []),
    ],
)
def test_parts_are_cut_after_marks(sentence: str, most: int, parts: list[str]) -> None:
    assert parts_of(sentence, most, lambda text: len(text.split())) == parts


def test_text_without_spaces_is_cut_too() -> None:
    parts = parts_of("x" * 100, 45, len)
    assert "".join(parts) == "x" * 100
    assert max(map(len, parts)) <= 45


def test_an_unknown_word_is_copied_from_where_the_network_looks() -> None:
    """Some words are names, each of which is written once and so not known."""
    random = np.random.default_rng(0)
    pairs = []
    for number, (source, target) in enumerate(counted(800)):
        words, digits = source.split(), target.split()
        if random.random() < 0.7:
            place = random.integers(len(words))
            words[place] = digits[-1 - place] = f"name{number}"
        pairs.append((" ".join(words), " ".join(digits)))
    model = fit(small(), pairs, 600)
    assert model.predict(["Zora one two", "three Yan four five", "six Mo"]) == [
        "2 1 Zora",
        "5 4 Yan 3",
        "Mo 6",
    ]


@pytest.mark.parametrize("attention", ["multiplicative", "none"])
def test_an_unknown_token_of_the_prefix_stays_what_was_given(attention: str) -> None:
    words = fit(small(attention=attention), counted(), 5)
    (found,) = words.translate(["one two"], prefix="7 Zora, 7")
    assert found.text.startswith("7 Zora, 7")
    assert found.tokens[:4] == ("7", "Zora", ",", "7")
    characters = fit(small(tokenizer="characters", attention=attention), counted(), 5)
    (found,) = characters.translate(["one two"], prefix="7 \u03a9 7")
    assert found.text.startswith("7 \u03a9 7")


def test_without_attention_no_unknown_token_is_written() -> None:
    model = fit(small(attention="none"), counted(), 5)
    assert all("\ufffd" not in one for one in model.predict(["one two", "nought"], beam=2))


def test_a_language_model_has_a_say_in_every_token(learnt: Translator, writer: Generator) -> None:
    sentence = ["seven seven one"]
    assert learnt.predict(sentence, fuse=writer, fuse_weight=0.0) == learnt.predict(sentence)
    assert set(learnt.predict(sentence, fuse=writer, fuse_weight=50.0)[0].split()) == {"7"}


def test_a_language_model_may_choose_among_the_answers(
    learnt: Translator, writer: Generator
) -> None:
    (found,) = learnt.translate(["seven seven one"], beam=4, n_best=4)
    every = [found.text, *(one.text for one in found.alternatives)]
    (again,) = learnt.translate(
        ["seven seven one"], beam=4, n_best=4, rerank=writer, rerank_weight=1e3
    )
    ordered = [again.text, *(one.text for one in again.alternatives)]
    assert sorted(ordered) == sorted(every)
    scores = {text: writer.score(text).log_probability / (1 + len(text.split())) for text in every}
    assert ordered == sorted(every, key=lambda text: -scores[text])
    before = {one.text: one.score for one in (found, *found.alternatives)}
    for one in (again, *again.alternatives):
        said = before[one.text] + 1e3 * writer.score(one.text).log_probability / (
            penalty_of(np.array(len(one.tokens) + one.finished), "mean")
        )
        assert one.score == pytest.approx(said, rel=1e-4)
    (same,) = learnt.translate(["seven seven one"], beam=4, rerank=writer, rerank_weight=0.0)
    assert same.text == found.text


def test_an_n_gram_model_may_choose_among_the_answers(learnt: Translator, tmp_path: Path) -> None:
    (found,) = learnt.translate(["seven seven one"], beam=4, n_best=4)
    every = [found.text, *(one.text for one in found.alternatives)]
    wanted = every[-1]
    model = NGramModel(2).fit([wanted] * 20, holdout=0)
    given: dict[str, Any] = {"beam": 4, "n_best": 4, "rerank_weight": 1e3}
    (again,) = learnt.translate(["seven seven one"], rerank=model, **given)
    scores = {text: model.score(text).log_probability / (1 + len(text.split())) for text in every}
    ordered = [again.text, *(one.text for one in again.alternatives)]
    assert ordered == sorted(every, key=lambda text: -scores[text])
    assert ordered != every
    model.write_arpa(tmp_path / "model.arpa")
    path = model.save(tmp_path / "model.unrolled")
    for file in (path, tmp_path / "model.arpa"):
        (same,) = learnt.translate(["seven seven one"], rerank=file, **given)
        assert [same.text, *(one.text for one in same.alternatives)] == ordered
    with pytest.raises(ConfigError, match=r"^fuse: got NGramModel, expected a Generator"):
        learnt.predict(["one"], fuse=model)


def test_the_file_of_a_language_model_will_do(
    learnt: Translator, writer: Generator, tmp_path: Path
) -> None:
    path = writer.save(tmp_path / "writer.unrolled")
    for say in ("fuse", "rerank"):
        given: dict[str, Any] = {say: path, f"{say}_weight": 2.0}
        own: dict[str, Any] = {say: writer, f"{say}_weight": 2.0}
        assert learnt.predict(["one two"], **given) == learnt.predict(["one two"], **own)


def test_other_tokens_can_not_be_fused(learnt: Translator) -> None:
    other = Generator(device="cpu", hidden_size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other.fit("1 2 3 4 5 6 7 8 9\n" * 100, budget=2, progress=False)
    with pytest.raises(ConfigError, match=r"other tokens .* tokens_of=translator"):
        learnt.predict(["one"], fuse=other)
    learnt.predict(["one"], rerank=other)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"beam": 0}, "beam: got 0"),
        ({"beam": 2, "n_best": 3}, "n_best: got 3"),
        ({"precision": "fp16"}, "precision: got 'fp16', expected one of auto, fp32, bf16"),
        ({"too_long": "drop"}, "too_long: got 'drop', expected one of keep, split, truncate"),
        ({"length_penalty": -1.0}, "length_penalty"),
        ({"fuse_weight": -1.0}, "fuse_weight"),
        ({"rerank_weight": float("nan")}, "rerank_weight"),
        ({"fuse": 3}, "fuse: got int, expected a Generator"),
        ({"prefix": 3}, "prefix: got int"),
        ({"depth": 3}, "depth: no such option: there are beam, n_best, "),
        ({"beams": 3}, "beams: no such option: did you mean beam"),
        ({"prefix": "1 2<br />3"}, "prefix: holds a line break"),
        ({"max_length": 0}, "max_length"),
    ],
)
def test_options_that_can_not_work(learnt: Translator, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        learnt.predict(["one"], **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"cell": "cnn"}, "cell: got 'cnn'"),
        ({"hidden_size": 7}, "hidden_size: got 7, expected an even number"),
        ({"directions": 3}, "directions: got 3"),
        ({"attention": "dot"}, "attention: got 'dot'"),
        ({"shared": "yes"}, "shared: got 'yes'"),
        ({"members": 0}, "members: got 0"),
        ({"smoothing": 1.0}, "smoothing: got 1.0"),
        ({"dropout": 1.0}, "dropout: got 1.0"),
        ({"input_dropout": -0.1}, "input_dropout: got -0.1"),
        ({"batch_tokens": 0}, "batch_tokens: got 0"),
        ({"muon_rate": 2}, "muon_rate: got 2"),
        ({"patience": 0}, "patience: got 0"),
        ({"tokenizer": "syllables"}, "tokenizer"),
        ({"precision": "fp8"}, "precision: got 'fp8'"),
    ],
)
def test_arguments_out_of_their_range(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        small(**options).fit(counted(20), budget=1, progress=False)


def test_a_sentence_in_a_script_that_was_not_learnt_is_told(
    learnt: Translator, tmp_path: Path
) -> None:
    loaded = load(learnt.save(tmp_path / "model.unrolled"))
    for model in (learnt, loaded):
        for other in ("\u8fd9\u662f\u4e2d\u6587", "\U0001f600 \U0001f680", "1984", "?!"):
            with pytest.warns(DataWarning) as told:
                model.predict(["one two", "", other, other], before=4)
            (warning,) = told
            assert str(warning.message).startswith(
                "2 sentences have no letter in a script that was learnt (Latin); the first is"
                f" number 7, {other!r}: "
            )
            assert warning.filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.predict(["", "  ", "one \u4e2d\u6587", "one 1984"])


def test_a_file_of_before_scripts_were_kept_warns_of_none(learnt: Translator) -> None:
    assets = learnt._assets()
    assert assets.pop("scripts") == ["Latin"]
    old = clone(learnt)
    old.model = learnt.model
    old._restore_assets(assets)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        old.predict(["1984"])


def test_a_script_is_learnt_where_one_of_a_thousand_sentences_is_in_it() -> None:
    sentences = ["Anna sieht \u03b1"] * 1998 + ["\u0410\u043d\u043d\u0430", "1", "2"]
    assert learnt_scripts(sentences) == ("Latin",)
    assert learnt_scripts(sentences[1:]) == ("", "Latin")
    assert learnt_scripts(["1.2.2024", "3.4.2024"]) == ("",)
    with pytest.warns(DataWarning, match=r"\(none: no letters were learnt\); .* number 2, 'May'"):
        warn_of_scripts(["1", "May"], ("",))


def test_a_text_is_no_list_of_sentences(learnt: Translator) -> None:
    with pytest.raises(ConfigError, match="expected a list of them"):
        learnt.predict("one two")


def test_sentences_may_come_one_by_one(learnt: Translator) -> None:
    sentences = ["one two", "three four five"]
    assert learnt.predict(one for one in sentences) == learnt.predict(sentences)
    for other in 3, None:
        with pytest.raises(ConfigError, match="expected a list of them"):
            learnt.predict(other)  # type: ignore[arg-type]


def test_a_sentence_that_is_no_text_is_named(learnt: Translator) -> None:
    for others in [3], (one for one in [3]):
        with pytest.raises(ConfigError, match=r"^sentence 1: got int, expected text$"):
            learnt.predict(others)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"^sentence 9: got NoneType, expected text$"):
        learnt.predict(["one", None], before=7)  # type: ignore[list-item]


def test_a_prefix_that_is_too_long_names_the_sentence_that_was_given(learnt: Translator) -> None:
    sentences = ["", "one two three four five", "six"]
    told = r"prefix: got 4 tokens, but the translation of sentence 13 is cut after 4, .*max_length"
    with pytest.raises(ConfigError, match=told):
        learnt.translate(sentences, before=10, prefix="1 2 3 4", max_length=(2.0, 0))


def test_scores_that_are_no_numbers_name_the_sentence_that_was_given() -> None:
    model = fit(small(cell="rnn"), counted(), 3)
    (number,) = model.tokens.source.encode("six")
    model.model.source.weight.data[number] = float("nan")
    with pytest.raises(ConfigError, match=r"scores of sentence 14 at step 0: the greatest is nan"):
        model.translate(["one two", "", "one two three", "six"], before=10)


def test_before_it_has_learnt_it_says_so() -> None:
    with pytest.raises(NotFittedError):
        small().predict(["one"])


def test_files_of_other_lengths_are_refused_with_both_counts(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_text("eins\nzwei\ndrei\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.de: has 3 lines and .*a\.en 2: "):
        small().fit((tmp_path / "a.de", tmp_path / "a.en"), budget=1)


def test_a_fit_that_fails_leaves_what_was_there() -> None:
    model = fit(small(), counted(), 3)
    before = model.predict(["one two"])
    with pytest.raises(DataError):
        model.fit([("one", "1")], budget=1)
    assert model.predict(["one two"]) == before


def test_a_file_of_another_task_is_refused(learnt: Translator, tmp_path: Path) -> None:
    path = learnt.save(tmp_path / "model.unrolled")
    with pytest.raises(
        ModelFileError, match="holds a Translator; rerank takes a Generator or an NGramModel"
    ):
        learnt.predict(["one"], rerank=path)
