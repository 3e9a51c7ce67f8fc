"""The door to the native kernels: are they there, and one step of each cell on torch tensors.

`UNROLLED_KERNELS=off` leaves them unused; `UNROLLED_ISA=generic`, `avx2` or `avx512` forces an
instruction set. Importing this module imports neither torch nor the compiled module.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

_REASON_FILE = "_kernels_missing.txt"  # left by the build where it made no kernels


def available() -> bool:
    """True where the native kernels are built and not switched off; `why_not` says more."""
    return why_not() is None


def why_not() -> str | None:
    """Why the native kernels are not used, in one line with the remedy; None where they are.

    Raises:
        ConfigError: `UNROLLED_KERNELS` or `UNROLLED_ISA` has a value that means nothing here.
    """
    switch = _switch()
    if not switch:
        return _load()[1]
    if switch == "off":
        return "UNROLLED_KERNELS=off is set; unset it to use them"
    if switch not in ("", "on"):
        raise ConfigError(f"UNROLLED_KERNELS is {switch!r}; it can be 'off', or 'on' as when unset")
    return _load()[1]


def _switch() -> str:
    """`UNROLLED_KERNELS`, which every call of a layer asks for: `os.environ` takes as long to say
    that it is not there as to find it, so what lies behind it is asked where that is known."""
    behind = getattr(os.environ, "_data", None)
    if behind is not None and _SWITCH not in behind:
        return ""
    return os.environ.get("UNROLLED_KERNELS", "")


_SWITCH = os.environ.encodekey("UNROLLED_KERNELS")


def isa() -> str | None:
    """The instruction set in use, `"generic"`, `"avx2"` or `"avx512"`; None without the kernels."""
    return _module().isa() if available() else None


def compiler() -> str | None:
    """The compiler that made the kernels, with its version; None without the kernels."""
    return _module().compiler() if available() else None


def forward_call(dtype: Any) -> Any:
    """The arguments of `forward`, all zero, for `torch.float32` or `torch.float64`.

    Its fields are the addresses and numbers of `kernels/include/unrolled/sequence.h`. Nothing is
    checked: whoever fills it keeps every array alive until the call returns.
    """
    return _calls().forward_calls[dtype]()


def backward_call(dtype: Any) -> Any:
    """The arguments of `backward`, as `forward_call`."""
    return _calls().backward_calls[dtype]()


def prefer_large_pages(array: Tensor) -> None:
    """Ask the system to back a large array by large pages: it is first touched much faster so."""
    _module().prefer_large_pages(array.data_ptr(), array.nbytes)


def forward(call: Any) -> None:
    """One recurrent layer over time, in one direction; `call` comes from `forward_call`."""
    _calls().forward(call)


def backward(call: Any) -> None:
    """Its gradients; `call` comes from `backward_call`."""
    _calls().backward(call)


def minimal_forward_call(dtype: Any) -> Any:
    """The arguments of `minimal_forward`, all zero; as `forward_call`, of
    `kernels/include/unrolled/minimal.h`."""
    return _calls("minimal").forward_calls[dtype]()


def minimal_backward_call(dtype: Any) -> Any:
    """The arguments of `minimal_backward`, as `minimal_forward_call`."""
    return _calls("minimal").backward_calls[dtype]()


def minimal_forward(call: Any) -> None:
    """One minGRU or minLSTM layer over time, in one direction."""
    _calls("minimal").forward(call)


def minimal_backward(call: Any) -> None:
    """Its gradients."""
    _calls("minimal").backward(call)


def scan_forward_call(dtype: Any) -> Any:
    """The arguments of `scan_forward`, all zero; as `forward_call`, of
    `kernels/include/unrolled/scan.h`. A complex dtype stands for that of its parts."""
    call = _calls("scan").forward_calls[_part_of(dtype)]()
    call.complex = dtype.is_complex
    return call


def scan_backward_call(dtype: Any) -> Any:
    """The arguments of `scan_backward`, as `scan_forward_call`."""
    return _calls("scan").backward_calls[_part_of(dtype)]()


def scan_forward(call: Any) -> None:
    """A linear recurrence over time, in one direction."""
    _calls("scan").forward(call)


def scan_backward(call: Any) -> None:
    """Its gradients."""
    _calls("scan").backward(call)


def attention_forward_call(dtype: Any) -> Any:
    """The arguments of `attention_forward`, all zero; as `forward_call`, of
    `kernels/include/unrolled/attention.h`."""
    return _calls("attention").forward_calls[dtype]()


def attention_backward_call(dtype: Any) -> Any:
    """The arguments of `attention_backward`, as `attention_forward_call`."""
    return _calls("attention").backward_calls[dtype]()


def attention_forward(call: Any) -> None:
    """Attention of a sequence over another one."""
    _calls("attention").forward(call)


def attention_backward(call: Any) -> None:
    """Its gradients."""
    _calls("attention").backward(call)


def top_tokens(
    products: Tensor,
    bias: Tensor | None,
    values: Tensor,
    tokens: Tensor,
    *,
    units: tuple[Tensor, Tensor] | None = None,
    again: tuple[Tensor, Tensor, int] | None = None,
) -> None:
    """The best few tokens of each row of scores and their log-probabilities, written into `values`
    and `tokens`, both `(R, k)`.

    Args:
        products: `(R, V)`, float32, or int32 with `units`; without the bias.
        bias: `(V,)`, or None.
        units: what a product is counted in, of rows `(R,)` times of tokens `(V,)`.
        again: o `(R, E)`, weight `(V, E)` and a number of candidates, which are scored again from
            these; None where the products are good as they are.

    Nothing is checked: contiguous tensors on the CPU, float32 but for products and tokens (int64).
    The whole contract stands in `kernels/include/unrolled/top_tokens.h`.
    """
    import torch

    module = _module()
    row, scale = units or (None, None)
    o, weight, candidates = again or (None, None, 0)
    (module.top_tokens if units is None else module.top_tokens_int32)(
        *products.shape,
        values.shape[1],
        candidates,
        0 if o is None else o.shape[1],
        torch.get_num_threads(),
        products.data_ptr(),
        *(0 if part is None else part.data_ptr() for part in (row, scale, bias, o, weight)),
        values.data_ptr(),
        tokens.data_ptr(),
    )


def ctc_prefix_call() -> Any:
    """The arguments of `ctc_prefix`, all zero; as `forward_call`, of
    `kernels/include/unrolled/ctc_prefix.h`."""
    return _module().CtcPrefix()


def ctc_prefix(call: Any) -> None:
    """Prefix beam search over frames of a CTC output; `call` comes from `ctc_prefix_call`."""
    _module().ctc_prefix(call)


def ngram_model() -> Any:
    """An `NGram` of `kernels/include/unrolled/ngram.h`, all zero; as `forward_call`."""
    return _module().NGram()


def ngram_scores_call() -> Any:
    """The arguments of `ngram_scores`, all zero; as `ngram_model`."""
    return _module().NGramScores()


def ngram_scores(call: Any) -> None:
    """Scores of tokens by an n-gram model; `call` comes from `ngram_scores_call`."""
    _module().ngram_scores(call)


def prefix_scores_arguments() -> Any:
    """What a language model and hot words say, all zero: of
    `kernels/include/unrolled/prefix_scores.h`, for a `ctc_prefix_call` by its address."""
    return _module().PrefixScores()


def prefix_scores_call() -> Any:
    """The arguments of `prefix_scores`, all zero; as `ctc_prefix_call`."""
    return _module().PrefixScoresOf()


def prefix_scores(call: Any) -> None:
    """What symbols add to whole sentences; `call` comes from `prefix_scores_call`."""
    _module().prefix_scores(call)


def transducer_call() -> Any:
    """The arguments of the three calls of a transducer's loss on float32, all zero; as
    `forward_call`, of `kernels/include/unrolled/transducer_loss.h`."""
    return _module().TransducerLoss32()


def transducer_scores(call: Any) -> None:
    """Log-probabilities of the arcs of each utterance; `call` comes from `transducer_call`."""
    _module().transducer_scores(call)


def transducer_sums(call: Any) -> None:
    """Their losses, and which part of all alignments takes each arc."""
    _module().transducer_sums(call)


def transducer_slopes(call: Any) -> None:
    """The gradient by the logits."""
    _module().transducer_slopes(call)


def stream_model(
    layers: Sequence[Any], readout: tuple[int, int, int], *, float16: bool = False
) -> Any:
    """Packed weights for streaming, which sessions share; everything is copied.

    Args:
        layers: of each, a `forward_call(torch.float32)` with its cell, input, hidden and output
            size, weights, epsilon and rates.
        readout: size, address of the weight and of the bias; zeros for none.
        float16: keep the matrices in 16 bits.

    Nothing is checked. The contract stands in `kernels/include/unrolled/stream.h`.
    """
    return _module().StreamModel(layers, *readout, float16)


def stream_session(model: Any, batch: int) -> Any:
    """A state of `batch` sequences in step, all zero, on a `stream_model`'s weights."""
    return _module().StreamSession(model, batch)


