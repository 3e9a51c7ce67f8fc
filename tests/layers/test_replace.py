"""`replace`: torch's recurrent layers become ours, and nothing else about the model changes."""

from __future__ import annotations

import copy
import io
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils import parametrize, prune
from torch.nn.utils.parametrizations import weight_norm

import unrolled
from unrolled.layers import GRU, LSTM, RNN
from unrolled.layers.replacement import Replaced, replace

TORCHS = {torch.nn.RNN: RNN, torch.nn.GRU: GRU, torch.nn.LSTM: LSTM}
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
T, B, I, H = 4, 2, 3, 5  # noqa: E741


class Model(torch.nn.Module):
    def __init__(self, kind: Any = torch.nn.LSTM) -> None:
        super().__init__()
        self.before = torch.nn.Linear(I, I)
        self.rnn = kind(I, H, num_layers=2, bidirectional=True)
        self.after = torch.nn.Linear(2 * H, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.after(self.rnn(self.before(x))[0])


class Own(torch.nn.LSTM):
    def forward(self, *arguments: Any) -> Any:
        return super().forward(*arguments)


def lines(report: Replaced) -> list[str]:
    return str(report).splitlines()


@every_kind
def test_a_layer_inside_a_model_becomes_ours_and_gives_the_same_numbers(kind: type) -> None:
    model, x = Model(kind).double(), torch.randn(T, B, I, dtype=torch.float64)
    want = model(x)
    slopes = torch.autograd.grad(want.square().sum(), list(model.parameters()))
    report = unrolled.replace(model)
    assert type(model.rnn) is TORCHS[kind]
    name = kind.__name__
    assert lines(report) == [f"rnn: torch.nn.{name} is now unrolled.{name}"]
    got = model(x)
    torch.testing.assert_close(got, want)
    again = torch.autograd.grad(got.square().sum(), list(model.parameters()))
    torch.testing.assert_close(again, slopes)
    lengths = torch.tensor([1, 4])
    assert not model.rnn(model.before(x), lengths=lengths)[0][1:, 0].any()


@every_kind
def test_a_swapped_layer_has_every_attribute_of_one_that_was_made_here(kind: type) -> None:
    layer = kind(I, H)
    replace(layer)
    made = TORCHS[kind](I, H)
    assert vars(layer).keys() == vars(made).keys()
    assert repr(layer) == repr(made)
    assert copy.deepcopy(layer)(torch.zeros(T, B, I))[0].shape == (T, B, H)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    assert type(torch.load(file, weights_only=False)) is TORCHS[kind]


def test_parameters_hooks_and_everything_else_stay_what_they_were() -> None:
    model = Model().eval()
    rnn = model.rnn
    rnn.weight_hh_l1 = rnn.weight_hh_l0  # tied
    rnn.bias_ih_l0.requires_grad_(False)
    rnn.note = "mine"
    rnn.register_buffer("seen", torch.ones(1))
    calls: list[str] = []
    rnn.register_forward_pre_hook(lambda *_: calls.append("before"))
    rnn.register_forward_hook(lambda *_: calls.append("after"))
    rnn.register_full_backward_hook(lambda *_: calls.append("backward"))
    rnn.register_state_dict_post_hook(lambda *_: calls.append("state"))
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    parameters, names = list(model.parameters()), [name for name, _ in model.named_modules()]

    replace(model)
    assert model.rnn is rnn
    assert [name for name, _ in model.named_modules()] == names
    assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
    assert rnn.weight_hh_l1 is rnn.weight_hh_l0
    assert not rnn.training
    assert rnn.note == "mine"
    assert "rnn.seen" in model.state_dict()
    x = torch.randn(T, B, I)
    before, held = rnn.weight_hh_l0.clone(), rnn.bias_ih_l0.clone()
    y = model(x)
    y.sum().backward()
    assert calls == ["state", "before", "after", "backward"]
    optimizer.step()
    assert not torch.equal(rnn.weight_hh_l0, before)
    assert torch.equal(rnn.bias_ih_l0, held)
    assert not torch.equal(model(x), y)


def test_a_parametrised_layer_stays_parametrised_and_can_be_freed() -> None:
    layer, x = torch.nn.LSTM(I, H).double(), torch.randn(T, B, I, dtype=torch.float64)
    weight_norm(layer, "weight_hh_l0")
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original0.fill_(0.7)
    want = layer(x)[0]
    assert lines(replace(layer)) == ["the model itself: torch.nn.LSTM is now unrolled.LSTM"]
    assert isinstance(layer, LSTM)
    assert parametrize.is_parametrized(layer, "weight_hh_l0")
    torch.testing.assert_close(layer(x)[0], want)
    parametrize.remove_parametrizations(layer, "weight_hh_l0")
    assert type(layer) is LSTM
    torch.testing.assert_close(layer(x)[0], want)


def test_a_pruned_layer_stays_pruned() -> None:
    layer, x = torch.nn.GRU(I, H).double(), torch.randn(T, B, I, dtype=torch.float64)
    prune.l1_unstructured(layer, "weight_hh_l0", amount=0.5)
    want = layer(x)[0]
    replace(layer)
    torch.testing.assert_close(layer(x)[0], want)
    assert int((layer.weight_hh_l0 == 0).sum()) >= 37
    prune.remove(layer, "weight_hh_l0")
    torch.testing.assert_close(layer(x)[0], want)


def test_a_shared_module_is_swapped_once_and_stays_shared() -> None:
    model = torch.nn.ModuleDict({"one": torch.nn.GRU(I, H)})
    model["two"] = model["one"]
    report = replace(model)
    assert model["one"] is model["two"]
    assert lines(report) == [
        "one: torch.nn.GRU is now unrolled.GRU",
        "two: torch.nn.GRU is now unrolled.GRU",
    ]


# torch.ao tells of its successor, and torch.jit of its own end
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize_per_tensor")
def test_what_can_not_be_swapped_is_left_and_named_with_the_reason() -> None:
    model = torch.nn.ModuleDict(
        {
            "own": Own(I, H),
            "set": torch.nn.LSTM(I, H),
            "ours": GRU(I, H),
            "quantized": torch.ao.nn.quantized.dynamic.LSTM(I, H),
            "scripted": torch.jit.script(torch.nn.GRU(I, H)),
            "line": torch.nn.Linear(I, H),
        }
    )
    forward = model["set"].forward
    model["set"].forward = lambda *arguments: forward(*arguments)
    before = [type(module) for module in model.children()]
    report = replace(model)
    assert [type(module) for module in model.children()] == before
    assert not report.swapped
    assert [swap.name for swap in report.left] == list(model)[:-1]
    own, set_, ours, quantized, scripted = lines(report)
    assert own.endswith("its class is your own; derive it from the layer that it shall be")
    assert f"own: left as {__name__}.Own" in own
    assert set_.endswith("its forward was set on the object, which would hide the new one")
    assert ours == "ours: left as unrolled.GRU: it is of this package already"
    assert quantized.endswith("it is quantized, with kernels of its own")
    assert "compiled by TorchScript" in scripted
    assert str(replace(torch.nn.Linear(1, 1))) == "no recurrent module in this model"
    with pytest.raises(TypeError, match=r"model: got str, expected a torch\.nn\.Module"):
        replace("model")  # type: ignore[arg-type]


def test_a_copy_is_swapped_where_asked_for() -> None:
    model = Model()
    report = replace(model, in_place=False)
    assert type(model.rnn) is torch.nn.LSTM
    assert type(report.model.rnn) is LSTM
    assert report.model.rnn.weight_ih_l0 is not model.rnn.weight_ih_l0


@every_kind
def test_the_way_back_leaves_what_torch_would_have_made(kind: type) -> None:
    model = Model(kind)
    attributes = vars(model.rnn).keys()
    weight_norm(model.rnn, "weight_ih_l1")
    replace(model)
    report = replace(model, with_torch=True)
    name = kind.__name__
    assert lines(report) == [f"rnn: unrolled.{name} is now torch.nn.{name}"]
    parametrize.remove_parametrizations(model.rnn, "weight_ih_l1")
    assert type(model.rnn) is kind
    assert vars(model.rnn).keys() == attributes
    assert replace(model, with_torch=True).left[0].reason == "it is of PyTorch already"


def test_the_way_back_leaves_a_layer_with_an_option_that_torch_lacks_and_names_it() -> None:
    options: list[dict[str, Any]] = [
        {"layer_norm": True},
        {"peephole": True},
        {"zoneout": 0.1},
        {"recurrent_dropout": 0.1},
        {"weight_dropout": 0.1},
        {"input_dropout": 0.1},
        {"residual": True},
        {"merge": "sum", "bidirectional": True},
        {"checkpoint": 3},
    ]
    for option in options:
        name = next(iter(option))
        layer = LSTM(I, H, **option)
        (swap,) = replace(layer, with_torch=True)
        assert swap.reason == f"PyTorch has no {name}"
        assert type(layer) is LSTM
    both = replace(GRU(I, H, residual=True, zoneout=0.5), with_torch=True)
    assert both[0].reason == "PyTorch has no zoneout and no residual"


def test_the_way_back_takes_along_what_is_no_option_of_a_call() -> None:
    layer, x = LSTM(I, H, init="orthogonal"), torch.randn(T, B, I)
    want = layer(x)[0]
    assert replace(layer, with_torch=True).swapped
    assert vars(layer).keys() == vars(torch.nn.LSTM(I, H)).keys()
    torch.testing.assert_close(layer(x)[0], want)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own tracer uses such things
def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "drop-in.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert capsys.readouterr().out == "encoder: torch.nn.LSTM is now unrolled.LSTM\n"
    y: Any = names["y"]
    assert y.shape == (4, 10, 3)
