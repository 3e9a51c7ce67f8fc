"""The options of the layers: each does what its formula says, alike on every path."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import GRU, LSTM, RNN, Session, use_path
from unrolled.layers.masks import recurrent_mask
from unrolled.layers.states import State, map_state, tensors_of

needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
every_kind = pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
native = pytest.param("native", marks=needs_kernels)
every_path = pytest.mark.parametrize("path", ["reference", "aten", native])
T, B, I, H = 6, 3, 4, 5  # noqa: E741
LENGTHS = torch.tensor([6, 3, 0])
STARTS = torch.zeros(T, B, dtype=torch.bool)
STARTS[2, 0] = STARTS[1, 1] = True

INSIDE: dict[str, Any] = {"layer_norm": True, "zoneout": 0.3, "recurrent_dropout": 0.4}
AROUND: dict[str, Any] = {"weight_dropout": 0.5, "input_dropout": 0.4, "residual": True}


def layer_of(kind: type, **options: Any) -> Any:
    """A layer in float64 with every parameter drawn wide."""
    layer = kind(I, H, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.6)
    return layer


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def state_of(layer: torch.nn.RNNBase) -> State:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = some(rows, B, layer.proj_size or H)
    return (h, some(rows, B, H)) if layer.mode == "LSTM" else h


def values_and_gradients(layer: Any, x: Any, state: State, **call: Any) -> list[Tensor]:
    """Of a fixed random loss, with the masks of one seed."""
    data = (x.data if isinstance(x, PackedSequence) else x).clone().requires_grad_()
    source = PackedSequence(data, *x[1:]) if isinstance(x, PackedSequence) else data
    given = None if state is None else map_state(lambda s: s.clone().requires_grad_(), state)
    torch.manual_seed(3)
    y, final = layer(source, given, **call)
    outputs = [y.data if isinstance(y, PackedSequence) else y, *tensors_of(final)]
    torch.manual_seed(4)
    loss = sum((torch.randn(out.shape, dtype=out.dtype) * out).sum() for out in outputs)
    leaves = [data, *([] if given is None else tensors_of(given)), *layer.parameters()]
    return [*outputs, *torch.autograd.grad(loss, leaves)]


def assert_alike(got: Any, want: Any) -> None:
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other)


def together(kind: type, **more: Any) -> dict[str, Any]:
    return {**INSIDE, **AROUND, "num_layers": 2, "peephole": kind is LSTM, **more}


@needs_kernels
@pytest.mark.parametrize("merge", ["one direction", "concat", "sum", "mean", "mul"])
@pytest.mark.parametrize("batch_first", [False, True])
@every_kind
def test_all_options_together_have_the_same_numbers_on_both_paths(
    kind: type, batch_first: bool, merge: str
) -> None:
    two = {"bidirectional": True, "merge": merge} if merge != "one direction" else {}
    layer = layer_of(kind, **together(kind, batch_first=batch_first, dropout=0.2, **two))
    x, state = some(B, T, I) if batch_first else some(T, B, I), state_of(layer)
    starts = STARTS.t() if batch_first else STARTS
    for training in (True, False):
        layer.train(training)
        for call in ({}, {"lengths": LENGTHS, "starts": starts}):
            found = []
            for path in ("native", "reference"):
                with use_path(path):
                    found.append(values_and_gradients(layer, x, state, **call))
            assert_alike(*found)


@needs_kernels
@every_kind
def test_a_packed_batch_has_the_masks_of_its_rows(kind: type) -> None:
    layer = layer_of(kind, **together(kind, bidirectional=True, merge="sum"))
    lengths = torch.tensor([3, 6, 1])
    x, state = some(T, B, I), state_of(layer)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    found = []
    for path in ("native", "reference"):
        with use_path(path):
            found.append(values_and_gradients(layer, packed, state))
    assert_alike(*found)
    layer.eval()
    y, final = layer(packed, state)
    want, want_final = layer(x, state, lengths=lengths)
    torch.testing.assert_close(pad_packed_sequence(y)[0], want)
    assert_alike(tensors_of(final), tensors_of(want_final))


@pytest.mark.parametrize("merge", ["concat", "sum"])
@every_kind
def test_options_around_a_layer_run_on_pytorchs_own_layers_too(kind: type, merge: str) -> None:
    layer = layer_of(kind, num_layers=3, bidirectional=True, merge=merge, **AROUND)
    x, state = some(T, B, I), state_of(layer)
    packed = pack_padded_sequence(x, torch.tensor([2, 6, 4]), enforce_sorted=False)
    for given, call in ((x, {}), (x, {"lengths": LENGTHS, "starts": STARTS}), (packed, {})):
        for start in (state, None):
            found = []
            for path in ("aten", "reference"):
                with use_path(path):
                    found.append(values_and_gradients(layer, given, start, **call))
            assert_alike(*found)


@every_path
@every_kind
def test_a_residual_stack_adds_the_input_from_the_second_layer_on(kind: type, path: str) -> None:
    layer = layer_of(kind, num_layers=3, residual=True)
    x, want = some(T, B, I), None
    for index in range(3):
        one = kind(I if index == 0 else H, H).double()
        one.load_state_dict(
            {
                name.replace(f"l{index}", "l0"): value
                for name, value in layer.state_dict().items()
                if name.endswith(f"l{index}")
            }
        )
        out = one(x if want is None else want)[0]
        want = out if want is None else out + want
    with use_path(path):
        torch.testing.assert_close(layer(x)[0], want)


@every_path
@pytest.mark.parametrize(
    ("merge", "join"),
    [
        ("sum", lambda a, b: a + b),
        ("mean", lambda a, b: (a + b) / 2),
        ("mul", lambda a, b: a * b),
    ],
)
def test_a_merge_makes_one_output_of_two_directions(merge: str, join: Any, path: str) -> None:
    layer = layer_of(GRU, bidirectional=True, merge=merge, num_layers=2)
    assert layer.weight_ih_l1.shape == (3 * H, H)
    x = some(T, B, I)
    want = x
    for index in range(2):
        halves = []
        for end in ("", "_reverse"):
            one = torch.nn.GRU(want.shape[-1], H).double()
            parts = {
                name: getattr(layer, f"{name[:-3]}_l{index}{end}") for name in one.state_dict()
            }
            one.load_state_dict(parts)
            halves.append(one(want.flip(0) if end else want)[0])
        want = join(halves[0], halves[1].flip(0))
    with use_path(path):
        torch.testing.assert_close(layer(x)[0], want)


@every_path
def test_input_dropout_is_one_mask_for_all_steps(path: str) -> None:
    layer, x = layer_of(LSTM, input_dropout=0.5), some(T, B, I)
    with use_path(path):
        torch.manual_seed(5)
        got = layer(x)[0]
        torch.manual_seed(5)
        mask = recurrent_mask(B, I, 0.5, x)
        layer.eval()
        torch.testing.assert_close(got, layer(x * mask)[0])
        assert not torch.allclose(got, layer(x)[0])


@every_path
def test_weight_dropout_is_of_the_recurrent_matrix(path: str) -> None:
    layer, x = layer_of(LSTM, weight_dropout=0.5), some(T, B, I)
    plain = torch.nn.LSTM(I, H).double()
    plain.load_state_dict(layer.state_dict())
    with use_path(path):
        torch.manual_seed(5)
        got = layer(x)[0]
    torch.manual_seed(5)
    with torch.no_grad():
        plain.weight_hh_l0.copy_(dropout(plain.weight_hh_l0, 0.5))
    torch.testing.assert_close(got, plain(x)[0])
    layer.eval()
    assert not torch.allclose(layer(x)[0], got)


@every_kind
def test_recurrent_dropout_holds_back_the_state_where_it_enters_the_matrix(kind: type) -> None:
    layer, x, state = layer_of(kind, recurrent_dropout=0.5), some(1, B, I), None
    state = state_of(layer)
    plain = kind(I, H).double()
    plain.load_state_dict(layer.state_dict())
    torch.manual_seed(5)
    got = layer(x, state)[0]
    torch.manual_seed(5)
    mask = recurrent_mask(B, H, 0.5, x)
    want = []
    for row in range(B):  # a diagonal in the matrix does what a mask of the state does
        one = copy.deepcopy(plain)
        with torch.no_grad():
            one.weight_hh_l0.mul_(mask[row])
        own = map_state(lambda part, row=row: part[:, row : row + 1], state)
        want.append(one(x[:, row : row + 1], own)[0])
    torch.testing.assert_close(got, torch.cat(want, 1))


@every_kind
def test_zoneout_keeps_units_in_training_and_mixes_them_in_evaluation(kind: type) -> None:
    layer = layer_of(kind, zoneout=0.4)
    x, state = some(1, B, I), state_of(layer)
    plain = kind(I, H).double()
    plain.load_state_dict(layer.state_dict())
    old, new = list(tensors_of(state)), list(tensors_of(plain(x, state)[1]))
    kept = list(tensors_of(layer(x, state)[1]))
    for was, would, got in zip(old, new, kept, strict=True):
        either = torch.isclose(got, was) | torch.isclose(got, would)
        assert bool(either.all())
        assert 0 < int(torch.isclose(got, was).sum()) < got.numel()
    layer.eval()
    mixed = tensors_of(layer(x, state)[1])
    assert_alike(mixed, [0.4 * was + 0.6 * would for was, would in zip(old, new, strict=True)])


def test_the_rates_may_be_set_later() -> None:
    layer, x = layer_of(LSTM), some(T, B, I)
    plain = layer(x)[0]
    layer.zoneout = (0.2, 0.1)
    assert layer.zoneout == (0.2, 0.1)
    layer.eval()
    assert not torch.allclose(layer(x)[0], plain)
    layer.zoneout = 0
    torch.testing.assert_close(layer(x)[0], plain)
    layer.recurrent_dropout = 0.5
    torch.testing.assert_close(layer(x)[0], plain)  # in evaluation
    layer.train()
    assert not torch.allclose(layer(x)[0], plain)
    with pytest.raises(AttributeError):
        layer.layer_norm = True
    with pytest.raises(ConfigError, match=r"recurrent_dropout: got 1\.5, expected a number from 0"):
        layer.recurrent_dropout = 1.5


@every_kind
def test_dropouts_do_nothing_in_evaluation(kind: type) -> None:
    rates = {name: 0.5 for name in ("recurrent_dropout", "weight_dropout", "input_dropout")}
    layer, x = layer_of(kind, **rates).eval(), some(T, B, I)
    plain = kind(I, H).double()
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x)[0], plain(x)[0])


@every_kind
def test_steps_with_options_give_the_whole_sequence(kind: type) -> None:
    layer = layer_of(kind, **together(kind)).eval()
    x, given = some(T, B, I), state_of(layer)
    want, want_state = layer(x, given)
    outputs, state = [], given
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    torch.testing.assert_close(torch.stack(outputs), want)
    assert_alike(tensors_of(state), tensors_of(want_state))
    y_0, first = layer.step(x[0, 0])
    want_0, want_first = layer(x[:1, 0])
    torch.testing.assert_close(y_0, want_0[0])
    assert_alike(tensors_of(first), tensors_of(want_first))
    assert layer.step(x[0, :0])[0].shape == (0, H)
    said = layer.explain(x[0], step=True)
    assert said.runs


@needs_kernels
@every_kind
def test_a_session_streams_a_layer_with_options(kind: type) -> None:
    options = {"layer_norm": True, "zoneout": 0.3, "peephole": kind is LSTM, "num_layers": 2}
    layer = layer_of(kind, **options).float().eval()
    x = torch.randn(T, 1, I)
    session = Session(layer)
    got = torch.stack([session.step(x_t).clone() for x_t in x])
    torch.testing.assert_close(got, layer(x)[0])
    with pytest.raises(ConfigError, match="residual=True"):
        Session(kind(I, H, num_layers=2, residual=True))


@every_kind
def test_copies_and_pickles_keep_the_options(kind: type) -> None:
    layer, x = layer_of(kind, **together(kind), init="orthogonal").eval(), some(T, B, I)
    want = layer(x)[0]
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(other(x)[0], want)
        assert other.init == "orthogonal"
        assert repr(other) == repr(layer)
    fresh = kind(I, H, **together(kind)).double().eval()
    fresh.load_state_dict(layer.state_dict())
    assert torch.equal(fresh(x)[0], want)
    assert "zoneout=(0.3, " in repr(layer)
    assert "init='orthogonal'" in repr(layer)


@every_kind
def test_a_layer_without_options_is_drawn_and_shown_as_torchs(kind: type) -> None:
    torch.manual_seed(1)
    plain = kind(I, H)
    torch.manual_seed(1)
    given = kind(I, H, layer_norm=False, zoneout=(0, 0), merge="concat", init="torch")
    assert repr(given) == repr(plain)
    assert_alike(given.parameters(), plain.parameters())
    torch.manual_seed(1)
    drawn_alike = kind(I, H, zoneout=0.2, input_dropout=0.1, checkpoint=5)
    assert_alike(drawn_alike.parameters(), plain.parameters())
    torch.manual_seed(1)
    given.reset_parameters()
    assert_alike(given.parameters(), plain.parameters())


@every_kind
def test_gates_and_cell_states_are_handed_out_with_their_gradients(kind: type) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=True, **INSIDE)
    layer.eval()
    x, state = some(T, B, I), state_of(layer)
    call = {"lengths": LENGTHS, "starts": STARTS}
    y, final = layer(x, state, **call)
    got_y, got_final, records = layer(x, state, return_gates=True, **call)
    torch.testing.assert_close(got_y, y)
    assert_alike(tensors_of(got_final), tensors_of(final))
    assert len(records) == 2
    for record in records:
        assert [part.shape for part in record.cells] == [(T, B, H)] * 2 * (kind is LSTM)
        gates = {RNN: 0, GRU: 3, LSTM: 4}[kind]
        assert [part.shape for part in record.gates] == [(T, B, gates * H)] * 2 * (gates > 0)
        assert all(bool((part[3:, 1] == 0).all()) for part in (*record.cells, *record.gates))
    if kind is not RNN:
        (slope,) = torch.autograd.grad(records[0].gates[1].sum(), [layer.weight_hh_l0_reverse])
        assert float(slope.abs().sum()) > 0
    if kind is LSTM:
        torch.testing.assert_close(records[1].cells[0][T - 1, 0], final[1][2, 0])


@needs_kernels
@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_native_hands_out_the_gates_of_the_reference_without_gradients(kind: type) -> None:
    layer = layer_of(kind, batch_first=True, num_layers=2)
    x = some(B, T, I)
    packed = pack_padded_sequence(
        x, torch.tensor([2, 6, 4]), batch_first=True, enforce_sorted=False
    )
    for given in (x, x[0], packed):
        found = []
        for path in ("native", "reference"):
            with use_path(path), torch.no_grad():
                records = layer(given, return_gates=True)[2]
            found.append([part for one in records for part in (*one.gates, *one.cells)])
        assert found[0][0].shape[:-1] == (given.data if given is packed else given).shape[:-1]
        assert_alike(*found)
    with use_path("native"), pytest.raises(ConfigError, match=r"under torch\.no_grad"):
        layer(x, return_gates=True)


def test_a_path_that_lacks_an_option_says_so() -> None:
    layer, x = layer_of(GRU, layer_norm=True, zoneout=0.1), some(T, B, I)
    with use_path("aten"):
        with pytest.raises(ConfigError, match="has no layer_norm and no zoneout"):
            layer(x)
        assert not layer.explain(x).runs
    with torch.autocast("cpu", dtype=torch.bfloat16):
        said = layer.float().explain(x.float())
    assert said.path == "reference"
    assert "PyTorch's fused layer has no layer_norm and no zoneout" in said.reason


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        (LSTM, {"layer_norm": 1}, "layer_norm: got 1, expected True or False"),
        (GRU, {"peephole": True}, "peephole: got True, and only an LSTM"),
        (LSTM, {"zoneout": 2}, "zoneout: got 2, expected a number from 0 to 1"),
        (LSTM, {"zoneout": (0.1, 0.2, 0.3)}, "expected a rate, or one for h and for c"),
        (GRU, {"zoneout": (0.1, 0.2)}, "only an LSTM has a cell state for the second rate"),
        (RNN, {"weight_dropout": float("nan")}, "weight_dropout: got nan, expected a number"),
        (RNN, {"input_dropout": "0.1"}, "input_dropout: got '0.1', expected a number"),
        (LSTM, {"merge": "add", "bidirectional": True}, "merge: got 'add', expected one of concat"),
        (LSTM, {"merge": "sum"}, "for a layer with one direction"),
        (LSTM, {"init": "chrono"}, r"expected \('chrono', T\) with T at least 3"),
        (LSTM, {"init": ("chrono", 2)}, r"expected \('chrono', T\) with T at least 3"),
        (RNN, {"init": "forget"}, "for an RNN, which has no gate"),
        (LSTM, {"init": "forget", "bias": False}, "expected bias=True"),
        (GRU, {"init": "identity"}, "for a layer of mode GRU, expected an RNN"),
        (GRU, {"init": "xavier"}, "init: got 'xavier', expected 'torch', 'orthogonal'"),
        (GRU, {"init": ("forget", "much")}, r"expected \('forget', a number\)"),
    ],
)
def test_an_option_without_a_meaning_is_refused(
    kind: type, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        kind(I, H, **options)


def test_weights_narrower_than_cudnns_stack_are_not_laid_out_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.RNNBase, "flatten_parameters", lambda layer: calls.append(layer))
    narrow = LSTM(3, 4, 2, bidirectional=True, merge="sum")
    calls.clear()
    narrow.float().flatten_parameters()
    assert not calls
    wide = LSTM(3, 4, 2, bidirectional=True)
    wide.flatten_parameters()
    assert calls[-1] is wide


@every_path
def test_input_dropout_can_have_a_rate_for_each_layer(path: str) -> None:
    layer, x = layer_of(LSTM, num_layers=2, input_dropout=(0.0, 0.5)), some(T, B, I)
    one, two = layer_of(LSTM), LSTM(H, H).double()
    for single, index in ((one, 0), (two, 1)):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            with torch.no_grad():
                getattr(single, f"{name}_l0").copy_(getattr(layer, f"{name}_l{index}"))
    with use_path(path):
        torch.manual_seed(5)
        got = layer(x)[0]
        torch.manual_seed(5)
        mask = recurrent_mask(B, H, 0.5, x)
        torch.testing.assert_close(got, two(one(x)[0] * mask)[0])
    layer.input_dropout = (0.0, 0.0)
    assert layer._options is None
    for rates, words in (((0.1,), "got 1 rates for 2 layers"), ((0.1, 2.0), "expected a number")):
        with pytest.raises(ConfigError, match=words):
            layer.input_dropout = rates
        with pytest.raises(ConfigError, match=words):
            LSTM(I, H, 2, input_dropout=rates)
