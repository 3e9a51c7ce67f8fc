"""What a trace says of memory: influences are gradients, half-lives are those of disturbances."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import unrolled
from unrolled import Generator
from unrolled.errors import ConfigError
from unrolled.lens import Trace, trace, tracing_layers, tracing_memory
from unrolled.lens.trace_parts import Influence

T, N, H = 9, 3, 5
TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(40))

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")


def layer_of(kind: str, package: Any = unrolled, **options: Any) -> Any:
    torch.manual_seed(0)
    layer = getattr(package, kind)(N, H, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=0.6)
    return layer


@pytest.fixture
def x() -> Tensor:
    return torch.randn(T, 1, N, generator=torch.Generator().manual_seed(1))


def by_autograd(outputs: list[Tensor], x: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """`(T, T)`: of each output, by each input."""
    size, product = [], []
    for output in outputs:
        (d_x,) = torch.autograd.grad(output, x, retain_graph=True)
        size.append(d_x[:, 0].norm(dim=1).numpy())
        product.append((d_x * x)[:, 0].sum(1).detach().numpy())
    return np.array(size), np.array(product)


def measured(found: Trace) -> tuple[np.ndarray, np.ndarray]:
    steps = len(found)
    assert found.influence is not None
    rows = [found.influence.at(step, steps) for step in range(steps)]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def same(one: Any, other: Any) -> None:
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("package", [unrolled, nn])
def test_influence_is_the_gradient_by_each_input(
    package: Any, kind: str, options: dict[str, Any], x: Tensor
) -> None:
    layer = layer_of(kind, package, **options)
    x.requires_grad_()
    y, _ = layer(x)
    expected = by_autograd([row.norm() for row in y[:, 0]], x)
    found = trace(layer, x.detach())
    assert found.influence is not None
    assert found.influence.of == "the size of what the layer gives"
    same(measured(found), expected)


def test_influence_goes_so_many_inputs_back(x: Tensor) -> None:
    layer = layer_of("LSTM")
    whole, part = trace(layer, x), trace(layer, x, reach=3)
    assert part.influence is not None
    assert part.influence.size.shape == (T, 3)
    back = np.subtract.outer(np.arange(T), np.arange(T))
    for mine, theirs in zip(measured(part), measured(whole), strict=True):
        np.testing.assert_allclose(mine, np.where(back < 3, theirs, 0), rtol=1e-4, atol=1e-7)
    none = trace(layer, x, reach=0)
    assert none.influence is None
    assert "measured" not in none.layers[0].half_lives
    last = trace(layer, x, steps=4)
    same(measured(last), [one[-4:, -4:] for one in measured(whole)])


def test_many_rows_give_what_few_give(x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of("GRU")
    whole = measured(trace(layer, x))
    monkeypatch.setattr(tracing_memory, "ROWS", 2)
    same(measured(trace(layer, x)), whole)


def test_a_new_sequence_remembers_nothing_of_the_one_before(x: Tensor) -> None:
    layer = layer_of("LSTM")
    starts = torch.zeros(T, 1, dtype=torch.bool)
    starts[4] = True

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Any:
            return self.layer(x, starts=starts)

    size, _ = measured(trace(Model(), x))
    assert (size[4:, :4] == 0).all()
    assert (size[4:, 4:][np.tril_indices(T - 4)] > 0).all()
    assert (size[3, :4] > 0).all()


def test_several_layers_one_by_one_have_no_influence_and_say_so(x: Tensor) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.GRU(N, H), nn.GRU(H, H)

        def forward(self, x: Tensor) -> Any:
            return self.two(self.one(x)[0])

    found = trace(Two(), x)
    assert found.influence is None
    assert any("The influence of the inputs is not measured" in note for note in found.notes)


@pytest.mark.parametrize("members", [1, 2])
def test_of_a_generator_it_is_on_what_it_expects_most(members: int) -> None:
    writer = Generator(
        members=members, hidden_size=8, layers=2, embedding_size=4, rows=2, steps=8
    ).fit(TEXT, budget=3, progress=False)
    text = "7 and 7 make 14"
    found = trace(writer, text)
    model = writer.model.each[0].eval()
    ids = torch.tensor([*writer.vocabulary.encode("\n"), *writer.vocabulary.encode(text)])
    embedded = model.encoder.embed(ids.unsqueeze(1)).detach().requires_grad_()
    hidden, _ = model.recurrent(embedded)
    best = model.scores(hidden)[:, 0].log_softmax(-1).max(-1).values
    expected = by_autograd(list(best[1:]), embedded)
    same(measured(found), [one[:, 1:] for one in expected])
    assert found.influence is not None
    assert ("of the first of 2 networks" in found.influence.of) is (members == 2)


def judged(**options: Any) -> Any:
    texts = [f"{n} is {'quite small' if n < 20 else 'rather large'}" for n in range(40)]
    model = unrolled.Classifier("words", hidden_size=8, embedding_size=6, linear=False, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        labels = ["a" if n < 20 else "b" for n in range(40)]
        return model.fit((texts, labels), budget=5, progress=False)


@pytest.mark.parametrize("steps", [1000, 3])
def test_of_a_classifier_it_is_on_the_answer_so_far(steps: int) -> None:
    judge = judged(directions=1)
    text = "7 is quite small and 9 is rather large"
    found = trace(judge, text, steps=steps)
    model = judge.model
    ids = torch.tensor([1, *judge.vocabulary.encode(text)]).unsqueeze(1)
    embedded = model.encoder.embed(ids).detach().requires_grad_()
    chosen = [str(name) for name in judge.labels.names].index(str(judge.predict(text)))
    answers = [model.answer(model.read(embedded[:k], None, None)[1]) for k in range(2, 11)]
    size, product = by_autograd([answer[0, chosen] for answer in answers], embedded)
    same(measured(found), [one[-steps:, 1:][:, -steps:] for one in (size, product)])


def test_of_a_classifier_in_two_directions_it_is_on_its_one_answer() -> None:
    judge = judged(directions=2)
    found = trace(judge, "7 is quite small")
    model = judge.model
    ids = torch.tensor([1, *judge.vocabulary.encode("7 is quite small")]).unsqueeze(1)
    embedded = model.encoder.embed(ids).detach().requires_grad_()
    answer = model.answer(model.read(embedded, None, None)[1])
    chosen = [str(name) for name in judge.labels.names].index(
        str(judge.predict("7 is quite small"))
    )
    size, product = by_autograd([answer[0, chosen]], embedded)
    assert found.influence is not None
    assert found.influence.size.shape == (1, 4)
    for step in (0, 3):
        same(found.influence.at(step, 4), [size[0, 1:], product[0, 1:]])


def test_of_a_tagger_it_is_on_the_chosen_tag() -> None:
    nouns, verbs = ("cat", "dog", "bird"), ("sleeps", "runs")
    words = [["the", noun, verb, "well"] for noun in nouns for verb in verbs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tagger = unrolled.Tagger(hidden_size=6, layers=1, embedding_size=6, members=1).fit(
            (words, [["D", "N", "V", "A"]] * len(words)), budget=5, progress=False
        )
    sentence = ["the", "dog", "sleeps"]
    found = trace(tagger, sentence)
    member = tagger.model.each[0]
    rows = torch.from_numpy(tagger.forms.rows(sentence)).unsqueeze(1)
    read = member.reader(rows).detach().requires_grad_()
    emissions = member.readout(member.recurrent(read)[0])[:, 0]
    said = [tagger.classes.index(tag) for tag in tagger.predict([sentence])[0]]
    expected = by_autograd([row[tag] for row, tag in zip(emissions, said, strict=True)], read)
    same(measured(found), expected)


def test_a_record_of_influence_checks_itself() -> None:
    with pytest.raises(ConfigError, match="influence, product"):
        Influence("x", np.zeros((2, 2), np.float32), np.zeros((2, 3), np.float32))
    with pytest.raises(ConfigError, match="ahead: got -1"):
        Influence("x", np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32), -1)
    with pytest.raises(ConfigError, match="expected steps and inputs"):
        Influence("x", np.zeros(2, np.float32), np.zeros(2, np.float32))


def logistic(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


CELLS: dict[str, Callable[[], Any]] = {
    "RNN": lambda: layer_of("RNN"),
    "relu": lambda: layer_of("RNN", nonlinearity="relu"),
    "GRU": lambda: layer_of("GRU", layer_norm=True),
    "LSTM": lambda: layer_of("LSTM", bidirectional=True),
    "peephole": lambda: layer_of("LSTM", peephole=True),
    "norm": lambda: layer_of("LSTM", layer_norm=True, zoneout=(0.2, 0.3)),
    "zoneout": lambda: layer_of("GRU", zoneout=0.25),
    "minGRU": lambda: layer_of("MinGRU"),
    "torch": lambda: layer_of("LSTM", nn),
}


@pytest.mark.parametrize("name", CELLS)
def test_all_numbers_of_a_step_add_up(name: str, x: Tensor) -> None:
    """Gates from their terms, states from gates; with zoneout, norm and peepholes."""
    found = trace(CELLS[name](), x)
    layer = found.layers[-1]
    rates, gates, terms = layer.rates, layer.gates, layer.terms

    def old(state: str) -> np.ndarray:
        rows = layer.states[state]
        first = layer.before[state][None]
        return np.concatenate([rows[1:], first] if layer.reverse else [first, rows[:-1]])

    def total(gate: str) -> np.ndarray:
        return sum(terms[key] for key in (f"{gate}.x", f"{gate}.h", f"{gate}.c") if key in terms)

    def close(one: np.ndarray, other: np.ndarray) -> None:
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)

    for gate in "ifor" if layer.cell == "LSTM" else "rz":
        if gate in gates:
            close(gates[gate], logistic(total(gate)))
    if layer.cell == "LSTM":
        close(gates["g"], np.tanh(total("g")))
        c = gates["f"] * old("c") + gates["i"] * gates["g"]
        h = gates["o"] * np.tanh(terms.get("c.n", c))
        keep = rates.get("c", 0.0)
        close(layer.states["c"], keep * old("c") + (1 - keep) * c)
    elif layer.cell == "GRU":
        close(gates["n"], np.tanh(terms["n.x"] + gates["r"] * terms["n.h"]))
        h = (1 - gates["z"]) * gates["n"] + gates["z"] * old("h")
    elif layer.cell.startswith("RNN"):
        h = np.tanh(total("h")) if layer.cell == "RNN_TANH" else np.maximum(total("h"), 0)
    else:
        h = terms["h.a"] * old("h") + terms["h.b"]
        close(terms["h.a"], gates["keep"])
    keep = rates.get("h", 0.0)
    close(layer.states["h"], keep * old("h") + (1 - keep) * h)
    assert (keep > 0) is (name in ("norm", "zoneout"))


def test_too_many_terms_are_left_out_with_a_word(
    x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing_layers, "TERMS", 10)
    found = trace(layer_of("GRU"), x)
    assert found.layers[0].terms == {}
    assert "What each gate is made of is not kept: 270 numbers, 10 at most" in found.notes[0]


def test_a_disturbance_of_a_linear_unit_halves_as_its_gate_says() -> None:
    """h' = a h + b: what a unit loses is a, and nothing comes back from the others."""
    layer = unrolled.MinGRU(N, H)
    with torch.no_grad():
        layer.weight_l0.zero_()  # the gates are the same at every step
        layer.bias_l0.copy_(torch.linspace(-4, 1, 2 * H))
    (traced,) = trace(layer, torch.randn(200, 1, N)).layers
    keep = traced.gates["keep"][0].astype(float)
    expected = np.log(2) / -np.log(keep)
    np.testing.assert_allclose(traced.half_lives["gates"], expected, rtol=1e-4)
    np.testing.assert_allclose(traced.half_lives["measured"], expected, rtol=1e-2)


