"""`Session`: the numbers of the whole-sequence call, a state to read and set, clear errors."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError, UnrolledError
from unrolled.layers import GRU, LSTM, RNN, Session, use_path
from unrolled.layers.call import LayerCall, Masks, Weights
from unrolled.layers.reference import run_layer
from unrolled.layers.states import State, map_state, tensors_of

pytestmark = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))

KINDS: dict[str, Callable[..., Any]] = {
    "RNN": RNN,
    "relu": lambda *sizes, **options: RNN(*sizes, nonlinearity="relu", **options),
    "GRU": GRU,
    "LSTM": LSTM,
    "projected": lambda *sizes, **options: LSTM(*sizes, proj_size=(sizes[1] + 1) // 2, **options),
    "torch.nn.LSTM": torch.nn.LSTM,
}
every_kind = pytest.mark.parametrize("kind", list(KINDS))
SIZES = st.integers(1, 70)


def drawn_state(layer: torch.nn.RNNBase, batch: int) -> State:
    h = torch.randn(layer.num_layers, batch, layer.proj_size or layer.hidden_size)
    return (
        (h, torch.randn(layer.num_layers, batch, layer.hidden_size)) if layer.mode == "LSTM" else h
    )


def whole(layer: Any, x: Tensor, state: State = None, readout: Any = None) -> tuple[Tensor, State]:
    """The whole-sequence call, in evaluation."""
    with torch.no_grad(), use_path("reference"):
        y, state = layer.eval()(x, state)
        return (y if readout is None else readout(y)), state


def stepped(session: Session, x: Tensor) -> Tensor:
    return torch.stack([session.step(x_t).clone() for x_t in x])


def assert_near(got: State, expected: State, tolerance: float = 2e-6) -> None:
    for one, other in zip(tensors_of(got), tensors_of(expected), strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@settings(max_examples=100)
@given(
    kind=st.sampled_from(list(KINDS)),
    size=SIZES,
    hidden=SIZES,
    layers=st.integers(1, 3),
    batch=st.integers(1, 3),
    steps=st.integers(1, 5),
    bias=st.booleans(),
    width=st.none() | SIZES,
)
def test_a_session_gives_the_numbers_of_the_whole_sequence(
    kind: str,
    size: int,
    hidden: int,
    layers: int,
    batch: int,
    steps: int,
    bias: bool,
    width: int | None,
) -> None:
    if kind == "projected" and hidden == 1:
        hidden = 2
    layer = KINDS[kind](size, hidden, layers, bias=bias, dropout=0.5 if layers > 1 else 0.0)
    output = layer.proj_size or hidden
    readout = None if width is None else torch.nn.Linear(output, width, bias=bias)
    session = Session(layer, readout, batch=batch)
    x, state = torch.randn(steps, batch, size), drawn_state(layer, batch)
    session.state = state
    if kind == "torch.nn.LSTM":
        with torch.no_grad():
            expected, after = layer.eval()(x, state)
            expected = expected if readout is None else readout(expected)
    else:
        expected, after = whole(layer, x, state, readout)
    assert_near(stepped(session, x), expected)
    assert_near(session.state, after)


@pytest.mark.parametrize("mode", ["RNN_TANH", "RNN_RELU", "GRU", "LSTM"])
@pytest.mark.parametrize("norm", [False, True])
def test_calls_with_every_option_give_the_numbers_of_the_reference(mode: str, norm: bool) -> None:
    size, hidden, batch, lstm = 5, 37, 2, mode == "LSTM"
    output, rows = 21 if lstm else hidden, {"GRU": 3, "LSTM": 4}.get(mode, 1) * hidden

    def call_of(size: int) -> LayerCall:
        weights = Weights(
            torch.randn(rows, size) / 3,
            torch.randn(rows, output) / 6,
            torch.randn(rows),
            torch.randn(rows),
            torch.randn(output, hidden) / 6 if lstm else None,
            torch.randn(3, hidden) if lstm else None,
            torch.randn(rows) if norm else None,
            torch.randn(rows) if norm else None,
            torch.randn(2, hidden) if norm and lstm else None,
        )
        return LayerCall(mode, weights, Masks(rate_h=0.2, rate_c=0.3 if lstm else 0.0), epsilon=0.1)

    calls = [call_of(size), call_of(output)]
    x = torch.randn(6, batch, size)
    expected = x
    for call in calls:
        expected = run_layer(call, expected, None, None, None).y
    assert_near(stepped(Session.of_calls(calls, batch=batch), x), expected, 2e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_float16_weights_cost_less_than_5e_4_of_the_output_at_512(kind: str) -> None:
    layer, readout = KINDS[kind](512, 512), torch.nn.Linear(512, 64)
    x = torch.randn(40, 1, 512)
    for head in (None, readout):
        expected, _ = whole(layer, x, None, head)
        error = (stepped(Session(layer, head, precision="float16"), x) - expected).abs().max()
        assert 0 < error < 5e-4


@every_kind
def test_a_state_read_and_set_or_copied_goes_on_alike(kind: str) -> None:
    layer = KINDS[kind](3, 6, 2)
    session, x = Session(layer, batch=2), torch.randn(8, 2, 3)
    stepped(session, x[:4])
    state, copied = session.state, session.copy()
    kept = map_state(torch.clone, state)
    expected = stepped(session, x[4:])
    torch.testing.assert_close(state, kept, rtol=0, atol=0)  # what was read is a copy
    torch.testing.assert_close(stepped(copied, x[4:]), expected, rtol=0, atol=0)
    session.state = state
    torch.testing.assert_close(stepped(session, x[4:]), expected, rtol=0, atol=0)
    torch.testing.assert_close(state, kept, rtol=0, atol=0)  # and what was set, too


@every_kind
def test_no_state_a_reset_and_a_fresh_session_are_zeros(kind: str) -> None:
    layer = KINDS[kind](3, 6)
    x = torch.randn(4, 1, 3)
    session = Session(layer)
    first = stepped(session, x)
    torch.testing.assert_close(stepped(session.fresh(), x), first, rtol=0, atol=0)
    session.reset()
    assert not any(part.any() for part in tensors_of(session.state))
    torch.testing.assert_close(stepped(session, x), first, rtol=0, atol=0)
    session.state = None
    torch.testing.assert_close(stepped(session, x), first, rtol=0, atol=0)
    more = session.fresh(batch=3)
    assert_near(stepped(more, x.expand(4, 3, 3)), first.expand(4, 3, -1))


def test_a_state_of_any_strides_can_be_set() -> None:
    layer = LSTM(3, 4, 2)
    session, x = Session(layer, batch=2), torch.randn(3, 2, 3)
    state = tuple(
        part.transpose(1, 2).contiguous().transpose(1, 2) for part in drawn_state(layer, 2)
    )
    session.state = state
    assert_near(stepped(session, x), whole(layer, x, state)[0])


def test_an_array_gives_an_array_and_a_tensor_a_tensor_of_the_same_numbers() -> None:
    session = Session(GRU(3, 6), torch.nn.Linear(6, 2))
    x = torch.randn(5, 3)
    expected = stepped(session, x)
    session.reset()
    got = [session.step(x_t.numpy()).copy() for x_t in x]
    assert {(type(y), y.shape, y.dtype.name) for y in got} == {(np.ndarray, (2,), "float32")}
    np.testing.assert_array_equal(np.stack(got), expected.numpy())


@every_kind
def test_a_run_gives_the_steps_one_after_the_other(kind: str) -> None:
    layer = KINDS[kind](3, 6, 2)
    readout = torch.nn.Linear(layer.proj_size or 6, 4)
    session = Session(layer, readout, batch=2)
    session.state = drawn_state(layer, 2)
    other, x = session.copy(), torch.randn(40, 2, 3)
    expected = stepped(other, x)
    got = session.run(x)
    assert_near(got, expected)
    assert_near(session.state, other.state)
    again = session.run(x[:0])
    assert again.shape == (0, 2, 4)
    assert_near(session.state, other.state)
    session.reset()
    other.reset()
    array = session.run(x.numpy()[:, ::-1])
    assert (type(array), array.dtype) == (np.ndarray, np.float32)
    np.testing.assert_allclose(array, stepped(other, x.flip(1)).numpy(), rtol=2e-6, atol=2e-6)
    assert not session.run(x).requires_grad


def test_a_run_of_a_batch_of_one_may_do_without_its_axis() -> None:
    session, x = Session(GRU(3, 6)), torch.randn(5, 3)
    expected = session.fresh().run(x[:, None])
    assert session.fresh().run(x).shape == (5, 6)
    torch.testing.assert_close(session.run(x)[:, None], expected, rtol=0, atol=0)


def test_a_bad_run_is_named_and_changes_no_state() -> None:
    session = Session(LSTM(3, 4), batch=2)
    session.step(torch.randn(2, 3))
    before = session.state
    bad: list[tuple[type[UnrolledError], str, Any]] = [
        (DTypeError, "x: got list, expected a tensor or a numpy array", [[[0.0] * 3] * 2]),
        (DTypeError, "x: got dtype float64, expected float32", np.zeros((5, 2, 3))),
        (ShapeError, r"x: got shape \(5, 3\), expected \(5, 2, 3\)", torch.zeros(5, 3)),
        (ShapeError, r"x: got shape \(5, 2, 4\), expected \(5, 2, 3\)", torch.zeros(5, 2, 4)),
        (ShapeError, r"x: got shape \(\), expected \(0, 2, 3\)", torch.zeros(())),
        (ConfigError, "x: got a tensor on meta", torch.zeros(5, 2, 3, device="meta")),
    ]
    for kind, message, x in bad:
        with pytest.raises(kind, match=message):
            session.run(x)
    torch.testing.assert_close(session.state, before, rtol=0, atol=0)


def test_a_batch_of_one_may_do_without_its_axis() -> None:
    session = Session(LSTM(3, 6))
    x = torch.randn(3)
    expected = session.fresh().step(x[None])
    assert session.step(x).shape == (6,)
    session.reset()
    torch.testing.assert_close(session.step(x)[None], expected, rtol=0, atol=0)


@pytest.mark.parametrize("like", [torch.clone, lambda x: x.numpy().copy()])
def test_strided_and_read_only_input_is_read_as_it_stands(like: Callable[[Tensor], Any]) -> None:
    session, x = Session(RNN(3, 6), batch=2), torch.randn(2, 3)
    expected = session.fresh().step(x).clone()
    wide = like(torch.randn(2, 6))
    wide[:, ::2] = like(x)
    given = wide[:, ::2]
    if isinstance(given, np.ndarray):
        given.flags.writeable = False
    np.testing.assert_array_equal(np.asarray(session.step(given)), expected.numpy())


def test_without_out_each_step_overwrites_the_last_output() -> None:
    session = Session(RNN(3, 6))
    first = session.step(torch.randn(1, 3))
    before = first.clone()
    assert session.step(torch.randn(1, 3)) is first
    assert not torch.equal(first, before)


def test_out_is_written_and_returned() -> None:
    session, x = Session(GRU(6, 6)), torch.randn(1, 6)
    expected = session.fresh().step(x).clone()
    out = torch.full((1, 6), torch.nan)
    buffer = session.step(x)
    session.reset()
    assert session.step(x, out) is out
    torch.testing.assert_close(out, expected, rtol=0, atol=0)
    session.reset()
    buffer.fill_(7.0)
    array = x.numpy().copy()
    assert session.step(array, array) is array  # the place of the input, too
    np.testing.assert_array_equal(array, expected.numpy())
    assert (buffer == 7.0).all()


def test_training_the_layer_does_not_reach_a_session() -> None:
    layer, readout = LSTM(3, 6), torch.nn.Linear(6, 2)
    session, x = Session(layer, readout), torch.randn(1, 3)
    expected = session.step(x).clone()
    with torch.no_grad():
        for parameter in (*layer.parameters(), *readout.parameters()):
            parameter.fill_(torch.nan)
    for one in (session, session.copy(), session.fresh()):
        one.reset()
        torch.testing.assert_close(one.step(x), expected, rtol=0, atol=0)


def test_torchs_default_dtype_and_device_change_nothing() -> None:
    layer, x = LSTM(3, 6), torch.randn(1, 3)
    expected = Session(layer).step(x)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            session = Session(layer)
            torch.testing.assert_close(session.step(x), expected, rtol=0, atol=0)
            assert_near(session.state[0][0], expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_step_records_no_gradient() -> None:
    session = Session(LSTM(3, 6))
    assert not session.step(torch.randn(1, 3, requires_grad=True)).requires_grad


def test_sessions_on_the_same_weights_run_in_many_threads() -> None:
    session = Session(LSTM(8, 64, 2), torch.nn.Linear(64, 5), precision="float16")
    x = torch.randn(60, 8)
    expected = stepped(session.fresh(), x)
    sessions = [session.fresh() for _ in range(4)]
    results: list[Tensor] = [torch.empty(0)] * 4

    def work(index: int) -> None:
        results[index] = stepped(sessions[index], x)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got in results:
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


@pytest.mark.parametrize("as_array", [False, True])
def test_steps_leave_no_object_behind(as_array: bool) -> None:
    session = Session(LSTM(8, 16), torch.nn.Linear(16, 3))
    x: Any = torch.randn(1, 8)
    x = x.numpy() if as_array else x
    for _ in range(10):
        session.step(x)
    before = sys.getallocatedblocks()
    for _ in range(1000):
        session.step(x)
    assert sys.getallocatedblocks() - before < 100


def test_a_batch_with_nan_in_a_row_is_clean_in_the_others() -> None:
    session, x = Session(GRU(3, 6), batch=3), torch.randn(2, 3, 3)
    expected = stepped(session.fresh(), x)
    x[0, 1] = torch.nan
    got = stepped(session, x)
    assert got[:, 1].isnan().all()
    torch.testing.assert_close(got[:, [0, 2]], expected[:, [0, 2]], rtol=0, atol=0)


BAD_INPUT: list[tuple[type[UnrolledError], str, Any]] = [
    (DTypeError, "x: got list, expected a tensor or a numpy array", [[0.0] * 3] * 2),
    (DTypeError, "x: got dtype torch.float64, expected float32", torch.zeros(2, 3).double()),
    (DTypeError, "x: got dtype float64, expected float32", np.zeros((2, 3))),
    (ShapeError, r"x: got shape \(3,\), expected \(2, 3\)", torch.zeros(3)),
    (ShapeError, r"x: got shape \(2, 4\), expected \(2, 3\)", torch.zeros(2, 4)),
    (ShapeError, r"x: got shape \(1, 3\), expected \(2, 3\)", np.zeros((1, 3), np.float32)),
    (ShapeError, r"x: got shape \(\), expected \(2, 3\)", np.zeros((), np.float32)),
    (ConfigError, "x: got a tensor on meta, expected cpu", torch.zeros(2, 3, device="meta")),
]


@pytest.mark.parametrize(("kind", "message", "x"), BAD_INPUT, ids=[b[1][:24] for b in BAD_INPUT])
def test_bad_input_is_named_and_changes_no_state(kind: Any, message: str, x: Any) -> None:
    session = Session(LSTM(3, 4), batch=2)
    session.step(torch.randn(2, 3))
    before = session.state
    with pytest.raises(kind, match=message):
        session.step(x)
    torch.testing.assert_close(session.state, before, rtol=0, atol=0)


def read_only(*shape: int) -> np.ndarray:
    array = np.zeros(shape, np.float32)
    array.flags.writeable = False
    return array


BAD_OUT: list[tuple[type[UnrolledError], str, bool, Any]] = [
    (DTypeError, "out: got ndarray, expected a tensor", False, np.zeros((2, 4), np.float32)),
    (DTypeError, "out: got Tensor, expected a numpy array", True, torch.zeros(2, 4)),
    (DTypeError, "out: got dtype torch.float64", False, torch.zeros(2, 4).double()),
    (ShapeError, r"out: got shape \(4,\), expected \(2, 4\)", False, torch.zeros(4)),
    (ShapeError, "out: .* not contiguous", False, torch.zeros(4, 2).t()),
    (ShapeError, "out: .* not contiguous", True, np.zeros((4, 2), np.float32).T),
    (ConfigError, "out: got a read-only array", True, read_only(2, 4)),
]


@pytest.mark.parametrize(("kind", "message", "as_array", "out"), BAD_OUT)
def test_a_bad_out_is_named_and_changes_no_state(
    kind: Any, message: str, as_array: bool, out: Any
) -> None:
    session, x = Session(RNN(3, 4), batch=2), torch.randn(2, 3)
    with pytest.raises(kind, match=message):
        session.step(x.numpy() if as_array else x, out)
    assert not session.state.any()


BAD_STATES: list[tuple[type[UnrolledError], str, Any]] = [
    (ShapeError, r"state: got Tensor, expected a tuple \(h, c\)", torch.zeros(1, 2, 4)),
    (DTypeError, r"state\[1\] \(c\): got NoneType", (torch.zeros(1, 2, 4), None)),
    (ShapeError, r"state\[0\] \(h\): got shape \(2, 4\), expected \(1, 2, 4\)",
     (torch.zeros(2, 4), torch.zeros(2, 4))),
    (DTypeError, r"state\[0\].*torch.float64", (torch.zeros(1, 2, 4).double(),) * 2),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "message", "state"), BAD_STATES)
def test_a_bad_state_is_named_and_changes_nothing(kind: Any, message: str, state: Any) -> None:
    session = Session(LSTM(3, 4), batch=2)
    session.step(torch.randn(2, 3))
    before = session.state
    with pytest.raises(kind, match=message):
        session.state = state
    torch.testing.assert_close(session.state, before, rtol=0, atol=0)


def with_weight(value: float) -> LSTM:
    layer = LSTM(3, 4)
    with torch.no_grad():
        layer.weight_hh_l0[2, 1] = value
    return layer


def readout_of_nan() -> torch.nn.Linear:
    readout = torch.nn.Linear(4, 2)
    torch.nn.init.constant_(readout.bias, torch.nan)
    return readout


BAD_SESSIONS: list[tuple[type[UnrolledError], str, Callable[[], Any]]] = [
    (ConfigError, "layer: got Linear", lambda: Session(torch.nn.Linear(3, 4))),  # type: ignore[arg-type]
    (ConfigError, "bidirectional=False", lambda: Session(GRU(3, 4, bidirectional=True))),
    (ConfigError, "precision: got 'int8', expected float32 or float16",
     lambda: Session(GRU(3, 4), precision="int8")),
    (ConfigError, "batch: got 0, expected a whole number", lambda: Session(GRU(3, 4), batch=0)),
    (ConfigError, "batch: got 1.5", lambda: Session(GRU(3, 4)).fresh(1.5)),  # type: ignore[arg-type]
    (ShapeError, "readout: got in_features = 5, expected 4",
     lambda: Session(GRU(3, 4), torch.nn.Linear(5, 2))),
    (DTypeError, "weight_ih_l0: got dtype torch.float64", lambda: Session(GRU(3, 4).double())),
    (ConfigError, "weight_ih_l0: got a tensor on meta", lambda: Session(GRU(3, 4, device="meta"))),
    (ConfigError, "weight_hh_l0: got NaN, expected", lambda: Session(with_weight(torch.nan))),
    (ConfigError, "readout.bias: got NaN", lambda: Session(GRU(3, 4), readout_of_nan())),
    (ConfigError, r"weight_hh_l0: got numbers up to 7e\+04, .* precision='float32'",
     lambda: Session(with_weight(-7e4), precision="float16")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "message", "make"), BAD_SESSIONS, ids=[b[1] for b in BAD_SESSIONS]
)
def test_what_cant_be_streamed_is_told(kind: Any, message: str, make: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_large_and_infinite_weights_are_for_float32_and_float16_as_far_as_they_can_be() -> None:
    x = torch.randn(1, 3)
    assert Session(with_weight(-7e4)).step(x).isfinite().all()
    assert Session(with_weight(65504.0), precision="float16").step(x).isfinite().all()
    assert Session(with_weight(torch.inf), precision="float16").step(x).isnan().any()


def test_without_kernels_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_KERNELS", "off")
    with pytest.raises(ConfigError, match=r"UNROLLED_KERNELS=off is set.*layer\.step"):
        Session(GRU(3, 4))


@pytest.mark.parametrize(
    "call",
    [
        {"reverse": True},
        {"masks": Masks(recurrent=torch.ones(1, 4))},
        {"masks": Masks(zoneout_h=torch.ones(1, 1, 4, dtype=torch.bool))},
    ],
    ids=lambda call: next(iter(call)),
)
def test_calls_that_are_not_for_streaming_are_refused(call: dict[str, Any]) -> None:
    weights = Weights(torch.randn(4, 3), torch.randn(4, 4))
    with pytest.raises(ConfigError, match="a session"):
        Session.of_calls([LayerCall("RNN_TANH", weights, **call)])
