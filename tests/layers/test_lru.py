"""`LRUCell` against the sum over the past that it stands for; `LRUBlock` by the laws of layers."""

from __future__ import annotations

import doctest
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import lru as module
from unrolled.layers.lru import LRUBlock, LRUCell
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.scan import scan

T, B, I, H = 7, 3, 4, 5  # noqa: E741


def cell_of(outputs: int | None = None, **options: Any) -> LRUCell:
    return LRUCell(I, H, outputs, dtype=torch.float64, **options)


def run(cell: LRUCell, x: Tensor, h0: Tensor | None = None, **options: Any) -> Any:
    h, last = scan(*cell.project(x), h0, **options)
    return cell.emit(h, x), last


def by_kernel(cell: LRUCell, x: Tensor, h0: Tensor) -> Tensor:
    """y_t = sum over k of Re(C lambda^k gamma B) x_{t-k}, + Re(C lambda^(t+1) h0) + D x_t, with the
    powers of lambda from its size and its angle, all in real numbers."""
    size, angle = torch.exp(-torch.exp(cell.nu_log)), torch.exp(cell.theta_log)
    gamma = torch.exp(cell.gamma_log)[:, None]
    b_re, b_im, c_re, c_im = cell.B[:, 0], cell.B[:, 1], cell.C[..., 0], cell.C[..., 1]
    outputs = []
    for t in range(len(x)):
        y = x[t] * cell.D if cell.D.dim() == 1 else x[t] @ cell.D.T
        for k in range(t + 2):
            re, im = size**k * torch.cos(k * angle), size**k * torch.sin(k * angle)
            reads_re, reads_im = c_re * re - c_im * im, c_re * im + c_im * re
            if k <= t:
                kernel = reads_re @ (gamma * b_re) - reads_im @ (gamma * b_im)
                y = y + x[t - k] @ kernel.T
            else:
                y = y + h0.real @ reads_re.T - h0.imag @ reads_im.T
        outputs.append(y)
    return torch.stack(outputs)


@pytest.mark.parametrize("outputs", [None, I, 2])
def test_the_cell_is_the_sum_of_its_kernel_over_the_past(outputs: int | None) -> None:
    cell = cell_of(outputs)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(B, H, dtype=torch.complex128, requires_grad=True)
    assert cell.D.shape == ((2, I) if outputs == 2 else (I,))
    (got, last), want = run(cell, x, h0), by_kernel(cell, x, h0)
    assert got.shape == (T, B, outputs or I)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=1e-12)
    weights = torch.randn_like(want)
    leaves = [x, h0, *cell.parameters()]
    found, expected = (torch.autograd.grad((y * weights).sum(), leaves) for y in (got, want))
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)
    # What is left in the state is what one more step without input would read.
    still = torch.cat([x, torch.zeros(1, B, I, dtype=torch.float64)])
    read = cell.emit(cell.eigenvalues() * last, still[-1])
    torch.testing.assert_close(read, by_kernel(cell, still, h0)[-1])


def test_a_step_at_a_time_is_the_whole_sequence() -> None:
    cell = cell_of(2)
    x = torch.randn(T, B, I, dtype=torch.float64)
    want, last = run(cell, x)
    state = cell.initial_state(B, x)
    assert state.dtype == torch.complex128
    for t in range(T):
        h, state = cell.step(cell.project(x[t]), state)
        torch.testing.assert_close(cell.emit(h, x[t]), want[t], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state, last, rtol=1e-12, atol=1e-12)


def test_no_parameter_makes_a_state_grow() -> None:
    cell = cell_of()
    with torch.no_grad():
        cell.nu_log.copy_(torch.tensor([-30.0, -3.0, 0.0, 3.0, 30.0]))
        cell.theta_log.copy_(torch.tensor([-30.0, 5.0, 0.0, 3.0, 0.0]))
    assert (cell.eigenvalues().abs() < 1).all()
    _, last = scan(cell.eigenvalues(), torch.zeros(2000, 1, H, dtype=torch.complex128), None)
    h0 = torch.ones(1, H, dtype=torch.complex128)
    h, last = scan(cell.eigenvalues(), torch.zeros(2000, 1, H, dtype=torch.complex128), h0)
    assert (h.abs() <= 1 + 1e-12).all()
    y = cell.emit(last, torch.zeros(1, I, dtype=torch.float64)).sum()
    assert all(g.isfinite().all() for g in torch.autograd.grad(y, [cell.nu_log, cell.theta_log]))


