"""Whole calls of the sequence kernels, drawn at random: sizes, options, masks and numbers.

`make_call` fills one call with numbers; `calls` is the strategy that draws its options; what runs
them stands in sequence_runs.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

CELLS = ("rnn_tanh", "rnn_relu", "gru", "lstm")  # by the numbers of CellKind
EPSILON = 2.0**-17  # float32 holds it exactly
RATE = 0.375
UNTOUCHED = 7.0  # what an output holds where nothing is written
PARAMETERS = (
    *("weight_ih", "weight_hh", "bias_ih", "bias_hh"),
    *("weight_hr", "peephole", "gain_ih", "gain_hh", "norm_c"),
)
GRADIENTS_IN = ("dy", "dhn", "dcn", "dcells")


@dataclass(frozen=True, repr=False)
class Call:
    """One call, forward and backward.

    `inputs` holds every array given, by the names of the bindings: floats as float64 that `dtype`
    holds exactly, NaN where nothing may be read; x and dy `(T, B, width)`, or `(N, width)` if
    packed. What is absent is null.
    """

    cell: str
    steps: int
    batch: int
    input: int
    hidden: int
    output: int
    reverse: bool
    threads: int
    rate_h: float
    rate_c: float
    dtype: torch.dtype
    layout: str  # of what has strides: "dense", "batch_first" or "wide" (part of a wider tensor)
    reuse_gates: bool  # dgates is the memory of kept.gates
    wanted: frozenset[str]  # the gradients asked for
    row_lengths: tuple[int, ...]
    inputs: dict[str, Tensor]
    recipe: str

    def __repr__(self) -> str:
        return self.recipe

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows of a call that failed."""
        printer.text(self.recipe)

    @property
    def is_lstm(self) -> bool:
        return self.cell == "lstm"

    @property
    def gates(self) -> int:
        return {"gru": 3, "lstm": 4}.get(self.cell, 1)

    @property
    def kept_gates(self) -> int:
        """Width of kept.gates and dgates."""
        return self.hidden * (4 if self.cell in ("gru", "lstm") else 1)

    @property
    def packed(self) -> bool:
        return "batch_sizes" in self.inputs

    @property
    def norm(self) -> bool:
        return "gain_ih" in self.inputs

    @property
    def leading(self) -> tuple[int, ...]:
        """The shape of the caller's tensors before their width."""
        return (self.places,) if self.packed else (self.steps, self.batch)

    @property
    def places(self) -> int:
        return sum(self.row_lengths) if self.packed else self.steps * self.batch

    def place(self, t: int, b: int) -> int:
        if self.packed:
            return int(self.inputs["batch_sizes"][:t].sum()) + b
        return t * self.batch + b

    @property
    def real(self) -> Tensor:
        """`(N,)` bool: true at the places within their row's length."""
        if self.packed:
            return torch.ones(self.places, dtype=torch.bool)
        lengths = torch.tensor(self.row_lengths)
        return (torch.arange(self.steps)[:, None] < lengths).reshape(-1)

    def kept_shapes(self) -> dict[str, tuple[int, ...]]:
        """The arrays that the backward pass of this call needs."""
        n, rows = self.places, self.gates * self.hidden
        shapes: dict[str, tuple[int, ...]] = {}
        if self.gates > 1 or "zoneout_h" in self.inputs or self.rate_h:
            shapes["gates"] = (n, self.kept_gates)
        if self.is_lstm:
            shapes["cells"] = (n, self.hidden)
        if self.norm:
            shapes |= {"normed_ih": (n, rows), "normed_hh": (n, rows)}
            shapes |= {"scale_ih": (n, 2), "scale_hh": (n, 2)}
            if self.is_lstm:
                shapes["stats_c"] = (n, 2)
        return shapes

    def gradient_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every gradient that this call can give."""
        shapes = {
            "dx": (*self.leading, self.input),
            "dh0": (self.batch, self.output),
            "dh": (self.places, self.output),
        }
        if self.is_lstm:
            shapes |= {"dc0": (self.batch, self.hidden), "dc": (self.places, self.hidden)}
        for name in PARAMETERS:
            if name in self.inputs:
                shapes[f"d_{name}"] = tuple(self.inputs[name].shape)
        return shapes


def make_call(
    *,
    seed: int = 0,
    cell: str = "lstm",
    steps: int = 4,
    batch: int = 3,
    input: int = 3,
    hidden: int = 5,
    projection: int | None = None,
    reverse: bool = False,
    dtype: torch.dtype = torch.float64,
    threads: int = 1,
    lengths: Sequence[int] | None = None,
    packed: bool = False,
    starts: bool = False,
    bias_ih: bool = True,
    bias_hh: bool = True,
    peephole: bool = False,
    norm: bool = False,
    zoneout_h: str = "none",
    zoneout_c: str = "none",
    recurrent: bool = False,
    absent: Sequence[str] = (),
    layout: str = "dense",
    reuse_gates: bool = False,
    unwanted: Sequence[str] = (),
) -> Call:
    """A call with these options and numbers drawn from `seed`.

    Args:
        projection: the output size, or None for the hidden size.
        lengths: one for each row; a packed call sorts them, each at least 1, and ends with the
            longest.
        zoneout_h: "none", "rate" or "mask"; `zoneout_c` too.
        absent: of h0, c0, dy, dhn, dcn and dcells, those that are null.
        unwanted: gradients that are null.
    """
    recipe = ", ".join(f"{name}={value!r}" for name, value in locals().items())
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape: int, scale: float = 1.0, shift: float = 0.0) -> Tensor:
        drawn = shift + scale * torch.randn(shape, generator=generator, dtype=torch.float64)
        return drawn.float().double()

    def bits(*shape: int, share: float = 0.5) -> Tensor:
        return (torch.rand(shape, generator=generator) < share).to(torch.uint8)

    is_lstm = cell == "lstm"
    output = projection if is_lstm and projection else hidden
    rows = {"gru": 3, "lstm": 4}.get(cell, 1) * hidden
    row_lengths = [steps] * batch if lengths is None else list(lengths)
    inputs: dict[str, Tensor] = {}
    if packed:
        row_lengths = sorted((max(1, length) for length in row_lengths), reverse=True)
        steps = row_lengths[0]
        sizes = [sum(length > t for length in row_lengths) for t in range(steps)]
        inputs["batch_sizes"] = torch.tensor(sizes)
    elif lengths is not None:
        inputs["lengths"] = torch.tensor(row_lengths)
    leading = (sum(row_lengths),) if packed else (steps, batch)
    places = math.prod(leading)
    if starts and not packed:
        inputs["starts"] = bits(steps, batch, share=0.3)

    inputs["weight_ih"] = numbers(rows, input, scale=input**-0.5)
    inputs["weight_hh"] = numbers(rows, output, scale=output**-0.5)
    if bias_ih:
        inputs["bias_ih"] = numbers(rows, scale=0.5)
    if bias_hh:
        inputs["bias_hh"] = numbers(rows, scale=0.5)
    if is_lstm and projection:
        inputs["weight_hr"] = numbers(output, hidden, scale=hidden**-0.5)
    if is_lstm and peephole:
        inputs["peephole"] = numbers(3, hidden)
    if norm:
        inputs["gain_ih"] = numbers(rows, scale=0.3, shift=0.7)
        inputs["gain_hh"] = numbers(rows, scale=0.3, shift=0.7)
        if is_lstm:
            inputs["norm_c"] = numbers(2, hidden, scale=0.3, shift=0.7)
    if zoneout_h == "mask":
        inputs["zoneout_h"] = bits(places, output)
    if is_lstm and zoneout_c == "mask":
        inputs["zoneout_c"] = bits(places, hidden)
    if recurrent:
        inputs["recurrent_mask"] = 2.0 * bits(batch, output, share=0.6).double()

    real = torch.arange(steps)[:, None] < torch.tensor(row_lengths)

    def unread(tensor: Tensor) -> Tensor:
        """NaN beyond the lengths of the rows."""
        return tensor if packed else tensor.masked_fill(~real.reshape(*leading, 1), torch.nan)

    inputs["x"] = unread(numbers(*leading, input))
    inputs["dy"] = unread(numbers(*leading, output))
    inputs["h0"], inputs["dhn"] = numbers(batch, output), numbers(batch, output)
    if is_lstm:
        inputs["c0"], inputs["dcn"] = numbers(batch, hidden), numbers(batch, hidden)
        inputs["dcells"] = unread(numbers(*leading, hidden)).reshape(places, hidden)
    for name in absent:
        inputs.pop(name, None)
    call = Call(
        cell=cell,
        steps=steps,
        batch=batch,
        input=input,
        hidden=hidden,
        output=output,
        reverse=reverse,
        threads=threads,
        # Where a mask is given, the rate is there to be ignored.
        rate_h=0.0 if zoneout_h == "none" else RATE,
        rate_c=0.0 if zoneout_c == "none" or not is_lstm else RATE,
        dtype=dtype,
        layout=layout,
        reuse_gates=reuse_gates,
        wanted=frozenset(),
        row_lengths=tuple(row_lengths),
        inputs=inputs,
        recipe=f"make_call({recipe})",
    )
    wanted = frozenset(call.gradient_shapes()) - set(unwanted)
    return replace(call, wanted=wanted)


def every_option(cell: str) -> Iterator[dict[str, Any]]:
    """The options of `make_call` that change a cell's equations, in every combination."""
    zoneout, flag = ["none", "rate", "mask"], [False, True]
    options: dict[str, list[Any]] = {"norm": flag, "recurrent": flag, "zoneout_h": zoneout}
    if cell == "lstm":
        options |= {"zoneout_c": zoneout, "peephole": flag, "projection": [None, 3]}
    for chosen in product(*options.values()):
        yield {"cell": cell, **dict(zip(options, chosen, strict=True))}