def test_a_unit_that_holds_for_ever_has_no_half_life() -> None:
    layer = layer_of("RNN", nonlinearity="relu")
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.weight_hh_l0.copy_(torch.eye(H))
        layer.bias_ih_l0.fill_(1.0)
    (traced,) = trace(layer, torch.zeros(40, 1, N)).layers
    assert "gates" not in traced.half_lives
    assert traced.half_lives["measured"].tolist() == [math.inf] * H
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
    (traced,) = trace(layer, torch.zeros(40, 1, N)).layers
    assert (traced.half_lives["measured"] < 1).all()


def test_of_a_layer_that_reads_backward_half_lives_are_in_its_own_order(x: Tensor) -> None:
    layer = layer_of("GRU", bidirectional=True)
    forward, backward = trace(layer, x).layers
    other = layer_of("GRU")
    with torch.no_grad():
        for name, parameter in other.named_parameters():
            parameter.copy_(getattr(layer, f"{name}_reverse"))
    (alone,) = trace(other, x.flip(0)).layers
    np.testing.assert_allclose(
        backward.half_lives["measured"], alone.half_lives["measured"], rtol=1e-4
    )
    assert not np.allclose(forward.half_lives["measured"], backward.half_lives["measured"])


def test_half_lives_follow_the_units_that_are_kept(x: Tensor) -> None:
    whole, part = (
        trace(layer_of("LSTM"), x).layers[0],
        trace(layer_of("LSTM"), x, units=2).layers[0],
    )
    for how in ("gates", "measured"):
        np.testing.assert_array_equal(part.half_lives[how], whole.half_lives[how][part.units])


