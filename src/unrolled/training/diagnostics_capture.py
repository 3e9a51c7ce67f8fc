"""See a model's recurrent layers while its loss is computed, and leave no trace in the model."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from unrolled.errors import ConfigError, DTypeError
from unrolled.layers.lru import LRUBlock
from unrolled.layers.minimal_layers import _MinimalLayer
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.recurrent_parts import map_given
from unrolled.layers.states import State, is_number, map_state, tensors_of
from unrolled.training import snapshot

LAYERS = (nn.RNNBase, _MinimalLayer, Recurrent, LRUBlock)


@dataclass
class LayerCall:
    """One call of a layer, padded and time-major whatever its layout was.

    Shapes: `T` time, `B` batch; `x (T, B, I)`; `state`, `d_state` as the layer's, with `B`;
    `lengths (B,)`; `starts (T, B)`; `d_y (T, B, D * P)`.

    Attributes:
        name: of the module in its model; the type's name where the model is the layer.
        layer: the module.
        x, state, lengths, starts: what it was called with; None where it was not given.
        d_y, d_state: the gradient of the loss by what it gave; None where there is none.
    """

    name: str
    layer: nn.Module
    x: Tensor
    state: State
    lengths: Tensor | None
    starts: Tensor | None
    d_y: Tensor | None = None
    d_state: State = None


def check_model(model: Any) -> None:
    """Raise DTypeError for what is no module."""
    if not isinstance(model, nn.Module):
        raise DTypeError(f"model: got {type(model).__name__}, expected a torch.nn.Module")


def check_count(name: str, value: Any) -> None:
    """Raise ConfigError for what is no number from 1 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name}: got {value!r}, expected a whole number from 1 up")


def of_cells(layer: nn.Module) -> bool:
    """Whether the tensors of a layer's state are its cells', `(B, ...)`; else `(L * D, B, ...)`."""
    return isinstance(layer, Recurrent | LRUBlock)


def recurrent_layers(model: nn.Module) -> dict[str, nn.Module]:
    """The recurrent layers of a model by name: torch's, and this package's."""
    return {
        name.replace("_orig_mod.", "") or type(module).__name__: module
        for name, module in model.named_modules()
        if isinstance(module, LAYERS)
    }


def capture(model: nn.Module, loss: Callable[[], Tensor]) -> list[LayerCall]:
    """Compute the loss once, and hand out the longest call of each recurrent layer in it.

    The model should be inside `undisturbed`. No `.grad` is written.

    Raises:
        ConfigError: `loss` gives no number, or it runs none of the recurrent layers of `model`.
    """
    layers = recurrent_layers(model)
    found: dict[str, _Seen] = {}
    with ExitStack() as hooks, torch.enable_grad():
        for name, layer in layers.items():
            hook = layer.register_forward_hook(_hook(name, found), with_kwargs=True)
            hooks.callback(hook.remove)
        value = loss()
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(f"loss: got {got}, expected a function that gives a tensor of one number")
    if not found:
        there = f"has {', '.join(layers)}, and none was called" if layers else "has none"
        raise ConfigError(
            f"model: {there}; expected a loss that calls a recurrent layer of the model on whole"
            " sequences (RNN, GRU, LSTM, MinGRU, MinLSTM, LRUBlock or Recurrent)"
        )
    outputs = [part for seen in found.values() for part in seen.outputs]
    gradients: list[Tensor | None] = [None] * len(outputs)
    if value.requires_grad:
        wanted = [i for i, part in enumerate(outputs) if part.requires_grad]
        given = torch.autograd.grad(value, [outputs[i] for i in wanted], allow_unused=True)
        for i, gradient in zip(wanted, given, strict=True):
            gradients[i] = gradient
    calls = []
    for seen in found.values():
        own, gradients = gradients[: len(seen.outputs)], gradients[len(seen.outputs) :]
        calls.append(seen.with_gradients(own))
    return calls


