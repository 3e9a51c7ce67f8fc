"""Other rows and padding must not change a row, and where they do it is found."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled import GRU, LSTM, Batch, LeakBetweenRows, LeakFromPadding, MinGRU, check_leaks
from unrolled.errors import ConfigError, DTypeError, ShapeError

T, B, N, H = 9, 5, 3, 6
LENGTHS = torch.tensor([4, T, 1, 6, 3])


class Reader(nn.Module):
    """A layer with something behind it."""

    def __init__(self, after: Callable[..., Any], layer: Any = None) -> None:
        super().__init__()
        self.layer = LSTM(N, H, bidirectional=True) if layer is None else layer
        self.norm = nn.BatchNorm1d(2 * H)
        self.after = after

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:
        y, _ = self.layer(x, lengths=lengths)
        return self.after(self, y, lengths)


def batch_norm(model: Reader, y: Tensor, lengths: Any) -> Tensor:
    return model.norm(y.transpose(1, 2)).transpose(1, 2)


def mean_over_padding(model: Reader, y: Tensor, lengths: Any) -> Tensor:
    return y.mean(0)


def mean_over_lengths(model: Reader, y: Tensor, lengths: Any) -> Tensor:
    return y.sum(0) / lengths.unsqueeze(-1)


def nothing(model: Reader, y: Tensor, lengths: Any) -> Tensor:
    return y


def last_step(model: Reader, y: Tensor, lengths: Any) -> Tensor:
    return y[-1]


def found(model: nn.Module, *args: Any, **options: Any) -> list[type]:
    return [type(one) for one in check_leaks(model, *args, warn=False, **options)]


@pytest.mark.parametrize("after", [nothing, mean_over_lengths])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_sound_model_has_no_leak(after: Any, dtype: torch.dtype) -> None:
    model, x = Reader(after).to(dtype), torch.randn(T, B, N, dtype=dtype)
    assert found(model, x, lengths=LENGTHS) == []


@pytest.mark.parametrize("layer", [GRU(N, H), MinGRU(N, H, 2), nn.LSTM(N, H, 2, dropout=0.5)])
def test_the_layers_have_no_leak(layer: nn.Module) -> None:
    assert found(layer, torch.randn(T, B, N)) == []


def test_batch_normalisation_is_a_leak_between_rows_in_training() -> None:
    model, x = Reader(batch_norm), torch.randn(T, B, N)
    with pytest.warns(LeakBetweenRows, match=r"Reader in training mode: .*LayerNorm") as caught:
        (finding,) = check_leaks(model, x)
    assert isinstance(finding, LeakBetweenRows)
    assert caught[0].filename == __file__
    model.eval()
    assert found(model, x) == [LeakBetweenRows]


def test_a_leak_into_later_rows_only_is_found() -> None:
    model = Reader(lambda model, y, lengths: y.cumsum(1))
    assert found(model, torch.randn(T, B, N)) == [LeakBetweenRows]


def test_a_leak_of_nan_only_is_found() -> None:
    model = Reader(lambda model, y, lengths: y + 0 * y.sum(1, keepdim=True))
    (finding,) = check_leaks(model, torch.randn(T, B, N), warn=False)
    assert "with NaN in the other rows" in finding.measured


def test_the_wrong_axis_of_rows_is_found() -> None:
    layer, x = nn.GRU(N, H, batch_first=True), torch.randn(B, T, N)
    assert found(layer, x, batch_first=True) == []
    assert found(layer, x) == [LeakBetweenRows]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (
            mean_over_padding,
            "in evaluation mode: with more padding after its 4 steps, the output of row 0",
        ),
        (last_step, "with more padding after its 9 steps, the output of row 1"),
    ],
)
def test_a_reduction_over_padding_is_found(after: Any, words: str) -> None:
    model = Reader(after).eval()
    (finding,) = check_leaks(model, torch.randn(T, B, N), lengths=LENGTHS, warn=False)
    assert isinstance(finding, LeakFromPadding)
    assert words in str(finding)
    assert "pass lengths" in finding.remedy


def test_a_reverse_direction_that_knows_no_lengths_is_found() -> None:
    class Plain(nn.Module):
        def __init__(self, directions: int) -> None:
            super().__init__()
            self.layer = nn.GRU(N, H, bidirectional=directions == 2)

        def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
            return self.layer(x)[0]

    x = torch.randn(T, B, N)
    assert found(Plain(2), x, lengths=LENGTHS) == [LeakFromPadding]
    assert found(Plain(1), x, lengths=LENGTHS) == []


def test_nan_in_the_padding_that_is_multiplied_away_is_found() -> None:
    def masked(model: Reader, y: Tensor, lengths: Any) -> Tensor:
        return y

    class Masked(Reader):
        def forward(self, x: Tensor, lengths: Tensor | None = None) -> Any:
            assert lengths is not None
            real = torch.arange(len(x)).unsqueeze(1) < lengths
            return (x * real.unsqueeze(-1)).sum(0)

    (finding,) = check_leaks(Masked(masked), torch.randn(T, B, N), lengths=LENGTHS, warn=False)
    assert isinstance(finding, LeakFromPadding)
    assert "with NaN beyond" in finding.measured


def test_symbols_and_resets_are_read_from_a_batch() -> None:
    class Symbols(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(7, N)
            self.layer = LSTM(N, H)

        def forward(self, x: Tensor, *, lengths: Tensor, starts: Tensor) -> Any:
            return self.layer(self.embedding(x), lengths=lengths, starts=starts)

    batch = Batch(torch.randint(7, (T, B)), lengths=LENGTHS, starts=torch.rand(T, B) < 0.2)
    assert found(Symbols(), batch) == []


def test_a_single_row_is_enough() -> None:
    assert found(Reader(nothing), torch.randn(T, 1, N)) == []
    model = Reader(lambda model, y, lengths: y.mean(1, keepdim=True).expand_as(y))
    assert found(model, torch.randn(T, 1, N)) == [LeakBetweenRows]


def test_dropout_is_no_leak_and_the_model_is_left_as_it_was() -> None:
    model, x = nn.LSTM(N, H, 2, dropout=0.5), torch.randn(T, B, N)
    draws = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_leaks(model, x) == []
    assert torch.equal(torch.get_rng_state(), draws)
    assert model.training


def test_a_model_that_refuses_nan_has_no_leak_for_that() -> None:
    def refuse(model: Reader, y: Tensor, lengths: Any) -> Tensor:
        if y.isnan().any():
            raise ValueError("NaN")
        return y

    assert found(Reader(refuse), torch.randn(T, B, N), lengths=LENGTHS) == []


def test_another_call_and_outputs_without_rows() -> None:
    model, x = Reader(nothing), torch.randn(T, B, N)
    with pytest.raises(ConfigError, match=r"gives tensors of shapes \[\(\)\]"):
        check_leaks(model, x, call=lambda x: model(x).sum())
    assert found(model, x, call=lambda x: {"scores": [model(x), None]}) == []
    with pytest.raises(ShapeError, match=r"batch: got inputs of shape \(9,\)"):
        check_leaks(model, x[:, 0, 0])


def test_what_is_no_model_and_no_batch_is_named() -> None:
    x, model = torch.randn(T, B, N), LSTM(N, H)
    for call, kind, message in (
        (lambda: check_leaks(3, x), DTypeError, "model: got int"),  # type: ignore[arg-type]
        (lambda: check_leaks(model, 3), DTypeError, "batch: got int"),  # type: ignore[arg-type]
        (lambda: check_leaks(model, x, lengths=LENGTHS[:1]), ShapeError, "lengths: got shape"),
        (lambda: check_leaks(model, x, lengths=LENGTHS + 1), ShapeError, "lengths: got 10 for row"),
        (
            lambda: check_leaks(model, Batch(x, starts=torch.zeros(B, T).bool())),
            ShapeError,
            "starts: got shape",
        ),
    ):
        with pytest.raises(kind, match=message):
            call()
