"""`TBPTT`: truncated backpropagation through time, for a loop of one's own.

Shapes: `T` time, `B` batch, `n` steps of a part, `k1` = `every`, `k2` = `steps`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from numbers import Integral
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import Module

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.checks import as_tensor
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.states import State, map_state
from unrolled.layers.trees import flatten
from unrolled.layers.unroll import choose


class TBPTT:
    """Runs a layer over a long sequence part by part, and cuts the gradient some steps back.

        for x_part, target in tbptt.parts(x, targets):    # `every` steps each
            loss = loss_of(tbptt(x_part), target)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    Equation. A call with the steps n_0 to n_1 - 1 gives their outputs y, and for the state h that
    enters step `a = max(0, n_0 - (steps - every))`

        dh_a / dw = 0,   and the gradient is exact from there on.

    So the outputs are those of the whole sequence, wherever it is cut, while the gradient of a part
    reaches `steps` steps back from the end of a full part. With `steps == every` the state is
    detached between parts, and nothing is run twice. With `steps > every` the last `steps - every`
    steps before a part are run again, from the state that entered them: the work of a part is that
    of `steps` steps. What is kept is their input and one state, whatever T is.

    Where the weights change between parts, the steps run again see the new weights, and the
    stored state those that it was made with. Dropout draws new masks for them. Their input is a
    constant: what makes the input and is trained too, such as an embedding, belongs in `layer`.

    Args:
        layer: called as `layer(x, state) -> (y, state)`, from the first step to the last: a layer
            of this package, one of `torch.nn`, a `Recurrent`, or a model of one's own.
        steps: k2, how many steps the gradient goes back; at least `every`.
        every: k1, how many new steps each part has; None is `steps`.
        batch_first: whether time is the second axis; None looks at the layer's own `batch_first`.

    Raises:
        ConfigError: `steps` or `every` that is no whole number, `every` below 1 or above `steps`; a
            layer that can't be called; one with two directions, whose reverse one needs the end of
            the sequence, or a `Recurrent` with `reverse`.

    Sources: Williams and Peng 1990, An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories, Neural Computation 2(4), there BPTT(h; h') with h = `steps` and
    h' = `every`; Sutskever 2013, Training recurrent neural networks (thesis), there k2 and k1.
    """

    def __init__(
        self,
        layer: Any,
        *,
        steps: int,
        every: int | None = None,
        batch_first: bool | None = None,
    ) -> None:
        every = steps if every is None else every
        if not callable(layer):
            raise ConfigError(
                f"layer: got {type(layer).__name__}, expected a layer, or what is called as "
                "layer(x, state)"
            )
        for name, number in (("steps", steps), ("every", every)):
            if not isinstance(number, Integral) or isinstance(number, bool):
                raise ConfigError(f"{name}: got {number!r}, expected a whole number of steps")
        if not 1 <= every <= steps:
            raise ConfigError(
                f"every: got {every} with steps = {steps}, expected 1 to steps: a part's own steps "
                "are all in its gradient"
            )
        if getattr(layer, "bidirectional", False) or getattr(layer, "reverse", False):
            raise ConfigError(
                "layer: got one that runs in reverse, which needs the end of the sequence; "
                "expected one that runs from the first step on, with bidirectional=False"
            )
        self.layer = layer
        self.steps = steps
        self.every = every
        self.batch_first = (
            bool(getattr(layer, "batch_first", False)) if batch_first is None else batch_first
        )
        self._takes = _options_of(layer)
        self._pieces: list[_Piece] = []  # those to be run again, from `_first` on
        self._first: State = None
        self._last: State = None
        self._fresh: Tensor | None = None  # rows reset since the last part
        self._like = torch.empty(0, device="cpu")  # one step of the last part

    def __call__(
        self, x: Tensor, *, lengths: Tensor | None = None, starts: Tensor | None = None
    ) -> Any:
        """The outputs of the next part, `(n, B, ...)` as the layer lays them out.

        Args:
            x: `(n, B, ...)`, or `(B, n, ...)` with `batch_first`: the steps after those of the last
                call, at most `every`.
            lengths: `(B,)`: how many leading steps of each row are real. The next part goes on
                after them.
            starts: `(n, B)` bool, or `(B, n)`: where a new sequence begins.

        Raises:
            ShapeError: no steps, more than `every`, or another number of rows than before.
            ConfigError: `lengths` or `starts` for a layer that does not take them.
        """
        axis = 1 if self.batch_first else 0
        if not isinstance(x, Tensor):
            raise DTypeError(f"x: got {type(x).__name__}, expected a tensor")
        if x.dim() < 2 or not 1 <= x.shape[axis] <= self.every:
            legend = "(B, n, ...)" if self.batch_first else "(n, B, ...)"
            raise ShapeError(
                f"x: got shape {tuple(x.shape)}, expected {legend} with n from 1 to every = "
                f"{self.every}; `parts` cuts a longer one"
            )
        for name, option in (("lengths", lengths), ("starts", starts)):
            if option is not None and name not in self._takes:
                raise ConfigError(
                    f"{name}: got {name} for {type(self.layer).__name__}, which does not take "
                    "them; use a layer of unrolled, or reset(rows) between parts"
                )
        if self._pieces and self._pieces[-1].x.shape[1 - axis] != x.shape[1 - axis]:
            raise ShapeError(
                f"x: got {x.shape[1 - axis]} rows, expected {self._pieces[-1].x.shape[1 - axis]} "
                "as in the part before; call reset() to begin with other rows"
            )
        pieces = [*self._pieces, _Piece(x, lengths, starts, self._fresh)]
        before = len(self._pieces)
        # The next part is to be run from the step `cut` on: a piece has to begin there.
        sizes = [piece.x.shape[axis] for piece in pieces]
        cut, at = max(0, sum(sizes) - (self.steps - self.every)), 0
        while at < len(pieces) and cut >= sizes[at]:
            cut -= sizes[at]
            at += 1
        if cut:
            pieces[at : at + 1] = pieces[at].split(cut, axis)
            before += at < before
            at += 1

        state, first, outputs = self._first, self._first, []
        for number, piece in enumerate(pieces):
            if number == at:
                first = _detached(state)
            y, state = self._run(piece, state)
            if number >= before:
                outputs.append(y)
        self._last = _detached(state)
        self._first = first if at < len(pieces) else self._last
        self._pieces = [
            piece if number < before else piece.kept()
            for number, piece in enumerate(pieces[at:], at)
        ]
        self._fresh = None
        self._like = x.narrow(axis, 0, 1).detach().clone()
        return _joined(outputs, axis)

    def parts(self, *tensors: Tensor) -> Iterator[tuple[Tensor, ...]]:
        """Tensors over the same T steps, in parts of `every` steps; the last may be shorter.

        Raises:
            ShapeError: tensors with different numbers of steps.
        """
        axis = 1 if self.batch_first else 0
        sizes = [tensor.shape[axis] for tensor in tensors]
        if len(set(sizes)) != 1:
            raise ShapeError(f"parts: got tensors of {sizes} steps, expected one number of steps")
        yield from zip(*(tensor.split(self.every, axis) for tensor in tensors), strict=True)

    def reset(self, rows: Any = None) -> None:
        """A new sequence begins with the next part: in all rows, or in some.

        Args:
            rows: `(B,)` bool, or the numbers of the rows; None is all of them, and their number may
                change.

        Raises:
            ShapeError, DTypeError: `rows` that are no rows of the last part.
        """
        if rows is None:
            self._pieces, self._first, self._last, self._fresh = [], None, None, None
            return
        if self._last is None:
            return  # nothing has been run: every row begins anew as it is
        batch = self._like.shape[0 if self.batch_first else 1]
        rows = as_tensor("rows", rows, "bool or integers")
        if rows.dtype == torch.bool:
            if rows.shape != (batch,):
                raise ShapeError(f"rows: got shape {tuple(rows.shape)}, expected (B,) = ({batch},)")
        elif rows.is_floating_point() or rows.is_complex():
            raise DTypeError(f"rows: got dtype {rows.dtype}, expected bool or integers")
        else:
            if bool(((rows < 0) | (rows >= batch)).any()):
                raise ShapeError(
                    f"rows: got {rows.tolist()}, expected numbers from 0 to {batch - 1}"
                )
            none = torch.zeros(batch, dtype=torch.bool, device="cpu")
            rows = none.index_fill(0, rows.reshape(-1).cpu(), True)
        rows = rows.cpu()
        self._fresh = rows if self._fresh is None else self._fresh | rows

    @property
    def state(self) -> State:
        """The state that the next part goes on from, without a graph; None at the very start.

        Where it is set, the gradient of the next part does not reach behind it.
        """
        if self._fresh is None:
            return self._last
        with torch.no_grad():
            return self._begun_anew(self._last, self._fresh, self._like)

    @state.setter
    def state(self, state: State) -> None:
        self.reset()
        self._first = self._last = _detached(state)

    def _run(self, piece: _Piece, state: State) -> tuple[Any, State]:
        if piece.fresh is not None:
            state = self._begun_anew(state, piece.fresh, piece.x)
        options = {"lengths": piece.lengths, "starts": piece.starts}
        given = {name: option for name, option in options.items() if option is not None}
        return self.layer(piece.x, state, **given)

    def _begun_anew(self, state: State, rows: Tensor, x: Tensor) -> State:
        """The state with some rows as at the beginning of a sequence."""
        if isinstance(self.layer, Recurrent):
            fresh = self.layer.initial_state(x)
            return choose(rows.to(x.device), fresh, state)

        def clear(part: Tensor) -> Tensor:
            if part.dim() < 2 or part.shape[-2] != len(rows):
                raise ShapeError(
                    f"rows: got a state of shape {tuple(part.shape)}, expected (..., B, H) with "
                    f"B = {len(rows)}; set `state` instead"
                )
            return part.masked_fill(rows.to(part.device).unsqueeze(-1), 0)

        return map_state(clear, state)


class _Piece(NamedTuple):
    """Some steps of the input, and which rows begin anew before them."""

    x: Tensor
    lengths: Tensor | None
    starts: Tensor | None
    fresh: Tensor | None

    def kept(self) -> _Piece:
        """A copy, that the caller's tensors may change or go, and without the graph of the input:
        it is gone after the first backward pass."""
        parts = (None if part is None else part.detach().clone() for part in self)
        return _Piece(*parts)  # type: ignore[arg-type]

    def split(self, at: int, axis: int) -> tuple[_Piece, _Piece]:
        """The first `at` steps, and those after them."""
        x, lengths, starts = self.x, self.lengths, self.starts
        size = x.shape[axis]
        early, late = x.narrow(axis, 0, at), x.narrow(axis, at, size - at)
        ends, flags = [lengths] * 2, [starts] * 2
        if lengths is not None:
            ends = [lengths.clamp(max=at), (lengths - at).clamp(min=0)]
        if starts is not None:
            flags = [starts.narrow(axis, 0, at), starts.narrow(axis, at, size - at)]
        return _Piece(early, ends[0], flags[0], self.fresh), _Piece(late, ends[1], flags[1], None)


def _detached(state: State) -> State:
    """A copy without a graph, so that it holds no more memory than its own."""
    parts, build = flatten(state)
    return build([part.detach().clone() for part in parts])


def _joined(outputs: list[Any], axis: int) -> Any:
    """One output over all steps."""
    if len(outputs) == 1:
        return outputs[0]
    tensors, builds = zip(*(flatten(y) for y in outputs), strict=True)
    return builds[0]([torch.cat(parts, axis) for parts in zip(*tensors, strict=True)])


def _options_of(layer: Any) -> frozenset[str]:
    """Which of `lengths` and `starts` the layer can be called with."""
    function = layer.forward if isinstance(layer, Module) else layer
    parameters = inspect.signature(function).parameters
    names = {"lengths", "starts"}
    if any(part.kind == part.VAR_KEYWORD for part in parameters.values()):
        return frozenset(names)
    return frozenset(names & set(parameters))
