"""What the aten path does for cuDNN, shown on a CPU where the numbers are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from unrolled.layers import GRU, LSTM, RNN, aten, use_path
from unrolled.layers.states import State, tensors_of

T, B, I, H = 6, 3, 4, 5  # noqa: E741
every_kind = pytest.mark.parametrize("kind", [RNN, GRU, LSTM])


@pytest.fixture(autouse=True)
def _on_aten() -> Iterator[None]:
    with use_path("aten"):
        yield


@pytest.fixture
def modes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, bool]]:
    """Dropout and training mode of every call of PyTorch's fused layers."""
    seen: list[tuple[float, bool]] = []

    def spied(fused: Any) -> Any:
        def call(*given: Any) -> Any:
            at = next(i for i, one in enumerate(given) if isinstance(one, list))
            seen.append((given[at + 3], given[at + 4]))
            return fused(*given)

        return call

    spies = {mode: spied(fused) for mode, fused in aten._FUSED.items()}
    monkeypatch.setattr(aten, "_FUSED", spies)
    return seen


def in_parts(whole: Tensor) -> Tensor:
    """The same numbers with gaps between them."""
    return torch.stack([whole, torch.zeros_like(whole)], -1)[..., 0]


def state_of(layer: Any, batch: int = B) -> State:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = torch.randn(rows, batch, H)
    return (h, torch.randn(rows, batch, H)) if layer.mode == "LSTM" else h


def values_and_gradients(layer: Any, x: Any, state: State, **options: Any) -> list[Tensor]:
    layer.zero_grad()
    y, final = layer(x, state, **options)
    outputs = [y.data if isinstance(y, PackedSequence) else y, *tensors_of(final)]
    sum((out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum() for out in outputs).backward()
    return [*outputs, *(part.grad.clone() for part in layer.parameters())]


@every_kind
@pytest.mark.parametrize("way", ["padded", "batch_first", "ragged", "packed"])
def test_in_evaluation_a_call_keeps_what_a_backward_pass_needs(
    kind: Any, way: str, modes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = kind(I, H, 2, bidirectional=True, dropout=0.5, batch_first=way == "batch_first").eval()
    x: Any = torch.randn((B, T, I) if way == "batch_first" else (T, B, I))
    if way == "packed":
        x = pack_padded_sequence(x, torch.tensor([2, 6, 4]), enforce_sorted=False)
    options = {"lengths": torch.tensor([2, 0, 4])} if way == "ragged" else {}
    state = state_of(layer)
    want = values_and_gradients(layer, x, state, **options)
    modes.clear()
    monkeypatch.setattr(
        aten, "lacks_backward", lambda layer, x: not layer.training and torch.is_grad_enabled()
    )
    got = values_and_gradients(layer, x, state, **options)
    assert modes == [(0.0, True)]
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)


class OnGpu:
    is_cuda = True


def test_what_the_old_tracer_records_is_pytorchs_own_forward_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layer, x = LSTM(I, H).eval(), cast(Any, OnGpu())
    assert aten.lacks_backward(layer, x)
    assert not aten.lacks_backward(layer.train(), x)
    with torch.no_grad():
        assert not aten.lacks_backward(layer.eval(), x)
    monkeypatch.setattr(torch._C, "_is_tracing", lambda: True)
    assert not aten.lacks_backward(layer, x)


@every_kind
@pytest.mark.parametrize("packed", [False, True])
def test_dropout_between_layers_is_drawn_from_torchs_generator(
    kind: Any, packed: bool, modes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aten, "draws_elsewhere", lambda layer, x: layer.training)
    layer = kind(I, H, 2, dropout=0.5)
    one, two = kind(I, H), kind(H, H)
    for single, index in ((one, 0), (two, 1)):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            with torch.no_grad():
                getattr(single, f"{name}_l0").copy_(getattr(layer, f"{name}_l{index}"))
    x: Any = torch.randn(T, B, I)
    x = pack_padded_sequence(x, torch.tensor([6, 4, 2])) if packed else x
    torch.manual_seed(3)
    got = layer(x)[0]
    assert [rate for rate, _ in modes] == [0.0, 0.0]
    torch.manual_seed(3)
    between = one(x)[0]
    dropped = torch.nn.functional.dropout(between.data, 0.5)
    want = two(PackedSequence(dropped, x.batch_sizes) if packed else dropped)[0]
    torch.testing.assert_close(got.data, want.data)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("directions", [1, 2])
def test_weights_are_laid_out_in_one_piece_and_their_gradients_come_back(
    directions: int, bias: bool
) -> None:
    layer = LSTM(I, H, 2, bidirectional=directions == 2, bias=bias)
    parts = [part for name, part in layer.named_parameters() if "_l1" in name]
    laid = aten.in_one_piece(parts)
    for a, b in zip(laid, parts, strict=True):
        assert torch.equal(a, b)
    matrices, biases = ([p for p in laid if p.dim() == dim] for dim in (2, 1))
    address = matrices[0].data_ptr()
    for part in (*matrices, *biases):
        assert part.data_ptr() == address
        address += part.nbytes
    torch.autograd.backward([(2 * part).sum() for part in laid])
    assert all(bool((part.grad == 2).all()) for part in parts)


def test_weights_that_are_in_one_piece_are_not_copied() -> None:
    parts = aten.in_one_piece(list(LSTM(I, H).parameters()))
    again = aten.in_one_piece(parts)
    assert all(a is b for a, b in zip(again, parts, strict=True))


def test_a_state_with_gaps_in_memory_is_made_dense_for_a_gpu_only() -> None:
    h = in_parts(torch.randn(1, B, H))
    assert not h.is_contiguous()
    x = cast(Any, OnGpu())
    dense = aten.handed(x, (h, h))
    assert all(part.is_contiguous() and torch.equal(part, h) for part in dense)
    assert aten.handed(x, None) is None
    assert aten.handed(torch.zeros(1), h) is h


@every_kind
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("aten", {}),
        ("aten", {"input_dropout": 0.5}),
        ("auto", {}),
        ("auto", {"zoneout": 0.5}),
        ("reference", {"input_dropout": 0.5, "zoneout": 0.5}),
    ],
)
def test_torchs_default_device_is_nothing_to_a_call(
    kind: Any, path: str, options: dict[str, Any]
) -> None:
    """Who works on a GPU may have set it; the one here holds no numbers."""
    layer = kind(I, H, 2, bidirectional=True, **options)
    x, state = torch.randn(T, B, I), state_of(layer)
    packed = pack_padded_sequence(x, torch.tensor([2, 6, 4]), enforce_sorted=False)
    starts = torch.rand(T, B) < 0.3
    calls = [
        (x, state, {}),
        (x, None, {"lengths": torch.tensor([2, 0, 4])}),
        (x, state, {"starts": starts}),
        (packed, state, {}),
    ]

    def run() -> list[Tensor]:
        found: list[Tensor] = []
        for given, before, more in calls:
            torch.manual_seed(7)
            y, final = layer(given, before, **more)
            found += [y.data if isinstance(y, PackedSequence) else y, *tensors_of(final)]
        return found

    with use_path(path):
        want = run()
        with torch.device("meta"):
            got = run()
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)
