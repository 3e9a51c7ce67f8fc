"""What a language model, hot words and a second pass do in a `Transcriber`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unrolled
from tests.tasks.transcribing.small import ONCE, RATE, alike, tone
from unrolled import Generator, NGramModel, Transcriber
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.errors import ConfigError, DataError, ModelFileError
from unrolled.tasks.transcribing.language import Language, Weights
from unrolled.tasks.transcribing.transcript import Transcript
from unrolled.tasks.transcribing.tuning import FIRST, SECOND

LEARNS: dict[str, Any] = {
    "hidden_size": 16, "layers": 1, "channels": 4, "bands": 16, "augment": 0.0, "subsampling": 4,
    "dropout": 0.0, "learning_rate": 2e-2, "average": 0.9, "batch_seconds": 4.0, "seed": 2,
}  # fmt: skip
QUIET: dict[str, Any] = {"validation": 0, "holdout": 0, "progress": False, "diagnose": False}
RULE = {"low": "two", "mid": "too"}
RIGHT = ["low two", "mid too"] * 20
WRONG = ["low too", "mid two"] * 20


@pytest.fixture(scope="module", params=["ctc", "transducer"])
def fitted(request: pytest.FixtureRequest) -> Transcriber:
    return Transcriber("words", head=request.param, **LEARNS).fit(
        alike(120), budget="200 steps", **QUIET
    )


@pytest.fixture
def hears(fitted: Transcriber) -> Transcriber:
    """It hears with no language, and knows of no weights."""
    fitted.bias(None)
    fitted.language_weights = Weights()
    return fitted.use_language(None)


@pytest.fixture(scope="module")
def right() -> NGramModel:
    return NGramModel(2).fit(RIGHT, holdout=0)


@pytest.fixture(scope="module")
def wrong() -> NGramModel:
    return NGramModel(2).fit(WRONG, holdout=0)


def sounds(*seeds: int) -> list[tuple[np.ndarray, int]]:
    return [(tone([first, "high"], seed), RATE) for seed in seeds for first in ("low", "mid")]


def streamed(model: Transcriber, sound: np.ndarray, **how: Any) -> Transcript:
    state = model.start(**how)
    for part in np.split(sound, [777, 1500, 2200]):
        _, state = model.step(part, state, endpoint=None)
    return model.finish(state)


def test_a_model_turns_what_sounds_alike(
    hears: Transcriber, right: NGramModel, wrong: NGramModel
) -> None:
    assert hears.use_language(right, weight=2.0) is hears
    assert hears.predict(sounds(1, 2)) == ["low two", "mid too"] * 2
    assert hears.use_language(wrong, weight=2.0).predict(sounds(1, 2)) == ["low too", "mid two"] * 2


def test_without_a_say_a_model_changes_nothing(hears: Transcriber, right: NGramModel) -> None:
    before = hears.transcribe(sounds(1, 2), beam=6)
    hears.use_language(right, weight=0.0, word_bonus=0.0, unknown=0.0)
    assert hears.transcribe(sounds(1, 2), beam=6) == before
    assert hears.use_language(None).transcribe(sounds(1, 2), beam=6) == before
    assert hears.language is None


def test_silence_stays_silence_whatever_a_model_expects(
    hears: Transcriber, right: NGramModel
) -> None:
    def found(sure: float, writer: NGramModel | None) -> list[tuple[int, ...]]:
        nothing = CtcHypothesis((), float(np.log(sure)), -30.0, (), ())
        word = CtcHypothesis((1,), float(np.log(1 - sure)), -1.0, ((0, 0),), (1.0,))
        (each,) = Language(symbols, writer=writer).second([[word, nothing]])
        return [one.tokens for one in each]

    symbols: Any = hears.symbols
    for writer in (None, right):
        assert found(0.51, writer) == [(), (1,)]
        assert found(0.49, writer) == [(1,), ()]


@pytest.mark.parametrize("how", ["search", "second pass", "both"])
def test_what_streams_with_a_language_is_what_is_heard_as_a_whole(
    hears: Transcriber, right: NGramModel, wrong: NGramModel, how: str
) -> None:
    first = None if how == "second pass" else right
    second = None if how == "search" else wrong
    hears.use_language(first, weight=2.0, rerank=second, rerank_weight=5.0)
    for sound, _ in sounds(3, 4):
        (whole,) = hears.transcribe([(sound, RATE)])
        found = streamed(hears, sound)
        assert found.text == whole.text
        assert [one.text for one in found.words] == [one.text for one in whole.words]
        assert abs(found.log_probability - whole.log_probability) <= 1e-3


def test_the_search_is_heard_live_and_the_second_pass_when_an_utterance_is_over(
    hears: Transcriber, right: NGramModel, wrong: NGramModel
) -> None:
    hears.use_language(right, weight=2.0, rerank=wrong, rerank_weight=8.0)
    pause = 0.003 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    for (said, _), first, second in zip(sounds(1), RIGHT, WRONG, strict=False):
        state, live = hears.start(), []
        for part in np.split(said, range(400, len(said), 400)):
            partial, state = hears.step(part, state, endpoint=None)
            live.append(partial.text)
        assert first in live
        assert second not in live
        assert hears.finish(state).text == second
        if hears.head == "transducer":  # the small one here says words in a pause
            continue
        heard = list(hears.listen([np.concatenate([said, pause])], rate=RATE))
        assert [one.text for partial in heard for one in partial.finished if one.text] == [second]
        assert second not in [partial.text for partial in heard]


def test_a_stream_of_another_language_is_refused(
    hears: Transcriber, right: NGramModel, wrong: NGramModel
) -> None:
    silence = np.zeros(10, np.float32)
    plain = hears.start()
    hears.use_language(right)
    with_model = hears.start()
    for change in (
        lambda: hears.use_language(wrong),
        lambda: hears.use_language(right, weight=0.6),
        lambda: hears.use_language(right).bias(["too"]),
    ):
        change()
        for state in (plain, with_model):
            with pytest.raises(ConfigError, match=r"^state: the stream began with"):
                hears.step(silence, state)
            with pytest.raises(ConfigError, match=r"^state: the stream began with"):
                hears.finish(state)
    hears.bias(None).use_language(right)
    hears.step(silence, with_model)
    hears.use_language(right, rerank=wrong)  # which has no say before the end
    hears.step(silence, with_model)


def test_hot_words_turn_what_sounds_alike_until_they_are_taken_back(hears: Transcriber) -> None:
    before = hears.transcribe(sounds(1, 2), beam=8)
    for word in ("two", "too"):
        assert hears.bias({word: 1.5}) is hears
        assert hears.predict(sounds(1, 2)) == [f"low {word}", f"mid {word}"] * 2
        assert streamed(hears, sounds(1)[0][0]).text == f"low {word}"
    hears.bias(["too"])
    assert hears.language is not None
    assert hears.language.hot_words == {"too": 3.0}
    hears.bias({"low two": 3.0, "mid": -50.0})
    assert hears.predict(sounds(1))[0] == "low two"
    assert not any("mid" in one for one in hears.predict(sounds(1, 2)))
    assert hears.bias(None).transcribe(sounds(1, 2), beam=8) == before


def test_hot_words_and_models_come_and_go_alone(hears: Transcriber, right: NGramModel) -> None:
    hears.bias({"too": 1.5}).use_language(right, weight=2.0)
    assert hears.language is not None
    assert hears.language.hot_words == {"too": 1.5}
    assert hears.language.model is right
    hears.use_language(None)
    assert hears.predict(sounds(1)) == ["low too", "mid too"]
    hears.use_language(right, weight=2.0).bias(None)
    assert hears.predict(sounds(1)) == ["low two", "mid too"]


def test_the_second_pass_is_the_order_that_both_give_together(
    hears: Transcriber, right: NGramModel, wrong: NGramModel
) -> None:
    (before,) = hears.transcribe(sounds(5)[:1], beam=6, n_best=6)
    each = [before, *before.alternatives]
    orders = [[one.text for one in each]]
    for model in (right, wrong):
        says = [one.log_probability for one in model.score(orders[0])]
        total = {
            one.text: one.log_probability + 6.0 * say for one, say in zip(each, says, strict=True)
        }
        hears.use_language(None, rerank=model, rerank_weight=6.0)
        (after,) = hears.transcribe(sounds(5)[:1], beam=6, n_best=6)
        orders.append([one.text for one in (after, *after.alternatives)])
        assert orders[-1] == sorted(total, key=lambda text: -total[text])
        (one,) = hears.transcribe(sounds(5)[:1], beam=6)
        assert one.text == orders[-1][0]
    assert orders[1] != orders[2]


@pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")
def test_a_generator_is_a_second_pass(hears: Transcriber) -> None:
    writer = Generator(
        tokenizer="words", hidden_size=16, layers=1, learning_rate=0.05, dropout=0.0
    ).fit("\n".join(WRONG * 20), budget="60 steps", progress=False)
    hears.use_language(None, rerank=writer, rerank_weight=4.0)
    assert hears.predict(sounds(1, 2)) == ["low too", "mid two"] * 2
    # The end of a sentence counts, so that no words are not the likeliest of all.
    language: Any = hears.language
    (says,) = language.says(
        [[CtcHypothesis(), CtcHypothesis(hears.symbols.encode(["low too"])[0])]]
    )
    nothing, words = writer.score(["\n", "low too\n"])
    assert says == [nothing.log_probability, words.log_probability]
    assert says[0] < 0


def test_tuning_finds_weights_that_help_and_keeps_them_in_the_file(
    hears: Transcriber, right: NGramModel, tmp_path: Path
) -> None:
    told: list[str] = []
    held_out = alike(16, 7, RULE)
    found = hears.tune(held_out, right, rerank=right, beam=6, tell=told.append)
    assert found.helps
    assert found.recordings == 16
    assert found.before == found.trials[0]
    assert found.before.weights is None
    assert found.best.rates == min(one.rates for one in found.trials)
    assert found.best.wer < found.before.wer
    assert len(told) == 10
    rates = "WER {:.2f}%, CER {:.2f}%".format(*found.before.rates)
    assert told[0] == f"without a language model: {rates}"
    assert hears.language_weights == Weights(
        **{**vars(found.weights), "told": hears.language_weights.told}
    )
    assert hears.language_weights.told == "16 recordings of tones that sound alike"
    assert hears.language is not None
    assert hears.language.weights == hears.language_weights
    measured = hears.evaluate(held_out, beam=6).comparisons
    assert measured[0].network == pytest.approx(found.best.wer)
    assert measured[1].network == pytest.approx(found.best.cer)

    path = hears.save(tmp_path / "tuned.unrolled")
    again: Any = unrolled.load(path)
    assert again.language is None
    assert again.language_weights == hears.language_weights
    again.use_language(right, rerank=right)
    assert again.transcribe(held_out) == hears.transcribe(held_out)
    assert str(again.language_weights) in str(unrolled.info(path))


def test_tuning_says_where_a_model_does_not_help(hears: Transcriber, wrong: NGramModel) -> None:
    held_out = alike(8, 8, RULE)
    found = hears.tune(held_out, wrong, beam=4)
    assert not found.helps
    assert found.best.wer >= found.before.wer
    found = hears.use_language(None).tune(held_out, rerank=wrong, beam=4)
    assert not found.helps
    assert found.weights.rerank_weight == 0.0
    bonuses = len(FIRST["word_bonus"])
    tried = [one.weights and one.weights.rerank_weight for one in found.trials]
    assert tried == [None, 0.0, *SECOND[1:] * bonuses]


def test_tuning_that_fails_changes_nothing(hears: Transcriber, right: NGramModel) -> None:
    hears.use_language(right, weight=0.9)
    before = vars(hears).copy()
    for data, how, error, match in (
        (alike(2), {}, ConfigError, "^tune: give a language model, or one that reranks"),
        (alike(2), {"model": right, "beam": 1}, ConfigError, "^beam: "),
        (sounds(1), {"model": right}, DataError, "without a text"),
        ("nowhere", {"model": right}, DataError, "nowhere"),
    ):
        with pytest.raises(error, match=match):
            hears.tune(data, **how)
        assert vars(hears) == before


def test_the_weights_of_tuning_are_those_of_no_other_transcriber(
    hears: Transcriber, right: NGramModel
) -> None:
    tuned = Weights(weight=0.9, told="by hand")
    hears.language_weights = tuned
    hears.use_language(right)
    assert hears.language is not None
    assert hears.language.weights == tuned
    other = Transcriber("words", **LEARNS).fit(alike(20), **ONCE)
    other.language_weights = tuned
    other.use_language(right)
    other.fit(alike(20), **ONCE)
    assert other.language_weights == Weights()
    assert other.language is None


def test_a_file_of_an_arpa_model_is_taken(
    hears: Transcriber, right: NGramModel, tmp_path: Path
) -> None:
    right.write_arpa(tmp_path / "right.arpa")
    right.save(tmp_path / "right.unrolled")
    want = hears.use_language(right, weight=2.0).transcribe(sounds(1))
    for name in ("right.arpa", "right.unrolled"):
        hears.use_language(None)
        assert hears.use_language(tmp_path / name, weight=2.0).transcribe(sounds(1)) == want
    hears.use_language(None, rerank=str(tmp_path / "right.arpa"), rerank_weight=9.0)
    assert hears.predict(sounds(1)) == ["low two", "mid too"]


def test_the_best_path_hears_no_language(hears: Transcriber, right: NGramModel) -> None:
    for language in (
        lambda: hears.use_language(right),
        lambda: hears.use_language(None, rerank=right),
        lambda: hears.use_language(None).bias(["two"]),
    ):
        language()
        for asked in (
            lambda: hears.transcribe(sounds(1), beam=1),
            lambda: hears.start(beam=1),
            lambda: hears.evaluate(alike(2), beam=1),
            lambda: hears.listen([np.zeros(9)], rate=RATE, beam=1),
        ):
            with pytest.raises(ConfigError, match=r"^beam: the best symbol of each step \(beam=1"):
                asked()


def test_listening_follows_as_many_prefixes_as_hearing_does(
    hears: Transcriber, right: NGramModel
) -> None:
    assert int(hears.start()["beam"]) == 8
    hears.use_language(right)
    assert int(hears.start()["beam"]) == 32


@pytest.mark.parametrize("by", ["model", "rerank"])
@pytest.mark.parametrize("unit", ["words", "characters"])
def test_a_model_over_other_letters_is_refused_in_a_line(
    hears: Transcriber, right: NGramModel, by: str, unit: Any
) -> None:
    hears.use_language(right)
    before = hears.language
    other = NGramModel(2, unit=unit).fit(["раз два три", "три два"] * 9, holdout=0)
    with pytest.raises(ConfigError, match=r"over other .*; train one on") as e:
        hears.use_language(**{by: other})
    assert "\n" not in str(e.value)
    assert hears.language is before


@pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")
def test_what_is_no_language_is_refused(
    hears: Transcriber, right: NGramModel, tmp_path: Path
) -> None:
    hears.save(tmp_path / "hears.unrolled")
    before = hears.use_language(right).language
    path = tmp_path / "hears.unrolled"
    generator = Generator(hidden_size=4, layers=1).fit(
        "low two\n" * 99, budget="1 steps", progress=False
    )
    for given, error, match in (
        ({"model": path}, ModelFileError, "holds a Transcriber; the language model takes an NGram"),
        ({"rerank": path}, ModelFileError, "holds a Transcriber; rerank takes a Generator or an"),
        ({"model": generator}, ConfigError, "^the language model: got a Generator, expected an N"),
        ({"rerank": 3}, ConfigError, "^rerank: got a int, expected a Generator"),
        ({"model": right, "weight": -1.0}, ConfigError, "^weight: got -1.0, expected a number fr"),
        ({"model": right, "word_bonus": float("nan")}, ConfigError, "^word_bonus: got nan"),
        ({"model": right, "unknown": "3"}, ConfigError, "^unknown: got '3'"),
        ({"rerank": right, "rerank_weight": -1.0}, ConfigError, "^rerank_weight: got -1.0"),
        ({"model": tmp_path / "none.arpa"}, DataError, "none.arpa"),
    ):
        with pytest.raises(error, match=match):
            hears.use_language(**given)
        assert hears.language is before
    for words, match in (
        ([], "^hot words: got none"),
        ({}, "^hot words: got none"),
        ([3], "^hot words: got 3, expected words"),
        (5, "^hot words: got 5, expected words"),
        (["  "], "^hot_words: got one without letters"),
        (["größ"], r"^hot_words: 'größ' has 'g' 'r' 'ß' 'ö', which the recogniser can't"),
        ({"two": float("inf")}, r"^hot_words\['two'\]: got inf"),
    ):
        with pytest.raises(ConfigError, match=match):
            hears.bias(words)
        assert hears.language is before


def test_labels_know_no_language(labels: Transcriber, right: NGramModel) -> None:
    for asked in (
        lambda: labels.use_language(right),
        lambda: labels.bias(["low"]),
        lambda: labels.tune(alike(2), right),
    ):
        with pytest.raises(ConfigError, match="this model answers with labels of whole recordings"):
            asked()


def test_a_writer_that_gives_no_number_is_refused(hears: Transcriber) -> None:
    class Strange:
        def score(self, texts: list[str]) -> list[Any]:
            return [type("Score", (), {"log_probability": float("nan")}) for _ in texts]

    symbols: Any = hears.symbols
    language = Language(symbols, writer=Strange())
    with pytest.raises(ConfigError, match=r"^rerank: the model gives nan for '"):
        language.second([[CtcHypothesis((1,), -1.0, -1.0, ((0, 0),), (1.0,))]])