def lstm_step(
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    h_out: Tensor,
    c_out: Tensor,
) -> None:
    """One step of one LSTM layer, written into `h_out` and `c_out`.

        i, f, o = sigmoid(W_i* x + b_i* + W_h* h + b_h*),  g = tanh(the same for g)
        c' = f * c + i * g,  h' = o * tanh(c')

    Args:
        x: `(B, I)`.
        h, c: `(B, H)`, or `(1, B, H)`, the state before.
        weight_ih, weight_hh: `(4H, I)` and `(4H, H)`, rows in torch's order i, f, g, o.
        bias_ih, bias_hh: `(4H,)`, or None for no such bias.
        h_out, c_out: of the same shape, the state after; they overlap no other argument.

    Nothing is checked: every tensor must be contiguous float32 on the CPU with these shapes, and
    `available()` true. No gradient is recorded. The whole contract stands in
    `kernels/include/unrolled/lstm_step.h`.
    """
    batch, size = x.shape
    _module().lstm_step(
        batch,
        size,
        weight_hh.shape[1],
        x.data_ptr(),
        h.data_ptr(),
        c.data_ptr(),
        weight_ih.data_ptr(),
        weight_hh.data_ptr(),
        0 if bias_ih is None else bias_ih.data_ptr(),
        0 if bias_hh is None else bias_hh.data_ptr(),
        h_out.data_ptr(),
        c_out.data_ptr(),
    )


