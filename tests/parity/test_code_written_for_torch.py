"""Code written for `torch.nn` does not notice: the same calls of both, the same answers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn.utils import parameters_to_vector, prune, vector_to_parameters
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import tensors_of

TORCHS = {RNN: torch.nn.RNN, GRU: torch.nn.GRU, LSTM: torch.nn.LSTM}
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
T, B, I, H = 4, 2, 3, 5  # noqa: E741
Made = tuple[Any, list[str]]


def answer(code: Callable[[type], Any], kind: type) -> Made:
    """What code gives, or the kind and text of its error; and what it warns of."""
    torch.manual_seed(7)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = code(kind)
        except AssertionError:
            raise
        except Exception as error:
            found = (type(error).__name__, str(error))
    return found, [str(one.message) for one in seen]


def assert_unnoticed(code: Callable[[type], Any], kind: type) -> Any:
    ours, theirs = answer(code, kind), answer(code, TORCHS[kind])
    assert ours[1] == theirs[1]
    if isinstance(ours[0], torch.Tensor | list) and not isinstance(ours[0], str):
        torch.testing.assert_close(ours[0], theirs[0], equal_nan=True)
    else:
        assert ours[0] == theirs[0]
    return ours[0]


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ((I, H), {"dropout": 1.5}),
        ((I, H), {"dropout": -0.1}),
        ((I, H), {"dropout": True}),
        ((I, H), {"dropout": "a"}),
        ((I, H), {"dropout": 0.5}),  # one layer: torch warns
        ((I, H), {"proj_size": 2}),
        ((I, H), {"proj_size": H}),
        ((I, H), {"proj_size": -1}),
        ((I, 5.0), {}),
        ((I, 0), {}),
        ((I, -1), {}),
        ((I, H, 0), {}),
        ((I, H, -1), {}),
        ((0, H), {}),
        ((I,), {}),
        ((), {}),
        ((I, H), {"foo": 1}),
        ((I, H), {"nonlinearity": "sigmoid"}),
        ((I, H, 2, False, True, 0.5, True), {}),
    ],
)
@every_kind
def test_a_constructor_takes_refuses_and_warns_as_torchs(
    kind: type, arguments: Any, options: Any
) -> None:
    ours = answer(lambda k: repr(k(*arguments, **options)), kind)
    theirs = answer(lambda k: repr(k(*arguments, **options)), TORCHS[kind])
    assert ours == theirs


@every_kind
def test_the_list_of_weights_follows_a_weight_that_is_set(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer = kind(I, H, bidirectional=True)
        layer.weight_hh_l0 = torch.nn.Parameter(torch.full_like(layer.weight_hh_l0, 0.2))
        assert layer._flat_weights[1] is layer.weight_hh_l0
        names = (layer._flat_weights_names, layer._all_weights, layer.mode, layer.proj_size)
        return (*names, [len(row) for row in layer.all_weights], layer.flatten_parameters())

    assert_unnoticed(code, kind)


@every_kind
@pytest.mark.parametrize("strict", [True, False])
def test_a_state_dict_that_does_not_fit_is_refused_in_torchs_words(
    kind: type, strict: bool
) -> None:
    def code(kind: Any) -> Any:
        layer = kind(I, H)
        state = layer.state_dict()
        del state["bias_hh_l0"]
        state["more"] = torch.zeros(1)
        return str(layer.load_state_dict(state, strict=strict))

    assert_unnoticed(code, kind)


@every_kind
def test_a_pickled_layer_comes_back_also_from_before_projections(kind: type) -> None:
    x = torch.randn(T, B, I)
    layer = kind(I, H, num_layers=2)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    back = torch.load(file, weights_only=False)
    assert type(back) is kind
    assert torch.equal(back(x)[0], layer(x)[0])
    assert back._flat_weights[0] is back.weight_ih_l0

    layer = kind(I, H)
    state = {name: value for name, value in layer.__getstate__().items() if name != "proj_size"}
    old = kind.__new__(kind)
    old.__setstate__(state)  # type: ignore[attr-defined]
    assert torch.equal(old(x)[0], layer(x)[0])


@every_kind
def test_dtype_device_and_memory_are_moved_as_torchs(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer = kind(I, H, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.fill_(0.1)
        seen = [layer(torch.ones(T, B, I))[0]]
        layer.share_memory()
        assert all(parameter.is_shared() for parameter in layer.parameters())
        for dtype in (torch.float16, torch.bfloat16, torch.float64):
            layer.to(dtype)
            assert layer._flat_weights[0].dtype == dtype
            seen.append(layer(torch.ones(T, B, I, dtype=dtype))[0].float())
        return seen

    assert_unnoticed(code, kind)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@every_kind
def test_the_old_ways_to_reparametrise_a_weight_work(kind: type) -> None:
    def normed(kind: Any) -> Any:
        layer = torch.nn.utils.weight_norm(kind(I, H), "weight_hh_l0")
        layer.weight_hh_l0_g.data.fill_(2.0)
        y = layer(torch.randn(T, B, I))[0]
        y.sum().backward()
        return [y, layer.weight_hh_l0_g.grad, layer.weight_ih_l0.grad]

    def pruned(kind: Any) -> Any:
        layer = kind(I, H)
        prune.random_unstructured(layer, "weight_hh_l0", 0.5)
        y = layer(torch.randn(T, B, I))[0]
        y.sum().backward()
        return [y, layer.weight_hh_l0_orig.grad]

    def copied(kind: Any) -> Any:
        layer = kind(I, H)
        replica = layer._replicate_for_data_parallel()
        for name, parameter in layer._parameters.items():
            setattr(replica, name, parameter * 2)
        return replica(torch.ones(T, B, I))[0]

    def by_vector(kind: Any) -> Any:
        layer = kind(I, H)
        vector_to_parameters(2 * parameters_to_vector(layer.parameters()), layer.parameters())
        return layer(torch.ones(T, B, I))[0]

    for code in (normed, pruned, copied, by_vector):
        assert isinstance(assert_unnoticed(code, kind), torch.Tensor | list)


@every_kind
def test_keywords_and_hooks_with_keywords_arrive_as_they_were_given(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer, seen = kind(I, H), []
        layer.register_forward_pre_hook(
            lambda _, args, kwargs: seen.append((len(args), sorted(kwargs))), with_kwargs=True
        )
        h = torch.zeros(1, B, H)
        layer(input=torch.ones(T, B, I), hx=(h, h) if layer.mode == "LSTM" else h)
        return seen

    assert answer(code, kind) == answer(code, TORCHS[kind]) == ([(0, ["hx", "input"])], [])


@every_kind
def test_a_state_may_be_a_list_or_lie_in_memory_in_any_way(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer, x = kind(I, H), torch.randn(T, B, I)
        h = torch.randn(B, 1, H).transpose(0, 1)
        state = [h, h + 1] if layer.mode == "LSTM" else h
        y, after = layer(x, state)
        return [y, *tensors_of(after)]

    assert_unnoticed(code, kind)


@every_kind
def test_unsorted_packed_sequences_keep_their_order(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer, h = kind(I, H, bidirectional=True), torch.randn(2, B, H)
        packed = pack_sequence([torch.randn(2, I), torch.randn(4, I)], enforce_sorted=False)
        y, state = layer(packed, (h, h) if layer.mode == "LSTM" else h)
        return [*pad_packed_sequence(y), y.sorted_indices, *tensors_of(state)]

    assert_unnoticed(code, kind)


@every_kind
def test_nan_in_a_weight_reaches_what_it_reaches_in_torch(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer = kind(I, H)
        layer.weight_hh_l0.data[0, 0] = float("nan")
        return layer(torch.ones(3, B, I))[0].isnan().tolist()

    assert any(assert_unnoticed(code, kind)[1][0])


@every_kind
def test_only_weights_that_want_a_gradient_get_one(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer, x = kind(I, H), torch.ones(T, B, I)
        layer.weight_hh_l0.requires_grad_(False)
        layer(x)[0].sum().backward()
        lacks = [parameter.grad is None for parameter in layer.parameters()]
        with torch.inference_mode():
            y = layer(x)[0]
        layer.requires_grad_(False)
        return (*lacks, layer(x)[0].requires_grad, y.is_inference())

    found = assert_unnoticed(code, kind)
    assert found == (False, True, False, False, False, True)


@every_kind
def test_dropout_with_torchs_seed_is_torchs_dropout(kind: type) -> None:
    def code(kind: Any) -> Any:
        layer = kind(I, H, num_layers=3, dropout=0.5, bidirectional=True, batch_first=True)
        torch.manual_seed(3)
        return layer(torch.ones(B, T, I))[0]

    assert_unnoticed(code, kind)


# torch.jit is deprecated, and warns of what it can't record
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@every_kind
def test_a_layer_in_the_old_tracer_is_torchs_and_serves_other_sizes(kind: type) -> None:
    layer = kind(I, H).eval()
    traced = torch.jit.trace(layer, (torch.ones(T, B, I),))
    x = torch.randn(T + 2, B + 1, I)
    torch.testing.assert_close(traced(x)[0], layer(x)[0])


@every_kind
def test_many_models_at_once_by_vmap_where_torchs_own_layers_can_not(kind: Any) -> None:
    layers, x = [kind(I, H).double() for _ in range(3)], torch.randn(T, B, I, dtype=torch.float64)
    weights, buffers = torch.func.stack_module_state(layers)  # type: ignore[arg-type]
    base = kind(I, H, device="meta", dtype=torch.float64)

    def call(weights: Any, buffers: Any) -> torch.Tensor:
        return torch.func.functional_call(base, (weights, buffers), (x,))[0]

    got = torch.func.vmap(call)(weights, buffers)
    torch.testing.assert_close(got, torch.stack([layer(x)[0] for layer in layers]))


@pytest.mark.parametrize("path", ["auto", "reference"])
@every_kind
def test_a_row_of_length_zero_returns_its_state(kind: Any, path: str) -> None:
    layer, h = kind(I, H), torch.randn(1, B, H)
    state = (h, h + 1) if kind is LSTM else h
    with use_path(path):
        y, after = layer(torch.randn(T, B, I), state, lengths=torch.tensor([0, 2]))
    for got, given in zip(tensors_of(after), tensors_of(state), strict=True):
        assert torch.equal(got[:, 0], given[:, 0])
        assert not torch.equal(got[:, 1], given[:, 1])
    assert not y[:, 0].any()
