"""`MinGRU` and `MinLSTM`: layers whose gates do not see the state, over time in one matrix product
and a scan.

Shapes: `T` time, `B` batch, `I` input size, `H` hidden size, `L` layers, `D` directions, `G` parts
of the weight: 2 (minGRU) or 3 (minLSTM).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from unrolled.errors import ConfigError, DTypeError
from unrolled.layers.checks import check_options, check_step, fault_of, refuse_options
from unrolled.layers.explain import Explanation, explain
from unrolled.layers.minimal_recurrence import GATES, MinimalRun, run_native, run_reference
from unrolled.layers.paths import Call, autocast_dtype, choose_path, transformed


class _MinimalLayer(Module):
    """What the two layers share: all but their mode."""

    mode: str
    proj_size = 0  # `Call` and the checks ask for it

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, size in sizes.items():
            if size < 1:
                raise ConfigError(f"{name}: got {size}, expected at least 1")
        if not 0 <= dropout <= 1:
            raise ConfigError(f"dropout: got {dropout}, expected 0 to 1")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        rows, directions = GATES[self.mode] * hidden_size, 2 if bidirectional else 1
        for index in range(num_layers):
            columns = hidden_size * directions if index else input_size
            for suffix in self._suffixes(index):
                weight = torch.empty(rows, columns, device=device, dtype=dtype)
                self.register_parameter(f"weight{suffix}", Parameter(weight))
                if bias:
                    self.register_parameter(
                        f"bias{suffix}", Parameter(torch.empty(rows, device=device, dtype=dtype))
                    )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters uniformly from `-1 / sqrt(H)` to `1 / sqrt(H)`, as torch's layers."""
        bound = 1 / math.sqrt(self.hidden_size)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-bound, bound)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        defaults = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, default in defaults.items():
            if (value := getattr(self, name)) != default:
                shown += f", {name}={value}"
        return shown

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: Tensor | None = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Any, Tensor]:
        """Run whole sequences.

        Args:
            x: `(T, B, I)`, `(B, T, I)` with `batch_first`, `(T, I)` for one sequence, or a
                `PackedSequence`.
            state: the state that the sequences start from, `(L * D, B, H)`; without `B` for one
                sequence. None is zeros.
            lengths: `(B,)` integers, 0 to T: how many leading steps of each row are real; for one
                sequence `()`. None is all T. What stands beyond a row's length, NaN included,
                changes nothing.
            starts: `(T, B)` bool, or `(B, T)` with `batch_first`, or `(T,)` for one sequence: true
                at t where a new sequence begins. The state that enters step t is zero, at t = 0
                instead of the given one, and no gradient crosses. The reverse direction is cut
                between the same two steps.

        Returns:
            The output `(T, B, D * H)` in the layout of the input, zero beyond a row's length, and
            the final state, laid out as `state`: after the last real step of each row, in the
            reverse direction after step 0. A row of length zero returns the state it came with.

        Raises:
            ShapeError, DTypeError: an argument that does not fit.
            ConfigError: a `PackedSequence` together with `lengths` or `starts`, or a path was asked
                for that can't run this call.
        """
        call = self._call(x)
        self._check(x, state)
        path = choose_path(call).path
        if isinstance(x, PackedSequence):
            refuse_options(lengths, starts)
            data, batch_sizes, to_sorted, to_given = x
            if state is None and to_sorted is not None and torch.compiler.is_compiling():
                # A traced call has the size of the batch from nothing else.
                rows = self.num_layers * len(self._suffixes(0))
                state = data.new_zeros(rows, len(to_sorted), self.hidden_size)
            if state is not None and to_sorted is not None:
                state = state.index_select(1, to_sorted)
            y, state = self._run(path, data, state, batch_sizes=batch_sizes)
            if to_given is not None:
                state = state.index_select(1, to_given)
            return PackedSequence(y, batch_sizes, to_sorted, to_given), state

        lengths, starts = check_options(x, lengths, starts, self.batch_first)
        if path == "native":
            lengths = None if lengths is None else lengths.cpu().contiguous()
            starts = None if starts is None else starts.cpu()
        if x.dim() == 2:
            state = None if state is None else state.unsqueeze(1)
            y, state = self._run(path, x.unsqueeze(1), state, lengths=lengths, starts=starts)
            return y.squeeze(1), state.squeeze(1)
        y, state = self._run(path, self._time_major(x), state, lengths=lengths, starts=starts)
        return (y.transpose(0, 1) if self.batch_first else y), state

    def step(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One step, in constant memory: the numbers that `forward` gives, one step at a time.

        Args:
            x: `(B, I)`, or `(I,)` for one sequence.
            state: `(L, B, H)`, or `(L, H)` for one sequence; None is zeros. Not changed.

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
        path = choose_path(self._call(x)).path
        if x.dim() == 1:
            state = None if state is None else state.unsqueeze(1)
            y, state = self._run(path, x.view(1, 1, -1), state)
            return y.view(-1), state.squeeze(1)
        y, state = self._run(path, x.unsqueeze(0), state)
        return y.squeeze(0), state

    def explain(
        self,
        x: Tensor | PackedSequence | None = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
        step: bool = False,
    ) -> Explanation:
        """Which path such a call takes here and now, and why; its `str` is one plain line.

        Args:
            x: what the layer would be called with; None stands for a padded batch like the weights
                in dtype and device.
            lengths, starts: as for `forward`.
            step: explain `layer.step`, which runs as a sequence of one step.

        The answer is for this moment: `use_path`, autocast, `torch.no_grad` and `training` all
        count.
        """
        call = self._call(self.weight_l0 if x is None else x)
        call = call._replace(step=step and self.bidirectional)  # what `explain` refuses
        if x is not None and step:
            check_step(self, x, None)
            x = None
        elif x is not None:
            self._check(x, None)
        if isinstance(x, PackedSequence):
            refuse_options(lengths, starts)
        elif x is not None:
            lengths, starts = check_options(x, lengths, starts, self.batch_first)
            x = self._time_major(x)
        return explain(self, call, x, lengths, starts)

    def _suffixes(self, index: int) -> list[str]:
        """What the names of a layer's parameters end in, for each direction."""
        return [f"_l{index}", f"_l{index}_reverse"][: 2 if self.bidirectional else 1]

    def _run(
        self,
        path: str,
        x: Tensor,
        state: Tensor | None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
        batch_sizes: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """All layers, `x (T, B, I)`, or `(N, I)` packed."""
        by = run_native if path == "native" else run_reference
        finals: list[Tensor] = []
        for index in range(self.num_layers):
            last = index == self.num_layers - 1
            suffixes = self._suffixes(index)
            # Between layers time comes first in memory, so that dropout draws alike in all layouts.
            run = MinimalRun(self.mode, self.batch_first and last, lengths, starts, batch_sizes)
            parts: list[Tensor | None] = []
            for suffix in suffixes:
                parts.append(getattr(self, f"weight{suffix}"))
                parts.append(getattr(self, f"bias{suffix}") if self.bias else None)
            before = None
            if state is not None:
                before = state.narrow(0, index * len(suffixes), len(suffixes))
            x, final = by(run, x, before, parts)
            finals.append(final)
            if self.dropout and self.training and not last:
                x = dropout(x, self.dropout)
        return x, finals[0] if len(finals) == 1 else torch.cat(finals)

    def _call(self, x: Any) -> Call:
        """What the rule looks at, for a call with this input."""
        data = x.data if isinstance(x, PackedSequence) else x
        if not isinstance(data, Tensor):
            raise DTypeError(f"x: got {type(data).__name__}, expected a tensor or PackedSequence")
        device = data.device.type
        return Call(
            mode=self.mode,
            step=False,
            directions=2 if self.bidirectional else 1,
            proj_size=0,
            device=device,
            dtype=data.dtype,
            autocast=autocast_dtype(device),
            grad=torch.is_grad_enabled(),
            empty=data.numel() == 0,
            traced=torch.compiler.is_compiling(),
            transformed=transformed(data),
        )

    def _time_major(self, x: Tensor) -> Tensor:
        """`x` as `(T, B, I)`."""
        if x.dim() == 2:
            return x.unsqueeze(1)
        return x.transpose(0, 1) if self.batch_first else x

    def _check(self, x: Any, state: Any) -> None:
        fault = fault_of(self, x, "state", state)
        if fault is not None:
            kind, message = fault
            raise kind(message)


class MinGRU(_MinimalLayer):
    """Minimal gated recurrent unit: a GRU whose gate and candidate do not see the state.

        z = sigmoid(W_z x + b_z)
        h~ = g(W_h x + b_h)
        h' = (1 - z) * h + z * h~

    with `g(v) = v + 0.5` for `v >= 0`, else `sigmoid(v)`. Without the state in the gates it has a
    fifth of a GRU's parameters or less, and trains several times as fast; what it can compute from
    one step to the next is less, too, so stack layers.

    Args:
        input_size, hidden_size: I and H.
        num_layers: L, each one running over the outputs of the one before it.
        bias: whether there are biases.
        batch_first: input and output are `(B, T, ...)` instead of `(T, B, ...)`; the state is not.
        dropout: of the outputs of all layers but the last, in training.
        bidirectional: run each layer in both directions; the output is `[forward, reverse]`.
        device, dtype: of the parameters.

    Parameters, for layer k, in the reverse direction with `_reverse` behind the name:
        `weight_lk (2H, I)` (`(2H, D * H)` from the second layer on), rows in the order z, h~;
        `bias_lk (2H,)`.

    Raises:
        ConfigError: a size below 1, or a dropout that is not 0 to 1.

    Source: Feng et al., Were RNNs All We Needed?, arXiv 2410.01201, section 3.1 and appendix B.
    """

    mode = "MIN_GRU"


class MinLSTM(_MinimalLayer):
    """Minimal long short-term memory: two gates that do not see the state, scaled to add up to 1.

        f = sigmoid(W_f x + b_f)
        i = sigmoid(W_i x + b_i)
        h~ = g(W_h x + b_h)
        h' = f / (f + i) * h + i / (f + i) * h~

    with `g` and arguments as `MinGRU`. There is one state, `h`.

    Parameters, for layer k, in the reverse direction with `_reverse` behind the name:
        `weight_lk (3H, I)` (`(3H, D * H)` from the second layer on), rows in the order f, i, h~;
        `bias_lk (3H,)`.

    Source: Feng et al., arXiv 2410.01201, section 3.2 and appendix B.
    """

    mode = "MIN_LSTM"