SIZES, STEPS, BATCHES = st.integers(1, 7), st.integers(1, 6), st.integers(1, 4)
ONE_THREAD = st.just(1)


@st.composite
def calls(
    draw: st.DrawFn,
    *,
    cells: Sequence[str] = CELLS,
    dtypes: Sequence[torch.dtype] = (torch.float64,),
    sizes: st.SearchStrategy[int] = SIZES,
    steps: st.SearchStrategy[int] = STEPS,
    batches: st.SearchStrategy[int] = BATCHES,
    threads: st.SearchStrategy[int] = ONE_THREAD,
) -> Call:
    """Any call of `make_call`, options switched on and off freely."""
    flag = st.booleans()
    zoneout = st.sampled_from(["none", "rate", "mask"])
    hidden, longest, batch = draw(sizes), draw(steps), draw(batches)
    lengths = st.lists(st.integers(0, longest), min_size=batch, max_size=batch)
    names = ("h0", "c0", "dy", "dhn", "dcn", "dcells")
    unwanted = ("dx", "dh0", "dc0", "dh", "dc", *(f"d_{name}" for name in PARAMETERS))
    return make_call(
        seed=draw(st.integers(0, 2**32 - 1)),
        cell=draw(st.sampled_from(cells)),
        steps=longest,
        batch=batch,
        input=draw(sizes),
        hidden=hidden,
        projection=draw(st.none() | st.integers(1, hidden)),
        reverse=draw(flag),
        dtype=draw(st.sampled_from(dtypes)),
        threads=draw(threads),
        lengths=draw(st.none() | lengths),
        packed=draw(flag),
        starts=draw(flag),
        bias_ih=draw(flag),
        bias_hh=draw(flag),
        peephole=draw(flag),
        norm=draw(flag),
        zoneout_h=draw(zoneout),
        zoneout_c=draw(zoneout),
        recurrent=draw(flag),
        absent=draw(st.just(()) | st.lists(st.sampled_from(names), unique=True)),
        layout=draw(st.sampled_from(["dense", "batch_first", "wide"])),
        reuse_gates=draw(flag),
        unwanted=draw(st.just(()) | st.lists(st.sampled_from(unwanted), unique=True)),
    )
