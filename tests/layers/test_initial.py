"""How parameters begin: each scheme gives what its paper says, and leaves alone what it should."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from unrolled.layers import GRU, LSTM, RNN

I, H, P = 6, 8, 5  # noqa: E741
BOUND = 1 / math.sqrt(H)


def assert_torchs(part: Tensor) -> None:
    """Uniform from -1/sqrt(H) to 1/sqrt(H), as far as so few numbers can tell."""
    assert float(part.detach().abs().max()) <= BOUND
    assert float(part.detach().std()) > BOUND / 4


@pytest.mark.parametrize(("kind", "gates"), [(RNN, 1), (GRU, 3), (LSTM, 4)])
def test_orthogonal_makes_every_gates_matrix_orthogonal(kind: type, gates: int) -> None:
    layer = kind(I, H, num_layers=2, bidirectional=True, init="orthogonal")
    for suffix in ("l0", "l0_reverse", "l1", "l1_reverse"):
        for gate in getattr(layer, f"weight_hh_{suffix}").chunk(gates):
            torch.testing.assert_close(gate @ gate.t(), torch.eye(H), atol=1e-5, rtol=0)
        ih = getattr(layer, f"weight_ih_{suffix}")
        limit = math.sqrt(6 / (H + ih.shape[1]))  # Glorot and Bengio, of one gate
        assert limit / 2 < float(ih.detach().abs().max()) <= limit
        assert not getattr(layer, f"bias_ih_{suffix}").any()
        assert not getattr(layer, f"bias_hh_{suffix}").any()


def test_orthogonal_gates_of_a_projected_lstm_have_orthonormal_columns() -> None:
    layer = LSTM(I, H, proj_size=P, init="orthogonal")
    for gate in layer.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate.t() @ gate, torch.eye(P), atol=1e-5, rtol=0)


def test_identity_makes_an_irnn() -> None:
    layer = RNN(I, H, nonlinearity="relu", init="identity")
    assert torch.equal(layer.weight_hh_l0, torch.eye(H))
    assert float(layer.weight_ih_l0.detach().abs().max()) < 0.01
    assert not layer.bias_ih_l0.any()
    half = RNN(I, H, init=("identity", 0.5))
    assert torch.equal(half.weight_hh_l0, torch.eye(H) / 2)


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_forget_sets_the_bias_of_the_gate_that_keeps_the_state(kind: type) -> None:
    for init, bias in (("forget", 1.0), (("forget", 2.5), 2.5)):
        layer = kind(I, H, init=init)
        total = (layer.bias_ih_l0 + layer.bias_hh_l0).split(H)
        assert torch.equal(total[1], torch.full((H,), bias))
        for gate in (0, 2):
            assert_torchs(layer.bias_ih_l0.split(H)[gate])
        assert_torchs(layer.weight_hh_l0)


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_chrono_spreads_the_memories_from_one_step_to_the_longest(kind: type) -> None:
    longest = 1000
    layer = kind(I, 4000, init=("chrono", longest))
    gates = (layer.bias_ih_l0 + layer.bias_hh_l0).detach().split(4000)
    # b = log(u), u uniform from 1 to T - 1: the time scale 1 / (1 - sigmoid(b)) is u + 1.
    u = gates[1].exp()
    assert float(u.min()) >= 1 - 1e-3
    assert float(u.max()) <= longest - 1 + 0.1
    assert abs(float(u.mean()) - longest / 2) < longest / 40
    if kind is LSTM:
        assert torch.equal(gates[0], -gates[1])
    else:
        assert float(gates[0].abs().max()) <= 2 / math.sqrt(4000)


def test_schemes_follow_one_another_and_a_function_has_its_say() -> None:
    layer = LSTM(I, H, init=["orthogonal", ("forget", 1)])
    assert torch.equal(layer.bias_ih_l0.split(H)[1], torch.ones(H))
    assert not layer.bias_ih_l0.split(H)[0].any()
    gate = layer.weight_hh_l0[:H]
    torch.testing.assert_close(gate @ gate.t(), torch.eye(H), atol=1e-5, rtol=0)

    def ones(layer: LSTM) -> None:
        torch.nn.init.ones_(layer.weight_hh_l0)

    assert torch.equal(LSTM(I, H, init=ones).weight_hh_l0, torch.ones(4 * H, H))


def test_layer_normalisation_begins_as_no_more_than_that() -> None:
    for init in ("torch", "orthogonal"):
        layer = LSTM(I, H, layer_norm=True, peephole=True, init=init)
        assert torch.equal(layer.gain_ih_l0, torch.ones(4 * H))
        assert torch.equal(layer.gain_hh_l0, torch.ones(4 * H))
        assert torch.equal(layer.norm_c_l0, torch.stack([torch.ones(H), torch.zeros(H)]))
        assert_torchs(layer.peephole_l0)


def test_resetting_draws_anew_by_the_same_scheme() -> None:
    layer = RNN(I, H, init="orthogonal")
    before = layer.weight_hh_l0.clone()
    layer.reset_parameters()
    after = layer.weight_hh_l0
    assert not torch.equal(after, before)
    torch.testing.assert_close(after @ after.t(), torch.eye(H), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_orthogonal_is_there_for_short_numbers_too(dtype: torch.dtype) -> None:
    layer = GRU(3, 8, init="orthogonal", dtype=dtype)
    for gate in layer.weight_hh_l0.detach().chunk(3):
        wide = gate.double()
        torch.testing.assert_close(wide @ wide.t(), torch.eye(8).double(), atol=0.02, rtol=0)
