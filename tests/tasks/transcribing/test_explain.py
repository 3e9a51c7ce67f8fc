"""Why a word won: the numbers are the search's, and those of the sentence as it would have been."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.tasks.transcribing.alike import (
    ANYTHING,
    DICTIONARY,
    TEXTS,
    language_model,
    recogniser,
    told,
)
from unrolled import Transcriber
from unrolled.data.pronunciations import Pronunciations
from unrolled.decoding.ngrams import NGramModel
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.transducer_alignment import align_transducer
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.transcribing import answering, explaining, with_language
from unrolled.tasks.transcribing.heads import head_of
from unrolled.tasks.transcribing.other_contexts import Contexts
from unrolled.tasks.transcribing.sounds_alike import Explanation, Rival
from unrolled.tasks.transcribing.transcripts import searched
from unrolled.tasks.transcribing.why import why
from unrolled.tasks.transcribing.word_rivals import WordRivals, frequent_words

WIDE = 128


@pytest.fixture(scope="module")
def ngrams() -> NGramModel:
    return language_model()


@pytest.fixture(scope="module")
def fitted() -> Transcriber:
    return recogniser()


@pytest.fixture
def model(fitted: Transcriber) -> Transcriber:
    return fitted.use_language(None).bias(None)


@pytest.fixture
def hears(model: Transcriber, monkeypatch: pytest.MonkeyPatch) -> Callable[..., np.ndarray]:
    """`hears(*texts)`: whatever it is given, it hears these texts, one as likely as the other."""

    def listen(*texts: str, shares: tuple[float, ...] = ()) -> np.ndarray:
        assert model.symbols is not None
        answer = told(model.symbols, *texts, shares=shares)
        for room in (answering, with_language):
            monkeypatch.setattr(room, "heard", lambda _, some: [answer] * len(some))
        return answer

    return listen


def explained(model: Transcriber, **options: object) -> Explanation:
    given = {"pronunciations": DICTIONARY, "beam": WIDE, **options}
    return model.explain(ANYTHING, **given)[0]  # type: ignore[arg-type]


def rival(found: Explanation, word: str, text: str) -> Rival:
    (one,) = [one for one in found.words if one.heard.text == word]
    return {other.text: other for other in one.rivals}[text]


def test_score_and_totals_are_what_the_search_ranks_by(model, hears, ngrams) -> None:
    answer = hears("turn right now", "turn write now")
    model.use_language(ngrams).bias({"now": 1.0})
    (hypotheses,) = searched([answer], head_of(model.model), WIDE, model.language)
    ranked = {model.symbols.text(one.tokens): one.score for one in reversed(hypotheses)}
    found = explained(model)
    assert found.transcript.text == "turn right now"
    assert abs(found.score - hypotheses[0].score) < 1e-3
    assert found.score == pytest.approx(ranked["turn right now"], abs=1e-3)
    other = rival(found, "right", "write")
    assert abs(other.total - (ranked["turn write now"] - ranked["turn right now"])) < 1e-3
    assert found.hot == pytest.approx(1.0)


def test_the_second_pass_counts_as_in_the_search(model, hears, ngrams) -> None:
    answer = hears("turn right now", "turn write now")
    model.use_language(None, rerank=ngrams, rerank_weight=0.7)
    (hypotheses,) = searched([answer], head_of(model.model), WIDE, model.language)
    found = explained(model)
    assert abs(found.score - hypotheses[0].score) < 1e-3
    says = ngrams.score(["turn write now", "turn right now"])
    expected = 0.7 * (says[0].log_probability - says[1].log_probability)
    assert rival(found, "right", "write").second == pytest.approx(expected)
    assert "the second pass finds 'right' likelier" in found.words[1].why


def test_hot_words_move_the_margins_by_what_they_add(model, hears, ngrams) -> None:
    hears("turn right now", "turn write now")
    model.use_language(ngrams)
    before = rival(explained(model), "right", "write")
    model.bias({"write": 1.0})
    after = rival(explained(model), "right", "write")
    assert after.margin - before.margin == pytest.approx(-1.0, abs=1e-9)
    assert (after.hot, after.acoustic, after.language) == pytest.approx(
        (1.0, before.acoustic, before.language)
    )
    model.bias({"write": 5.0 + before.margin})
    turned = explained(model)
    assert turned.transcript.text == "turn write now"
    assert rival(turned, "write", "right").margin == pytest.approx(5.0, abs=1e-9)
    assert "hot words add" in turned.words[1].why


def test_other_contexts_turn_the_sentence_by_the_odds_that_are_told(model, hears, ngrams) -> None:
    answer = hears("turn right now", "turn write now")
    model.use_language(ngrams, weight=1.0)
    found = rival(explained(model), "right", "write")
    assert "to" in [one.word for one in found.contexts if one.before]
    scores, symbols = model.language.scores, model.symbols
    for one in found.contexts:
        text = f"{one.word} {{}} now" if one.before else f"turn {{}} {one.word}"
        tokens = symbols.encode([text.format("write"), text.format("right")])
        sums = scores.sums([part.tolist() for part in tokens])
        assert math.log(one.odds) == pytest.approx(found.acoustic + sums[0] - sums[1], abs=1e-6)
        assert one.odds > 1
    assert len(answer)


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize(
    ("text", "at", "other"),
    [("i write", 1, "right"), ("turn right", 1, "write"), ("right", 0, "write")],
)
def test_contexts_at_the_ends_are_those_of_longer_sentences(order, text, at, other) -> None:
    ngrams = language_model(order)
    words = text.split()
    letters = ("", *sorted(set("".join(TEXTS))))
    contexts = Contexts(PrefixScores(letters, model=ngrams, weight=0.8))
    changed = [*words[:at], other, *words[at + 1 :]]
    says = ngrams.score([" ".join(changed), text])
    apart = says[0].log_probability - says[1].log_probability
    assert sum(contexts.in_place(words, at, other)) == pytest.approx(apart, abs=1e-6)
    found = contexts.others(words, at, other, 0.5)
    for one in found:
        if one.before:
            left = [one.word] if at == 0 else [*words[: at - 1], one.word]
            both = [" ".join([*left, word, *words[at + 1 :]]) for word in (other, words[at])]
        else:
            both = [
                " ".join([*words[:at], word, one.word, *words[at + 2 :]])
                for word in (other, words[at])
            ]
        first, second = (says.log_probability for says in ngrams.score(both))
        assert math.log(one.odds) == pytest.approx(0.8 * (first - second) + 0.5, abs=1e-6)
    assert order == 2 or any(one.before for one in found)


def test_the_sentence_tells_what_decided(model, hears, ngrams) -> None:
    hears("turn right now", "turn write now", shares=(0.52, 0.48))
    without = explained(model)
    assert without.words[1].why.startswith("no language model: both sound the same (0.")
    assert without.words[0].why == "no word that sounds like it was found"
    model.use_language(ngrams, weight=1.0)
    says_why = explained(model).words[1].why
    state = ngrams.step("turn", ngrams.start())[1]
    itself = ngrams.step("right", state)[0] - ngrams.step("write", state)[0]
    says = ngrams.score(["turn right now", "turn write now"])
    following = says[0].log_probability - says[1].log_probability - itself
    place, nats = ("before 'now'", following) if following > itself else ("after 'turn'", itself)
    times = f"{math.exp(nats):.1f}" if nats < math.log(10) else f"{math.exp(nats):.0f}"
    assert f"nats apart); {place}, 'right' is {times} times as likely as 'write'" in says_why
    hears("turn right now", "turn write now", shares=(0.95, 0.05))
    assert "heard: 'right' fits the sound better, by " in explained(model).words[1].why


def test_a_rival_that_the_model_does_not_know_is_told_so(model, hears) -> None:
    hears("turn right now", "turn write now")
    known = [text for text in TEXTS if "write" not in text and "rite" not in text]
    model.use_language(language_model(texts=known))
    (word,) = [one for one in explained(model).words if one.heard.text == "right"]
    assert word.why.endswith("; the language model does not know 'write'")
    assert all(one.contexts == () for one in word.rivals)


def test_a_recogniser_of_capitals_is_told_what_one_of_small_letters_is(
    model, hears, ngrams, monkeypatch
) -> None:
    hears("turn right now", "turn write now", shares=(0.4, 0.6))
    capitals = recogniser(texts=[one.upper() for one in TEXTS])
    assert capitals.symbols is not None
    answer = told(capitals.symbols, "TURN RIGHT NOW", "TURN WRITE NOW", shares=(0.4, 0.6))
    as_it_stands = NGramModel(3, normalise="none").fit(list(TEXTS), holdout=0.0)
    of_letters = NGramModel(4, unit="characters", normalise="none").fit(list(TEXTS), holdout=0.0)
    for given in (
        {"model": ngrams, "weight": 1.0},
        {"model": None, "rerank": as_it_stands, "rerank_weight": 1.0},
        {"model": None, "rerank": of_letters, "rerank_weight": 1.0},
        {"model": as_it_stands, "rerank": as_it_stands, "weight": 1.0},
    ):
        hears("turn right now", "turn write now", shares=(0.4, 0.6))
        small = explained(model.use_language(**given)).to_dict()
        monkeypatch.setattr(with_language, "heard", lambda _, some: [answer] * len(some))
        large = explained(capitals.use_language(**given)).to_dict()
        assert large["text"] == "TURN RIGHT NOW"
        assert large["words"][1]["why"].lower() == small["words"][1]["why"]
        few, many = (
            {
                one["text"].lower(): (one["total"], [x["word"].lower() for x in one["contexts"]])
                for one in found["words"][1]["rivals"]
            }
            for found in (small, large)
        )
        assert few.keys() == many.keys() >= {"write", "rite"}
        for word in ("write", "rite"):
            assert few[word][0] == pytest.approx(many[word][0], abs=0.5), given
            assert few[word][1] == many[word][1]


def test_the_end_of_the_sentence_is_told_where_it_decides(model, hears) -> None:
    hears("to right", "to write")
    # After "to" comes "write"; sentences end with "right".
    texts = ["to write letters"] * 6 + ["to write it"] * 3 + ["to right"] * 3 + ["keep right"] * 6
    ngrams = language_model(3, texts)
    found = explained(model.use_language(ngrams, weight=1.0)).words[1].why
    times = [
        math.exp(float(values[0][at] - values[1][at]))
        for values in [ngrams.log_probabilities(["to right", "to write"])]
        for at in (1, 2)
    ]
    assert times[0] < 1 < 10 < times[1]
    assert f"at the end of the sentence, 'right' is {times[1]:.0f} times as likely as 'wr" in found


def test_what_made_a_word_less_likely_is_no_reason_for_it(model) -> None:
    ngrams = language_model(3, ["to write"] * 6 + ["write it"] * 3 + ["turn right it", "it"])
    language = model.use_language(ngrams, unknown=5.0).language
    contexts = Contexts(language.scores)
    for words in (["to", "right"], ["right", "it"], ["turn", "right", "it"]):
        at = words.index("right")
        likelier = min(contexts.in_place(words, at, "write")) < 0
        lost = Rival("write", "same sound", acoustic=0.0, language=-2.0, hot=0.0, second=0.0)
        told = why("right", [lost], words, at, language, contexts)
        assert ("times as likely" in told) == likelier
        assert likelier or told.endswith("; the language model finds 'right' likelier, by 2.0 nats")
        assert likelier == ("turn" in words)


def test_a_model_over_characters_has_no_other_contexts(model, hears) -> None:
    hears("turn right now", "turn write now")
    model.use_language(NGramModel(4, unit="characters").fit(list(TEXTS), holdout=0.0), weight=1.0)
    found = rival(explained(model), "right", "write")
    assert found.contexts == ()
    assert found.language < 0
    assert "the language model finds 'right' likelier" in explained(model).words[1].why


def test_rivals_are_near_ones_too_where_it_is_asked_and_no_more_than_told(model, hears) -> None:
    hears("turn right now")
    assert {one.how for one in explained(model).words[1].rivals} <= {"same sound", "heard"}
    found = explained(model, near=True, rivals=50).words[1].rivals
    assert {one.text: one.how for one in found}["ride"] == "near sound"
    assert [one.total for one in found] == sorted((one.total for one in found), reverse=True)
    assert len(explained(model, near=True, rivals=1).words[1].rivals) == 1


def test_without_a_dictionary_letters_tell_by_the_words_of_the_language(
    model, hears, ngrams
) -> None:
    hears("turn right now")
    model.use_language(ngrams)
    found = explained(model, pronunciations=Pronunciations({}), rivals=50).words[1].rivals
    assert {"write", "rite"} <= {one.text for one in found if one.how == "like letters"}


def test_what_the_search_had_at_the_same_place_is_a_rival(model, hears, ngrams) -> None:
    hears("turn right now", "turn night now", shares=(0.6, 0.4))
    found = explained(model, pronunciations=Pronunciations({}), rivals=50)
    assert rival(found, "right", "night").how == "heard"
    assert "rght" in [one.text for one in found.words[1].rivals]
    model.use_language(ngrams, weight=0.0)
    found = explained(model, pronunciations=Pronunciations({}), rivals=50)
    heard = [one.text for word in found.words for one in word.rivals if one.how == "heard"]
    assert "night" in heard
    assert all(one in ngrams.vocabulary.numbers for one in heard), "only what is a word"


def test_a_long_recording_is_looked_at_around_each_word(model, hears, ngrams, monkeypatch) -> None:
    hears("now turn right now to it", "now turn write now to it")
    model.use_language(ngrams)
    whole = explained(model)
    monkeypatch.setattr(explaining, "_WHOLE", {"ctc": 1})
    monkeypatch.setattr(explaining, "_AROUND", 1)
    pieces = explained(model)
    first, second = (rival(one, "right", "write") for one in (whole, pieces))
    assert abs(first.acoustic - second.acoustic) < 0.05
    assert pieces.acoustic == whole.acoustic


def test_only_the_likeliest_of_the_surest_rivals_are_listened_for(
    model, hears, ngrams, monkeypatch
) -> None:
    hears("turn right now")
    many = ("bright", "fright", "wright", "ryte", "riht", "reit")
    sounds = {one: (("R", "AY", "T"),) for one in ("right", "write", "rite", *many)}
    given = Pronunciations({**sounds, "ride": (("R", "AY", "D"),), "turn": (("T",),)})
    model.use_language(ngrams)
    listened = []
    listens = explaining.Explainer._heard

    def listen(self: Any, answer: Any, best: Any, words: Any, tried: Any) -> Any:
        listened.append([one.text for one in tried if one.at == 1])
        return listens(self, answer, best, words, tried)

    monkeypatch.setattr(explaining.Explainer, "_heard", listen)
    explained(model, pronunciations=given, near=True, rivals=1)
    assert len(listened[0]) == 4
    assert {"write", "rite"} <= set(listened[0]), "the language knows them"
    assert "ride" not in listened[0], "what sounds the same is surer"


def test_the_words_of_a_model_come_the_most_frequent_first(ngrams) -> None:
    words = frequent_words(ngrams)
    assert set(words) == {word for text in TEXTS for word in text.split()}
    says = [ngrams.step(one, 0)[0] for one in words]
    assert says == sorted(says, reverse=True)
    assert says[0] > says[-1]


def test_three_words_before_and_two_after_are_told_that_are_said_most() -> None:
    texts = ["right"] * 9
    texts += [f"{word} write" for at, word in enumerate("abcde") for _ in range(9 - at)]
    texts += [f"write {word}" for at, word in enumerate("vwxyz") for _ in range(9 - at)]
    letters = ("", *sorted(set("".join(texts))))
    scores = PrefixScores(letters, model=language_model(2, texts), weight=1.0)
    found = Contexts(scores).others(["right"], 0, "write", 3.0)
    assert [one.word for one in found if one.before] == ["a", "b", "c"]
    assert [one.word for one in found if not one.before] == ["v", "w"]


def test_it_is_plain_json_without_infinities(model, hears, ngrams) -> None:
    hears("turn right now", "turn write now")
    model.use_language(ngrams).bias({"right": 3000.0})
    record = explained(model, near=True).to_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert {one["text"] for one in record["words"][1]["rivals"]} >= {"write", "rite"}


def test_nothing_heard_is_explained_by_no_words(model, hears) -> None:
    hears("  ")
    assert model.explain([]) == []
    found = explained(model)
    assert (found.transcript.text, found.words) == ("", ())


def test_an_empty_alphabet_of_rivals_is_no_error_and_bad_arguments_are(
    model, labels, tmp_path
) -> None:
    with pytest.raises(ConfigError, match="explain: this model answers with labels"):
        labels.explain(ANYTHING)
    with pytest.raises(ConfigError, match="rivals"):
        model.explain(ANYTHING, rivals=0)
    with pytest.raises(DataError, match="there is no such file"):
        model.explain(ANYTHING, pronunciations=tmp_path / "none.dict")


def test_words_as_symbols_have_rivals_among_them(monkeypatch) -> None:
    model = recogniser(symbols="words")
    assert model.symbols is not None
    answer = told(model.symbols, "turn right now", "turn write now", shares=(0.6, 0.4))[:6]
    monkeypatch.setattr(with_language, "heard", lambda _, some: [answer] * len(some))
    found = model.explain(ANYTHING, pronunciations=Pronunciations({}))[0]
    assert found.transcript.text == "turn right now"
    assert found.words[1].rivals[0].text == "write"


def test_a_transducers_sums_are_its_searchs() -> None:
    model = recogniser("transducer")
    head = head_of(model.model)
    answer = answering.heard(model.model, [model.framing.frames(_recording())])[0][:4]
    (found,) = head.search([answer], beam=64, n_best=5)
    sums = head.text_sums(answer, [one.tokens for one in found])
    assert np.allclose(sums, [one.log_probability for one in found], atol=0.05)
    explained = model.explain(ANYTHING, pronunciations=DICTIONARY)[0]
    assert np.isfinite(explained.score)


def test_a_transducers_sums_go_on_from_what_was_said() -> None:
    model = recogniser("transducer")
    head = head_of(model.model)
    answer = answering.heard(model.model, [model.framing.frames(_recording())])[0][:6]
    text, cut = model.symbols.encode(["to it"])[0].tolist(), 2
    for parameter in model.model.prediction.parameters():
        parameter.data.mul_(5.0)  # what was said before counts
    parts = [
        head.text_sums(answer[:cut], [text[:said]])[0]
        + head.text_sums(answer[cut:], [text[said:]], head.after(text[:said]))[0]
        for said in range(len(text) + 1)
    ]
    assert np.logaddexp.reduce(parts) == pytest.approx(head.text_sums(answer, [text])[0], abs=1e-4)
    first, state = head.after(text[:2])
    for one, other in zip(head.after(text[2:], (first, state)), head.after(text), strict=True):
        assert np.array_equal(one, other)


def test_a_long_recording_is_looked_at_around_each_word_by_a_transducer(monkeypatch) -> None:
    model = recogniser("transducer")
    head, symbols = head_of(model.model), model.symbols
    frames = answering.heard(model.model, [model.framing.frames(_recording())])[0]
    tokens = symbols.encode(["to it now to it"])[0].tolist()
    best = align_transducer(head, np.tile(frames, (4, 1)), tokens)
    asked = []

    def sums(answer: np.ndarray, texts: list[Any], begin: Any = None) -> np.ndarray:
        asked.append((len(answer), [symbols.text(one) for one in texts], begin))
        return np.arange(float(len(texts)))

    monkeypatch.setattr(head, "text_sums", sums)
    monkeypatch.setattr(explaining, "_WHOLE", {"transducer": 1})
    monkeypatch.setattr(explaining, "_AROUND", 1)
    alike = WordRivals(DICTIONARY)
    explainer = explaining.Explainer(head, symbols, None, alike, 5, 0.04)
    words = explainer._words(best)
    tried = [
        explaining._Tried(at, "no", "heard", tuple(symbols.encode(["no"])[0].tolist()), ())
        for at in (3, 0, 3)
    ]
    found = explainer._heard(np.tile(frames, (4, 1)), best, words, tried)
    assert found.tolist() == [0.0, 1.0, 1.0, 2.0]
    (count, texts, begin), (later, after, at) = asked
    assert texts == ["to it", "no it"]
    assert after == ["now to it", "now no it", "now no it"]
    assert np.array_equal(begin[0], head.begin()[0])
    before = words[2].tokens[0]
    assert np.array_equal(at[0], head.after(tokens[:before])[0])
    # From the frame after the token before, or on it, to the one that says the next.
    assert count == max(
        best.frames[words[1].tokens[1]][0], best.frames[words[1].tokens[1] - 1][0] + 1
    )
    start = min(best.frames[before - 1][0] + 1, best.frames[before][0])
    assert later == 4 * len(frames) - start


def _recording():
    from unrolled.data.recordings_reading import read_recordings

    return read_recordings([ANYTHING], texts=False).items[0]