def test_eigenvalues_begin_evenly_on_the_ring() -> None:
    cell = LRUCell(3, 40_000, r_min=0.5, r_max=0.9, max_phase=1.5, dtype=torch.float64)
    value = cell.eigenvalues().detach()
    size, angle = value.abs(), value.angle()
    assert ((size >= 0.5) & (size <= 0.9)).all()
    assert ((angle >= 0) & (angle <= 1.5)).all()
    # Of an even density, the square of the size and the angle are even, and independent.
    for part, low, high in ((size**2, 0.25, 0.81), (angle, 0.0, 1.5)):
        even = ((part - low) / (high - low)).sort().values
        steps = torch.linspace(0, 1, len(even), dtype=torch.float64)
        assert ((even - steps).abs() <= 0.012).all()  # 2.4 / sqrt(n): one draw in 50,000 is worse
    assert torch.corrcoef(torch.stack([size, angle]))[0, 1].abs() <= 0.03
    # gamma: white noise gives every state the variance that B x has.
    torch.testing.assert_close(cell.gamma_log.exp() ** 2, 1 - size**2)
    assert abs(cell.B.std().item() - 6**-0.5) <= 0.01
    assert abs(cell.C.std().item() - 40_000**-0.5) <= 0.0002


def test_the_whole_disc_has_finite_parameters_and_gradients() -> None:
    cell = LRUCell(2, 20_000)
    assert all(p.isfinite().all() for p in cell.parameters())
    run(cell, torch.randn(3, 1, 2))[0].square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in cell.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_cell_has_its_dtype_throughout(dtype: torch.dtype) -> None:
    cell = LRUCell(I, H, dtype=dtype)
    y, last = run(cell, torch.randn(T, B, I, dtype=dtype))
    assert (y.dtype, last.dtype) == (dtype, dtype.to_complex())
    again = LRUCell(I, H, dtype=dtype)
    again.load_state_dict(cell.state_dict())
    torch.testing.assert_close(again.eigenvalues(), cell.eigenvalues(), rtol=0, atol=0)


def block_of(**options: Any) -> LRUBlock:
    block = LRUBlock(I, H, r_min=0.5, dtype=torch.float64, **options)
    for norm in (block.norm.weight, block.norm.bias):
        torch.nn.init.normal_(norm)
    return block


def test_a_block_is_its_equation() -> None:
    block = block_of()
    x = torch.randn(T, B, I, dtype=torch.float64)
    centred = x - x.mean(-1, keepdim=True)
    normed = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    normed = normed * block.norm.weight + block.norm.bias
    inner = by_kernel(block.cell, normed, torch.zeros(B, H, dtype=torch.complex128))
    inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    up, gate = (inner @ block.mix.weight.T + block.mix.bias).split(I, -1)
    torch.testing.assert_close(block(x)[0], x + up / (1 + torch.exp(-gate)))


def test_padding_resets_and_steps_of_a_block() -> None:
    block = block_of()
    x = torch.randn(T, B, I, dtype=torch.float64)
    h0 = torch.randn(B, H, dtype=torch.complex128)
    starts = torch.zeros(T, B).bool()
    starts[3, 0] = True
    spoiled = x.clone()
    spoiled[4:, 1], spoiled[:, 2] = torch.nan, torch.nan
    y, last = block(spoiled, h0, lengths=torch.tensor([T, 4, 0]), starts=starts)
    y.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in block.parameters())
    first, carried = block(x[:3, :1], h0[:1])
    second, end = block(x[3:, :1])
    torch.testing.assert_close(y[:, :1], torch.cat([first, second]))
    short, stop = block(x[:4, 1:2], h0[1:2])
    torch.testing.assert_close(y[:4, 1:2], short)
    torch.testing.assert_close(last, torch.cat([end, stop, h0[2:]]))
    assert (y[4:, 1] == 0).all()
    assert (y[:, 2] == 0).all()
    state = h0[:1]
    for t in range(3):
        y_t, state = block.step(x[t, :1], state)
        torch.testing.assert_close(y_t, first[t])
    torch.testing.assert_close(state, carried)


