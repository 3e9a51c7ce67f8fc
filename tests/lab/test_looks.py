"""The gradient through time is the last answer's by the whole state; a look changes nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from unrolled.lab.contest import Contest
from unrolled.lab.looks import look
from unrolled.lab.settings import LabSettings, StudentSettings


def contest(cell: Any) -> Contest:
    student = StudentSettings(cell=cell, hidden_size=5)
    settings = LabSettings(length=9, delay=2, rows=3, students=(student, student))
    one = Contest(settings)
    for _ in range(3):
        one.learn()
    return one


def parts(state: Any) -> tuple[Any, ...]:
    return state if isinstance(state, tuple) else (state,)


def one_step(layer: Any, x: Any, state: Any) -> Any:
    """A step whose parts autograd can tell apart: of an LSTM h is made of c."""
    if layer.mode != "LSTM":
        return layer.step(x, state)[1]
    h, c = (torch.zeros(1, 1, 5), torch.zeros(1, 1, 5)) if state is None else state
    gates = x @ layer.weight_ih_l0.T + layer.bias_ih_l0 + layer.bias_hh_l0
    i, f, g, o = (gates + h @ layer.weight_hh_l0.T).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_gradient_is_that_of_the_last_answer_by_the_whole_state(cell: str) -> None:
    one = contest(cell)
    network: Any = one.students[0].network
    state, states = None, []
    for x in one.example.inputs:
        state = one_step(network.layer, x, state)
        states.append(parts(state))
        for part in states[-1]:
            part.retain_grad()
    assert one.example.targets is not None
    answer = network.readout(parts(state)[0][0])
    cross_entropy(answer, one.example.targets[-1]).backward()
    norms = [
        math.sqrt(sum(float(part.grad.square().sum()) for part in parts_t if part.grad is not None))
        for parts_t in states
    ]
    found = look(one.students[0], one.example).gradient
    assert [step for step, _ in found] == list(range(1, 10))
    for (_, share), norm in zip(found, norms, strict=True):
        assert share is not None
        assert abs(share - math.log10(norm / norms[-1])) <= 0.006


@pytest.mark.parametrize(("cell", "shown"), [("RNN", "h"), ("GRU", "z"), ("LSTM", "c")])
def test_the_colours_are_the_layers_own_numbers(cell: str, shown: str) -> None:
    one = contest(cell)
    network: Any = one.students[0].network
    seen = look(one.students[0], one.example, shown)
    assert seen.shown == shown
    if shown == "z":
        assert all(0 <= value <= 100 for row in seen.values for value in row)
        return
    state, rows = None, []
    for x in one.example.inputs:
        _, state = network.layer.step(x, state)
        rows.append(parts(state)[-1].detach().flatten())
    expected = torch.stack(rows, 1)
    values = torch.tensor(seen.values) * seen.limit / 100
    assert float((values - expected).abs().max()) <= 0.006 * seen.limit


def test_a_look_leaves_weights_gradients_and_draws_as_they_were() -> None:
    one = contest("LSTM")
    student = one.students[0]
    weights = [weight.detach().clone() for weight in student.parameters]
    grads = [weight.grad.clone() for weight in student.parameters if weight.grad is not None]
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    look(student, one.example)
    assert torch.equal(torch.rand(2), expected)
    assert student.network.training
    for weight, before in zip(student.parameters, weights, strict=True):
        assert torch.equal(weight, before)
    for weight, grad in zip(student.parameters, grads, strict=True):
        assert weight.grad is not None
        assert torch.equal(weight.grad, grad)


def test_answers_that_are_no_numbers_are_left_out() -> None:
    one = contest("RNN")
    with torch.no_grad():
        one.students[0].parameters[0].fill_(math.nan)
    seen = look(one.students[0], one.example)
    assert set(seen.answers) == {""}
    assert not any(seen.right)


def test_the_unit_that_keeps_longest_is_told_beside_the_median() -> None:
    one = contest("LSTM")
    layer: Any = one.students[0].network.layer
    keeps = torch.tensor([0.5, 0.5, 0.5, 0.5, 0.99])
    with torch.no_grad():
        for weight in (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_hh_l0):
            weight[5:10] = 0
        layer.bias_ih_l0[5:10] = keeps.logit()
    assert look(one.students[0], one.example).half_lives == (1.0, 68.97)
    with torch.no_grad():
        layer.bias_ih_l0[9] = 100.0
    assert look(one.students[0], one.example).half_lives == (1.0, None)


def test_without_gates_there_are_no_half_lives() -> None:
    one = contest("RNN")
    assert look(one.students[0], one.example).half_lives is None
