"""`trace`: what it keeps is what the network did, whatever the network."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch import nn

import unrolled
from unrolled import Generator
from unrolled.errors import ConfigError, DTypeError, ModelFileError, UnrolledError
from unrolled.lens import Trace, trace
from unrolled.lens.traces import Expected, TracedLayer
from unrolled.tasks.base import Task
from unrolled.tasks.classifying.mixing import Mix

T, N, H = 7, 3, 5
TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(60))

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")


def layer_of(kind: str, package: Any = unrolled, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    layer: nn.Module = getattr(package, kind)(N, H, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=0.6)
    return layer


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(T, 1, N, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def writer() -> Generator:
    return Generator(hidden_size=12, layers=2, embedding_size=6, rows=4, steps=16).fit(
        TEXT, budget=30, progress=False
    )


def by_hand(layer: nn.Module, x: torch.Tensor) -> list[Any]:
    """The state after each step, by a call for each."""
    state, found = None, []
    for step in x:
        _, state = layer(step.unsqueeze(0), state)
        found.append(state)
    return found


@pytest.mark.parametrize("package", [unrolled, nn])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_states_are_those_of_each_step(kind: str, package: Any, x: torch.Tensor) -> None:
    layer = layer_of(kind, package, num_layers=2)
    traced = trace(layer, x)
    for place, state in enumerate(by_hand(layer, x)):
        parts = state if isinstance(state, tuple) else (state,)
        for index, one in enumerate(traced.layers):
            for name, part in zip(("h", "c"), parts, strict=False):
                np.testing.assert_allclose(
                    one.states[name][place], part[index, 0].detach(), rtol=1e-4, atol=1e-6
                )
    assert [(one.index, one.reverse) for one in traced.layers] == [(0, False), (1, False)]
    assert traced.inputs == tuple("1234567")


def test_gates_and_states_add_up(x: torch.Tensor) -> None:
    (lstm,) = trace(layer_of("LSTM"), x).layers
    i, f, g, o = (lstm.gates[name] for name in "ifgo")
    h, c = lstm.states["h"], lstm.states["c"]
    before = np.concatenate([np.zeros((1, H)), c[:-1]])
    np.testing.assert_allclose(c, f * before + i * g, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(h, o * np.tanh(c), rtol=1e-4, atol=1e-6)
    (gru,) = trace(layer_of("GRU"), x).layers
    before = np.concatenate([np.zeros((1, H)), gru.states["h"][:-1]])
    z, n = gru.gates["z"], gru.gates["n"]
    np.testing.assert_allclose(gru.states["h"], (1 - z) * n + z * before, rtol=1e-4, atol=1e-6)
    (rnn,) = trace(layer_of("RNN"), x).layers
    assert rnn.gates == {}


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_gradients_are_those_of_autograd(kind: str, x: torch.Tensor) -> None:
    layer = layer_of(kind)
    weights = torch.randn(T, 1, H, generator=torch.Generator().manual_seed(2))
    (one,) = trace(layer, x, loss=lambda outputs: (outputs[0] * weights).sum()).layers
    # By a call for each step: a change of the state after a step is a change of what comes later.
    states = by_hand(layer, x)
    for place, state in enumerate(states):
        parts = [
            part.detach().requires_grad_()
            for part in (state if isinstance(state, tuple) else (state,))
        ]
        after = tuple(parts) if len(parts) > 1 else parts[0]
        total = (parts[0][0] * weights[place]).sum()
        if place + 1 < T:
            y, _ = layer(x[place + 1 :], after)
            total = total + (y * weights[place + 1 :]).sum()
        wanted = torch.autograd.grad(total, parts, allow_unused=True)
        by_h, *by_c = [
            np.zeros(H) if gradient is None else gradient[0, 0].numpy() for gradient in wanted
        ]
        np.testing.assert_allclose(one.gradients["h"][place], by_h, rtol=1e-3, atol=1e-5)
        for own in by_c:  # the cell's memory acts through the output too: h = o tanh(c)
            through = one.gates["o"][place] * (1 - np.tanh(one.states["c"][place]) ** 2)
            np.testing.assert_allclose(
                one.gradients["c"][place], own + by_h * through, rtol=1e-3, atol=1e-5
            )
    assert trace(layer, x).layers[0].gradients == {}
    assert trace(layer, x).loss == ""


def test_a_layer_that_reads_backward_is_shown_in_the_order_of_time(x: torch.Tensor) -> None:
    layer = layer_of("GRU", bidirectional=True)
    forward, backward = trace(layer, x).layers
    y = layer(x)[0][:, 0].detach()
    np.testing.assert_allclose(forward.states["h"], y[:, :H], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(backward.states["h"], y[:, H:], rtol=1e-4, atol=1e-6)
    assert (forward.reverse, backward.reverse) == (False, True)


def test_a_cell_of_ones_own_and_linear_ones_are_traced(x: torch.Tensor) -> None:
    for layer in (
        unrolled.Recurrent(unrolled.SLSTMCell(N, H)),
        unrolled.Recurrent(unrolled.IndRNNCell(N, H)),
        unrolled.MinGRU(N, H),
        unrolled.LRUBlock(N),
    ):
        found = trace(layer, x, loss=lambda outputs: outputs[0].square().sum())
        for one in found.layers:
            assert one.steps == T
            assert np.isfinite(one.states["h"]).all()
            assert np.abs(one.gradients["h"]).sum() > 0
    assert set(trace(unrolled.MinGRU(N, H), x).layers[0].gates) == {"keep"}


def test_a_recurrent_of_several_cells_is_traced_layer_by_layer(x: torch.Tensor) -> None:
    cells = [unrolled.LSTMCell(N, H), unrolled.MinGRUCell(H, 4), unrolled.SLSTMCell(4, H)]
    layer = unrolled.Recurrent(cells)
    with torch.no_grad(), layer.record() as records:
        layer(x)
    (h, c), minimal, state = (record.states[0] for record in records)
    wanted = [{"h": h, "c": c}, {"h": minimal}, {"h": state.h, "s1": state.c}]
    for one, parts in zip(trace(layer, x).layers, wanted, strict=True):
        for name, part in parts.items():
            np.testing.assert_allclose(one.states[name], part[:, 0], rtol=1e-4, atol=1e-6)


def test_the_model_is_as_it_was(x: torch.Tensor) -> None:
    model = nn.Sequential(layer_of("LSTM", nn), nn.Identity()).train()
    draws = torch.get_rng_state()
    trace(model, x, loss=lambda outputs: outputs[0].sum())
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(draws, torch.get_rng_state())


def test_a_generator_is_traced_as_it_reads(writer: Generator) -> None:
    text = "7 and 7 make"
    found = trace(writer, text)
    assert "".join(found.inputs) == text
    assert [one.name for one in found.layers] == ["encoder.recurrent"] * 2
    score = Generator.score
    writer.ngram_weight = 0
    try:
        told = score(writer, text, per_token=True)
    finally:
        writer.ngram_weight = None
    np.testing.assert_allclose(
        found.losses[:-1], [-value for _, value in told.tokens[1:]], rtol=1e-3, atol=1e-4
    )
    assert np.isnan(found.losses[-1])
    state = writer.start(text)
    last = np.stack([one.states["h"][-1] for one in found.layers])
    np.testing.assert_allclose(last, state["h"][:, 0], rtol=1e-4, atol=1e-5)
    assert (np.diff(found.expected.chances, axis=1) <= 0).all()
    choices = dict(zip(found.expected.choices[2], found.expected.chances[2], strict=True))
    if text[3] in choices:
        assert -np.log(choices[text[3]]) == pytest.approx(found.losses[2], rel=1e-3)
    # What is read last costs nothing, so nothing is owed to the last state.
    assert not found.layers[1].gradients["h"][-1].any()
    assert found.layers[1].gradients["h"][0].any()


def test_of_a_long_text_the_last_steps_are_shown_with_a_warm_state(writer: Generator) -> None:
    whole, part = trace(writer, TEXT[:300]), trace(writer, TEXT[:300], steps=40)
    assert "".join(part.inputs) == TEXT[260:300]
    for one, other in zip(whole.layers, part.layers, strict=True):
        np.testing.assert_allclose(one.states["c"][-40:], other.states["c"], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(one.states["h"][-41], other.before["h"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(whole.losses[-40:], part.losses, rtol=1e-3, atol=1e-4)
    assert part.notes == (
        "Of 300 characters the last 40 are shown; the gradient stops where they begin.",
    )
    assert whole.notes == ()


def test_of_many_units_those_that_change_most_are_kept(writer: Generator) -> None:
    whole, part = trace(writer, TEXT[:100]), trace(writer, TEXT[:100], units=4)
    for one, other in zip(whole.layers, part.layers, strict=True):
        moved = one.states["h"].std(axis=0)
        assert set(other.units) == set(np.argsort(-moved)[:4])
        np.testing.assert_array_equal(other.gates["f"], one.gates["f"][:, other.units])
        np.testing.assert_array_equal(other.gradients["c"], one.gradients["c"][:, other.units])
    assert part.notes[0] == (
        "Of the 12 units of encoder.recurrent (layer 0) the 4 that change most are shown."
    )


def test_a_part_begins_where_the_steps_before_it_ended(x: torch.Tensor) -> None:
    forward, backward = trace(layer_of("GRU", bidirectional=True), x).layers
    middle = slice(2, 5)
    np.testing.assert_array_equal(forward.part(middle).before["h"], forward.states["h"][1])
    np.testing.assert_array_equal(backward.part(middle).before["h"], backward.states["h"][5])
    np.testing.assert_array_equal(forward.part(slice(0, 2)).before["h"], forward.before["h"])
    np.testing.assert_array_equal(backward.part(slice(4, 7)).before["h"], backward.before["h"])


def test_of_many_steps_of_a_module_the_last_are_kept(x: torch.Tensor) -> None:
    layer = layer_of("GRU")
    whole, part = trace(layer, x), trace(layer, x, steps=3)
    np.testing.assert_array_equal(part.layers[0].states["h"], whole.layers[0].states["h"][-3:])
    np.testing.assert_array_equal(part.layers[0].before["h"], whole.layers[0].states["h"][-4])
    assert part.inputs == ("5", "6", "7")
    assert part.notes == ("Of 7 steps the last 3 are shown.",)


def judged(**options: Any) -> Any:
    texts = [f"{n} is {'quite small' if n < 30 else 'rather large'}" for n in range(60)]
    model = unrolled.Classifier("words", hidden_size=10, embedding_size=6, **options)
    labels = ["a" if n < 30 else "b" for n in range(60)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit((texts, labels), budget=20, progress=False)


@pytest.mark.parametrize("steps", [1000, 3])
def test_a_classifier_is_traced_with_its_running_answer(steps: int) -> None:
    judge = judged(directions=1, linear=False)
    judge.mix = Mix(network=3.0, network_alone=3.0)
    found = trace(judge, "7 is quite small", steps=steps)
    words = ["7", "is", "quite", "small"]
    assert list(found.inputs) == words[-steps:]
    running = [list(one.values()) for _, one in judge.running("7 is quite small")]
    np.testing.assert_allclose(found.answers.chances, running[-steps:], rtol=1e-3, atol=1e-4)
    assert found.answers.names == ("a", "b")
    answer = judge.predict("7 is quite small")
    assert found.loss == f"what the answer \u201c{answer}\u201d costs"
    assert found.influence.of == f"the score of the answer \u201c{answer}\u201d"
    (layer,) = found.layers
    assert layer.gradients["h"].any(axis=1).all()
    assert found.notes == (
        ()
        if steps > 4
        else ("Of 4 words the last 3 are shown; the gradient stops where they begin.",)
    )


def test_a_classifier_of_two_directions_says_why_it_has_no_running_answer() -> None:
    judge = judged(directions=2, linear=False)
    chunk = judge.model.chunk
    found = trace(judge, "7 is quite small")
    assert found.answers is None
    assert found.notes == ("An answer after every step needs a network that reads forward only.",)
    assert [one.reverse for one in found.layers] == [False, True]
    assert judge.model.chunk == chunk
    # What is seen is what answered: both directions read the whole document at once.
    ids = torch.tensor([1, *judge.vocabulary.encode("7 is quite small")]).unsqueeze(1)
    with torch.no_grad():
        whole, _ = judge.model.encoder(ids)
    for one, part in zip(found.layers, whole[1:, 0].split(10, dim=-1), strict=True):
        np.testing.assert_allclose(one.states["h"], part, rtol=1e-4, atol=1e-6)
    with pytest.raises(ConfigError, match="4 words, expected 3 at most of a model that reads in"):
        trace(judge, "7 is quite small", steps=3)
    judge.model.chunk = 4  # each part of a longer text would be read backward by itself
    with pytest.raises(ConfigError, match="4 words, expected 3 at most"):
        trace(judge, "7 is quite small")


def test_a_long_text_is_traced_in_one_piece() -> None:
    judge = judged(directions=1, linear=False)
    judge.model.chunk = 3
    text = "7 is quite small and 9 is rather large"
    found = trace(judge, text)
    assert len(found) == 9
    running = [list(one.values()) for _, one in judge.running(text)]
    np.testing.assert_allclose(found.answers.chances, running, rtol=1e-3, atol=1e-4)


def test_a_tagger_is_traced_with_the_tags_of_the_sentence() -> None:
    nouns, verbs = ("cat", "dog", "bird", "child"), ("sleeps", "runs", "sings")
    words = [["the", noun, verb, "well"] for noun in nouns for verb in verbs]
    tags = [["D", "N", "V", "A"]] * len(words)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tagger = unrolled.Tagger(hidden_size=6, layers=1, embedding_size=6, members=2).fit(
            (words, tags), budget=5, progress=False
        )
    found = trace(tagger, ["the", "dog", "sleeps"])
    assert found.inputs == ("the", "dog", "sleeps")
    assert [one.name for one in found.layers] == ["members.0.recurrent"] * 2 + [
        "members.1.recurrent"
    ] * 2
    np.testing.assert_allclose(
        found.answers.chances, tagger.predict_proba([["the", "dog", "sleeps"]])[0], rtol=1e-5
    )
    assert found.answers.names == tagger.classes
    assert all(one.gradients["h"].any() for one in found.layers)
    assert trace(tagger, "The dog sleeps").inputs == ("The", "dog", "sleeps")
    for wrong, message in (
        ("One. Two.", "2 sentences"),
        ([], "a list of its words"),
        (["the", ""], "a list of its words"),
        ((["the"], 3), "a list of its words"),
        (3, "a list of its words"),
    ):
        with pytest.raises(ConfigError, match=message):
            trace(tagger, wrong)
    assert (found.answers.running, found.answers.truth, found.losses) == (False, (), None)
    assert list(found.answers.chosen) == tagger.predict([["the", "dog", "sleeps"]])[0]
    right = trace(tagger, (["the", "dog", "sleeps"], ["D", "V", "N"]))
    assert right.answers.truth == ("D", "V", "N")
    places = [tagger.classes.index(tag) for tag in "DVN"]
    np.testing.assert_allclose(
        right.losses, -np.log(right.answers.chances[np.arange(3), places]), rtol=1e-5
    )
    assert (right.layers[0].gradients["h"] != found.layers[0].gradients["h"]).any()
    with pytest.raises(ConfigError, match="got 1 tags, expected 2, one a word"):
        trace(tagger, (["the", "dog"], ["D"]))
    with pytest.raises(ConfigError, match="got the tag 'X', expected one of A, D, N, V"):
        trace(tagger, (["the", "dog"], ["D", "X"]))
    with pytest.raises(ConfigError, match="3 words, expected 2 at most"):
        trace(tagger, ["the", "dog", "sleeps"], steps=2)


def test_a_task_that_can_not_be_traced_is_told() -> None:
    class Fifth(Task):
        def _check_fitted(self) -> None:
            self.model = layer_of("RNN")

    with pytest.raises(ConfigError, match="got a Fifth, expected a Forecaster, a Generator"):
        trace(Fifth(), "x")


def test_words_are_shown_as_words() -> None:
    model = Generator("words", hidden_size=8, embedding_size=8, rows=2, steps=8)
    model.fit(TEXT, budget=2, progress=False)
    assert trace(model, "7 and 7 make 14").inputs == ("7", "and", "7", "make", "14")


def test_several_networks_are_all_traced() -> None:
    model = Generator(members=2, hidden_size=8, embedding_size=4, rows=2, steps=8)
    model.fit(TEXT, budget=2, progress=False)
    found = trace(model, "7 and")
    assert [one.name for one in found.layers] == [
        "members.0.encoder.recurrent",
        "members.1.encoder.recurrent",
    ]


def test_a_file_gives_the_trace_back(writer: Generator, tmp_path: Path) -> None:
    found = trace(writer, "<script>alert(1)</script> 7 \u20ac\n")
    back = Trace.load(found.save(tmp_path / "a.trace"))
    for name in ("model", "inputs", "notes", "loss"):
        assert getattr(back, name) == getattr(found, name)
    assert back.loss == "what all next tokens cost together"
    np.testing.assert_array_equal(back.losses, found.losses)
    assert back.expected.choices == found.expected.choices
    np.testing.assert_array_equal(back.expected.chances, found.expected.chances)
    for one, other in zip(found.layers, back.layers, strict=True):
        assert (one.name, one.index, one.reverse, one.cell) == (
            other.name,
            other.index,
            other.reverse,
            other.cell,
        )
        assert one.rates == other.rates
        for part in ("states", "before", "gates", "gradients", "terms", "half_lives"):
            mine, theirs = getattr(one, part), getattr(other, part)
            assert mine.keys() == theirs.keys()
            for name, values in mine.items():
                np.testing.assert_array_equal(values, theirs[name])
    assert back.influence.of == found.influence.of
    for part in ("size", "product"):
        np.testing.assert_array_equal(getattr(back.influence, part), getattr(found.influence, part))
    judge = judged(directions=1)
    judged_trace = trace(judge, "7 is small")
    same = Trace.load(judged_trace.save(tmp_path / "c.trace"))
    assert same.answers.names == ("a", "b")
    np.testing.assert_array_equal(same.answers.chances, judged_trace.answers.chances)
    plain = trace(layer_of("RNN"), torch.zeros(2, 1, N))
    again = Trace.load(plain.save(tmp_path / "b.trace"))
    assert (again.losses, again.expected) == (None, None)


def test_a_file_that_is_no_trace_is_told(tmp_path: Path) -> None:
    path = trace(layer_of("RNN"), torch.zeros(2, 1, N)).save(tmp_path / "a.trace")
    blob = path.read_bytes()
    arrays = load(blob)
    card = json.loads(
        json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]["trace"]
    )
    wrong = {
        "truncated": (blob[:-20], "not a complete file"),
        "nothing": (b"", "not a complete file"),
        "other": (save(arrays), "without a trace"),
        "newer": (
            save(arrays, metadata={"trace": json.dumps({**card, "format": 5})}),
            "format 5, this version reads 4",
        ),
        "no card": (save(arrays, metadata={"trace": "{"}), "do not belong together"),
        "deep": (save(arrays, metadata={"trace": '{"a":' * 100_000}), "do not belong together"),
        "no text": (
            save(arrays, metadata={"trace": json.dumps({**card, "model": {}})}),
            "do not belong together",
        ),
        "no states": (
            save(
                arrays,
                metadata={
                    "trace": json.dumps({**card, "layers": [{**card["layers"][0], "states": []}]})
                },
            ),
            "do not belong together",
        ),
        "a list": (save(arrays, metadata={"trace": "[]"}), "do not belong together"),
        "missing": (
            save({"x": np.zeros(1)}, metadata={"trace": json.dumps(card)}),
            "do not belong together",
        ),
        "uneven": (
            save(arrays, metadata={"trace": json.dumps({**card, "inputs": ["1"]})}),
            "do not belong together",
        ),
    }
    for name, (content, message) in wrong.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFileError, match=message):
            Trace.load(tmp_path / name)
    with pytest.raises(ModelFileError, match="check the path"):
        Trace.load(tmp_path / "not there")


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (nn.Linear(3, 3), torch.zeros(2, 1, 3), "has none"),
        (layer_of("RNN"), torch.zeros(2, 4, 3), "4 sequences, expected one"),
        (nn.Sequential(), torch.zeros(2, 1, 3), "has none"),
    ],
)
def test_what_can_not_be_traced_is_told(model: Any, given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        trace(model, given)


def test_bad_arguments_are_told(writer: Generator, x: torch.Tensor) -> None:
    for given, message in (("", "at least one character"), (3, "expected a text")):
        with pytest.raises(ConfigError, match=message):
            trace(writer, given)
    with pytest.raises(ModelFileError, match="check the path"):
        trace("model", "text")
    with pytest.raises(DTypeError, match="expected a torch"):
        trace(3, "text")
    for given in ("hello", None, x.numpy()):
        with pytest.raises(ConfigError, match="expected a tensor that the module reads"):
            trace(layer_of("RNN"), given)
    with pytest.raises(ConfigError, match="loss: got str"):
        trace(layer_of("RNN"), x, loss="mse")
    with pytest.raises(ConfigError, match="inputs: got int"):
        trace(layer_of("RNN"), x, inputs=3)
    with pytest.raises(ConfigError, match="does not depend on what the recurrent layers gave"):
        trace(layer_of("RNN"), x, loss=lambda outputs: outputs[0].detach().sum())
    with pytest.raises(ConfigError, match="a task has its own"):
        trace(writer, "7", inputs=["7"])
    with pytest.raises(ConfigError, match="inputs: got 2 names, expected 7"):
        trace(layer_of("RNN"), x, inputs=["a", "b"])
    for name in ("steps", "units"):
        with pytest.raises(ConfigError, match=f"{name}: got 0"):
            trace(writer, "7", **{name: 0})
    with pytest.raises(UnrolledError, match="fit"):
        trace(Generator(), "7")


def test_a_text_of_one_token_has_no_loss_and_no_gradient(writer: Generator) -> None:
    found = trace(writer, "7")
    assert np.isnan(found.losses).all()
    assert found.layers[0].gradients == {}


def test_records_check_their_lengths() -> None:
    values, cuts = np.zeros((2, 3), dtype=np.float32), np.zeros(2, dtype=bool)
    plain = {"h": values}, {"h": values[0]}, cuts
    for wrong, message in (
        ((*plain, {"f": values[:1]}), "gates 'f'"),
        ((*plain, {}, {"h": values}), "norms 'h': got none"),
        (({"h": values}, {}, cuts), "before 'h': got none"),
        (({"c": values}, {"c": values[0]}, cuts), "no state 'h'"),
        (({"h": values.astype(float)}, {"h": values[0]}, cuts), "got float64"),
        (({"h": values}, {"h": values[0]}, cuts[:1]), "cuts"),
    ):
        with pytest.raises(ConfigError, match=message):
            TracedLayer("a", 0, False, "LSTM", np.arange(3), *wrong)
    layer = TracedLayer("a", 0, False, "LSTM", np.arange(3), *plain)
    with pytest.raises(ConfigError, match="layer a: got 2 steps, expected 1"):
        Trace("a", ("1",), (layer,))
    with pytest.raises(ConfigError, match="losses"):
        Trace("a", ("1", "2"), (layer,), losses=np.zeros((2, 2), dtype=np.float32))
    with pytest.raises(ConfigError, match="a step and a layer at least"):
        Trace("a", (), ())
    with pytest.raises(ConfigError, match="chances"):
        Expected((("a", "b"),), np.zeros((1, 1), dtype=np.float32))


def test_padding_is_no_step_and_a_new_sequence_is_marked(x: torch.Tensor) -> None:
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer_of("GRU", bidirectional=True)

        def forward(self, x: torch.Tensor) -> Any:
            return self.layer(x, lengths=torch.tensor([4]))

    model = Padded()
    y = model(x)[0][:4, 0].detach()
    found = trace(model, x, loss=lambda outputs: outputs[0].square().sum())
    assert len(found) == 4
    for one, part in zip(found.layers, y.split(H, dim=-1), strict=True):
        np.testing.assert_allclose(one.states["h"], part, rtol=1e-4, atol=1e-6)

    class Restarted(Padded):
        def forward(self, x: torch.Tensor) -> Any:
            starts = torch.zeros(T, 1, dtype=torch.bool)
            starts[3] = True
            return self.layer(x, starts=starts)

    for one in trace(Restarted(), x).layers:
        before = np.zeros((T, H), dtype=np.float32)
        if one.reverse:
            before[:-1] = one.states["h"][1:]
        else:
            before[1:] = one.states["h"][:-1]
        before[one.cuts] = 0
        assert one.cuts.sum() == 1
        z, n = one.gates["z"], one.gates["n"]
        np.testing.assert_allclose(one.states["h"], (1 - z) * n + z * before, rtol=1e-4, atol=1e-6)


def test_gradients_in_inference_mode_are_those_outside(x: torch.Tensor, writer: Generator) -> None:
    layer = layer_of("LSTM")

    def loss(outputs: Any) -> torch.Tensor:
        return outputs[0].square().sum()

    want = trace(layer, x, loss=loss).layers[0].gradients["h"]
    with torch.inference_mode():
        found = trace(layer, x + 0, loss=loss).layers[0].gradients["h"]
        inside = trace(writer, "7 and").layers[0].gradients["h"]
    np.testing.assert_array_equal(found, want)
    np.testing.assert_array_equal(inside, trace(writer, "7 and").layers[0].gradients["h"])


def test_norms_are_of_all_units(writer: Generator) -> None:
    whole, part = trace(writer, "7 and 7"), trace(writer, "7 and 7", units=3)
    for one, other in zip(whole.layers, part.layers, strict=True):
        np.testing.assert_allclose(
            other.norms["h"], np.linalg.norm(one.gradients["h"], axis=1), rtol=1e-5
        )


def test_a_unit_that_has_blown_up_is_kept() -> None:
    layer = unrolled.Recurrent(unrolled.IndRNNCell(N, H))
    with torch.no_grad():
        next(p for p in layer.parameters() if p.shape == (H,))[2] = torch.inf
    found = trace(layer, torch.ones(T, 1, N), units=2)
    assert 2 in found.layers[0].units


def test_a_layer_that_is_called_several_times_is_told(x: torch.Tensor) -> None:
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = layer_of("GRU")

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = None
            for step in x:
                _, state = self.gru(step[None], state)
            return state

    assert trace(Loop(), x).notes == (
        "The layer gru was called 7 times; the longest call is shown.",
    )


def test_a_task_in_training_mode_is_traced_as_it_answers() -> None:
    model = Generator(hidden_size=8, embedding_size=4, rows=2, steps=8, dropout=0.5)
    model.fit(TEXT, budget=2, progress=False)
    want = trace(model, TEXT[:60], steps=20)
    model.model.train()
    draws = torch.get_rng_state()
    found = trace(model, TEXT[:60], steps=20)
    np.testing.assert_array_equal(found.losses, want.losses)
    assert model.model.training
    assert torch.equal(draws, torch.get_rng_state())


def test_a_projected_layer_shows_its_output_and_says_so(x: torch.Tensor) -> None:
    found = trace(layer_of("LSTM", proj_size=2), x)
    assert found.layers[0].states["h"].shape == (T, 2)
    assert (list(found.layers[0].states), found.layers[0].gates) == (["h"], {})
    assert found.notes == (
        "The memory of LSTM has another size than its output, and is not shown.",
    )


def test_what_a_module_gives_does_not_matter_without_a_loss(x: torch.Tensor) -> None:
    class Gives(nn.Module):
        def __init__(self, give: Any) -> None:
            super().__init__()
            self.layer, self.give = layer_of("RNN"), give

        def forward(self, x: torch.Tensor) -> Any:
            return self.give(self.layer(x)[0])

    for give in (lambda y: {"y": y}, lambda y: y.argmax(), lambda y: None):
        assert len(trace(Gives(give), x)) == T
    packed = nn.utils.rnn.pack_padded_sequence(x, [T])
    assert len(trace(layer_of("RNN", nn), packed)) == T


def test_white_space_is_no_text_of_words() -> None:
    model = Generator("words", hidden_size=8, embedding_size=8, rows=2, steps=8)
    model.fit(TEXT, budget=2, progress=False)
    with pytest.raises(ConfigError, match="without a token"):
        trace(model, "   ")


def test_a_file_of_a_model_will_do(writer: Generator, tmp_path: Path) -> None:
    path = writer.save(tmp_path / "m.unrolled")
    np.testing.assert_array_equal(trace(path, "7 and").losses, trace(writer, "7 and").losses)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_norms_hold_where_squares_are_beyond_float32(scale: float, x: torch.Tensor) -> None:
    found = trace(layer_of("RNN"), x, loss=lambda y: scale * y[0][-1].sum())
    (layer,) = found.layers
    expected = np.linalg.norm(layer.gradients["h"].astype(np.float64), axis=1)
    assert (expected > 0).all()
    np.testing.assert_allclose(layer.norms["h"], expected, rtol=1e-5)


class Counting(nn.Module):
    """h' = h + x, in a state of one's own kind."""

    def project(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def step(self, projected_t: torch.Tensor, state: torch.Tensor) -> Any:
        return projected_t, (state + 1 if self.whole else state + projected_t)

    def initial_state(self, batch: int, like: torch.Tensor) -> torch.Tensor:
        kind = torch.int64 if self.whole else like.dtype
        return torch.zeros(batch, like.shape[-1], dtype=kind)

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole
        self.weight = nn.Parameter(torch.zeros(1))


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN_TANH"])
def test_a_cell_of_ones_own_may_be_called_as_a_known_one(name: str, x: torch.Tensor) -> None:
    own = type(name, (Counting,), {})(whole=False)
    (layer,) = trace(unrolled.Recurrent(own), x).layers
    assert layer.cell == f"{name} cell"
    assert layer.gates == {}
    np.testing.assert_allclose(layer.states["h"], x[:, 0].cumsum(0), rtol=1e-5)


def test_a_state_of_whole_numbers_is_told(x: torch.Tensor) -> None:
    with pytest.raises(ConfigError, match="Counting: got a state of whole numbers alone"):
        trace(unrolled.Recurrent(Counting(whole=True)), x)


def test_a_file_with_damaged_parts_is_told(tmp_path: Path) -> None:
    path = trace(layer_of("RNN"), torch.zeros(2, 1, N)).save(tmp_path / "a.trace")
    blob = path.read_bytes()
    arrays = load(blob)
    card = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]["trace"]
    flat = {**arrays, "layer.0.states.h": np.array(1.0, dtype=np.float32)}
    rates = json.loads(card)
    rates["layers"][0]["rates"] = {"h": 2.0}
    for content in (
        save(flat, metadata={"trace": card}),
        save(arrays, metadata={"trace": json.dumps(rates)}),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match="do not belong together"):
            Trace.load(path)
