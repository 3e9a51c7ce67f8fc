"""`Session`: a trained layer, one step at a time, in constant memory and without allocating.

Shapes: `B` batch, `I` input size, `H` hidden size, `P` output size of the layer (`H` without a
projection), `V` of the readout, `L` layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor
from torch.nn import Linear, RNNBase

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError, UnrolledError
from unrolled.layers.call import LayerCall
from unrolled.layers.stack import Stack, calls_of, pack
from unrolled.layers.states import State

_float32 = torch.float32
_FLOAT32 = np.dtype(np.float32)


class Session:
    """Streams through a recurrent layer and, if given, a dense readout `y = W h + b`.

        session = Session(lstm, readout)
        for x in sensor:
            y = session.step(x)

    It gives the numbers of the whole-sequence call in evaluation (no dropout), up to rounding. The
    weights are copied and packed when it is made: training the layer afterwards does not reach it.
    `copy` and `fresh` make more sessions on the same packed weights; those may run in as many
    threads at once as there are sessions, since a step holds no lock. One session is for one thread
    at a time. No gradient is recorded.

    Args:
        layer: `RNN`, `GRU` or `LSTM`, this package's or torch's, in one direction, of any number of
            layers, in float32 on the CPU.
        readout: applied to the last layer's output, `(V, P)`; None for none.
        batch: B, how many sequences go in step.
        precision: how the matrices are kept. "float16" rounds each weight once and calculates in
            float32: half the memory to read at a step, which at H = 512 is most of its time. On a
            processor without F16C the rounded weights are kept in float32.

    Raises:
        ConfigError: a layer that can't be streamed, NaN in a weight, an argument without a meaning,
            or no kernels (`unrolled.kernels.why_not`).
        ShapeError, DTypeError: weights that do not fit.
    """

    __slots__ = ("_arrays", "_native", "_stack", "_step", "_step_array", "_tensors", "_y", "batch")

    def __init__(
        self,
        layer: RNNBase,
        readout: Linear | None = None,
        *,
        batch: int = 1,
        precision: str = "float32",
    ) -> None:
        self._open(pack(calls_of(layer), readout, precision), batch)

    @classmethod
    def of_calls(
        cls,
        calls: Sequence[LayerCall],
        readout: Linear | None = None,
        *,
        batch: int = 1,
        precision: str = "float32",
    ) -> Session:
        """The same for layers that are given as calls: forward, alike but for the first one's I."""
        session = cls.__new__(cls)
        session._open(pack(calls, readout, precision), batch)
        return session

    @overload
    def step(self, x: Tensor, out: Tensor | None = None) -> Tensor: ...
    @overload
    def step(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray: ...
    def step(self, x: Any, out: Any = None) -> Any:
        """One step: updates the state and gives the output.

        Args:
            x: `(B, I)`, or `(I,)` where B is 1; float32, a tensor on the CPU or a numpy array. Read
                in place where it is contiguous.
            out: where the output goes, of the same kind as `x`, contiguous; it may overlap `x`.

        Returns:
            `(B, V)`, or `(V,)` for `(I,)`; without a readout P in the place of V. That is `out`, or
            without it the session's own buffer: the next step overwrites it, so copy what is to be
            kept.

        Raises:
            ShapeError, DTypeError: an argument that does not fit; the state stays as it was.
            ConfigError: another thread is in the middle of a step of this session.
        """
        # No call that can be spared: at H = 64 the kernels take one microsecond.
        step: Any
        if isinstance(x, Tensor):
            y: Any = self._tensors.get(x.shape)
            if y is None or x.dtype is not _float32 or not x.is_cpu:
                raise self._misfit(x)
            if not x.is_contiguous():
                x = x.contiguous()
            step, source = self._step, x.data_ptr()
        else:
            y = self._arrays.get(x.shape) if isinstance(x, np.ndarray) else None
            if y is None or x.dtype != _FLOAT32:
                raise self._misfit(x)
            step, source = self._step_array, x if x.flags.c_contiguous else np.ascontiguousarray(x)
        to = self._y
        if out is not None:
            to, y = _address_of_output(out, y), out
        try:
            step(source, to)
        except RuntimeError as error:
            raise ConfigError(f"step: {error}") from None
        return y

    @overload
    def run(self, x: Tensor) -> Tensor: ...
    @overload
    def run(self, x: np.ndarray) -> np.ndarray: ...
    def run(self, x: Any) -> Any:
        """Several steps, as `step` would take them one after the other, up to rounding.

        One layer after the other goes through some steps at a time, so that the weights of a GRU
        (and of any layer with layer normalisation) are read from memory less often: what a chunk
        of a sound or of a sensor is quicker with.

        Args:
            x: `(T, B, I)`, or `(T, I)` where B is 1; float32, a tensor on the CPU or a numpy array.
                T may be 0.

        Returns:
            A new `(T, B, V)`, or `(T, V)` for `(T, I)`; without a readout P in the place of V.

        Raises:
            ShapeError, DTypeError: an argument that does not fit; the state stays as it was.
            ConfigError: another thread is in the middle of a step of this session.
        """
        self._check_steps(x)
        y = torch.empty((*x.shape[:-1], self._stack.width), dtype=_float32, device="cpu")
        if isinstance(x, Tensor):
            dense: Any = x.contiguous()
            source = dense.data_ptr()
        else:
            dense = np.ascontiguousarray(x)
            source = dense.ctypes.data
        with _refusing("run"):
            self._native.run(len(dense), source, y.data_ptr())
        return y if isinstance(x, Tensor) else y.numpy()

    @property
    def state(self) -> State:
        """A copy of the state in torch's layout: `h (L, B, P)`, or `(h, c (L, B, H))` of an LSTM.

        May be set to such tensors (float32, CPU), or to None for zeros; they are copied.
        """
        stack = self._stack
        h = _zeros(stack.layers, self.batch, stack.output)
        c = _zeros(stack.layers, self.batch, stack.hidden) if stack.lstm else None
        with _refusing("state"):
            for layer in range(stack.layers):
                to_c = 0 if c is None else c[layer].data_ptr()
                self._native.get_state(layer, h[layer].data_ptr(), to_c)
        return h if c is None else (h, c)

    @state.setter
    def state(self, state: State) -> None:
        if state is None:
            return self.reset()
        stack = self._stack
        names, sizes = ["state"], [stack.output]
        if stack.lstm:
            if not isinstance(state, tuple | list) or len(state) != 2:
                raise ShapeError(f"state: got {type(state).__name__}, expected a tuple (h, c)")
            names, sizes = ["state[0] (h)", "state[1] (c)"], [stack.output, stack.hidden]
        parts = list(state) if stack.lstm else [state]
        for name, part, size in zip(names, parts, sizes, strict=True):
            wrong = _misfit(name, part, [(stack.layers, self.batch, size)], (Tensor,))
            if wrong is not None:
                raise wrong
        parts = [part.detach().contiguous() for part in parts]
        with _refusing("state"):
            for layer in range(stack.layers):
                addresses = [part[layer].data_ptr() for part in parts]
                self._native.set_state(layer, addresses[0], addresses[1] if stack.lstm else 0)

    def reset(self) -> None:
        """The state becomes zero."""
        with _refusing("reset"):
            self._native.reset()

    def copy(self) -> Session:
        """A session with the same state, on the same packed weights: to try a step and go back."""
        with _refusing("copy"):
            native = self._native.copy()
        other = Session.__new__(Session)
        other._open(self._stack, self.batch, native)
        return other

    def fresh(self, batch: int | None = None) -> Session:
        """A session with a state of zeros, on the same packed weights; B may be another."""
        other = Session.__new__(Session)
        other._open(self._stack, self.batch if batch is None else batch)
        return other

    @property
    def weight_bytes(self) -> int:
        """Memory of the packed matrices, which each step reads once; sessions share it."""
        size: int = self._stack.native.weight_bytes
        return size

    def __repr__(self) -> str:
        stack = self._stack
        return (
            f"Session(input={stack.input}, hidden={stack.hidden}, layers={stack.layers}, "
            f"output={stack.width}, batch={self.batch})"
        )

    def _open(self, stack: Stack, batch: int, native: Any = None) -> None:
        if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
            raise ConfigError(f"batch: got {batch!r}, expected a whole number, at least 1")
        self._stack = stack
        self.batch = batch
        self._native = kernels.stream_session(stack.native, batch) if native is None else native
        self._step, self._step_array = self._native.step, self._native.step_array
        y = _zeros(batch, stack.width)
        self._y = y.data_ptr()
        # By the shape of x: the output as it is returned.
        self._tensors: dict[tuple[int, ...], Tensor] = {(batch, stack.input): y}
        if batch == 1:
            self._tensors[(stack.input,)] = y[0]
        self._arrays = {shape: view.numpy() for shape, view in self._tensors.items()}

    def _check_steps(self, x: Any) -> None:
        """Several steps are as long as they like, and otherwise what one is."""
        steps = len(x) if isinstance(x, Tensor | np.ndarray) and x.ndim else 0
        wrong = _misfit("x", x, [(steps, *one) for one in self._tensors], (Tensor, np.ndarray))
        if wrong is not None:
            raise wrong

    def _misfit(self, x: Any) -> UnrolledError:
        wrong = _misfit("x", x, list(self._tensors), (Tensor, np.ndarray))
        assert wrong is not None
        return wrong


def _zeros(*shape: int) -> Tensor:
    """As the kernels write them, whatever torch's default dtype and device are."""
    return torch.zeros(shape, dtype=_float32, device="cpu")


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Around a call of the kernels, which refuse it while another thread's is under way."""
    try:
        yield
    except RuntimeError as error:
        raise ConfigError(f"{name}: {error}") from None


def _address_of_output(out: Any, like: Any) -> int:
    """Where `out` begins, once it is what `like`, the session's own output, is."""
    kind = Tensor if isinstance(like, Tensor) else np.ndarray
    wrong = _misfit("out", out, [tuple(like.shape)], (kind,))
    if wrong is not None:
        raise wrong
    if not (out.is_contiguous() if isinstance(out, Tensor) else out.flags.c_contiguous):
        raise ShapeError("out: got one that is not contiguous, expected one that is")
    if isinstance(out, Tensor):
        return out.data_ptr()
    if not out.flags.writeable:
        raise ConfigError("out: got a read-only array, expected one to write to")
    return int(out.ctypes.data)


def _misfit(
    name: str, value: Any, shapes: Sequence[tuple[int, ...]], kinds: tuple[type[Any], ...]
) -> UnrolledError | None:
    """What keeps an argument from being float32 of one of these shapes on the CPU, or None."""
    if not isinstance(value, kinds):
        expected = " or ".join("a tensor" if kind is Tensor else "a numpy array" for kind in kinds)
        return DTypeError(f"{name}: got {type(value).__name__}, expected {expected}")
    shape = tuple(value.shape)
    if shape not in shapes:
        expected = " or ".join(map(str, shapes))
        return ShapeError(f"{name}: got shape {shape}, expected {expected}")
    if value.dtype != (torch.float32 if isinstance(value, Tensor) else _FLOAT32):
        return DTypeError(f"{name}: got dtype {value.dtype}, expected float32; convert it first")
    if isinstance(value, Tensor) and not value.is_cpu:
        return ConfigError(f"{name}: got a tensor on {value.device}, expected cpu; use .cpu()")
    return None
