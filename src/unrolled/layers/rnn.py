"""`RNN`, `GRU` and `LSTM`: torch's layers, with lengths, resets, single steps and paths.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size (`P`, the projection size, for the `h`
of an LSTM that has one), `L` layers, `D` directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from unrolled.errors import ConfigError, DTypeError
from unrolled.layers import aten, layer_segments, native, reference
from unrolled.layers.checks import (
    check_call,
    check_options,
    check_step,
    fault_of,
    one_state,
    refuse_options,
)
from unrolled.layers.explain import Explanation, explain
from unrolled.layers.optioned import Optioned
from unrolled.layers.over_layers import plans_of
from unrolled.layers.paths import Call, Choice, autocast_dtype, choose_path, transformed
from unrolled.layers.records import LayerRecord
from unrolled.layers.states import State, map_state
from unrolled.layers.tracing import trace_instances_of


class _Layer(Optioned):
    """What the three layers add to torch's class, which stands next among the bases."""

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: State = None,
        *,
        state: State = None,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
        return_gates: bool = False,
    ) -> Any:
        """Run whole sequences.

        Args:
            input: `(T, B, I)`, `(B, T, I)` with `batch_first`, `(T, I)` for one sequence, or a
                `PackedSequence`.
            hx: the state that the sequences start from: `h_0` `(L * D, B, H)`, for an LSTM `(h_0,
                c_0)`; without `B` for one sequence. None is zeros.
            state: another name for `hx`.
            lengths: `(B,)` integers, 0 to T: how many leading steps of each row are real; for one
                sequence `()`. None is all T. What stands beyond a row's length, NaN included,
                changes nothing.
            starts: `(T, B)` bool, or `(B, T)` with `batch_first`, or `(T,)` for one sequence: true
                at t where a new sequence begins. The state that enters step t is zero, at t = 0
                instead of the given one, and no gradient crosses. The reverse direction is cut
                between the same two steps.
            return_gates: hand out what every step passed through, too.

        Returns:
            The output `(T, B, D * H)` in the layout of the input, zero beyond a row's length, and
            the final state, laid out as `hx`: after the last real step of each row, in the reverse
            direction after step 0. A row of length zero returns the state that it came with.

            With `return_gates` also a list with one `LayerRecord` for each layer: its `gates` and
            `cells` are lists with one tensor for each direction, `(T, B, G*H)` and `(T, B, H)` in
            the layout of the input. Where gradients are recorded they flow through both.

        Raises:
            ShapeError, DTypeError: an argument that does not fit; named, with torch's own text
                first where torch has one, and also of the type that torch raises there.
            ConfigError: a `PackedSequence` together with `lengths` or `starts`; both `hx` and
                `state`; or a path was asked for that can't run this call.
        """
        if state is not None or type(hx) is list:
            hx = one_state(hx, state)
        ragged = lengths is not None or starts is not None
        choice = choose_path(self._call(input, ragged=ragged, gates=return_gates))
        if choice.path == "aten" and aten.autocasts_in_vain(self, input):
            with torch.autocast("cpu", enabled=False):
                input, hx = aten.exactly(self, input, hx)
                return self.forward(
                    input, hx, lengths=lengths, starts=starts, return_gates=return_gates
                )
        own = self.__dict__
        records = own.get("_records")
        if records is not None and choice.path != "native":
            raise ConfigError(
                f"record: this call takes {choice.path}, {choice.reason}; only native leaves a "
                "record"
            )
        if records is not None and "_options" in own and self._in_segments():
            raise ConfigError(
                "record: got a layer with checkpoint=..., whose backward pass runs segments again; "
                "set layer.checkpoint = None first"
            )
        if choice.lone:
            assert isinstance(input, Tensor)
            if hx is not None:
                self._check(input, hx)
            try:
                return aten.run_plain(self, input, hx)
            except Exception:
                self._check(input, hx)
                raise
        if choice.path == "aten" and not (
            ragged
            or choice.operator
            or "_options" in own
            or aten.lacks_backward(self, input)
            or aten.draws_elsewhere(self, input)
        ):
            try:
                return super().forward(input, aten.handed(input, hx))
            except Exception:
                self._check(input, hx)
                raise
        self._check(input, hx)
        if return_gates and records is None:
            records = [LayerRecord() for _ in range(self.num_layers)]
        if isinstance(input, PackedSequence):
            refuse_options(lengths, starts)
            packed, hx = self._run_packed(choice, input, hx, records)
            return (packed, hx, records) if return_gates else (packed, hx)

        lengths, starts = check_options(input, lengths, starts, self.batch_first)
        alone = input.dim() == 2
        if alone and hx is not None:
            hx = map_state(lambda part: part.unsqueeze(1), hx)
        x = self._time_major(input)
        y, hx = self._run(choice, x, hx, lengths, starts, records)
        if alone:
            hx = map_state(lambda part: part.squeeze(1), hx)
        y = self._as_given(y, alone)
        if not return_gates or records is None:
            return y, hx
        return y, hx, [one.laid_out(lambda part: self._as_given(part, alone)) for one in records]

    def _run(
        self,
        choice: Choice,
        x: Tensor,
        hx: State,
        lengths: Tensor | None,
        starts: Tensor | None,
        records: list[LayerRecord] | None = None,
        *,
        lone: bool = False,
    ) -> tuple[Tensor, State]:
        """All layers over a checked `x (T, B, I)`, by one of the paths; `lone`: of a single step,
        of which nothing can be cut off."""
        path = choice.path
        if records is None and not lone and "_options" in self.__dict__ and self._in_segments():
            return layer_segments.run(self, path, x, hx, lengths, starts)
        if path == "native":
            return native.run(self, x, hx, lengths, starts, None, records)
        if path == "reference":
            return reference.run(self, x, hx, lengths, starts, None, records)
        if choice.operator:
            from unrolled.layers import fused_operator

            return fused_operator.run(self, x, hx, lengths, starts)
        if "_options" in self.__dict__ or aten.draws_elsewhere(self, x):
            return aten.run_layers(self, x, hx, lengths, starts, plans_of(self, x))
        directions = 2 if self.bidirectional else 1
        fused = partial(aten.run_plain, self) if aten.lacks_backward(self, x) else super().forward
        hx = aten.handed(x, hx)
        return aten.run(fused, directions, self.batch_first, x, hx, lengths, starts)

    def _run_packed(
        self, choice: Choice, packed: PackedSequence, hx: State, records: list[LayerRecord] | None
    ) -> tuple[PackedSequence, State]:
        path = choice.path
        if records is None and "_options" in self.__dict__ and self._in_segments():
            return reference.as_padded(
                self,
                lambda x, state, lengths: layer_segments.run(self, path, x, state, lengths, None),
                packed,
                hx,
            )
        if choice.operator:
            from unrolled.layers import fused_operator

            return fused_operator.run_packed(self, packed, hx)
        if path == "aten":
            if "_options" not in self.__dict__ and not aten.draws_elsewhere(self, packed):
                return aten.run_packed(self, packed, hx)
            plans = plans_of(self, packed.data, packed.batch_sizes)
            return aten.run_packed_layers(self, packed, hx, plans)
        by = native if path == "native" else reference
        return by.run_packed(self, packed, hx, None, records)

    def _as_given(self, y: Tensor, alone: bool) -> Tensor:
        """`(T, B, ...)` in the layout of the input."""
        if alone:
            return y.squeeze(1)
        return y.transpose(0, 1) if self.batch_first else y

    def step(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One step, in constant memory: the numbers that `forward` gives, one step at a time.

        Args:
            x: `(B, I)`, or `(I,)` for one sequence.
            state: as `hx` of `forward`, each `(L, B, H)`, or `(L, H)` for one sequence; None is
                zeros. Not changed.

        Returns:
            The output `(B, H)` and the next state.

        Raises:
            ConfigError: two directions (the reverse one needs the end of the sequence), or a path
                that can't run it.
            ShapeError, DTypeError: an argument that does not fit.
        """
        if self.bidirectional:
            raise ConfigError(
                "step: got a layer with two directions, and the reverse one needs the end of the "
                "sequence; make the layer with bidirectional=False (directions=1)"
            )
        check_step(self, x, state)
        state = one_state(state, None)
        if "_options" in self.__dict__:
            return self._step_with_options(x, state)
        choice = choose_path(self._call(x, step=True))
        alone = x.dim() == 1
        if alone:
            x = x.unsqueeze(0)
            state = None if state is None else map_state(lambda part: part.unsqueeze(1), state)
        if choice.path == "aten":
            y, state = self._run(choice, x.unsqueeze(0), state, None, None, lone=True)
            y = y.squeeze(0)
        else:
            run = native.step if choice.path == "native" else reference.step
            y, state = run(self, x, state)
        if alone:
            return y.squeeze(0), map_state(lambda part: part.squeeze(1), state)
        return y, state

    def _step_with_options(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """A sequence of one step: the single step of the kernels has no options."""
        alone = x.dim() == 1
        if alone:
            x = x.unsqueeze(0)
            state = None if state is None else map_state(lambda part: part.unsqueeze(1), state)
        x = x.unsqueeze(0)
        choice = choose_path(self._call(x)._replace(empty=x.shape[1] == 0))
        y, state = self._run(choice, x, state, None, None, lone=True)
        if alone:
            return y.view(-1), map_state(lambda part: part.squeeze(1), state)
        return y.squeeze(0), state

    @contextmanager
    def record(self) -> Iterator[list[LayerRecord]]:
        """Inside, a call leaves what it passed through: gates, cell states, gradients at each step.

            with lstm.record() as records:
                y, state = lstm(x)
                loss(y).backward()
            records[0].d_h[0]   # layer 0, forward direction: dL/dh_t for every t

        Gives one `LayerRecord` for each layer of the stack. The kernels have all of it in hand, so
        it costs little but memory. Of several calls the last one's is kept.

        Raises:
            ConfigError: by a call inside that does not take the native path.
        """
        records = [LayerRecord() for _ in range(self.num_layers)]
        self.__dict__["_records"] = records
        try:
            yield records
        finally:
            self.__dict__.pop("_records", None)

    def explain(
        self,
        input: Tensor | PackedSequence | None = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
        step: bool = False,
        return_gates: bool = False,
    ) -> Explanation:
        """Which path such a call takes here and now, and why; its `str` is one plain line.

        Args:
            input: what the layer would be called with; None stands for a padded batch like the
                weights in dtype and device.
            lengths, starts, return_gates: as for `forward`.
            step: explain `layer.step` instead of a whole sequence.

        The answer is for this moment: `use_path`, autocast, `torch.no_grad` and `training` all
        count.
        """
        ragged = lengths is not None or starts is not None
        gates = return_gates and not step
        given = self.weight_ih_l0 if input is None else input
        call = self._call(given, step=step, ragged=ragged, gates=gates)
        if "_options" in self.__dict__ and not self.bidirectional:
            call = call._replace(step=False)  # a step runs as a sequence of one
        if input is not None and step:
            check_step(self, input, None)
        elif input is not None:
            self._check(input, None)
        if isinstance(input, PackedSequence):
            refuse_options(lengths, starts)
        elif input is not None and not step:
            lengths, starts = check_options(input, lengths, starts, self.batch_first)
            input = self._time_major(input)
        said = explain(self, call, input, lengths, starts)
        whole = step or gates or call.transformed or "_options" not in self.__dict__
        if whole or not said.runs or not self._in_segments():
            return said
        x = input if isinstance(input, Tensor) else None
        try:
            how = f"{said.how}, {layer_segments.told(self, said.path, x, lengths)}"
        except ConfigError as error:  # a budget that is too small
            return replace(said, reason=str(error), how="", runs=False)
        return replace(said, how=how)

    def _call(
        self, input: Any, step: bool = False, ragged: bool = False, gates: bool = False
    ) -> Call:
        """What the rule looks at, for a call with this input."""
        data = input.data if isinstance(input, PackedSequence) else input
        if not isinstance(data, Tensor):
            raise DTypeError(
                f"input: got {type(data).__name__}, expected a tensor or PackedSequence"
            )
        own, device, traced = self.__dict__, data.device.type, torch.compiler.is_compiling()
        if traced:
            self._watched()
        plain = "_options" not in own
        # In the order of `Call`: by name it takes twice as long.
        return Call(
            own["mode"],
            step,
            2 if own["bidirectional"] else 1,
            own["proj_size"],
            device,
            data.dtype,
            autocast_dtype(device),
            torch.is_grad_enabled(),
            _no_rows(data, step, own["batch_first"]),
            traced,
            transformed(data, traced),
            0 if step or ragged or gates or not plain else self._rows_of_one_step(input),
            own["hidden_size"],
            () if plain else self._inside(),
            gates,
        )

    def _rows_of_one_step(self, input: Any) -> int:
        """How many rows a padded batch of one time step has; 0 for anything else."""
        if not isinstance(input, Tensor) or input.dim() != 3 or "_records" in self.__dict__:
            return 0
        first, second, _ = input.shape
        steps, rows = (second, first) if self.batch_first else (first, second)
        return rows if steps == 1 else 0

    def _time_major(self, input: Tensor) -> Tensor:
        """`input` as `(T, B, I)`."""
        if input.dim() == 2:
            return input.unsqueeze(1)
        return input.transpose(0, 1) if self.batch_first else input

    def _check(self, input: Any, hx: State) -> None:
        if fault_of(self, input, "hx", hx) is not None:
            check_call(self, super().forward, input, hx)


trace_instances_of(_Layer)


def _no_rows(data: Tensor, step: bool, batch_first: bool) -> bool:
    if data.dim() == 3:
        return data.shape[0 if batch_first else 1] == 0
    return step and data.dim() == 2 and len(data) == 0


class RNN(_Layer, torch.nn.RNN):
    """Elman's network, tanh or relu: `torch.nn.RNN` with `lengths`, `starts`, `step`, `explain`,
    and options.

    Equation: `RNNStep`. Positional arguments, attributes, parameter names, state dict and `repr`
    are torch's. The options are those of `LSTM` but for `peephole`; `init="identity"` is for this
    layer: with `nonlinearity="relu"` it makes an IRNN.
    """


class GRU(_Layer, torch.nn.GRU):
    """Gated recurrent unit: `torch.nn.GRU` with `lengths`, `starts`, `step`, `explain`, and
    options.

    Equation: `GRUStep`. Positional arguments, attributes, parameter names, state dict and `repr`
    are torch's. The options are those of `LSTM` but for `peephole`.
    """


class LSTM(_Layer, torch.nn.LSTM):
    """Long short-term memory: `torch.nn.LSTM` with `lengths`, `starts`, `step`, `explain`, and
    options.

    Equation: `LSTMStep`. Positional arguments, attributes, parameter names, state dict and `repr`
    are torch's. The options are keywords:

    Args:
        layer_norm: normalise both sums of a step, and the cell state where it goes out. Parameters
            `gain_ih_l0`, `gain_hh_l0` `(G*H,)`, `norm_c_l0` `(2, H)` of an LSTM; the biases are
            the shifts.
        peephole: the gates see the cell state; `peephole_l0 (3, H)`.
        zoneout: rate at which a unit keeps its old value at a step, one number, or `(h, c)`. In
            evaluation the rate mixes old and new.
        recurrent_dropout: rate; one mask for a row's `h` where it enters `W_hh`, at every step.
        weight_dropout: rate; one mask for `W_hh`, the same for all steps of a call (DropConnect).
        input_dropout: rate; one mask for a row's input, the same at every step (locked), of every
            layer of the stack; or a tuple, one rate for each layer.
        residual: from the second layer on, what comes into a layer is added to what comes out.
            `dropout` is then of what is added.
        merge: how the outputs of two directions become one: "concat" `(2 * H)`, or "sum", "mean",
            "mul" `(H)`, also for the next layer's input.
        init: how the parameters begin: "torch", "orthogonal", "identity" (RNN), "forget",
            ("forget", bias), ("chrono", steps), a function of the layer (one with a name in a
            module, where the layer is to be pickled), or a list of these, one after the other. See
            `unrolled.layers.initial`.
        checkpoint: what the backward pass keeps: None, all steps; a number k, or a budget in bytes
            such as "512MB": the states between segments of k steps, which it runs again. See
            `unrolled.layers.checkpoint` and docs/bptt.md.

    The dropouts and zoneout's masks are for training; they are drawn from torch's generator.
    `zoneout`, the dropouts and `checkpoint` may be set later.

    Raises:
        ConfigError: an option without a meaning for this layer. ValueError, TypeError: torch's.

    Sources: Ba et al. 2016, arXiv 1607.06450 (layer normalisation); Gers and Schmidhuber 2000
    (peepholes); Krueger et al. 2017, arXiv 1606.01305 (zoneout); Gal and Ghahramani 2016, arXiv
    1512.05287 (recurrent and locked input dropout); Merity et al. 2018, arXiv 1708.02182 (weight
    dropout); Wu et al. 2016, arXiv 1609.08144 (residual stacks); those of init: `initial.py`.
    """
