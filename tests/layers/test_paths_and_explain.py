"""`use_path`, the rule, and that `explain` tells the truth."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence
from torch.profiler import ProfilerActivity, profile

from unrolled import kernels
from unrolled.errors import ConfigError
from unrolled.layers import GRU, LSTM, RNN, native, paths, reference, use_path
from unrolled.layers.paths import Call, asked_path, choose_path

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
T, B, I, H = 4, 3, 5, 6  # noqa: E741


@pytest.fixture(autouse=True)
def rule_in_force() -> Iterator[None]:
    """A test may set the path of the whole process; the next one starts from the rule."""
    yield
    use_path("auto")


def test_blocks_nest_and_end_where_they_began() -> None:
    assert asked_path() == "auto"
    with use_path("reference"):
        assert asked_path() == "reference"
        with use_path("aten"):
            assert asked_path() == "aten"
            with use_path("auto"):
                assert asked_path() == "auto"
            assert asked_path() == "aten"
        with pytest.raises(KeyError), use_path("native"):
            raise KeyError
        assert asked_path() == "reference"
    assert asked_path() == "auto"


def test_one_object_can_open_several_blocks() -> None:
    forced = use_path("reference")
    with forced, forced:
        assert asked_path() == "reference"
    assert asked_path() == "auto"
    with forced:
        assert asked_path() == "reference"
    assert asked_path() == "auto"


def test_a_plain_call_holds_for_the_whole_process_and_under_a_block() -> None:
    use_path("aten")
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(asked_path()))
    with use_path("reference"):
        thread.start()
        thread.join()
        use_path("native")
        assert asked_path() == "reference"
    assert seen == ["aten"]
    assert asked_path() == "native"
    use_path("auto")
    assert asked_path() == "auto"


def test_blocks_of_two_threads_that_overlap_leave_nothing_behind() -> None:
    """A's call, B's call, A enters, B enters: B must not bring back A's choice."""
    use_path("aten")
    a, b = use_path("reference"), use_path("native")
    inside: list[str] = []

    def other() -> None:
        with b:
            inside.append(asked_path())

    with a:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert asked_path() == "reference"
    assert inside == ["native"]
    assert asked_path() == "aten"


def test_an_unknown_path_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"'fast', expected one of auto, reference, aten, native"):
        use_path("fast")
    assert asked_path() == "auto"


def test_a_path_that_cannot_run_the_call_raises_and_says_why() -> None:
    x = torch.randn(T, B, I)
    with use_path("native"):
        with pytest.raises(ConfigError, match=r"float32 and float64, and .* torch\.bfloat16"):
            LSTM(I, H).bfloat16()(x.bfloat16())
        with pytest.raises(ConfigError, match=r"autocast asks for torch\.bfloat16"), autocast():
            GRU(I, H)(x)
        with pytest.raises(ConfigError, match="no rows"):
            GRU(I, H)(x[:, :0])
        with pytest.raises(ConfigError, match="on a CPU, and the input is on 'meta'"):
            RNN(I, H, device="meta")(x.to("meta"))
        with pytest.raises(ConfigError, match=r"torch\.func, forward mode"):
            torch.func.vmap(LSTM(I, H))(x.unsqueeze(0))
        with pytest.raises(ConfigError, match="records no gradient"):
            LSTM(I, H).step(x[0])
        with torch.no_grad():
            with pytest.raises(ConfigError, match="single step of GRU and LSTM only"):
                RNN(I, H).step(x[0])
            with pytest.raises(ConfigError, match="no single step with proj_size"):
                LSTM(I, H, proj_size=2).step(x[0])
            with pytest.raises(ConfigError, match=r"input is torch\.float64"):
                GRU(I, H).double().step(x[0].double())
            with pytest.raises(ConfigError, match=r"autocast asks for torch\.bfloat16"), autocast():
                GRU(I, H).step(x[0])
            with pytest.raises(ConfigError, match="no rows"):
                GRU(I, H).step(x[0, :0])


