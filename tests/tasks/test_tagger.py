"""The tagger: it learns from neighbours and letters, streams, and is the same after a save."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import unrolled
from unrolled.data.tag_schemes import broken_spans
from unrolled.data.tagged import TaggedSentences, read_tagged
from unrolled.errors import ConfigError, DataWarning
from unrolled.tasks.evaluation import Evaluation, NetworkLoses
from unrolled.tasks.tagger import Tagger
from unrolled.tasks.tagging.lessons import TaggedBatches

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

DATA = tuple[list[list[str]], list[list[str]]]


def spoken(count: int = 120, seed: int = 0) -> DATA:
    """Sentences in which a word is a noun after "the" and a verb after "to", whatever it is."""
    random = np.random.default_rng(seed)
    both = ["walk", "play", "talk", "work", "cook", "paint"]
    words, tags = [], []
    for _ in range(count):
        sentence, its = ["We"], ["PRON"]
        for _ in range(random.integers(1, 4)):
            sentence += [["the", "to"][int(one := random.integers(2))], str(random.choice(both))]
            its += [["DET", "PART"][int(one)], ["NOUN", "VERB"][int(one)]]
        words.append([*sentence, "."])
        tags.append([*its, "PUNCT"])
    return words, tags


def named(count: int = 120, seed: int = 0) -> DATA:
    """Sentences with names of one or two words, tagged B-, I- and O."""
    random = np.random.default_rng(seed)
    words, tags = [], []
    for at in range(count):
        first, last = (
            str(random.choice(["Ada", "Max", "Eve"])),
            str(random.choice(["Hill", "Moor"])),
        )
        two = bool(random.integers(2))
        words.append(["Then", first, *([last] if two else []), "left", "Rome", str(at), "."])
        tags.append(["O", "B-PER", *(["I-PER"] if two else []), "O", "B-LOC", "O", "O"])
    return words, tags


def small(**options: Any) -> Tagger:
    given: dict[str, Any] = {
        "hidden_size": 8,
        "layers": 1,
        "embedding_size": 6,
        "character_size": 4,
        "batch_size": 8,
        "dropout": 0.1,
        "learning_rate": 0.03,
        "device": "cpu",
    }
    return Tagger(**{**given, **options})


def fit(model: Tagger, data: Any, budget: str | int = 40, **options: Any) -> Tagger:
    return model.fit(data, budget=budget, progress=False, **options)


@pytest.fixture(scope="module")
def lstm() -> Tagger:
    return fit(small(members=2), spoken())


@pytest.fixture(scope="module")
def gru() -> Tagger:
    return fit(small(cell="gru", character_size=0, crf=False), spoken())


@pytest.fixture(scope="module")
def streaming() -> Tagger:
    return fit(small(directions=1, members=2, layers=2), spoken())


@pytest.fixture(scope="module")
def spans() -> Tagger:
    return fit(small(), named(), 20)


@pytest.fixture(params=["lstm", "gru", "streaming", "spans"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    found: Tagger = request.getfixturevalue(request.param)
    return found


def weights(model: Tagger) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.model.parameters()])


def figures(evaluation: Evaluation | None) -> dict[str, Any]:
    """As in a file: there an empty bin has None for NaN, which equals nothing."""
    assert evaluation is not None
    return evaluation.to_dict()


def alike(one: Tagger, other: Tagger, sentences: Any) -> None:
    assert one.classes == other.classes
    assert one.predict(sentences) == other.predict(sentences)
    pairs = zip(one.predict_proba(sentences), other.predict_proba(sentences), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


# Learning


def test_it_learns_what_only_the_neighbours_say(lstm: Tagger) -> None:
    assert lstm.predict([["We", "the", "walk", "to", "walk", "."]]) == [
        ["PRON", "DET", "NOUN", "PART", "VERB", "PUNCT"]
    ]
    assert lstm.evaluation is not None
    assert lstm.evaluation["accuracy"] > 0.97
    assert lstm.evaluation["accuracy of words, most frequent tag"] < 0.9
    assert not lstm.model.training
    assert lstm.outcome.steps == 40


def test_spans_come_first_in_the_evaluation_and_keep_their_scheme(spans: Tagger) -> None:
    assert spans.scheme == "BIO"
    assert spans.evaluation is not None
    assert [one.metric for one in spans.evaluation.comparisons] == ["span F1", "accuracy of words"]
    assert {"precision", "recall"} <= spans.evaluation.details.keys()
    with torch.no_grad():
        for member in spans.model.each:
            member.readout.weight.normal_(generator=torch.Generator().manual_seed(1))
    try:
        for tags in spans.predict(named(30, seed=5)[0]):
            assert not list(broken_spans(tags, "BIO")), tags
    finally:
        fit(spans, named(), 20)


def test_probabilities_are_marginals_of_the_tags(tagger: Tagger) -> None:
    sentences = [["We", "to", "new", "."], ["Ada"]]
    shares = tagger.predict_proba(sentences)
    assert [one.shape for one in shares] == [(4, len(tagger.classes)), (1, len(tagger.classes))]
    assert all(np.allclose(one.sum(1), 1, atol=1e-5) for one in shares)
    alone = [tagger.predict_proba([one])[0] for one in sentences]
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(shares, alone, strict=True))


def test_the_same_seed_gives_the_same_model_and_another_seed_another() -> None:
    first, again, other = (fit(small(seed=seed), spoken(), 4) for seed in (1, 1, 2))
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_fitting_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fit(small(), spoken(), 2)
    assert torch.equal(torch.rand(2), expected)


def test_half_precision_learns_as_well() -> None:
    model = fit(small(precision="bf16"), spoken(), 40)
    assert model.evaluation is not None
    assert model.evaluation["accuracy"] > 0.9


def test_parameters_are_scikit_learns() -> None:
    model = small(members=3)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(crf=False).crf is False


# What is asked


def test_a_text_is_split_into_sentences_and_words(lstm: Tagger) -> None:
    assert lstm.predict("We to walk. We the play.") == [
        [("We", "PRON"), ("to", "PART"), ("walk", "VERB"), (".", "PUNCT")],
        [("We", "PRON"), ("the", "DET"), ("play", "NOUN"), (".", "PUNCT")],
    ]
    assert len(lstm.predict_proba("We to walk. We the play.")) == 2
    assert lstm.predict("") == []


def test_empty_sentences_have_no_tags(lstm: Tagger) -> None:
    assert lstm.predict([[], ["We"], []]) == [[], ["PRON"], []]
    assert [len(one) for one in lstm.predict_proba([[], ["We"]])] == [0, 1]
    assert lstm.predict([]) == []


def test_tagged_sentences_are_evaluated_beside_both_rivals(lstm: Tagger) -> None:
    evaluation = lstm.evaluate(spoken(30, seed=9))
    assert evaluation["accuracy"] > 0.97
    names = {name for name in evaluation.details if name.startswith("accuracy of words, ")}
    assert names == {
        "accuracy of words, most frequent tag",
        "accuracy of words, window of 5 words with logistic regression",
    }
    assert evaluation.held_out.endswith("words of sentences")
    words = [word for row in spoken(30, seed=9)[0] for word in row]
    assert f"{len(words):,} words" in str(evaluation)


def test_a_file_is_learnt_and_asked(tmp_path: Path) -> None:
    words, tags = spoken()
    path = tmp_path / "train.conll"
    rows = [
        "".join(f"{w}\t{t}\n" for w, t in zip(*both, strict=True))
        for both in zip(words, tags, strict=True)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.warns(DataWarning, match="across splits"):
        model = fit(small(), path, 3, test=path)
    assert model.evaluation is not None
    assert "all of train.conll" in model.evaluation.held_out
    assert model.predict(path) == model.predict(words)
    assert figures(model.evaluate(path)) == figures(model.evaluate(read_tagged(path)))


def test_sentences_that_are_learnt_and_choose_are_told() -> None:
    long = [["we", "saw", "the", "red", "dog"], ["they", "ate", "the", "old", "bread"]]
    tags = [["P", "V", "D", "A", "N"]] * 2
    words, others = spoken()
    with pytest.warns(DataWarning, match="of the validation stand in the training too"):
        fit(small(), (words + long, others + tags), 1, validation=(long, tags))


def test_validation_and_test_may_be_data_of_their_own_or_left_out() -> None:
    given = fit(small(), spoken(), 4, validation=spoken(20, 17), test=spoken(20, 2))
    assert given.outcome.best_score is not None
    assert given.evaluation is not None
    assert given.evaluation["accuracy"] == given.evaluate(spoken(20, 2))["accuracy"]
    none = fit(small(), spoken(), 4, validation=0, holdout=0)
    assert none.outcome.best_score is None
    assert none.evaluation is None


def test_sentences_of_the_same_words_are_not_on_two_sides_of_the_split() -> None:
    words, tags = spoken(60)
    seen: list[set[tuple[str, ...]]] = []
    model = small()

    def spy(part: Any, told: str) -> Any:
        seen.append(set(part.words))
        return evaluate(part, told)

    evaluate = model._evaluate
    model._evaluate = spy  # type: ignore[method-assign]
    fit(model, (words * 2, tags * 2), 2, holdout=0.3, validation=0)
    learnt = {word for row in seen[0] for word in row}
    assert learnt
    counted = sum(model.forms.counts)
    held = sum(len(row) for row in words * 2 if tuple(row) in seen[0])
    assert counted == sum(map(len, words * 2)) - held


# Streaming


def test_streaming_gives_what_the_network_knows_so_far(streaming: Tagger) -> None:
    sentence = ["We", "the", "cook", "to", "cook", "new", "."]
    state = streaming.start()
    for upto, word in enumerate(sentence, 1):
        before = {name: array.copy() for name, array in state.items()}
        shares, after = streaming.step(word, state)
        assert all(np.array_equal(before[name], state[name]) for name in before)
        state = after
        inputs = torch.from_numpy(streaming.forms.rows(sentence[:upto])).unsqueeze(1)
        with torch.no_grad():
            emissions = streaming.model(inputs)[0].mean(0)
            crf = streaming.model.joint()
            crf.end.zero_()
        likely = crf.marginals(emissions)[-1, 0].numpy()
        np.testing.assert_allclose(shares, likely, atol=1e-5)
    assert shares.sum() == pytest.approx(1, abs=1e-5)


def test_a_step_without_a_state_begins_a_sentence(streaming: Tagger) -> None:
    np.testing.assert_array_equal(
        streaming.step("We")[0], streaming.step("We", streaming.start())[0]
    )


def test_two_directions_do_not_stream(lstm: Tagger) -> None:
    with pytest.raises(ConfigError, match="directions=1"):
        lstm.start()
    with pytest.raises(ConfigError, match="directions=1"):
        lstm.step("We")


# Files and runs


def test_a_saved_model_answers_as_before(tagger: Tagger, tmp_path: Path) -> None:
    back = unrolled.load(tagger.save(tmp_path / "model.unrolled"))
    assert isinstance(back, Tagger)
    assert back.get_params() == tagger.get_params()
    assert (back.scheme, back.column) == (tagger.scheme, tagger.column)
    alike(back, tagger, spoken(10, 4)[0])
    assert figures(back.evaluate()) == figures(tagger.evaluate())
    given = named(20, 3) if tagger.scheme else spoken(20, 3)
    assert figures(back.evaluate(given)) == figures(tagger.evaluate(given))


def test_a_checkpoint_is_a_model(tmp_path: Path) -> None:
    model = fit(small(), spoken(), 6, run_dir=tmp_path)
    back = unrolled.load(tmp_path / "checkpoint.unrolled")
    assert isinstance(back, Tagger)
    alike(back, model, spoken(10, 4)[0])


class _Interrupted(Exception):
    """The machine went down."""


def test_an_interrupted_fit_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model() -> Tagger:
        return small(members=2, dropout=0.3, word_dropout=1.0)

    whole = fit(model(), spoken(), 8, run_dir=tmp_path / "whole")
    read = TaggedBatches.__getitem__

    def breaks(self: TaggedBatches, step: int) -> Any:
        if step == 5:
            raise _Interrupted
        return read(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(TaggedBatches, "__getitem__", breaks)
        with pytest.raises(_Interrupted):
            fit(model(), spoken(), 8, run_dir=tmp_path / "run")
    resumed = fit(model(), spoken(), 8, run_dir=tmp_path / "run", resume=True)
    assert torch.equal(weights(resumed), weights(whole))
    assert figures(resumed.evaluation) == figures(whole.evaluation)


@pytest.mark.parametrize(
    ("change", "named_as"),
    [
        ({"data": spoken(120, seed=1)}, "sha256|data"),
        ({"holdout": 0.2}, "holdout|data"),
        ({"validation": spoken(20, 17)}, "holdout|data"),
    ],
)
def test_a_run_is_not_resumed_with_other_data(
    tmp_path: Path, change: dict[str, Any], named_as: str
) -> None:
    fit(small(), spoken(), 2, run_dir=tmp_path)
    options = {"data": spoken(), **change}
    data = options.pop("data")
    with pytest.raises(ConfigError, match=named_as):
        fit(small(), data, 2, run_dir=tmp_path, resume=True, **options)


def test_a_warm_start_goes_on_from_the_weights_that_are_there() -> None:
    model = fit(small(warm_start=True), spoken(), 30)
    before = weights(model).clone()
    fit(model.set_params(learning_rate=1e-6), spoken(), 1)
    assert torch.allclose(weights(model), before, atol=1e-4)
    with pytest.raises(ConfigError, match="'B-LOC', which the model that is there does not know"):
        fit(model, named(), 1)


def test_a_warm_start_reads_spans_as_it_learnt_them() -> None:
    words, tags = named()
    model = fit(small(warm_start=True), (words, tags), 2)
    began = [[tag.replace("B-", "I-") if tag == "B-PER" else tag for tag in one] for one in tags]
    fit(
        model, TaggedSentences(tuple(map(tuple, words)), tuple(map(tuple, began)), scheme="IOB1"), 1
    )
    assert model.scheme == "BIO"


def test_a_sentence_that_the_rules_leave_no_tags_has_an_answer_all_the_same() -> None:
    pairs = [("B-LOC", "E-LOC"), ("B-PER", "E-PER")]
    words = [["a", f"b{at}"] for at in range(40)]
    model = fit(small(), (words, [pairs[at % 2] for at in range(40)]), 2)
    assert model.scheme == "BIOES"
    (alone, whole) = model.predict_proba([["a"], ["a", "b1"]])
    np.testing.assert_allclose(alone.sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(whole.sum(-1), 1, rtol=1e-5)
    assert model.predict([["a"]])[0][0] == model.classes[alone[0].argmax()]
    assert tuple(model.predict([["a", "b1"]])[0]) in pairs


def test_what_the_data_doctor_found_is_told_and_doubles_spoil_nothing() -> None:
    told: list[str] = []
    words, tags = spoken(60)
    tags[0] = [*tags[0][:-1], "NEVER-BEFORE"]
    model = fit(small(), (words * 2, [*tags, *spoken(60)[1]]), 1, tell=told.append)
    assert told == [str(model.checkup)]
    assert "contradiction" in told[0]
    assert "kept on one side of the split" in told[0]
    assert not [one for one in model.checkup.warnings if one.kind == "duplicate"]
    told.clear()
    fit(small(), named(20), 1, tell=told.append)
    assert "note: reading: the tags mark spans (BIO); look whether that is right" in told[0]


def test_every_tag_has_its_figures(lstm: Tagger) -> None:
    assert lstm.evaluation is not None
    scores = lstm.evaluation.labels
    assert scores is not None
    assert scores.labels == lstm.classes
    words = sum(scores.support)
    assert (
        lstm.evaluation["accuracy"]
        == sum(
            scores.confusion[at][at]
            for at in range(len(scores.labels))  # type: ignore[index]
        )
        / words
    )
    assert sum(one.count for one in scores.bins) == words
    new = lstm.evaluate(([["We"]], [["NEW"]])).labels
    assert new is not None
    assert "NEW" in new.labels


def test_a_weak_network_is_told_of() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(small(learning_rate=1e-6), spoken(), 1)
    assert any(issubclass(one.category, NetworkLoses) for one in caught)


@pytest.mark.data
def test_parts_of_speech_of_a_public_set_are_learnt() -> None:
    load: Callable[..., Any] = unrolled.data.catalog.load
    dev = load("ud-ewt-dev")
    part = TaggedSentences(dev.words[:150], dev.tags[:150], dev.column, dev.name)
    model = fit(small(hidden_size=16), part, 40)
    assert model.evaluation is not None
    assert model.column == "upos"
    assert model.evaluation["accuracy"] > 0.5


@pytest.mark.filterwarnings("ignore::unrolled.errors.DataWarning")
@pytest.mark.parametrize("made", [spoken, named])
def test_the_weights_are_chosen_by_what_is_measured(made: Callable[..., DATA]) -> None:
    chosen_by = made(30, 5)
    model = fit(small(), made(), 30, validation=chosen_by, test=chosen_by)
    assert model.evaluation is not None
    # What chooses is an error: one less what the evaluation of the same sentences says.
    assert model.outcome.best_score == pytest.approx(
        1 - model.evaluation.comparisons[0].network, abs=1e-9
    )