def test_reach_is_a_number_from_0_up(x: Tensor) -> None:
    with pytest.raises(ConfigError, match="reach: got -1"):
        trace(layer_of("RNN"), x, reach=-1)


def test_what_would_take_long_is_not_measured_unless_asked_for(
    x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing_memory, "WORK", 1.0)
    for options in ({}, {"bidirectional": True}):
        layer = layer_of("GRU", **options)
        found = trace(layer, x)
        assert found.influence is None
        assert "The influence of the inputs is not measured: it would take long" in found.notes[-1]
        asked = trace(layer, x, reach=2)
        assert asked.influence is not None
        assert not any("influence" in note for note in asked.notes)


def test_outputs_before_the_steps_that_are_shown_are_not_asked_about(
    x: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    plain = tracing_memory.follow_from

    def follow(layer: Any, rows: Tensor, *rest: Any) -> Any:
        asked.append(list(rows.shape[:2]))
        return plain(layer, rows, *rest)

    monkeypatch.setattr(tracing_memory, "follow_from", follow)
    trace(layer_of("LSTM"), x, steps=2)
    assert asked == [[T, 2]]


def test_few_rows_at_once_where_each_is_large(x: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = layer_of("LSTM", bidirectional=True)
    whole = measured(trace(layer, x))
    monkeypatch.setattr(tracing_memory, "NUMBERS", 1.0)
    same(measured(trace(layer, x)), whole)


def test_numbers_that_are_too_coarse_have_no_measured_half_life(x: Tensor) -> None:
    (traced,) = trace(layer_of("LSTM").bfloat16(), x.bfloat16()).layers
    assert set(traced.half_lives) == {"gates"}
    report = unrolled.diagnose(
        layer := layer_of("LSTM").bfloat16(),
        lambda: layer(x.bfloat16())[0].float().square().mean(),
        warn=False,
    )
    assert report.layers[0].half_life_measured is None
