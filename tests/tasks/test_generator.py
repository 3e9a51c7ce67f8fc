"""The generator: it writes, suggests, streams and scores, and is the same after a save."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone

import unrolled
from unrolled import Generator
from unrolled.data.tokens.checks import UNKNOWN
from unrolled.errors import ConfigError, DataWarning, NotFittedError
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.generating.neural_cache import NeuralCache

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(100))


def small(**options: object) -> Generator:
    given_options = {
        "hidden_size": 16,
        "layers": 1,
        "embedding_size": 8,
        "rows": 4,
        "steps": 16,
        "learning_rate": 0.02,
        "device": "cpu",
        "ngram_weight": 0.0,  # most laws here are the network's; see test_generator_together.py
    }
    return Generator(**{**given_options, **options})


@pytest.fixture(scope="module")
def lstm() -> Generator:
    return small(layers=2).fit(TEXT, budget=30, progress=False)


@pytest.fixture(scope="module")
def gru() -> Generator:
    return small(cell="gru").fit(TEXT, budget=30, progress=False)


@pytest.fixture(scope="module")
def rnn() -> Generator:
    return small(cell="rnn").fit(TEXT, budget=30, progress=False)


@pytest.fixture(params=["lstm", "gru", "rnn"])
def generator(request: pytest.FixtureRequest) -> Generator:
    return request.getfixturevalue(request.param)


def test_it_learns(generator: Generator) -> None:
    evaluation = generator.evaluate()
    assert evaluation["bits"] < 0.9 * math.log2(len(generator.vocabulary) - 1)
    assert generator.outcome.steps == 30
    assert not generator.model.training


def test_scores_begin_at_how_often_tokens_occur() -> None:
    model = small(learning_rate=1e-9).fit(TEXT, budget=1, progress=False)
    learnt = TEXT[: round(round(len(TEXT) * 0.9) * 0.95)]
    counts = np.bincount(model.vocabulary.encode(learnt), minlength=len(model.vocabulary))
    assert model.model.readout is not None
    bias = model.model.readout.bias.detach().numpy()
    often = counts > 20
    shares = np.log(counts[often] / counts.sum())
    np.testing.assert_allclose(bias[often], shares, atol=0.05)


def test_the_same_seed_gives_the_same_model_and_another_seed_another() -> None:
    def weights(seed: int) -> torch.Tensor:
        torch.manual_seed(torch.seed())
        model = small(seed=seed, layers=2).fit(TEXT, budget=6, progress=False)
        return torch.cat([p.detach().flatten() for p in model.model.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_fitting_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    small().fit(TEXT, budget=2, progress=False)
    assert torch.equal(torch.rand(2), expected)


def test_a_saved_model_answers_as_before(generator: Generator, tmp_path: Path) -> None:
    back = unrolled.load(generator.save(tmp_path / "model.unrolled"))
    assert isinstance(back, Generator)
    assert back.get_params() == generator.get_params()
    assert back.vocabulary == generator.vocabulary
    assert back.generate("7 and", seed=4) == generator.generate("7 and", seed=4)
    assert back.suggest("7 an", n=8) == generator.suggest("7 an", n=8)
    assert back.evaluate() == generator.evaluate()
    assert back.evaluate("8 and 8 make 16\n") == generator.evaluate("8 and 8 make 16\n")
    again = back.save(tmp_path / "again.unrolled")
    assert unrolled.load(again).generate("9", seed=4) == generator.generate("9", seed=4)


def test_the_baseline_comes_back_equal(lstm: Generator, tmp_path: Path) -> None:
    back = unrolled.load(lstm.save(tmp_path / "model.unrolled"))
    first, second = lstm.baseline.to_arrays(), back.baseline.to_arrays()
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)
    ids = lstm.vocabulary.encode(TEXT[:300])
    np.testing.assert_array_equal(
        back.baseline.log2_probabilities(ids), lstm.baseline.log2_probabilities(ids)
    )


def test_a_checkpoint_is_a_model(tmp_path: Path) -> None:
    model = small().fit(TEXT, budget=10, run_dir=tmp_path, progress=False)
    back = unrolled.load(tmp_path / "checkpoint.unrolled")
    assert back.generate("7", seed=1) == model.generate("7", seed=1)
    assert back.evaluate(TEXT) == model.evaluate(TEXT)
    with pytest.raises(ConfigError, match="give data"):
        back.evaluate()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text("0123456789 andmke,\n\u20ac", min_size=1, max_size=40), data=st.data())
def test_one_step_at_a_time_gives_the_numbers_of_the_whole_sequence(
    generator: Generator, text: str, data: st.DataObject
) -> None:
    ids = torch.tensor(generator.vocabulary.encode("\n" + text)).unsqueeze(1)
    with torch.no_grad():
        whole = generator.model(ids)[0][1:, 0].softmax(-1).numpy()
    begin = data.draw(st.integers(0, len(text) - 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        state = generator.start(text[:begin]) if begin else None
    for place in range(begin, len(text)):
        probabilities, state = generator.step(text[place], state)
        np.testing.assert_allclose(probabilities, whole[place], rtol=1e-4, atol=1e-6)
    assert probabilities.dtype == np.float32
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_state_is_the_callers_own_and_can_be_rolled_back(generator: Generator) -> None:
    state = generator.start("7 and 7 ")
    before = {name: array.copy() for name, array in state.items()}
    first, after = generator.step("m", state)
    second, _ = generator.step("m", after)
    for name, array in before.items():
        np.testing.assert_array_equal(state[name], array)
        assert not np.shares_memory(state[name], after[name])
    assert not np.array_equal(first, second)
    again, _ = generator.step("m", state)
    np.testing.assert_array_equal(again, first)
    for array in after.values():
        array[:] = 0
    np.testing.assert_array_equal(generator.step("m", state)[0], first)


def test_a_state_survives_a_file(generator: Generator, tmp_path: Path) -> None:
    state = generator.start("7 and 7 ")
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        back = dict(file)
    np.testing.assert_array_equal(generator.step("m", back)[0], generator.step("m", state)[0])


def test_no_state_is_the_beginning(generator: Generator) -> None:
    np.testing.assert_array_equal(generator.step("7")[0], generator.step("7", generator.start())[0])
    zeros = {name: np.zeros_like(array) for name, array in generator.start("7").items()}
    _, after = generator.step("\n", zeros)  # every document begins with a line break
    np.testing.assert_array_equal(generator.step("7")[0], generator.step("7", after)[0])


def test_the_same_seed_writes_the_same_text(generator: Generator) -> None:
    one = generator.generate("7 and", length=60, seed=5)
    assert one == generator.generate("7 and", length=60, seed=5)
    assert one != generator.generate("7 and", length=60, seed=6)
    assert len(one) == 60


def test_without_a_seed_texts_differ_and_the_callers_random_numbers_stay(
    generator: Generator,
) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    texts = {generator.generate("7", length=60, temperature=1.5) for _ in range(3)}
    assert len(texts) == 3
    assert torch.equal(torch.rand(2), expected)


def test_temperature_zero_always_takes_the_likeliest(generator: Generator) -> None:
    text = generator.generate("7 and", length=20, temperature=0, seed=1)
    assert text == generator.generate("7 and", length=20, temperature=0, seed=2)
    assert text == generator.generate("7 and", length=20, top_k=1, seed=3)
    state = generator.start("7 and"[:-1])
    probabilities, state = generator.step("d", state)
    for character in text:
        assert generator.vocabulary.pieces[1 + probabilities[1:].argmax()] == character
        probabilities, state = generator.step(character, state)


def test_suggestions_are_whole_words_in_order(generator: Generator) -> None:
    words = generator.suggest("7 and 7 m", n=4)
    probabilities = [p for _, p in words]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1 + 1e-6
    assert all(word.startswith("m") and word.isalnum() for word, _ in words)
    assert len({word for word, _ in words}) == len(words)
    assert generator.suggest("7 and 7 m", n=2)[0] == pytest.approx(words[0])
    typing = generator.typing("7 and 7 ")
    typing.type("m")
    assert [word for word, _ in typing.suggest(4)] == [word for word, _ in words]


def test_unknown_characters_are_told_and_read_and_never_written(generator: Generator) -> None:
    for prompt in ("\u20ac\u4e16\U0001f600", UNKNOWN, "\x00"):
        with pytest.warns(DataWarning, match=f"{len(prompt)} characters?") as told:
            text = generator.generate(prompt, length=50, temperature=5.0, seed=1)
        assert ascii(prompt[0]) in str(told[0].message)
        assert told[0].filename == __file__
        assert len(text) == 50
        assert set(text) <= set(TEXT)
        with pytest.warns(DataWarning):
            words = [word for word, _ in generator.suggest(prompt, n=2)]
        assert all(word.count(UNKNOWN) <= prompt.count(UNKNOWN) for word in words)
        with pytest.warns(DataWarning):
            generator.start(prompt)
    score = generator.score("7 \u20ac and")
    assert score.unknown == 1
    assert math.isfinite(score.log_probability)


def test_an_empty_prompt_and_an_empty_answer_are_fine(generator: Generator) -> None:
    assert len(generator.generate(length=12, seed=1)) == 12
    assert generator.generate("", length=12, seed=1) == generator.generate(length=12, seed=1)
    assert generator.generate("7", length=0) == ""
    assert 0 < len(generator.suggest()) <= 5
    assert generator.start().keys() == generator.start("7").keys()


def test_what_is_streamed_is_what_is_generated(generator: Generator) -> None:
    pieces = list(generator.stream("7 and", length=40, seed=3))
    assert len(pieces) == 40
    assert "".join(pieces) == generator.generate("7 and", length=40, seed=3)


def test_a_text_ends_before_its_stop_string(generator: Generator) -> None:
    whole = generator.generate("7 and", length=120, seed=3, temperature=1.0)
    stop = whole[30:32]
    text = generator.generate("7 and", length=120, seed=3, temperature=1.0, stop=[stop, "#"])
    assert text == whole[: whole.index(stop)]
    assert generator.generate("7", length=40, seed=3, stop="#") == generator.generate(
        "7", length=40, seed=3
    )


def test_a_repetition_penalty_gives_more_different_characters(generator: Generator) -> None:
    options = {"length": 60, "temperature": 0.0}
    plain = generator.generate("7 and", **options)
    spread = generator.generate("7 and", repetition_penalty=3.0, repetition_window=20, **options)
    assert len(set(spread)) > len(set(plain))
    assert generator.generate("7 and", repetition_penalty=1.0, **options) == plain


def test_a_cache_writes_again_what_it_read(generator: Generator) -> None:
    cache = NeuralCache(size=50, theta=0.0, weight=0.99)
    text = generator.generate("999", length=40, seed=1, cache=cache, temperature=1.0)
    assert text.count("9") > 20
    assert generator.generate("7", seed=1, cache=NeuralCache(weight=0.0)) == generator.generate(
        "7", seed=1
    )


def test_scores_are_the_probabilities_of_the_steps(generator: Generator) -> None:
    texts = ["7 and 7 make 14", "", "8", "says the book.\n" * 3]
    scores = generator.score(texts, per_token=True)
    for text, score in zip(texts, scores, strict=True):
        state, chances = generator.start(), None
        assert score.tokens is not None
        assert "".join(token for token, _ in score.tokens) == text
        total = 0.0
        for place, character in enumerate(text):
            chances = generator.step(text[place - 1], state) if place else None
            if chances is None:
                zeros = {name: np.zeros_like(array) for name, array in state.items()}
                chances, state = generator.step("\n", zeros)
            else:
                chances, state = chances
            of_token = math.log(chances[generator.vocabulary.encode(character)[0]])
            assert score.tokens[place][1] == pytest.approx(of_token, abs=1e-4)
            total += of_token
        assert score.log_probability == pytest.approx(total, abs=1e-3)
        assert score.perplexity == pytest.approx(math.exp(-total / max(1, len(text))), rel=1e-4)
        assert score.bits_per_character == pytest.approx(
            -total / math.log(2) / max(1, len(text)), abs=1e-4
        )
    alone = generator.score(texts[0])
    assert alone.log_probability == pytest.approx(scores[0].log_probability, rel=1e-5)
    assert alone.tokens is None


def test_a_cache_of_no_weight_changes_no_score(generator: Generator) -> None:
    texts = ["7 and 7 make 14, says the book.", "9"]
    plain, cached = generator.score(texts), generator.score(texts, cache=NeuralCache(weight=0.0))
    for one, other in zip(plain, cached, strict=True):
        assert other.log_probability == pytest.approx(one.log_probability, rel=1e-5)
    evaluation = generator.evaluate(TEXT[:700], cache=NeuralCache(size=40, weight=0.0))
    assert evaluation["bits"] == pytest.approx(generator.evaluate(TEXT[:700])["bits"], rel=1e-5)
    stronger = generator.evaluate("7 7 7 7 7 7 7 7 7 7", cache=NeuralCache(theta=0.0, weight=0.5))
    assert stronger["bits"] < generator.evaluate("7 7 7 7 7 7 7 7 7 7")["bits"]


def test_predict_answers_one_prompt_or_many(lstm: Generator) -> None:
    one = lstm.predict("7 and", length=9, seed=2)
    assert one == lstm.generate("7 and", length=9, seed=2)
    assert lstm.predict(["7 and", "8"], length=9, seed=2) == [
        one,
        lstm.generate("8", length=9, seed=2),
    ]
    assert lstm.predict([]) == []


def test_a_file_a_folder_and_the_text_itself_teach_the_same(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(TEXT)
    models = [
        small().fit(data, budget=4, progress=False)
        for data in (TEXT, tmp_path / "book.txt", str(tmp_path / "book.txt"), tmp_path)
    ]
    written = {model.generate("7", length=30, seed=1) for model in models}
    assert len(written) == 1
    assert len({model.evaluate()["bits"] for model in models}) == 1
    assert "book.txt" in models[1].evaluate().held_out
    assert models[1].evaluate(tmp_path / "book.txt")["bits"] == models[0].evaluate(TEXT)["bits"]


@pytest.mark.parametrize("length", [200, 300, 5000])
def test_a_text_of_one_line_is_a_text(length: int, lstm: Generator) -> None:
    line = (TEXT.replace("\n", " ") * 2)[:length]
    assert lstm.evaluate(line)["bits"] > 0
    if length > 500:
        small().fit(line, budget=2, progress=False)


def test_evaluating_scores_every_character(generator: Generator) -> None:
    text = "12 and 12 make 24, says the book.\n"
    evaluation = generator.evaluate(text)
    assert evaluation["bits"] == pytest.approx(generator.score(text).bits_per_character, rel=1e-5)
    ids = generator.vocabulary.encode("\n" + text)
    rival = -generator.baseline.log2_probabilities(ids)[1:].mean()
    assert evaluation.comparisons[0].baseline == pytest.approx(rival)
    assert evaluation["nats per character"] == pytest.approx(evaluation["bits"] * math.log(2))
    assert evaluation["perplexity per token"] == pytest.approx(2 ** evaluation["bits"])


def test_a_long_text_is_scored_as_one_stream(generator: Generator) -> None:
    text = TEXT[:2600]
    ids = torch.tensor(generator.vocabulary.encode("\n" + text))
    with torch.no_grad():
        logits, _ = generator.model(ids[:-1].unsqueeze(1))
    nats = -logits[:, 0].log_softmax(-1).gather(1, ids[1:].unsqueeze(1)).double().mean()
    assert generator.evaluate(text)["bits"] == pytest.approx(float(nats) / math.log(2), rel=1e-5)


def test_documents_are_scored_each_from_its_beginning(generator: Generator) -> None:
    texts = [TEXT[begin : begin + 30 + begin % 50] for begin in range(0, 2000, 37)]
    scores = generator.score(texts)
    bits = -sum(one.log_probability for one in scores) / math.log(2) / sum(map(len, texts))
    evaluation = generator.evaluate(texts)
    assert evaluation["bits"] == pytest.approx(bits, rel=1e-5)
    assert f"{len(texts)} documents" in evaluation.held_out


def test_the_held_out_end_is_never_learnt_from() -> None:
    cut = round(0.9 * len(TEXT))
    one = small().fit(TEXT, budget=4, progress=False)
    other = small().fit(TEXT[:cut] + "#" * (len(TEXT) - cut), budget=4, progress=False)
    for name, tensor in one.model.state_dict().items():
        assert torch.equal(tensor, other.model.state_dict()[name])
    assert "#" not in other.vocabulary
    first, second = one.baseline.to_arrays(), other.baseline.to_arrays()
    for name, array in first.items():
        np.testing.assert_array_equal(second[name], array)
    assert one.evaluate()["bits"] != other.evaluate()["bits"]
    assert one.evaluate()["bits"] == pytest.approx(
        one.evaluate(TEXT[cut:])["bits"], rel=1e-6
    )  # the same stream from a fresh state


def test_a_network_that_loses_is_said_to_lose() -> None:
    with pytest.warns(NetworkLoses, match="the network LOSES"):
        model = small().fit(TEXT, budget=1, progress=False)
    evaluation = model.evaluate()
    assert evaluation.verdict == "network loses"
    assert evaluation.comparisons[0].network > evaluation.comparisons[0].baseline
    assert "LOSES" in str(evaluation)
    assert "Kneser-Ney" in str(evaluation)


def test_a_network_that_wins_is_not_said_to_lose() -> None:
    # what comes next depends on what stood far back, where no n-gram of order 8 can see it
    rng = np.random.default_rng(0)
    text = "".join(f"{'ab'[n]}{'-' * 12}{'ab'[n]}\n" for n in rng.integers(2, size=400))
    model = small(hidden_size=32, learning_rate=0.03)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NetworkLoses)
        model.fit(text, budget=300, progress=False)
    assert model.evaluate().verdict == "network wins"


def test_a_warm_start_goes_on_from_the_weights() -> None:
    model = small(warm_start=True).fit(TEXT, budget=20, progress=False)
    vocabulary = model.vocabulary
    before = {name: tensor.clone() for name, tensor in model.model.state_dict().items()}
    tiny = clone(model).set_params(learning_rate=1e-9)
    tiny.vocabulary, tiny.model, tiny.settings = vocabulary, model.model, model.settings
    tiny.fit(TEXT.upper() + TEXT, budget=1, progress=False)
    assert tiny.vocabulary == vocabulary
    for name, tensor in tiny.model.state_dict().items():
        assert torch.allclose(tensor, before[name], atol=1e-6)
    fresh = small(learning_rate=1e-9).fit(TEXT, budget=1, progress=False)
    assert not torch.allclose(fresh.model.readout.weight, before["readout.weight"], atol=1e-3)


def test_a_loaded_model_goes_on_training(tmp_path: Path) -> None:
    path = small(warm_start=True).fit(TEXT, budget=20, progress=False).save(tmp_path / "m.unrolled")
    back = unrolled.load(path)
    before = back.evaluate(TEXT)["bits"]
    back.fit(TEXT, budget=60, progress=False)
    assert back.evaluate(TEXT)["bits"] < before


def test_a_clone_has_the_settings_and_has_learnt_nothing(lstm: Generator) -> None:
    copy = clone(lstm)
    assert copy.get_params() == lstm.get_params()
    for ask in (copy.generate, copy.suggest, copy.evaluate, copy.start, lambda: copy.step("a")):
        with pytest.raises(NotFittedError, match="fit"):
            ask()


def test_the_card_says_where_the_model_came_from(lstm: Generator, tmp_path: Path) -> None:
    from hashlib import sha256

    from unrolled.training.modelfile import read_model

    card, _ = read_model(lstm.save(tmp_path / "model.unrolled"))
    assert card.task == "Generator"
    assert card.training is None
    assert card.provenance["data"]["sha256"] == sha256(TEXT.encode()).hexdigest()
    assert card.provenance["machine"]["torch"] == torch.__version__
    comparison = card.scores["comparisons"][0]
    assert comparison["network"] == lstm.evaluate()["bits"]


def test_the_loss_does_not_drift_over_a_stream_longer_than_any_in_training() -> None:
    # Every line is drawn anew, so that no part of the text is harder than another.
    draws = np.random.default_rng(0)
    text = "".join(f"{a} and {b} make {c}.\n" for a, b, c in draws.integers(100, size=(3000, 3)))
    model = small(rows=16, steps=16, resets=0.05)
    model.fit(text[:16_000], budget=120, holdout=0.2, progress=False, diagnose=False)
    longest = 0.8 * 16_000 * 0.95 / 16
    stream = text[16_000 : 16_000 + int(20 * longest)]
    scores = model.score(stream, per_token=True).tokens
    assert scores is not None
    nats = -np.array([p for _, p in scores])
    first, *_, last = (part.mean() for part in np.array_split(nats, 20))
    assert last < 1.03 * first


def test_auto_is_bfloat16_where_that_is_quicker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from unrolled.tasks import generator

    def used(model: Generator, data: object = TEXT, **options: object) -> str:
        model.fit(data, budget=1, progress=False, diagnose=False, **options)  # type: ignore[arg-type]
        return str(model._assets()["precision"])

    monkeypatch.setattr(generator, "supports_bfloat16", lambda device: True)
    quick = small(precision="auto")
    assert used(quick, run_dir=tmp_path) == "bf16"
    assert used(small()) == "fp32"
    assert used(small(precision="auto", cell="gru")) == "fp32"
    assert used(small(precision="auto"), [TEXT] * 3) == "fp32"
    loaded = unrolled.load(quick.save(tmp_path / "m.unrolled"))
    assert (loaded.precision, loaded._assets()["precision"]) == ("auto", "bf16")
    monkeypatch.setattr(generator, "supports_bfloat16", lambda device: False)
    assert used(small(precision="auto")) == "fp32"
    # A run that began on a machine that has it does not go on in another precision.
    with pytest.raises(ConfigError, match="holds a run with precision='bf16', now it is 'fp32'"):
        used(small(precision="auto"), run_dir=tmp_path, resume=True)


def test_resets_reach_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    from unrolled.tasks import generator

    seen: list[dict[str, object]] = []

    class Watched(generator.ContiguousBatches):
        def __init__(self, tokens: object, **options: object) -> None:
            seen.append(options)
            super().__init__(tokens, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(generator, "ContiguousBatches", Watched)
    model = small(resets=0.25, seed=3).fit(TEXT, budget=1, progress=False)
    assert seen[0]["resets"] == 0.25
    assert seen[0]["seed"] == 3
    assert list(seen[0]["document_starts"]) == [0]  # type: ignore[call-overload]
    assert model.settings.resets == 0.25
    assert small().fit(TEXT, budget=1, progress=False).settings.resets > 0
