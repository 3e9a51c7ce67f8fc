"""The translator: it learns to reverse, and answers the same in any batch and after a save."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.base import clone

import unrolled
from unrolled.data.pairs import SentencePairs
from unrolled.errors import ConfigError, DataWarning
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.translator import Translator
from unrolled.training.translation_scores import translation_scores

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
Pairs = list[tuple[str, str]]


def counted(count: int = 300, seed: int = 0) -> Pairs:
    """Digits in words, and the same digits from the last to the first."""
    random = np.random.default_rng(seed)
    made: dict[str, str] = {}
    while len(made) < count:
        digits = random.integers(0, 10, random.integers(2, 6)).tolist()
        made[" ".join(NAMES[one] for one in digits)] = " ".join(map(str, reversed(digits)))
    return list(made.items())


def small(**options: Any) -> Translator:
    given: dict[str, Any] = {
        "tokenizer": "words",
        "shared": False,
        "hidden_size": 32,
        "embedding_size": 32,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "batch_tokens": 100,
        "learning_rate": 0.01,
        "device": "cpu",
    }
    return Translator(**{**given, **options})


def fit(model: Translator, data: Any, budget: str | int = 20, **options: Any) -> Translator:
    return model.fit(data, budget=budget, progress=False, **options)


@pytest.fixture(scope="module")
def learnt() -> Translator:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit(small(), counted(600), 500)


def test_it_learns_what_needs_attention(learnt: Translator) -> None:
    assert learnt.evaluation is not None
    assert learnt.evaluation["exact"] > 0.9
    assert learnt.predict(["one two three"]) == ["3 2 1"]


def test_the_alignment_shows_where_each_token_came_from(learnt: Translator) -> None:
    (found,) = learnt.translate(["four seven one nine"])
    assert found.tokens == ("9", "1", "7", "4")
    assert found.source == ("four", "seven", "one", "nine", "\n")
    assert found.alignment is not None
    assert found.alignment.shape == (4, 5)
    np.testing.assert_allclose(found.alignment.sum(1), 1, atol=1e-5)


def test_a_sentence_does_not_depend_on_its_batch(learnt: Translator) -> None:
    sentences = [source for source, _ in counted(150, seed=5)]
    together = learnt.translate(sentences, beam=3)
    for place in (0, 7, 149):
        (alone,) = learnt.translate([sentences[place]], beam=3)
        assert alone.text == together[place].text
        assert alone.log_probability == pytest.approx(together[place].log_probability, abs=1e-4)
    assert [one.text for one in learnt.translate(sentences[::-1], beam=3)] == [
        one.text for one in together[::-1]
    ]


def test_a_beam_of_one_takes_the_likeliest_token_of_each_step(learnt: Translator) -> None:
    (found,) = learnt.translate(["five six"], beam=1, precision="fp32")
    model, tokens = learnt.model, learnt.tokens
    source = torch.from_numpy(tokens.sources(["five six"])[0]).unsqueeze(1)
    with torch.no_grad():
        memory, _ = model(source)
        state, token, total, said = model.begin(memory), tokens.end, 0.0, []
        while True:
            hidden, _, state = model.step(torch.tensor([token]), state, memory)
            log_p = model.scores(hidden)[0].log_softmax(-1)
            token = int(log_p.argmax())
            total += float(log_p[token])
            if token == tokens.end:
                break
            said.append(token)
    assert found.text == tokens.text(said)
    assert found.log_probability == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize(
    "options",
    [{}, {"members": 2, "cell": "lstm"}, {"attention": "none", "input_feeding": True, "layers": 1}],
)
def test_token_by_token_it_says_what_the_search_finds(options: dict[str, Any]) -> None:
    model = fit(small(**options), counted(), 30)
    (found,) = model.translate(["five six"], beam=1, precision="fp32")
    state = model.start("five six")
    kept = {name: array.copy() for name, array in state.items()}
    token, said, total = None, [], 0.0
    for step in range(len(found.tokens) + 1):
        shares, state = model.step(token, state)
        assert shares.sum() == pytest.approx(1, abs=1e-5)
        shares[0] = 0 if model.attention == "none" else shares[0]
        token = int(shares.argmax())
        total += float(np.log(shares[token]))
        if model.attention != "none" and step < len(found.tokens):
            assert found.alignment is not None
            np.testing.assert_allclose(state["looked"], found.alignment[step], atol=1e-5)
        if token != model.tokens.end:
            said.append(token)
    assert model.tokens.text(said) == found.text
    if found.finished:
        assert total == pytest.approx(found.log_probability, abs=1e-4)
    again = model.start("five six")
    for name, array in kept.items():
        assert np.array_equal(array, again[name])


def test_a_step_needs_one_token_and_a_state(learnt: Translator) -> None:
    state = learnt.start("one")
    _, state = learnt.step(None, state)
    assert np.array_equal(
        learnt.step("1", state)[0], learnt.step(int(learnt.tokens.target.encode("1")[0]), state)[0]
    )
    for token in ("1 2", -1, True, 1.5):
        with pytest.raises(ConfigError, match="expected one word or its number"):
            learnt.step(token, state)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="state: got dict without"):
        learnt.step(None, {})
    with pytest.raises(ConfigError, match="sentence"):
        learnt.start(" ")


def test_a_step_takes_every_piece_that_is_whole_characters() -> None:
    model = fit(small(tokenizer="subwords", shared=True), counted(), 1)
    state = model.start("one")
    pieces = model.tokens.target.pieces
    numbers = []
    model_step = "unrolled.tasks.translating.answering.read_token"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_step, lambda _, number, state: numbers.append(number) or (None, state))
        for piece in pieces:
            if "\ufffd" not in piece:
                model.step(piece, state)
    assert [pieces[one] for one in numbers] == [one for one in pieces if "\ufffd" not in one]
    with pytest.raises(ConfigError, match=r"\d+ tokens are written '\ufffd'; give the number"):
        model.step("\ufffd", state)


def test_the_n_best_differ_and_fall_in_score(learnt: Translator) -> None:
    (found,) = learnt.translate(["eight two five"], beam=4, n_best=4)
    every = [found, *found.alternatives]
    assert len(every) == 4
    assert len({one.text for one in every}) == 4
    scores = [one.score for one in every]
    assert scores == sorted(scores, reverse=True)


def test_a_prefix_is_kept(learnt: Translator) -> None:
    (found,) = learnt.translate(["eight two five"], prefix="7 7")
    assert found.text.startswith("7 7")


def test_an_empty_sentence_stays_empty(learnt: Translator) -> None:
    assert learnt.predict(["", "one two", "  "]) == ["", "2 1", ""]


def test_several_members_answer_with_the_mean_of_their_probabilities() -> None:
    both = fit(small(members=2), counted(), 30)
    (found,) = both.translate(["one two"], beam=1, precision="fp32")
    source = torch.from_numpy(both.tokens.sources(["one two"])[0]).unsqueeze(1)
    written = both.tokens.targets([found.text])[0]
    totals = np.zeros(len(written) - 1)
    with torch.no_grad():
        for member in both.model.each:
            memory, _ = member(source)
            state = member.begin(memory)
            for step, token in enumerate(written[:-1].tolist()):
                hidden, _, state = member.step(torch.tensor([token]), state, memory)
                totals[step] += float(member.scores(hidden)[0].softmax(-1)[written[step + 1]]) / 2
    assert found.finished
    assert found.log_probability == pytest.approx(float(np.log(totals).sum()), abs=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cell": "lstm", "layers": 1},
        {"tokenizer": "subwords", "shared": True, "members": 2},
        {"tokenizer": "characters", "attention": "additive", "tie_weights": False},
        {"attention": "none", "input_feeding": True, "directions": 1},
    ],
)
def test_a_saved_translator_is_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    model = fit(small(**options), counted(), 8)
    path = model.save(tmp_path / "model.unrolled")
    again = unrolled.load(path)
    assert isinstance(again, Translator)
    sentences = ["one two three", "nine nine"]
    for one, other in zip(
        model.translate(sentences, n_best=2), again.translate(sentences, n_best=2), strict=True
    ):
        assert one.text == other.text
        assert one.log_probability == other.log_probability
    assert str(again.evaluation) == str(model.evaluation)
    assert str(again.evaluate(counted(20, seed=3))) == str(model.evaluate(counted(20, seed=3)))


def test_the_same_seed_learns_the_same() -> None:
    options: dict[str, Any] = {"dropout": 0.3, "input_dropout": 0.2}
    first, second = (fit(small(**options), counted(), 10) for _ in range(2))
    other = fit(small(**options, seed=1), counted(), 10)
    for one, its in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, its)
    assert any(
        not torch.equal(one, another)
        for one, another in zip(first.model.parameters(), other.model.parameters(), strict=True)
    )
    assert first.model is not other.model


def test_a_resumed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole = fit(small(dropout=0.2), counted(), 16, run_dir=tmp_path / "whole")
    run = tmp_path / "parts"

    class Stops(Exception):
        pass

    model = small(dropout=0.2)
    original = torch.optim.AdamW.step
    calls = 0

    def stopping(self: Any, *args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 9:
            raise Stops
        return original(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", stopping)
        with pytest.raises(Stops):
            fit(model, counted(), 16, run_dir=run)
    resumed = fit(small(dropout=0.2), counted(), 16, run_dir=run, resume=True)
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_best_weights_are_chosen_by_bleu_of_the_validation_part() -> None:
    # twice over, since of short references it would be chrF
    data = [(f"{one} {one}", f"{other} 0 0 0 {other}") for one, other in counted(200)]
    chosen_by = data[150:180]
    model = fit(small(), data[:150], 120, validation=chosen_by, test=data[180:])
    held_out = [one["held_out"] for one in model.outcome.records if "held_out" in one]
    assert model.outcome.best_score == pytest.approx(min(held_out), abs=1e-5)
    assert model.outcome.records[0]["units"]["held_out"] == "100 minus BLEU"
    said = model.predict([source for source, _ in chosen_by], beam=1)
    scores = translation_scores(said, [target for _, target in chosen_by])
    assert model.outcome.best_score == pytest.approx(100 - scores.bleu, abs=1e-3)
    assert 0 < scores.bleu < 100
    assert abs(scores.bleu - scores.chrf) > 0.1


def test_patience_ends_a_run_that_no_longer_gets_better() -> None:
    model = fit(small(patience=1, learning_rate=1e-9), counted(), 400)
    assert model.outcome.ended == "patience"
    assert model.outcome.steps < 400


def test_warm_start_goes_on_with_the_same_tokens(learnt: Translator) -> None:
    first = fit(small(warm_start=True), counted(), 4)
    tokens, settings = first.tokens, first.settings
    fit(first, counted(seed=2), 1)
    assert first.tokens is tokens
    assert first.settings.hidden_size == settings.hidden_size


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tokenizer": "subwords"}, "tokenizer: got 'subwords', but warm_start goes on from"),
        ({"shared": True}, "shared: got True, but warm_start goes on from a network with False"),
        ({"vocabulary_size": 5}, "vocabulary_size: got 5, but warm_start goes on from"),
    ],
)
def test_other_tokens_than_those_that_are_there_are_refused(
    changed: dict[str, Any], told: str
) -> None:
    model = fit(small(warm_start=True), counted(), 2).set_params(**changed)
    with pytest.raises(ConfigError, match=told):
        fit(model, counted(), 1)


def test_warm_start_is_true_or_false() -> None:
    with pytest.raises(ConfigError, match="warm_start: got 'yes', expected True or False"):
        fit(small(warm_start="yes"), counted(), 1)


def test_a_sentence_that_was_learnt_before_is_no_longer_than_was_learnt() -> None:
    model = fit(small(warm_start=True), counted(), 2)
    fit(model, [pair for pair in counted(600) if len(pair[0].split()) <= 3], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(["one two three four five"])


@pytest.mark.parametrize(
    ("precision", "able", "used"),
    [
        ("auto", True, "bf16"), ("bf16", True, "bf16"), ("fp32", True, "fp32"),
        ("auto", False, "fp32"), ("bf16", False, "fp32"),
    ],
)  # fmt: skip
def test_the_scores_of_all_tokens_are_made_as_precisely_as_asked(
    precision: str, able: bool, used: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.tasks.translator.supports_bfloat16", lambda _: able)
    model = fit(small(precision=precision, members=2), counted(), 1)
    assert [one.precision for one in model.model.each] == [used] * 2


def test_it_is_an_estimator_that_can_be_cloned() -> None:
    model = small(attention="additive")
    assert clone(model).get_params() == model.get_params()


def test_a_file_is_measured_in_the_direction_that_was_learnt(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    lines = "".join(f"{target}\t{source}\n" for source, target in counted())
    file.write_text(lines, encoding="utf-8")
    path = fit(small(), file, 60, source=1).save(tmp_path / "model.unrolled")
    model = unrolled.load(path)
    right = model.evaluate([(source, target) for source, target in counted()])
    found = model.evaluate(file)
    assert found["chrF"] == right["chrF"] > 0
    with pytest.warns(DataWarning, match=r"300 sentences of those that .* no letter .* \(Latin\)"):
        assert model.evaluate(file, source=0)["chrF"] != right["chrF"]
    frame = pl.DataFrame({"de": [b for _, b in counted()], "en": [a for a, _ in counted()]})
    assert model.evaluate(frame)["chrF"] == right["chrF"]
    # two files stand in the order source, target, whatever a table's columns were
    two = (tmp_path / "sources.txt", tmp_path / "targets.txt")
    for path, side in zip(two, zip(*counted(), strict=True), strict=True):
        path.write_text("\n".join(side) + "\n", encoding="utf-8")
    assert model.evaluate(two)["chrF"] == right["chrF"]


def test_sides_with_the_names_of_the_training_are_turned_to_its_direction(tmp_path: Path) -> None:
    sources, targets = zip(*counted(), strict=True)
    named = SentencePairs(targets, sources, "numbers", columns=("digits", "words"))
    model = fit(small(), named, 60, source="words")
    model = unrolled.load(model.save(tmp_path / "model.unrolled"))  # type: ignore[assignment]
    right = model.evaluate(counted())
    assert right["chrF"] > 0
    found = model.evaluate(named)
    assert found["chrF"] == right["chrF"]
    assert "turned round: the model was learnt from 'words' to 'digits'" in found.notes
    assert model.evaluate(named.turned()).notes == right.notes
    with pytest.warns(DataWarning, match="have no letter"):
        assert model.evaluate(named, source="digits")["chrF"] != right["chrF"]
    de, en = tmp_path / "test.de", tmp_path / "test.en"
    for path, side in ((de, sources), (en, targets)):
        path.write_text("\n".join(side) + "\n", encoding="utf-8")
    files = fit(small(), (de, en), 60)
    expected = files.evaluate(counted())["chrF"]
    assert files.evaluate((de, en))["chrF"] == files.evaluate((en, de))["chrF"] == expected


def test_what_an_evaluation_leaves_out_and_guesses_is_told(
    learnt: Translator, tmp_path: Path
) -> None:
    file = tmp_path / "pairs.tsv"
    lines = "".join(f"{source}\t{target}\n" for source, target in counted(20))
    file.write_text(f"source\ttarget\n{lines}one\t\n\t2\n", encoding="utf-8")
    with pytest.warns(DataWarning, match=r"pairs.tsv: left out 2 pairs .* lines 22, 23"):
        found = learnt.evaluate(file)
    assert "left out 2 pairs with one empty side: lines 22, 23" in found.notes
    assert any("was taken for the names of the columns" in one for one in found.notes)
    assert "left out 2 pairs" in str(found)


def test_what_was_measured_is_beside_the_rivals(learnt: Translator) -> None:
    found = learnt.evaluate(counted(30, seed=9))
    assert isinstance(found, Evaluation)
    assert [one.metric for one in found.comparisons] == ["BLEU", "chrF"]
    assert "copy of the source" in str(found)
    assert "nrefs:1" in str(found)
