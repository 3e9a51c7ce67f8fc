"""ONNX's recurrent nodes as layers: by the formulas of ONNX's own pages, and by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled import MinGRU, from_onnx, to_onnx
from unrolled.errors import ConfigError, MissingExtra, ModelFileError, ParityError
from unrolled.layers import GRU, LSTM, RNN, Recurrent
from unrolled.layers.onnx import build as onnx_build
from unrolled.layers.onnx import weights as onnx_weights
from unrolled.layers.states import tensors_of

T, B, I, H = 6, 3, 2, 4  # noqa: E741
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@pytest.fixture(autouse=True)
def _onnx() -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


def drawn(operator: str, directions: int = 1, size: int = I, **more: bool) -> dict[str, Tensor]:
    """Weights of a node; `more` leaves out or adds some."""
    rows = GATES[operator] * H
    given = {"W": (rows, size), "R": (rows, H), "B": (2 * rows,), "P": (3 * H,)}
    wanted = {"W": True, "R": True, "B": True, "P": False} | more
    return {
        name: torch.randn(directions, *shape) * 0.5 for name, shape in given.items() if wanted[name]
    }


def model_of(*nodes: tuple[str, dict[str, Tensor], dict[str, Any]]) -> Any:
    """A model of nodes in a chain: `(operator, weights, attributes)` each."""
    from onnx import TensorProto, helper, numpy_helper

    parts, initializers, x = [], [], "x"
    for at, (operator, weights, attributes) in enumerate(nodes):
        for name, value in weights.items():
            initializers.append(numpy_helper.from_array(value.numpy(), f"{name}{at}"))
        inputs = [x, f"W{at}", f"R{at}", f"B{at}" if "B" in weights else "", "", "", ""]
        inputs += [f"P{at}"] if "P" in weights else []
        attributes = {"hidden_size": H, **attributes}
        if operator == "GRU":
            attributes = {"linear_before_reset": 1, **attributes}
        parts.append(helper.make_node(operator, inputs, [f"y{at}"], name=f"node{at}", **attributes))
        if at < len(nodes) - 1:
            parts.append(helper.make_node("Transpose", [f"y{at}"], [f"t{at}"], perm=[0, 2, 1, 3]))
            parts.append(helper.make_node("Reshape", [f"t{at}", "flat"], [f"x{at}"]))
            x = f"x{at}"
    flat = torch.tensor([0, 0, -1]).numpy()
    initializers.append(numpy_helper.from_array(flat, "flat"))
    graph = helper.make_graph(
        parts,
        "chain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["T", "B", None])],
        [helper.make_tensor_value_info(f"y{len(nodes) - 1}", TensorProto.FLOAT, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def lstm_formula(
    x: Tensor, w: dict[str, Tensor], at: int, h: Tensor, c: Tensor, coupled: bool = False
) -> tuple[Tensor, Tensor]:
    """One step as ONNX's page of LSTM writes it: gates i, o, f, c."""
    wb, rb = w["B"][at].chunk(2)
    i, o, f, g = (x @ w["W"][at].T + h @ w["R"][at].T + wb + rb).chunk(4, -1)
    p_i, p_o, p_f = w["P"][at].chunk(3) if "P" in w else (0, 0, 0)
    i = torch.sigmoid(i + p_i * c)
    f = 1 - i if coupled else torch.sigmoid(f + p_f * c)
    c = f * c + i * torch.tanh(g)
    return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


def gru_formula(x: Tensor, w: dict[str, Tensor], at: int, h: Tensor) -> Tensor:
    """As ONNX's page of GRU writes it, linear_before_reset=1: gates z, r, h."""
    wb, rb = w["B"][at].chunk(2)
    x_z, x_r, x_h = (x @ w["W"][at].T + wb).chunk(3, -1)
    h_z, h_r, h_h = (h @ w["R"][at].T + rb).chunk(3, -1)
    z, r = torch.sigmoid(x_z + h_z), torch.sigmoid(x_r + h_r)
    return (1 - z) * torch.tanh(x_h + r * h_h) + z * h


def over_time(step: Callable[..., Any], x: Tensor, states: list[Tensor], reverse: bool) -> Tensor:
    outputs = []
    for x_t in reversed(x) if reverse else x:
        after = step(x_t, *states)
        states = [*after] if isinstance(after, tuple) else [after]
        outputs.append(states[0])
    return torch.stack(outputs[::-1] if reverse else outputs)