def gru_step(
    x: Tensor,
    h: Tensor,
    weight_ih: Tensor,
    weight_hh: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    h_out: Tensor,
) -> None:
    """One step of one GRU layer, in torch's form, written into `h_out`.

        r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*)
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Args:
        x: `(B, I)`.
        h: `(B, H)`, or `(1, B, H)`, the state before.
        weight_ih, weight_hh: `(3H, I)` and `(3H, H)`, rows in torch's order r, z, n.
        bias_ih, bias_hh: `(3H,)`, or None for no such bias.
        h_out: of the same shape, the state after; it overlaps no other argument.

    Nothing is checked: every tensor must be contiguous float32 on the CPU with these shapes, and
    `available()` true. No gradient is recorded. The whole contract stands in
    `kernels/include/unrolled/gru_step.h`.
    """
    batch, size = x.shape
    _module().gru_step(
        batch,
        size,
        weight_hh.shape[1],
        x.data_ptr(),
        h.data_ptr(),
        weight_ih.data_ptr(),
        weight_hh.data_ptr(),
        0 if bias_ih is None else bias_ih.data_ptr(),
        0 if bias_hh is None else bias_hh.data_ptr(),
        h_out.data_ptr(),
    )


def gates(
    cell: int,
    input: Tensor,
    state: Tensor,
    bias_ih: Tensor | None,
    bias_hh: Tensor | None,
    before: Sequence[Tensor],
    after: Sequence[Tensor],
) -> None:
    """One step of a layer whose products are there, written into `after`.

    Args:
        cell: number of `CellKind`: `prototypes.CELLS`.
        input, state: `W_ih x` and `W_hh h`, `(B, G*H)`, bfloat16; gates in torch's order.
        bias_ih, bias_hh: `(G*H,)`, or None for no such bias.
        before, after: h, of an LSTM h and c, each `(B, H)`.

    Nothing is checked: contiguous tensors on the CPU, float32 but for the products. The whole
    contract stands in `kernels/include/unrolled/gates.h`.
    """
    lstm = len(before) == 2
    _module().gates(
        cell,
        *before[0].shape,
        input.data_ptr(),
        state.data_ptr(),
        0 if bias_ih is None else bias_ih.data_ptr(),
        0 if bias_hh is None else bias_hh.data_ptr(),
        before[0].data_ptr(),
        before[1].data_ptr() if lstm else 0,
        after[0].data_ptr(),
        after[1].data_ptr() if lstm else 0,
    )


class _OverTime(NamedTuple):
    forward_calls: dict[Any, Callable[[], Any]]
    backward_calls: dict[Any, Callable[[], Any]]
    forward: Callable[[Any], None]
    backward: Callable[[Any], None]


def _part_of(dtype: Any) -> Any:
    """The dtype of a real number, or of the parts of a complex one."""
    return dtype.to_real() if dtype.is_complex else dtype


@cache
def _calls(kind: str = "") -> _OverTime:
    """What the module has of a kind: "", a layer over time, or "minimal", "scan", "attention"."""
    import torch

    def of(name: str) -> Any:
        return getattr(_module(), name)

    struct, function = kind.capitalize(), f"{kind}_" if kind else ""
    dtypes = {torch.float32: "32", torch.float64: "64"}
    return _OverTime(
        {dtype: of(f"{struct}Forward{bits}") for dtype, bits in dtypes.items()},
        {dtype: of(f"{struct}Backward{bits}") for dtype, bits in dtypes.items()},
        of(f"{function}forward"),
        of(f"{function}backward"),
    )


@cache
def _load() -> tuple[ModuleType | None, str | None]:
    """The compiled module and None, or None and the reason why there is none."""
    try:
        module = _import()
    except ModuleNotFoundError:
        return None, _reason_of_the_build()
    except ImportError as error:
        return None, f"they were built but can't be loaded ({error}); install unrolled again"
    try:
        module.isa()
    except ValueError as error:
        raise ConfigError(str(error)) from None
    return module, None


def _import() -> ModuleType:
    try:
        return import_module("unrolled._kernels")
    except ModuleNotFoundError:
        raise
    except ImportError:
        # A machine without an OpenMP of its own: the kernels use the one that torch brings along.
        import_module("torch")
        return import_module("unrolled._kernels")


def _module() -> ModuleType:
    module = _load()[0]
    assert module is not None, "a step of the kernels was asked for where available() is false"
    return module


def _reason_of_the_build() -> str:
    import unrolled

    for folder in unrolled.__path__:
        file = Path(folder) / _REASON_FILE
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
    return "they were never built here; with a C++ compiler at hand, install unrolled with pip"
