"""The network by hand does what `unrolled.RNN` does, forward and backward, to the last digits."""

from __future__ import annotations

import ast
import io
import runpy
import tokenize
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import unrolled

FILE = Path(__file__).parents[2] / "docs" / "learn" / "by_hand.py"
BY_HAND = runpy.run_path(str(FILE))
T, N, H, C = 9, 4, 6, 3


@pytest.fixture
def given() -> tuple[list[Any], Any, Any, Any]:
    """Weights, inputs, targets and the first state: none of them zero."""
    draw = np.random.default_rng(7)
    shapes = (H, N), (H, H), H, (C, H), C
    weights = [draw.normal(0, 0.7, shape) for shape in shapes]
    return weights, draw.normal(size=(T, N)), draw.integers(0, C, T), draw.normal(0, 0.5, H)


def test_values_and_gradients_are_those_of_the_package(
    given: tuple[list[Any], Any, Any, Any],
) -> None:
    weights, x, targets, h0 = given
    loss, h, p = BY_HAND["forward"](weights, x, targets, h0)
    gradients, dh0 = BY_HAND["backward"](weights, x, targets, h, p)

    W, U, b, V, c = (torch.from_numpy(one) for one in weights)
    layer, readout = unrolled.RNN(N, H).double(), torch.nn.Linear(H, C).double()
    part = torch.linspace(-1, 2, H, dtype=torch.float64)  # torch has two biases, that are added
    with torch.no_grad():
        layer.weight_ih_l0.copy_(W)
        layer.weight_hh_l0.copy_(U)
        layer.bias_ih_l0.copy_(b - part)
        layer.bias_hh_l0.copy_(part)
        readout.weight.copy_(V)
        readout.bias.copy_(c)
    first = torch.from_numpy(h0).view(1, 1, H).requires_grad_()
    states, _ = layer(torch.from_numpy(x).unsqueeze(1), first)
    scores = readout(states)[:, 0]
    total = cross_entropy(scores, torch.from_numpy(targets), reduction="sum")
    total.backward()

    close: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
    np.testing.assert_allclose(loss, total.item(), **close)
    np.testing.assert_allclose(np.stack(h[1:]), states[:, 0].detach(), **close)
    np.testing.assert_allclose(np.stack(p), scores.detach().softmax(-1), **close)
    parameters = (
        layer.weight_ih_l0,
        layer.weight_hh_l0,
        layer.bias_ih_l0,
        readout.weight,
        readout.bias,
    )
    for mine, theirs in zip(gradients, parameters, strict=True):
        np.testing.assert_allclose(mine, theirs.grad, **close)
    np.testing.assert_allclose(gradients[2], layer.bias_hh_l0.grad, **close)
    assert first.grad is not None
    np.testing.assert_allclose(dh0, first.grad[0, 0], **close)


def test_gradients_are_slopes_of_the_loss(given: tuple[list[Any], Any, Any, Any]) -> None:
    weights, x, targets, h0 = given
    _, h, p = BY_HAND["forward"](weights, x, targets, h0)
    gradients, dh0 = BY_HAND["backward"](weights, x, targets, h, p)
    little = 1e-5
    for numbers, slopes in zip([*weights, h0], [*gradients, dh0], strict=True):
        for place in np.ndindex(numbers.shape):
            ends = []
            for change in (little, -2 * little):
                numbers[place] += change
                ends.append(BY_HAND["forward"](weights, x, targets, h0)[0])
            numbers[place] += little
            np.testing.assert_allclose(
                (ends[0] - ends[1]) / (2 * little), slopes[place], rtol=1e-6, atol=1e-8
            )


def test_it_learns_a_text_in_which_a_letter_does_not_tell_the_next() -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        BY_HAND["train"]("hello world")
    last = said.getvalue().splitlines()[-1]
    assert last.startswith("step 300: loss 0.0")
    assert last.endswith("  ello world")


def test_it_is_forty_lines_of_code() -> None:
    text = FILE.read_text(encoding="utf-8")
    told = ast.parse(text).body[0]  # the text at the top
    assert isinstance(told, ast.Expr)
    assert told.end_lineno is not None
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in ignored | {tokenize.ENDMARKER} and token.start[0] > told.end_lineno
    }
    assert len(lines) <= 40
