"""`torch.compile` and `torch.export` of models that hold our layers: one graph, eager numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch._dynamo
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import pack_padded_sequence

from unrolled import kernels
from unrolled.errors import ShapeError
from unrolled.layers import GRU, LSTM, RNN, MinGRU, MinLSTM, fused_operator, use_path
from unrolled.layers.minimal_operator import run_traced
from unrolled.layers.minimal_recurrence import MinimalRun
from unrolled.layers.states import State, tensors_of

# torch's own tracer uses what torch deprecates
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
KINDS = (RNN, GRU, LSTM, MinGRU, MinLSTM)
every_kind = pytest.mark.parametrize("kind", KINDS)
T, B, I, H = 5, 3, 4, 6  # noqa: E741


@pytest.fixture(autouse=True)
def fresh_tracer() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class Model(torch.nn.Module):
    def __init__(self, kind: Any, **options: Any) -> None:
        super().__init__()
        self.before = torch.nn.Linear(I, I)
        self.rnn = kind(I, H, num_layers=2, **options)
        self.after = torch.nn.Linear(H * (1 + self.rnn.bidirectional), 2)

    def forward(
        self, x: Any, state: State = None, lengths: Any = None, starts: Any = None
    ) -> tuple[torch.Tensor, State]:
        y, state = self.rnn(self.before(x).relu(), state, lengths=lengths, starts=starts)
        return self.after(y).tanh(), state


def operators(graph: Any) -> int:
    return sum("unrolled." in str(node.target) for node in graph.nodes)


def compiled(model: torch.nn.Module, graphs: list[Any] | None = None, **options: Any) -> Any:
    """In one graph, with the backward pass traced too."""

    def backend(graph: torch.fx.GraphModule, examples: Any) -> Any:
        if graphs is not None:
            graphs.append(graph.graph)
        return torch._dynamo.lookup_backend("aot_eager")(graph, examples)

    return torch.compile(model, backend=backend, fullgraph=True, **options)


def final_state(run: Any, x: Any) -> State:
    with torch.no_grad():
        return run(x)[1]


def slopes_of(model: torch.nn.Module, found: Any) -> list[torch.Tensor]:
    loss = sum(part.square().sum() for part in tensors_of(found))
    return list(torch.autograd.grad(loss, list(model.parameters())))


@needs_kernels
@every_kind
def test_a_compiled_model_is_one_graph_with_an_operator_for_each_layer(kind: type) -> None:
    model, graphs = Model(kind, bidirectional=True).double(), []
    x = torch.randn(T, B, I, dtype=torch.float64)
    run = compiled(model, graphs)
    state = final_state(model, x)
    lengths, starts = torch.tensor([5, 0, 2]), torch.rand(T, B) < 0.3
    for given, options in ((None, {}), (state, {"lengths": lengths, "starts": starts})):
        got, want = run(x, given, **options), model(x, given, **options)
        torch.testing.assert_close(got, want, rtol=0, atol=0)
        slopes = slopes_of(model, got)
        torch.testing.assert_close(slopes, slopes_of(model, want), rtol=1e-12, atol=1e-12)
    assert [operators(graph) for graph in graphs] == [2, 2]
    with torch.no_grad():
        torch.testing.assert_close(run(x)[0], model(x)[0], rtol=0, atol=0)


@needs_kernels
@pytest.mark.parametrize("kind", [LSTM, MinGRU])
def test_one_graph_serves_every_length_and_batch(kind: type) -> None:
    model, graphs = Model(kind), []
    run = compiled(model, graphs, dynamic=True)
    made = 0  # PyTorch may try twice before it has the first one
    for steps, batch in ((5, 3), (7, 4), (12, 2)):
        x, lengths = torch.randn(steps, batch, I), torch.randint(0, steps, (batch,))
        torch.testing.assert_close(run(x, lengths=lengths)[0], model(x, lengths=lengths)[0])
        made = made or len(graphs)
    assert len(graphs) == made > 0


@pytest.mark.parametrize("kind", [LSTM, MinGRU])
@pytest.mark.parametrize("form", ["alone", "batch_first", "packed", "sorted", "subclass", "normed"])
def test_every_form_of_call_is_traced(kind: Any, form: str) -> None:
    x: Any = torch.randn(T, B, I, dtype=torch.float64)
    own = type("Own", (kind,), {}) if form == "subclass" else kind
    layer = own(I, H, num_layers=2, batch_first=form == "batch_first").double()
    arguments = (x[:, 0] if form == "alone" else x,)
    if form in ("packed", "sorted"):
        lengths = torch.tensor([5, 4, 1] if form == "sorted" else [1, 5, 4])
        packed = pack_padded_sequence(x, lengths, enforce_sorted=form == "sorted")
        arguments = (packed, final_state(layer, packed)) if form == "sorted" else (packed,)
    if form == "normed":
        weight_norm(layer, "weight_l0" if kind is MinGRU else "weight_hh_l0")
    got, want = compiled(layer)(*arguments), layer(*arguments)
    torch.testing.assert_close(list(tensors_of(got[1])), list(tensors_of(want[1])))
    if form in ("packed", "sorted"):
        got, want = (got[0].data, *got[1:]), (want[0].data, *want[1:])
    torch.testing.assert_close(got[0], want[0])
    torch.testing.assert_close(slopes_of(layer, got[:1]), slopes_of(layer, want[:1]))


RATES: dict[str, Any] = {
    "zoneout": 0.3,
    "recurrent_dropout": 0.3,
    "weight_dropout": 0.3,
    "input_dropout": 0.3,
    "dropout": 0.3,
}


@needs_kernels
@pytest.mark.parametrize("form", ["padded", "packed"])
def test_random_options_in_training_are_one_graph_with_new_masks_at_each_call(form: str) -> None:
    layer = LSTM(I, H, 2, layer_norm=True, residual=True, **RATES)
    x = torch.randn(T, B, I)
    lengths = torch.tensor([1, 5, 4])
    given: Any = x if form == "padded" else pack_padded_sequence(x, lengths, enforce_sorted=False)
    run = compiled(layer)

    def outputs(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        y = run(given)[0]
        return y if form == "padded" else y.data

    y = outputs(0)
    torch.testing.assert_close(outputs(0), y, rtol=0, atol=0)
    assert not torch.equal(outputs(1), y)
    y.square().sum().backward()
    for name, part in layer.named_parameters():
        assert part.grad is not None, name
        assert part.grad.isfinite().all(), name
        assert part.grad.any(), name


@needs_kernels
def test_options_that_are_set_after_compiling_count_from_then_on() -> None:
    layer, x = LSTM(I, H).eval(), torch.randn(T, B, I)
    run = compiled(layer)
    plain = run(x)[0]
    layer.zoneout = 0.5
    torch.testing.assert_close(run(x)[0], layer(x)[0])
    assert not torch.allclose(run(x)[0], plain)
    layer.zoneout = 0.0
    torch.testing.assert_close(run(x)[0], plain)


@needs_kernels
@pytest.mark.filterwarnings("ignore::UserWarning")  # the tracer tells of what it leaves to Python
def test_a_compiled_call_leaves_its_record_or_says_that_it_can_not() -> None:
    layer, x = GRU(I, H), torch.randn(T, B, I)
    run = torch.compile(layer, backend="eager")
    y = run(x)[0]
    with layer.record() as records:
        run(x)[0].sum().backward()
    assert records[0].gates[0].shape == (T, B, 3 * H)
    assert records[0].d_h[0].shape == y.shape
    whole = torch.compile(layer, backend="eager", fullgraph=True)
    with layer.record(), pytest.raises(torch._dynamo.exc.Unsupported):
        whole(x)


@needs_kernels
def test_random_options_and_one_sequence_are_exported_with_free_time() -> None:
    steps, batch = torch.export.Dim("T", min=2, max=99), torch.export.Dim("B", min=2, max=99)
    model = Model(GRU, **RATES)
    free = {"x": {0: steps, 1: batch}}
    program = torch.export.export(model, (torch.randn(T, B, I),), dynamic_shapes=free, strict=False)
    assert program.module()(torch.randn(9, 2, I))[0].shape == (9, 2, 2)

    model = Model(LSTM, zoneout=0.2).eval()
    given = (torch.randn(T, I), None, torch.tensor(3))
    program = torch.export.export(
        model, given, dynamic_shapes={"x": {0: steps}, "state": None, "lengths": None}, strict=False
    )
    x, lengths = torch.randn(9, I), torch.tensor(7)
    torch.testing.assert_close(program.module()(x, None, lengths), model(x, lengths=lengths))


def test_torchs_own_layers_are_left_as_torch_leaves_them() -> None:
    assert not torch._dynamo.config.allow_rnn
    compiled(Model(GRU))(torch.randn(T, B, I))
    assert not torch._dynamo.config.allow_rnn
    with pytest.raises(torch._dynamo.exc.Unsupported, match=r"RNN, GRU, or LSTM|purposely"):
        compiled(Model(torch.nn.GRU))(torch.randn(T, B, I))


def test_the_tracer_is_taught_when_it_is_imported_and_not_before() -> None:
    """In a process of its own, where torch.compile has not been used yet."""
    lines = (
        "import sys, torch",
        "from unrolled.layers import GRU",
        "layer = GRU(2, 3)",
        "assert 'torch._dynamo' not in sys.modules",
        "finders = len(sys.meta_path)",
        "run = torch.compile(layer, backend='eager', fullgraph=True)",
        "assert run(torch.zeros(4, 1, 2))[0].shape == (4, 1, 3)",
        "assert len(sys.meta_path) < finders",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_bad_lengths_are_named_when_the_graph_runs() -> None:
    run = compiled(Model(LSTM))
    x = torch.randn(T, B, I)
    run(x, lengths=torch.tensor([1, 2, 3]))
    with pytest.raises(ShapeError, match="lengths: got 9 for row 1, expected 0 to T = 5"):
        run(x, lengths=torch.tensor([1, 9, 3]))


@needs_kernels
@every_kind
def test_an_exported_model_has_free_time_and_batch_and_a_state(kind: type) -> None:
    model = Model(kind).double().eval()
    x = torch.randn(T, B, I, dtype=torch.float64)
    state = final_state(model, x)
    steps, batch = torch.export.Dim("T", min=2, max=64), torch.export.Dim("B", min=2, max=64)
    rows = {1: batch}
    free = {
        "x": {0: steps, 1: batch},
        "state": (rows, rows) if kind is LSTM else rows,
        "lengths": {0: batch},
    }
    lengths = torch.tensor([5, 0, 2])
    program = torch.export.export(
        model, (x, state), {"lengths": lengths}, dynamic_shapes=free, strict=False
    )
    assert operators(program.graph) == 2
    run = program.module()
    x, lengths = torch.randn(9, 2, I, dtype=torch.float64), torch.tensor([3, 9])
    state = final_state(model, x)
    got, want = run(x, state, lengths=lengths), model(x, state, lengths=lengths)
    torch.testing.assert_close(got, want, rtol=0, atol=0)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("call", ["bfloat16", "ragged", "no rows", "packed"])
def test_what_the_kernels_can_not_run_is_pytorchs_layer_as_an_operator(
    kind: Any, call: str
) -> None:
    model, graphs = Model(kind, bidirectional=True).bfloat16(), []
    x: Any = torch.randn(T, B, I).bfloat16()
    state, options = final_state(model, x), {}
    if call == "ragged":
        options = {"lengths": torch.tensor([5, 0, 2]), "starts": torch.rand(T, B) < 0.3}
    if call == "no rows":
        model, x, state = model.float(), torch.zeros(T, 0, I), None
    if call == "packed":
        model = kind(I, H, num_layers=2, bidirectional=True).bfloat16()
        x = pack_padded_sequence(x, torch.tensor([1, 5, 4]), enforce_sorted=False)
    got, want = compiled(model, graphs)(x, state, **options), model(x, state, **options)
    assert [operators(graph) for graph in graphs] == [2]
    if call == "packed":
        got, want = (got[0].data, got[1]), (want[0].data, want[1])
    assert next(iter(tensors_of(got))).numel() > 0 or call == "no rows"
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(slopes_of(model, got), slopes_of(model, want), rtol=0.05, atol=0.05)


# torch's own forward sets its list of weights anew at each call
@pytest.mark.filterwarnings("ignore:The tensor attributes")
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_path_that_was_asked_for_leaves_torchs_operations_in_the_graph(kind: Any) -> None:
    model, x = Model(kind), torch.randn(T, B, I)
    with use_path("aten"):
        program = torch.export.export(model, (x,), strict=False)
    assert operators(program.graph) == 0


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_the_operator_of_pytorchs_layer_keeps_its_word(kind: Any, projected: bool) -> None:
    """Its schema, its shapes under tracing and its gradients, by torch's own check."""
    if projected and kind is not LSTM:
        pytest.skip("only an LSTM has a projection")
    options = {"proj_size": 3} if projected else {}
    layer = kind(I, H, bidirectional=True, **options).double()
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    lengths, starts = torch.tensor([5, 0, 2]), torch.rand(T, B) < 0.3
    with use_path("reference"):
        state = final_state(layer, x)
        want = layer(x, state, lengths=lengths, starts=starts)
    got = fused_operator.run(layer, x, state, lengths, starts)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(slopes_of(layer, got), slopes_of(layer, want))
    h, *c = tensors_of(state)
    names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
    parts = [
        getattr(layer, f"{name}_l0{suffix}", x.detach().new_empty(0))
        for suffix in ("", "_reverse")
        for name in names
    ]
    arguments = (x, h, c[0] if c else None, parts, lengths, starts, None, layer.mode)
    torch.library.opcheck(torch.ops.unrolled.fused.default, arguments)


@needs_kernels
@pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
def test_the_operator_of_the_minimal_layers_keeps_its_word(kind: Any) -> None:
    layer = kind(I, H, bidirectional=True).double()
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    h = torch.randn(2, B, H, dtype=torch.float64, requires_grad=True)
    starts, parts = torch.rand(T, B) < 0.3, list(layer.parameters())
    got = run_traced(MinimalRun(layer.mode, starts=starts), x, h, parts)
    torch.testing.assert_close(got, layer(x, h, starts=starts), rtol=0, atol=0)
    arguments = (x, h, parts, None, starts, None, layer.mode, True)
    torch.library.opcheck(torch.ops.unrolled.minimal_recurrence.default, arguments)