@pytest.mark.parametrize("coupled", [False, True])
def test_a_bidirectional_lstm_node_is_onnxs_formula(coupled: bool) -> None:
    weights = drawn("LSTM", 2)
    attributes = {"direction": "bidirectional", "input_forget": int(coupled)}
    layer, report = from_onnx(model_of(("LSTM", weights, attributes)))
    assert report.values <= 2e-6
    assert ("input_forget=1 became a forget gate" in str(report)) is coupled
    layer = layer.double()
    w = {name: value.double() for name, value in weights.items()}
    x, h, c = torch.randn(T, B, I).double(), torch.randn(2, B, H).double(), torch.randn(2, B, H)
    c = c.double()
    want = [
        over_time(
            lambda x_t, h, c, at=at: lstm_formula(x_t, w, at, h, c, coupled),
            x,
            [h[at], c[at]],
            at == 1,
        )
        for at in range(2)
    ]
    torch.testing.assert_close(layer(x, (h, c))[0], torch.cat(want, -1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_gru_node_in_either_direction_is_onnxs_formula(reverse: bool) -> None:
    weights = drawn("GRU")
    attributes = {"direction": "reverse"} if reverse else {}
    layer, report = from_onnx(model_of(("GRU", weights, attributes)))
    assert report.values <= 2e-6
    assert isinstance(layer, Recurrent if reverse else GRU)
    w = {name: value.double() for name, value in weights.items()}
    x, h = torch.randn(T, B, I).double(), torch.randn(1, B, H).double()
    y, _ = layer.double()(x, h[0] if reverse else h)
    want = over_time(lambda x_t, h: gru_formula(x_t, w, 0, h), x, [h[0]], reverse)
    torch.testing.assert_close(y, want, rtol=0, atol=1e-12)


def test_peepholes_are_onnxs_formula_and_go_back() -> None:
    weights = drawn("LSTM", P=True)
    model = model_of(("LSTM", weights, {}))
    layer, _ = from_onnx(model)
    w = {name: value.double() for name, value in weights.items()}
    x, h, c = (torch.randn(*shape).double() for shape in ((T, B, I), (1, B, H), (1, B, H)))
    want = over_time(lambda x_t, h, c: lstm_formula(x_t, w, 0, h, c), x, [h[0], c[0]], False)
    torch.testing.assert_close(layer.double()(x, (h, c))[0], want, rtol=0, atol=1e-12)
    back, _ = from_onnx(to_onnx(layer.float()).model)
    assert back.peephole
    assert torch.equal(back.peephole_l0, layer.peephole_l0)


@pytest.mark.parametrize(
    "layer",
    [
        LSTM(I, H, 3, bidirectional=True),
        GRU(I, H, 2),
        RNN(I, H, nonlinearity="relu", bias=False),
        RNN(I, H, 2, bidirectional=True),
        torch.nn.LSTM(I, H, batch_first=True),
    ],
    ids=["lstm", "gru", "relu", "tanh", "torch"],
)
@pytest.mark.parametrize("lengths", [False, True])
def test_a_stack_goes_to_onnx_and_back_bit_for_bit(layer: Any, lengths: bool) -> None:
    if lengths and type(layer) is torch.nn.LSTM:
        with pytest.raises(ConfigError, match=r"lengths: got a layer of torch\.nn"):
            to_onnx(layer, lengths=True)
        return
    model, report = to_onnx(layer, lengths=lengths)
    assert report.values <= 2e-6
    assert report.gradients is None
    kinds = [node.op_type for node in model.graph.node]
    assert sum(kind in GATES for kind in kinds) == layer.num_layers
    assert "Scan" not in kinds
    back, report = from_onnx(model)
    assert report.values <= 2e-6
    assert ("give them as lengths=" in str(report)) is lengths
    assert type(back).__name__ == type(layer).__name__
    for name, parameter in layer.named_parameters():
        assert torch.equal(back.get_parameter(name), parameter)
    assert len(list(back.parameters())) == len(list(layer.parameters()))


def test_one_node_of_several_is_asked_for_by_name_or_number() -> None:
    model = model_of(("LSTM", drawn("LSTM"), {}), ("GRU", drawn("GRU", size=H), {}))
    for node, kind in (("node0", LSTM), (1, GRU), ("y1", GRU)):
        assert isinstance(from_onnx(model, node=node).layer, kind)
    with pytest.raises(ConfigError, match=r"GRU node 'node1': got GRU with H = 4.*node=1"):
        from_onnx(model)
    with pytest.raises(ConfigError, match=r"node: got 'lost'.*'node0', 'node1'"):
        from_onnx(model, node="lost")
    with pytest.raises(ConfigError, match=r"node: got 7.*from 0 to 1"):
        from_onnx(model, node=7)


def test_nodes_with_other_work_between_are_no_stack() -> None:
    model = model_of(("LSTM", drawn("LSTM"), {}), ("LSTM", drawn("LSTM", size=H), {}))
    assert from_onnx(model).layer.num_layers == 2
    model.graph.node[2].op_type = "Relu"
    del model.graph.node[2].input[1:]
    with pytest.raises(ConfigError, match=r"'node1': its input comes from a node Relu"):
        from_onnx(model)


def test_a_layer_with_batch_first_layout_is_batch_first() -> None:
    weights = drawn("LSTM")
    layer, _ = from_onnx(model_of(("LSTM", weights, {"layout": 1})))
    other, _ = from_onnx(model_of(("LSTM", weights, {})))
    assert layer.batch_first
    x = torch.randn(T, B, I)
    assert torch.equal(layer(x.transpose(0, 1))[0].transpose(0, 1), other(x)[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_weights_of_other_dtypes_stay_what_they_are(dtype: torch.dtype) -> None:
    weights = {name: value.to(dtype) for name, value in drawn("GRU").items()}
    layer, report = from_onnx(model_of(("GRU", weights, {})))
    assert layer.weight_ih_l0.dtype == dtype
    assert report.values <= 2e-6


def test_two_gates_in_the_wrong_order_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways: the judge knows nothing of our table."""
    right = to_onnx(LSTM(I, H)).model
    monkeypatch.setitem(onnx_weights.GATES, "LSTM", (0, 1, 2, 3))
    with pytest.raises(ParityError, match="the two do not give the same numbers: output 0"):
        from_onnx(right)
    with pytest.raises(ParityError, match=r"unrolled\.LSTM to ONNX"):
        to_onnx(LSTM(I, H))


@pytest.mark.parametrize(
    ("operator", "attributes", "message"),
    [
        ("LSTM", {"clip": 3.0}, "'node0': clip: got 3, which bounds what enters each gate"),
        ("GRU", {"linear_before_reset": 0}, r"linear_before_reset: got 0, tanh\(W x \+ R \(r"),
        ("LSTM", {"activations": ["Sigmoid", "Relu", "Tanh"]}, "activations: got Sigmoid, Relu"),
        ("GRU", {"activations": ["HardSigmoid", "Tanh"]}, "activations: got Hardsigmoid, Tanh"),
        ("RNN", {"activations": ["Softsign"]}, "activations: got Softsign, expected Tanh or Relu"),
    ],
)
def test_a_formula_that_our_layers_lack_is_named(
    operator: str, attributes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        from_onnx(model_of((operator, drawn(operator), attributes)))
    assert "\n" not in str(caught.value)


def test_a_bad_file_is_one_plain_line(tmp_path: Path) -> None:
    import onnx

    good = model_of(("LSTM", drawn("LSTM"), {})).SerializeToString()
    path = tmp_path / "model.onnx"

    def fault(of: Any = path) -> str:
        with pytest.raises(ModelFileError) as caught:
            from_onnx(of)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    path.write_bytes(good[:-20])
    assert f"{path}: got {len(good) - 20} bytes that are no ONNX model" in fault()
    path.write_bytes(b"")
    assert "an empty graph" in fault()
    path.write_bytes(good)
    assert isinstance(from_onnx(path).layer, LSTM)
    assert "can't be read (No such file or directory)" in fault(tmp_path / "lost.onnx")
    assert "can't be read" in fault(tmp_path)

    other = onnx.load_from_string(good)
    other.graph.node[0].op_type = "Relu"
    assert "got 1 nodes of the kinds Relu, expected at least one LSTM" in fault(other)
    other = onnx.load_from_string(good)
    other.graph.node[0].input[1] = "x"
    assert "'node0': W: 'x' is computed or an input of the model" in fault(other)
    other = onnx.load_from_string(good)
    del other.graph.node[0].input[2:]
    assert "has no weights W and R" in fault(other)
    bad = drawn("LSTM")
    bad["B"][0, 3] = float("nan")
    assert "B: got NaN or infinity in 'B0'" in fault(model_of(("LSTM", bad, {})))
    bad = drawn("LSTM")
    bad["R"] = bad["R"][:, :, :2]
    assert "R: got shape (1, 16, 2), expected (1, 16, 4)" in fault(
        model_of(("LSTM", bad, {"hidden_size": H}))
    )
    with pytest.raises(ConfigError, match="model_or_path: got int"):
        from_onnx(3)


def test_what_onnxs_nodes_lack_is_named_and_where_to_go() -> None:
    for layer, message in (
        (LSTM(I, H, proj_size=2), "proj_size: got 2, a projection"),
        (GRU(I, H, dtype=torch.float64), r"dtype: got torch\.float64"),
        (MinGRU(I, H), "mode: got MinGRU"),
    ):
        with pytest.raises(ConfigError, match=f"{message}.*export_onnx"):
            to_onnx(layer)


def test_without_onnx_the_pip_line_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    for call in (lambda: to_onnx(LSTM(I, H)), lambda: from_onnx("model.onnx")):
        with pytest.raises(MissingExtra, match=r"pip install 'unrolled\[onnx\]'"):
            call()
    assert onnx_build.OPSET == 17


def test_initial_states_of_a_file_are_told() -> None:
    from onnx import numpy_helper

    for value, told in ((0.0, False), (0.5, True)):
        model = model_of(("GRU", drawn("GRU"), {}))
        state = torch.full((1, 1, H), value).numpy()
        model.graph.initializer.append(numpy_helper.from_array(state, "h0"))
        model.graph.node[0].input[5] = "h0"
        layer, report = from_onnx(model)
        assert ("has an initial state" in str(report)) is told
        assert len(list(tensors_of(layer(torch.randn(T, B, I))))) == 2
