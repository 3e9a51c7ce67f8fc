"""`Recurrent`: any cell, run over time, in any number of layers and in both directions.

Shapes: `T` time, `B` batch, `L` layers, `D` directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import dropout as dropped
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.cell_checks import check_cell, described
from unrolled.layers.cell_segments import check_segmented, unroll_in_segments
from unrolled.layers.cells import Cell
from unrolled.layers.checks import check_lengths, check_starts, refuse_options
from unrolled.layers.compiled import CompiledSteps, backend_of
from unrolled.layers.memory_budget import parse_checkpoint
from unrolled.layers.options import MERGES
from unrolled.layers.recurrent_parts import cells_of, map_given, merged, parts_of
from unrolled.layers.state_records import StateRecord, Watched
from unrolled.layers.states import State, map_state
from unrolled.layers.unroll import Extent, Runner, fresh_state, loop, run_stretch
from unrolled.layers.unroll import unroll as unroll

Layer = Cell | tuple[Cell, Cell]
"""The cell of a layer, or those of its two directions."""


class Recurrent(Module):
    """Runs cells over time, with lengths, resets, layers, directions, streaming and checkpoints.

    Equation, for one cell and a row of length n: `y_t, s_t = step(project(x)_t, s_{t-1})` for t = 0
    ... n-1, where `s_{-1}` is the given state, and `s_{t-1}` is replaced by the cell's initial
    state wherever `starts[t]` is true. In the reverse direction, t runs from n-1 down to 0 and
    `s_{t+1}` enters step t, replaced wherever `starts[t+1]` is true: a reset makes two separate
    sequences in either direction. The output is `emit(y, x)`, or y of a cell without `emit`.

    A cell is an object with `project`, `step` and `initial_state`, and perhaps `emit` and `linear`:
    see `unrolled.layers.cells.Cell`. Where it is a `torch.nn.Module`, its parameters are those of
    this module.

    Args:
        cell: what runs:

            | | layers | directions | state |
            |---|---|---|---|
            | `cell` | 1 | 1 | the cell's |
            | `(forward, backward)` | 1 | 2 | `(of forward, of backward)` |
            | `[cell, cell, ...]` | L | 1 | `(of the first, of the second, ...)` |
            | `[(forward, backward), ...]` | L | 2 | `((of forward, of backward), ...)` |

        reverse: run one direction, from the last real step of each row to the first.
        batch_first: input, output and `starts` are `(B, T, ...)` instead of `(T, B, ...)`; states
            are not.
        residual: from the second layer on, a layer's input is added to its output.
        dropout: of the outputs of all layers but the last, in training.
        merge: how the outputs of two directions become one: "concat" `[forward, backward]`, or
            "sum", "mean", "mul", unit by unit.
        checkpoint: keep states only at some steps, and calculate the rest again in the backward
            pass: a number of steps from one kept state to the next, or a budget such as "512MB" for
            what is kept, divided among the cells (see `unrolled.layers.checkpoint` and
            `unrolled.layers.memory_budget`). None keeps everything.
        compile: run the steps under `torch.compile`: True, or the name of a backend. The first call
            takes as long as compiling does. Linear cells need none: the scan runs them.

    Raises:
        ConfigError: what is no cell, or an argument without a meaning.

    Example. A leaky integrator, `h' = a * h + (1 - a) * tanh(W x)`, is a user's own cell in ten
    lines:

        >>> import torch
        >>> from unrolled.layers import Recurrent
        >>> class Leaky(torch.nn.Module):
        ...     def __init__(self, inputs, hidden):
        ...         super().__init__()
        ...         self.read = torch.nn.Linear(inputs, hidden)
        ...         self.a = torch.nn.Parameter(torch.full((hidden,), 0.9))
        ...     def project(self, x):
        ...         return torch.tanh(self.read(x))
        ...     def step(self, projected, h):
        ...         h = self.a * h + (1 - self.a) * projected
        ...         return h, h
        ...     def initial_state(self, batch, like):
        ...         return like.new_zeros(batch, self.a.shape[0])
        >>> layer = Recurrent(Leaky(3, 8))
        >>> x = torch.randn(5, 2, 3)
        >>> y, state = layer(x, lengths=torch.tensor([5, 2]))
        >>> y.shape, state.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 8]))
        >>> bool((y[2:, 1] == 0).all())
        True
        >>> starts = torch.zeros(5, 2, dtype=torch.bool)
        >>> starts[3] = True
        >>> torch.equal(layer(x, starts=starts)[0][3:], layer(x[3:])[0])
        True
        >>> y_0, state = layer.step(x[0])
        >>> torch.allclose(y_0, y[0])
        True

    Two layers in both directions:

        >>> deep = Recurrent([(Leaky(3, 8), Leaky(3, 8)), (Leaky(16, 4), Leaky(16, 4))])
        >>> y, ((f_0, b_0), (f_1, b_1)) = deep(x)
        >>> y.shape, f_1.shape
        (torch.Size([5, 2, 8]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        cell: Layer | Sequence[Layer],
        *,
        reverse: bool = False,
        batch_first: bool = False,
        residual: bool = False,
        dropout: float = 0.0,
        merge: str = "concat",
        checkpoint: int | str | None = None,
        compile: bool | str = False,
    ) -> None:
        super().__init__()
        layers = list(cell) if isinstance(cell, list | torch.nn.ModuleList) else [cell]
        if not layers:
            raise ConfigError("cell: got an empty list, expected one cell for each layer")
        stacked = isinstance(cell, list | torch.nn.ModuleList)
        pairs = [cells_of(layer) for layer in layers]
        if len({len(pair) for pair in pairs}) > 1 or len(pairs[0]) > 2:
            raise ConfigError(
                f"cell: got layers of {[len(pair) for pair in pairs]} cells, expected one cell, or "
                "(forward, backward), in every layer"
            )
        if reverse and len(pairs[0]) == 2:
            raise ConfigError(
                "reverse: got True with (forward, backward), which has both directions already"
            )
        if not 0 <= dropout <= 1:
            raise ConfigError(f"dropout: got {dropout}, expected 0 to 1")
        if merge not in MERGES:
            raise ConfigError(f"merge: got {merge!r}, expected one of {', '.join(MERGES)}")
        segmented = parse_checkpoint(checkpoint) is not None
        self._backend = backend_of(compile)
        self._names: list[list[str]] = []
        for index, pair in enumerate(pairs):
            names = [f"cell_l{index}", f"cell_l{index}_reverse"][: len(pair)]
            if not stacked and len(pair) == 1:
                names = ["cell"]
            for direction, (name, own) in enumerate(zip(names, pair, strict=True)):
                place = "" if not stacked else f"[{index}]"
                check_cell(own, f"cell{place}" + (f"[{direction}]" if len(pair) == 2 else ""))
                if segmented:
                    check_segmented(own)
                setattr(self, name, own)
            self._names.append(names)
        self._stacked = stacked
        self.reverse = reverse
        self.batch_first = batch_first
        self.residual = residual
        self.dropout = dropout
        self.merge = merge
        self.checkpoint = checkpoint
        self.compile_steps = compile

    @property
    def layers(self) -> list[tuple[Cell, ...]]:
        """The cells: for each layer, one for each direction."""
        return [tuple(getattr(self, name) for name in names) for names in self._names]

    @property
    def num_layers(self) -> int:
        return len(self._names)

    @property
    def bidirectional(self) -> bool:
        return len(self._names[0]) == 2

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Any, State]:
        """The whole sequence.

        Args:
            x: `(T, B, ...)`, or `(B, T, ...)` with `batch_first`, or a `PackedSequence`.
            state: what `initial_state` gives, each tensor `(B, ...)`, in tuples as the class says;
                None, for all or for one cell, is the cell's initial state.
            lengths: `(B,)` integers, 0 to T: how many leading steps of each row are real. None is
                all T. What stands beyond them, NaN included, changes nothing.
            starts: `(T, B)` bool, or `(B, T)` with `batch_first`: true where a new sequence begins.
                The state is cut there, and its gradient.

        Returns:
            The outputs `(T, B, ...)` in the layout of the input, zero beyond a row's length, and
            the state after each row's last step of the run: its last real step, or step 0 in the
            reverse direction. A row of length zero returns the state it came with.

        Raises:
            ShapeError: no time steps; a state, `lengths` or `starts` that does not fit `x`; or a
                cell that gives what it should not.
            DTypeError: `lengths` that are not integers, `starts` that are not bool, a state of
                another dtype than the cell's.
            ConfigError: a state on another device; a `PackedSequence` together with `lengths` or
                `starts`.
        """
        if isinstance(x, PackedSequence):
            refuse_options(lengths, starts)
            return self._run_packed(x, state)
        if not isinstance(x, Tensor):
            raise DTypeError(f"x: got {type(x).__name__}, expected a tensor or PackedSequence")
        legend = "(B, T, ...)" if self.batch_first else "(T, B, ...)"
        if x.dim() < 2:
            raise ShapeError(f"x: got shape {tuple(x.shape)}, expected {legend}")
        starts = check_starts(starts, tuple(x.shape[:2]), legend.replace(", ...", ""))
        if self.batch_first:
            x, starts = x.transpose(0, 1), None if starts is None else starts.t()
        steps, batch = x.shape[:2]
        if steps == 0:
            raise ShapeError(f"x: got no time steps, expected at least one in {legend}")
        lengths = check_lengths(lengths, steps, batch)
        y, state = self._run(x, state, lengths, starts)
        return (y.transpose(0, 1) if self.batch_first else y), state

    def step(self, x_t: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One step, in constant memory: the numbers that `forward` gives, one step at a time.

        Args:
            x_t: `(B, ...)`.
            state: as for `forward`. Not changed.

        Returns:
            The output `(B, ...)` and the next state.

        Raises:
            ConfigError: two directions: the reverse one needs the end of the sequence.
            ShapeError, DTypeError: as for `forward`.
        """
        if self.bidirectional:
            raise ConfigError(
                "step: got two directions, and the reverse one needs the end of the sequence; "
                "give one cell for each layer"
            )
        if not isinstance(x_t, Tensor) or x_t.dim() < 1:
            raise ShapeError(f"x_t: got {described(x_t)}, expected a tensor (B, ...)")
        given, finals = self.given(state), []
        extent = Extent(None, None, self.reverse)
        x = x_t.unsqueeze(0)
        for index, (cell,) in enumerate(self.layers):
            before, name = given[index][0]
            runner = self._runner(index, 0) or loop
            y, after = run_stretch(cell, x, before, extent, name=name, runner=runner)
            x = self._between(index, x, y)
            finals.append([after])
        return x.squeeze(0), self._laid_out(finals)

    def initial_state(self, x: Tensor) -> State:
        """The state that fresh sequences start from, laid out as `forward` takes it.

        Args:
            x: `(T, B, ...)`, or `(B, T, ...)` with `batch_first`, with one step at least: cells
                make their state in the dtype, on the device and for the rows of their input.
        """
        x = (x.transpose(0, 1) if self.batch_first else x)[:1]
        finals: list[list[State]] = []
        for index, cells in enumerate(self.layers):
            finals.append([fresh_state(cell, cell.project(x), x.shape[1]) for cell in cells])
            outputs = [unroll(cell, x, None)[0] for cell in cells]
            x = self._between(index, x, merged(outputs, self.merge))
        return self._laid_out(finals)

    @contextmanager
    def record(self) -> Iterator[list[StateRecord]]:
        """Inside, a call leaves the states that it passed through, and their gradients.

            with layer.record() as records:
                y, state = layer(x)
                loss(y).backward()
            records[0].states[0]    # layer 0, forward direction: the state after every step
            records[0].d_states[0]  # dL/ds_t for every t

        Gives one `StateRecord` for each layer. Of several calls the last one's is kept. Such a call
        runs step by step in Python: no scan, no checkpoints, nothing compiled.
        """
        records = [StateRecord() for _ in self._names]
        self.__dict__["_records"] = records
        try:
            yield records
        finally:
            self.__dict__.pop("_records", None)

    def _run(
        self, x: Tensor, state: State, lengths: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, State]:
        """All layers and directions, time-major."""
        given = self.given(state)
        records: list[StateRecord] | None = self.__dict__.get("_records")
        finals: list[list[State]] = []
        for index, cells in enumerate(self.layers):
            if records is not None:
                records[index].clear()
            outputs: list[Tensor] = []
            finals.append([])
            for direction, cell in enumerate(cells):
                before, name = given[index][direction]
                reverse = self.reverse or direction == 1
                options: dict[str, Any] = {
                    "lengths": lengths,
                    "starts": starts,
                    "reverse": reverse,
                    "name": name,
                }
                if records is not None:
                    y, final = unroll(
                        Watched(cell, records[index], lengths, reverse), x, before, **options
                    )
                else:
                    y, final = self._over_time(index, direction, x, before, **options)
                outputs.append(y)
                finals[-1].append(final)
            x = self._between(index, x, merged(outputs, self.merge))
        return x, self._laid_out(finals)

    def _over_time(
        self, index: int, direction: int, x: Tensor, state: State, **options: Any
    ) -> tuple[Tensor, State]:
        """One cell, in segments where checkpoints are asked for."""
        cell, runner = self.layers[index][direction], self._runner(index, direction)
        checkpoint = parse_checkpoint(self.checkpoint)
        if checkpoint is None:
            return unroll(cell, x, state, runner=runner, **options)
        if checkpoint.budget is not None:
            cells = self.num_layers * (2 if self.bidirectional else 1)
            checkpoint = checkpoint._replace(budget=max(1, checkpoint.budget // cells))
        return unroll_in_segments(cell, x, state, checkpoint, runner=runner, **options)

    def _run_packed(self, packed: PackedSequence, state: State) -> tuple[PackedSequence, State]:
        """As `_run`, with the state in the caller's order of rows."""
        data, batch_sizes, to_sorted, to_given = packed
        x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))
        if state is not None and to_sorted is not None:
            # A wrong state is left as it is: the check of its cell names it.
            rows = len(to_sorted)
            state = map_given(lambda p: p[to_sorted] if len(p) == rows else p, state)
        y, state = self._run(x, state, lengths, None)
        if to_given is not None:
            state = map_state(lambda part: part.index_select(0, to_given), state)
        data = pack_padded_sequence(y, lengths).data
        return PackedSequence(data, batch_sizes, to_sorted, to_given), state

    def _between(self, index: int, x: Tensor, y: Tensor) -> Tensor:
        """What the next layer reads, or the output; dropout is of what is added."""
        if self.dropout and self.training and index < self.num_layers - 1:
            y = dropped(y, self.dropout)
        if self.residual and index:
            if x.shape != y.shape:
                raise ShapeError(
                    f"residual: got a layer from {tuple(x.shape)} to {tuple(y.shape)}, expected "
                    "one shape from the second layer on"
                )
            y = y + x
        return y

    def given(self, state: State) -> list[list[tuple[State, str]]]:
        """For each layer and direction its part of a state, perhaps None, and the part's name."""
        parts = parts_of("state", state, self.num_layers, "layers") if self._stacked else None
        layers = [(state, "state")] if parts is None else parts
        if not self.bidirectional:
            return [[layer] for layer in layers]
        return [parts_of(name, part, 2, "directions") for part, name in layers]

    def _laid_out(self, finals: list[list[State]]) -> State:
        layers = [tuple(final) if self.bidirectional else final[0] for final in finals]
        return tuple(layers) if self._stacked else layers[0]

    def _runner(self, index: int, direction: int) -> Runner | None:
        """What runs the steps of a cell; None leaves it to `run_stretch`."""
        cell = getattr(self, self._names[index][direction])
        if self._backend is None or getattr(cell, "linear", False):
            return None
        known: dict[tuple[int, int], CompiledSteps] = self.__dict__.setdefault("_compiled", {})
        return known.setdefault((index, direction), CompiledSteps(self._backend))

    def __getstate__(self) -> dict[str, Any]:
        """Without the programs: they are of this object and this process."""
        hidden = ("_compiled", "_records")
        return {name: value for name, value in self.__dict__.items() if name not in hidden}

    def extra_repr(self) -> str:
        defaults = {
            "reverse": False,
            "batch_first": False,
            "residual": False,
            "dropout": 0.0,
            "merge": "concat",
            "checkpoint": None,
        }
        shown = [
            f"{name}={getattr(self, name)!r}"
            for name, default in defaults.items()
            if getattr(self, name) != default
        ]
        return ", ".join(shown + ([f"compile={self.compile_steps!r}"] if self._backend else []))