@dataclass
class _Seen:
    """A call before its gradients are known: its layout is needed to lay them out alike."""

    call: LayerCall
    outputs: list[Tensor]  # y or its packed data, then the tensors of the state
    state: State
    packed: PackedSequence | None
    batch_first: bool
    alone: bool

    def with_gradients(self, gradients: list[Tensor | None]) -> LayerCall:
        if all(part is None for part in gradients):
            return self.call
        d_y, *d_state = [
            torch.zeros_like(part) if gradient is None else gradient
            for part, gradient in zip(self.outputs, gradients, strict=True)
        ]
        if self.packed is not None:
            self.call.d_y, _ = pad_packed_sequence(self.packed._replace(data=d_y))
        else:
            self.call.d_y = _time_major(d_y, self.batch_first, self.alone)
        parts = iter(part.unsqueeze(1) for part in d_state) if self.alone else iter(d_state)
        self.call.d_state = map_state(lambda _: next(parts), self.state)
        return self.call


def _hook(name: str, found: dict[str, _Seen]) -> Callable[..., Any]:
    def hook(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        x: Any = args[0] if args else kwargs.get("input", kwargs.get("x"))
        hx = args[1] if len(args) > 1 else kwargs.get("hx")
        state = kwargs.get("state") if hx is None else hx
        lengths, starts = kwargs.get("lengths"), kwargs.get("starts")
        batch_first = bool(getattr(layer, "batch_first", False))
        packed = x if isinstance(x, PackedSequence) else None
        if packed is not None:
            x, lengths = pad_packed_sequence(packed)
        alone = packed is None and x.dim() == 2 and not of_cells(layer)
        if packed is None:
            x = _time_major(x, batch_first, alone)
        if alone:
            state = map_given(lambda part: part.unsqueeze(1), state)
            lengths = None if lengths is None else lengths.reshape(1)
            starts = None if starts is None else starts.unsqueeze(1)
        elif starts is not None and batch_first:
            starts = starts.transpose(0, 1)
        if name in found and len(found[name].call.x) >= len(x):
            return None
        y = output[0].data if packed is not None else output[0]
        # By views: a final state may be one of the steps that the output is made of (of a lower
        # layer, what all of it is made of), and would be given the output's gradient once more.
        parts = [part.view_as(part) for part in (y, *tensors_of(output[1]))]
        for part in parts:
            if is_number(part) and not part.requires_grad and not part.is_inference():
                part.requires_grad_()  # with frozen weights too, the state has a gradient
        call = LayerCall(
            name,
            layer,
            x.detach(),
            map_given(Tensor.detach, state),
            lengths,
            starts,
        )
        found[name] = _Seen(call, parts, output[1], packed, batch_first, alone)
        # A copy goes on into the model, which may change it in place.
        y_on, *state_on = [part.clone() for part in parts]
        own = iter(state_on)
        return (
            y_on if packed is None else output[0]._replace(data=y_on),
            map_state(lambda _: next(own), output[1]),
            *output[2:],
        )

    return hook


def _time_major(x: Tensor, batch_first: bool, alone: bool) -> Tensor:
    if alone:
        return x.unsqueeze(1)
    return x.transpose(0, 1) if batch_first else x


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Afterwards the model is as it was: `.grad`, mode, buffers; so are the random generators.

    Inside, parameters have no `.grad`, so that nothing can be added to the caller's.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    buffers = [
        (module, name, part, part.detach().clone(), part._version)
        for module in modules
        for name, part in module._buffers.items()
        if part is not None
    ]
    draws = snapshot.generator_states()
    pythons = random.getstate()
    numpys = sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
    for parameter, _ in gradients:
        parameter.grad = None
    try:
        with _eager():
            yield
    finally:
        for parameter, gradient in gradients:
            parameter.grad = gradient
        for module, training in zip(modules, modes, strict=True):
            if module.training != training:
                module.train(training)  # parents first; a module may do more in it than the flag
        for module, training in zip(modules, modes, strict=True):
            module.training = training
        for module, name, part, before, version in buffers:
            if part._version != version:  # a copy that is not needed would disturb a graph
                with torch.no_grad():
                    part.copy_(before)
            module._buffers[name] = part
        snapshot.set_generator_states(draws)
        random.setstate(pythons)
        if numpys is not None:
            sys.modules["numpy"].random.set_state(numpys)


def _eager() -> AbstractContextManager[Any]:
    """A compiled model runs without its compiled code, which would not call hooks."""
    # Without torch._dynamo nothing was compiled, and importing it takes seconds.
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")
