"""Errors name the argument, what came and what was expected, and are of the types torch raises."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from unrolled.errors import ConfigError, DTypeError, ShapeError, UnrolledError
from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import State, map_state

TORCHS = {RNN: torch.nn.RNN, GRU: torch.nn.GRU, LSTM: torch.nn.LSTM}
every_path = pytest.mark.parametrize("path", ["auto", "reference", "aten"])
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
T, B, I, H = 4, 2, 3, 5  # noqa: E741


def state_of(kind: type, *shape: int) -> State:
    h = torch.zeros(*shape)
    return (h, h.clone()) if kind is LSTM else h


@every_path
@every_kind
def test_a_bad_input_or_state_raises_torchs_text_and_type_first(kind: type, path: str) -> None:
    x, rival = torch.randn(T, B, I), TORCHS[kind](I, H)
    packed = pack_padded_sequence(x, torch.tensor([4, 2]))
    bad = "got shape"
    calls: list[tuple[type, str, tuple[Any, ...]]] = [
        (ShapeError, r"input: got shape \(3,\), expected \(T, B, I\)", (x[0, 0],)),
        (ShapeError, rf"input: {bad} \(4, 2, 2\), .* with I = 3", (x[..., :2],)),
        (ShapeError, rf"input: {bad} \(4, 2, 3, 1\)", (x.unsqueeze(-1),)),
        (ShapeError, rf"input: {bad} \(0, 2, 3\), expected at least one", (x[:0],)),
        (DTypeError, r"input: got dtype torch.float64, expected torch.float32", (x.double(),)),
        (
            ShapeError,
            rf"hx.*: {bad} \(1, 3, 5\), expected \(1, 2, 5\)",
            (x, state_of(kind, 1, 3, H)),
        ),
        (
            ShapeError,
            rf"hx.*: {bad} \(2, 2, 5\), expected \(1, 2, 5\)",
            (x, state_of(kind, 2, 2, H)),
        ),
        (ShapeError, rf"hx.*: {bad} \(1, 5\), expected \(1, 2, 5\)", (x, state_of(kind, 1, H))),
        (
            ShapeError,
            rf"hx.*: {bad} \(1, 2, 5\), expected \(1, 5\)",
            (x[:, 0], state_of(kind, 1, 2, H)),
        ),
        (
            DTypeError,
            r"hx.*: got dtype torch.float64, expected torch.float32",
            (x, map_state(torch.Tensor.double, state_of(kind, 1, 2, H))),
        ),
        (ShapeError, rf"hx.*: {bad} \(1, 3, 5\), expected", (packed, state_of(kind, 1, 3, H))),
        (ConfigError, r"input: got a tensor on meta, expected cpu", (x.to("meta"),)),
    ]
    for expected, pattern, arguments in calls:
        with pytest.raises((RuntimeError, ValueError)) as torchs:
            rival(*arguments)
        with use_path(path), pytest.raises(expected, match=pattern) as ours:
            kind(I, H)(*arguments)
        assert isinstance(ours.value, torchs.type), (pattern, torchs.value)
        assert isinstance(ours.value, UnrolledError)
        text = str(ours.value)
        assert text.startswith(str(torchs.value).splitlines()[0].rstrip(". "))
        assert "\n" not in text


@every_path
@every_kind
def test_a_state_of_another_kind_is_named(kind: type, path: str) -> None:
    x = torch.randn(T, B, I)
    wrong: list[Any] = ["h", 3, [torch.zeros(1, B, H)]]
    wrong.append(state_of(GRU if kind is LSTM else LSTM, 1, B, H))
    with use_path(path):
        for state in wrong:
            with pytest.raises(ShapeError, match=r"hx: got .*, expected (a tuple|one tensor)"):
                kind(I, H)(x, state)
        with pytest.raises(DTypeError, match="input: got list, expected a tensor"):
            kind(I, H)([1.0])


@every_path
def test_a_part_of_a_state_that_is_no_tensor_is_named(path: str) -> None:
    layer, x, h = LSTM(I, H), torch.randn(T, B, I), torch.zeros(1, B, H)
    with use_path(path):
        for state, pattern in (
            ((h, None), r"\[1\] \(c\): got NoneType, expected a tensor of shape \(1, 2, 5\)"),
            ((None, h), r"\[0\] \(h\): got NoneType, expected a tensor"),
            ((h, (h,)), r"\[1\] \(c\): got a tuple of 1, expected a tensor"),
        ):
            with pytest.raises(ShapeError, match=pattern):
                layer(x, state)
            with pytest.raises(ShapeError, match=pattern):
                layer.step(x[0], state)


@every_path
def test_a_list_of_h_and_c_is_taken_as_torch_takes_it(path: str) -> None:
    layer, x = LSTM(I, H), torch.randn(T, B, I)
    h, c = torch.randn(1, B, H), torch.randn(1, B, H)
    with use_path(path):
        for run, data in ((layer, x), (layer.step, x[0]), (layer, pack_padded_sequence(x, [4, 2]))):
            y, state = run(data, [h, c])
            want, after = run(data, (h, c))
            torch.testing.assert_close(y, want, rtol=0, atol=0)
            assert type(state) is tuple
            torch.testing.assert_close(state, after, rtol=0, atol=0)
    torch.nn.LSTM(I, H)(x, [h, c])


def test_lengths_and_starts_that_make_no_tensor_are_named() -> None:
    layer, x = LSTM(I, H), torch.randn(T, B, I)
    for lengths in ([1, None], "ab", object()):
        with pytest.raises(DTypeError, match=r"lengths: got .*, expected a tensor of integers"):
            layer(x, lengths=lengths)
    with pytest.raises(DTypeError, match=r"starts: got str, expected a tensor of torch\.bool"):
        layer(x, starts="no")


@every_path
def test_bad_lengths_and_starts_are_named(path: str) -> None:
    layer, x = LSTM(I, H, batch_first=True), torch.randn(B, T, I)
    flags = torch.zeros(B, T).bool()
    cases: list[tuple[type, str, dict[str, Any]]] = [
        (ShapeError, "lengths: got 5 for row 1, expected 0 to T = 4", {"lengths": [4, 5]}),
        (ShapeError, "lengths: got -1 for row 0", {"lengths": [-1, 2]}),
        (
            ShapeError,
            r"lengths: got shape \(3,\), expected \(B,\) = \(2,\)",
            {"lengths": [1, 2, 3]},
        ),
        (DTypeError, "lengths: got dtype torch.float32", {"lengths": torch.ones(2)}),
        (DTypeError, "lengths: got dtype torch.bool", {"lengths": [True, False]}),
        (
            DTypeError,
            "starts: got dtype torch.int64, expected torch.bool",
            {"starts": flags.long()},
        ),
        (
            ShapeError,
            r"starts: got shape \(4, 2\), expected \(B, T\) = \(2, 4\)",
            {"starts": flags.t()},
        ),
    ]
    with use_path(path):
        for expected, pattern, options in cases:
            with pytest.raises(expected, match=pattern):
                layer(x, **options)
            with pytest.raises(expected, match=pattern):
                layer.explain(x, **options)
        with pytest.raises(
            ShapeError, match=r"starts: got shape \(2, 4\), expected \(T,\) = \(4,\)"
        ):
            layer(x[0], starts=flags)


@every_path
def test_a_packed_sequence_takes_no_lengths_and_no_starts(path: str) -> None:
    packed = pack_padded_sequence(torch.randn(T, B, I), torch.tensor([4, 2]))
    layer = GRU(I, H)
    with use_path(path):
        for call in (layer, layer.explain):
            with pytest.raises(ConfigError, match="starts: got a PackedSequence"):
                call(packed, starts=torch.zeros(T, B).bool())
            with pytest.raises(ConfigError, match="lengths: got a PackedSequence"):
                call(packed, lengths=torch.tensor([4, 2]))


@every_kind
def test_a_bad_step_is_named(kind: type) -> None:
    layer, x = kind(I, H), torch.randn(B, I)
    with pytest.raises(ShapeError, match=r"x: got shape \(2, 2\), expected \(B, I\)"):
        layer.step(x[:, :2])
    with pytest.raises(ShapeError, match=r"x: got shape \(1, 2, 3\)"):
        layer.step(x.unsqueeze(0))
    with pytest.raises(DTypeError, match=r"x: got dtype torch\.float64"):
        layer.step(x.double())
    with pytest.raises(ShapeError, match=r"state.*: got shape \(1, 3, 5\), expected \(1, 2, 5\)"):
        layer.step(x, state_of(kind, 1, 3, H))
    with pytest.raises(ConfigError, match="x: got a tensor on meta"):
        layer.step(x.to("meta"))
    with pytest.raises(DTypeError, match="x: got int"):
        layer.step(1)


def test_hx_and_state_together_are_refused() -> None:
    h = torch.zeros(1, B, H)
    with pytest.raises(ConfigError, match="both hx and state"):
        GRU(I, H)(torch.randn(T, B, I), h, state=h)