def test_missing_kernels_are_named_and_the_rule_goes_on_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UNROLLED_KERNELS", "off")
    layer, x = GRU(I, H), torch.randn(B, I)
    with torch.no_grad():
        assert "UNROLLED_KERNELS=off" in str(layer.explain(x, step=True))
        assert layer.explain(x, step=True).path == "reference"
        assert layer.step(x)[0].shape == (B, H)
        with use_path("native"), pytest.raises(ConfigError, match="UNROLLED_KERNELS=off"):
            layer.step(x)
    whole = x.unsqueeze(0)
    said = layer.explain(whole)
    assert said.path == "aten"
    assert "UNROLLED_KERNELS=off" in str(said)
    assert layer(whole)[0].shape == (1, B, H)
    with use_path("native"), pytest.raises(ConfigError, match="UNROLLED_KERNELS=off"):
        layer(whole)


def autocast() -> Any:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows by the path's name each time reference or native is run."""
    calls: list[str] = []
    for path, module in (("reference", reference), ("native", native)):
        for name in ("run", "run_packed", "step"):
            real = getattr(module, name)

            def spy(*arguments: Any, real: Any = real, path: str = path) -> Any:
                calls.append(path)
                return real(*arguments)

            monkeypatch.setattr(module, name, spy)
    return calls