def test_dropout_is_the_same_at_all_steps_and_off_in_evaluation() -> None:
    block = block_of(dropout=0.5)
    x = torch.randn(1, B, I, dtype=torch.float64).expand(T, -1, -1)
    with torch.no_grad():
        added = (block(x)[0] - x) == 0
        assert added.any()
        assert not added.all()
        assert (added == added[0]).all()
        block.eval()
        torch.testing.assert_close(block(x)[0], block(x)[0], rtol=0, atol=0)
        assert not ((block(x)[0] - x) == 0).any()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_block_has_no_graph_break_and_the_same_numbers() -> None:
    block = block_of()
    x = torch.randn(T, B, I, dtype=torch.float64)
    torch._dynamo.reset()
    compiled = torch.compile(block, backend="eager", fullgraph=True)
    leaves = list(block.parameters())
    got, want = compiled(x)[0], block(x)[0]
    torch.testing.assert_close(got, want)
    found, expected = (torch.autograd.grad(y.square().sum(), leaves) for y in (got, want))
    torch.testing.assert_close(found, expected)
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_exported_block_takes_any_number_of_steps_and_rows() -> None:
    block = block_of().eval()
    free = {0: torch.export.Dim("steps"), 1: torch.export.Dim("batch")}
    x = torch.randn(T, B, I, dtype=torch.float64)
    state = torch.randn(B, H, dtype=torch.complex128)
    shapes = {"x": free, "state": {0: free[1]}, "lengths": {0: free[1]}}
    rows = {"lengths": torch.tensor([T, 2, 0])}
    program = torch.export.export(block, (x, state), rows, dynamic_shapes=shapes)
    other = torch.randn(11, 2, I, dtype=torch.float64)
    rows = {"lengths": torch.tensor([4, 11])}
    got = program.module()(other, state[:2], **rows)
    torch.testing.assert_close(got, block(other, state[:2], **rows))


def test_bad_arguments_are_named() -> None:
    for options, message in (
        ({"input_size": 0}, "input_size: got 0"),
        ({"output_size": 0}, "output_size: got 0"),
        ({"r_min": 0.9, "r_max": 0.5}, "r_min, r_max: got 0.9 and 0.5"),
        ({"r_max": 1.5}, "r_min, r_max"),
        ({"max_phase": 0}, "max_phase: got 0"),
        ({"max_phase": math.nan}, "max_phase: got nan"),
    ):
        arguments: dict[str, Any] = {"input_size": I, "hidden_size": H} | options
        with pytest.raises(ConfigError, match=message):
            LRUCell(**arguments)
    with pytest.raises(ConfigError, match="dropout: got 2"):
        LRUBlock(I, dropout=2)
    with pytest.raises(
        ShapeError, match=r"x: got shape \(7, 3, 5\), expected \(\.\.\., I\) with I = 4"
    ):
        cell_of().project(torch.randn(T, B, I + 1))
    x, block = torch.randn(T, B, I), LRUBlock(I, H)
    for call, kind, message in (
        (lambda: block(torch.randn(T, I)), ShapeError, r"expected \(T, B, size\)"),
        (lambda: block(torch.randn(T, B, I + 1)), ShapeError, r"x: got shape \(7, 3, 5\)"),
        (lambda: block(x[:0]), ShapeError, "x: got no time steps"),
        (lambda: block(x.double()), DTypeError, r"x: got dtype torch\.float64"),
        (lambda: block(x, torch.zeros(B, H)), DTypeError, "state: got dtype"),
        (lambda: block(x, torch.zeros(B, H + 1)), ShapeError, "state: got tensors of shapes"),
        (lambda: LRUCell(I, H, dtype=torch.float16), ConfigError, r"dtype: got torch\.float16"),
        (lambda: block.cell(x), ShapeError, r"input: got shape \(7, 3, 4\)"),
    ):
        with pytest.raises(kind, match=message):
            call()


def test_a_cell_called_once_gives_the_state_that_its_output_is_made_from() -> None:
    cell, x = cell_of(), torch.randn(T, B, I, dtype=torch.float64)
    y, last = run(cell, x)
    h = None
    for x_t, y_t in zip(x, y, strict=True):
        h = cell(x_t, h)
        torch.testing.assert_close(cell.emit(h, x_t), y_t)
    torch.testing.assert_close(h, last)
    torch.testing.assert_close(cell(x[0, 1]), cell(x[0])[1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_recurrent_of_the_cell_is_compiled_and_exported_whole() -> None:
    layer = Recurrent([(cell_of(), cell_of())], merge="sum").eval()
    x = torch.randn(T, B, I, dtype=torch.float64)
    lengths = torch.tensor([T, 2, 0])
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x, lengths=lengths), layer(x, lengths=lengths))
    torch._dynamo.reset()
    free = {0: torch.export.Dim("steps"), 1: torch.export.Dim("batch")}
    for strict in (False, True):
        program = torch.export.export(
            layer,
            (x,),
            {"lengths": lengths},
            dynamic_shapes={"x": free, "lengths": {0: free[1]}},
            strict=strict,
        )
        other, rows = torch.randn(11, 2, I, dtype=torch.float64), torch.tensor([4, 11])
        got = program.module()(other, lengths=rows)
        torch.testing.assert_close(got, layer(other, lengths=rows))


def test_the_examples_run() -> None:
    assert doctest.testmod(module).failed == 0
    assert doctest.testmod(module).attempted > 0