@pytest.mark.parametrize(
    "path", ["auto", "reference", "aten", pytest.param("native", marks=needs_kernels)]
)
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_explain_names_the_path_that_runs(
    kind: type, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = runs(monkeypatch)
    layer, x = kind(I, H), torch.randn(T, B, I)
    starts, lengths = torch.rand(T, B) < 0.5, torch.tensor([4, 0, 2])
    packed = pack_padded_sequence(x, torch.tensor([4, 2, 1]))
    options: list[tuple[Any, dict[str, Any]]] = [
        (x, {}),
        (x, {"lengths": lengths}),
        (x, {"starts": starts}),
        (x, {"starts": starts, "lengths": lengths}),
        (packed, {}),
    ]
    for double in (False, True):
        for source, extra in options:
            if double:
                source = source.to(torch.float64)
                layer = layer.double()
            calls.clear()
            with use_path(path):
                said = layer.explain(source, **extra)
                layer(source, **extra)
            assert said.runs
            assert said.path == (calls[0] if calls else "aten")
            assert len(set(calls)) <= 1
            assert ("forced by use_path" in str(said)) == (path != "auto")
            assert "\n" not in str(said)
            assert ("float64" if double else "float32") in str(said)


def test_on_a_gpu_a_single_step_is_a_sequence_of_one_for_cudnn() -> None:
    call = Call("LSTM", True, 1, 0, "cuda", torch.float32, None, False)
    assert choose_path(call).path == "aten"
    for other in ("traced", "transformed", "empty"):
        assert choose_path(call._replace(**{other: True})).path == "reference"
    assert choose_path(call._replace(mode="MIN_GRU")).path == "reference"
    assert choose_path(call._replace(device="mps")).path == "reference"


@needs_kernels
def test_the_rule_takes_native_for_a_step_without_gradients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = runs(monkeypatch)
    layer, x = LSTM(I, H), torch.randn(B, I)
    with torch.no_grad():
        assert layer.explain(x, step=True).path == "native"
        layer.step(x)
    assert layer.explain(x, step=True).path == "reference"
    layer.step(x)
    assert calls == ["native", "reference"]


@needs_kernels
def test_the_rule_takes_native_for_sequences_wherever_it_can_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = runs(monkeypatch)
    x, lengths = torch.randn(T, B, I), torch.tensor([4, 0, 2])
    for kind in (RNN, GRU, LSTM):
        for dtype, path in (
            (torch.float32, ["native"]),
            (torch.float64, ["native"]),
            (torch.bfloat16, []),  # aten
        ):
            layer, source = kind(I, H, bidirectional=True).to(dtype), x.to(dtype)
            for options in ({}, {"lengths": lengths}):
                calls.clear()
                layer(source, **options)
                assert calls == path, layer.explain(source, **options)
    calls.clear()
    torch.func.vmap(LSTM(I, H))(x.unsqueeze(0))
    assert calls == ["reference"]


@needs_kernels
def test_explain_says_how_the_kernels_run(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = LSTM(I, H), torch.randn(T, B, I)
    lengths, starts = torch.tensor([4, 0, 2]), torch.rand(T, B) < 0.5
    packed = pack_padded_sequence(x, torch.tensor([4, 2, 1]))
    one = f"the kernels ({kernels.isa()}, 1 thread)"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    calls: list[tuple[Any, dict[str, Any], str]] = [
        (x, {}, one),
        (x, {"lengths": lengths}, f"{one} without padding work"),
        (packed, {}, f"{one} without padding work"),
        (x, {"starts": starts}, f"{one} with resets inside"),
        (
            x,
            {"lengths": lengths, "starts": starts},
            f"{one} with resets inside and without padding work",
        ),
    ]
    for source, options, how in calls:
        assert layer.explain(source, **options).how == f"{how}, float32 on cpu"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert f"({kernels.isa()}, up to 3 threads)" in str(layer.explain(x))
    with torch.no_grad():
        said = layer.explain(x[0], step=True)
    assert said.how == f"one step of the kernels ({kernels.isa()}) per layer, float32 on cpu"


@needs_kernels
def test_the_notes_say_when_a_call_takes_another_path(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = GRU(I, H), torch.randn(T, B, I, requires_grad=True)
    twice = "a backward under create_graph runs the layer again on the reference path"
    transform = "under a transform of torch.func, in forward mode and on a tensor subclass it"
    notes = layer.explain(x).notes
    assert any(note.startswith(twice) for note in notes)
    assert f"{transform} takes reference" in notes
    assert any("torch.ops.unrolled.recurrence" in note for note in notes)
    y, _ = layer(x)
    again: list[str] = []
    real = reference.run_layer
    monkeypatch.setattr(reference, "run_layer", lambda *a: again.append("here") or real(*a))
    torch.autograd.grad(y.sum(), x, retain_graph=True)
    assert again == []
    torch.autograd.grad(y.sum(), x, create_graph=True)
    assert again == ["here"]

    with torch.no_grad():
        assert not any(note.startswith(twice) for note in layer.explain(x).notes)
    with use_path("native"):
        assert any(f"{transform} raises ConfigError" in note for note in layer.explain(x).notes)
    for path in ("reference", "aten"):
        with use_path(path):
            assert layer.explain(x).notes == ()
    assert "\n" not in str(layer.explain(x))
    assert twice not in str(layer.explain(x))


@needs_kernels
def test_the_note_on_tracing_names_the_path_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = GRU(I, H)
    with torch.no_grad():
        for options in ({}, {"step": True}):
            said = layer.explain(**options)
            assert said.path == "native"
            trace = [note for note in said.notes if note.startswith("while torch.compile")]
            with monkeypatch.context() as traced:
                traced.setattr(torch.compiler, "is_compiling", lambda: True)
                path = layer.explain(**options).path
            assert trace == (
                [f"while torch.compile or torch.export traces it takes {path}"]
                if path != said.path
                else []
            )


def onednn_runs(layer: Any, *arguments: Any, **options: Any) -> bool:
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        layer(*arguments, **options)
    return any("mkldnn_rnn_layer" in event.key for event in seen.key_averages())


# torch's own profiler uses what torch deprecates in some versions
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:TF32 acceleration")
def test_explain_names_onednn_exactly_where_onednn_runs() -> None:
    x = torch.randn(T, B, I)
    uneven = pack_padded_sequence(x, torch.tensor([4, 2, 1]))
    even = pack_padded_sequence(x, torch.tensor([4, 4, 4]))
    last = torch.zeros(T, B).bool()
    last[2] = True
    cases: list[tuple[Any, Any, dict[str, Any]]] = [
        (LSTM(I, H), x, {}),
        (LSTM(I, H, num_layers=2, bidirectional=True), x, {}),
        (LSTM(I, H, proj_size=2), x, {}),
        (GRU(I, H), x, {}),
        (LSTM(I, H).double(), x.double(), {}),
        (LSTM(I, H).half(), x.half(), {}),
        (LSTM(I, H).bfloat16(), x.bfloat16(), {}),
        (LSTM(I, H), uneven, {}),
        (LSTM(I, H), even, {}),
        (LSTM(I, H), x, {"lengths": torch.tensor([4, 4, 4])}),
        (LSTM(I, H), x, {"lengths": torch.tensor([2, 2, 0])}),
        (LSTM(I, H), x, {"lengths": torch.tensor([2, 1, 0])}),
        (LSTM(I, H), x, {"starts": last}),
        (LSTM(I, H), x[:, :0], {}),
    ]
    use_path("aten")
    for layer, source, options in cases:
        said = str(layer.explain(source, **options))
        assert ("runs as oneDNN" in said) == onednn_runs(layer, source, **options), said
    with torch.backends.mkldnn.flags(enabled=False):
        assert "oneDNN is off" in str(LSTM(I, H).explain(x))
    with torch.no_grad():
        half = LSTM(I, H).half()
        said = str(half.explain(x.half()))
        assert ("runs as oneDNN" in said) == onednn_runs(half, x.half()), said


def test_explain_counts_the_sequences_that_are_packed() -> None:
    x = torch.randn(T, B, I)
    starts = torch.zeros(T, B).bool()
    starts[2, 0] = starts[3, 2] = True
    use_path("aten")
    said = str(GRU(I, H).explain(x, starts=starts, lengths=torch.tensor([4, 0, 3])))
    assert "on 3 sequence(s) packed without padding" in said
    starts[0] = True
    assert "on 5 sequence(s)" in str(GRU(I, H).explain(x, starts=starts))
    assert "the padded batch (every row full" in str(GRU(I, H).explain(x, starts=starts & False))


def test_explain_without_an_input_speaks_of_the_weights() -> None:
    layer = GRU(I, H).double()
    with use_path("aten"):
        assert str(layer.explain()) == (
            "GRU: aten, forced by use_path; "
            "runs as PyTorch's own loop on the padded batch, float64 on cpu"
        )
        assert "packed unless" in str(layer.explain(lengths=torch.tensor([1])))
    if kernels.available():
        said = str(layer.explain(lengths=torch.tensor([1])))
        assert said.startswith("GRU: native, chosen by the rule: it takes native wherever")
        assert said.endswith("without padding work, float64 on cpu")
    with use_path("reference"):
        said = str(layer.explain(lengths=torch.tensor([1]), starts=torch.ones(1, 1).bool()))
    assert said.endswith("with lengths and starts as masks, float64 on cpu")


def test_explain_says_what_cannot_run_instead_of_raising() -> None:
    with use_path("native"):
        said = LSTM(I, H).explain(torch.randn(T, 0, I))
    assert not said.runs
    assert str(said) == "LSTM: native can't run this call: the batch has no rows"
    said = LSTM(I, H, bidirectional=True).explain(step=True)
    assert not said.runs
    assert "bidirectional=False" in str(said)


def test_explain_speaks_of_autocast() -> None:
    with autocast():
        assert "under autocast to bfloat16" in str(GRU(I, H).explain(torch.randn(T, B, I)))


@pytest.mark.parametrize("supported", [False, True])
def test_float16_autocast_of_an_lstm_goes_where_it_can_run(
    supported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_onednn_has_float16", lambda: supported)
    layer, x = LSTM(I, H), torch.randn(T, B, I)
    with torch.autocast("cpu", dtype=torch.float16):
        said = layer.explain(x)
        assert said.path == ("aten" if supported else "reference")
        if not supported:
            assert "oneDNN has no float16 LSTM on this CPU" in str(said)
            y, _ = layer(x)
            torch.testing.assert_close(y.float(), layer.float()(x)[0].float())
            with use_path("aten"), pytest.raises(ConfigError, match="oneDNN has no float16"):
                layer(x)
