"""`replace`: the recurrent layers of PyTorch inside a model, swapped for those of this package."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import torch
from torch.nn import Module, RNNBase, RNNCellBase
from torch.nn.utils.parametrize import is_parametrized

import unrolled.layers as layers
from unrolled.errors import DTypeError
from unrolled.layers.options import options_of

_NAMES = ("RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell")


class Swap(NamedTuple):
    """What became of one recurrent module.

    Attributes:
        name: where it stands in the model, as in `model.named_modules()`; "" for the model itself.
        was: its class before.
        now: its class now.
        reason: why it was left as it was; "" where it was swapped.
    """

    name: str
    was: str
    now: str
    reason: str = ""

    def __str__(self) -> str:
        place = self.name or "the model itself"
        if self.reason:
            return f"{place}: left as {self.was}: {self.reason}"
        return f"{place}: {self.was} is now {self.now}"


class Replaced(list[Swap]):
    """What `replace` did: one `Swap` for each recurrent module, in the model's order. Its `str` has
    one line for each.

    Attributes:
        model: the model, changed; with `in_place=False` the copy.
    """

    def __init__(self, model: Module, swaps: list[Swap]) -> None:
        super().__init__(swaps)
        self.model = model

    @property
    def swapped(self) -> list[Swap]:
        """Those that were swapped."""
        return [swap for swap in self if not swap.reason]

    @property
    def left(self) -> list[Swap]:
        """Those that were not, each with its reason."""
        return [swap for swap in self if swap.reason]

    def __str__(self) -> str:
        return "\n".join(map(str, self)) or "no recurrent module in this model"


def replace(model: Module, *, in_place: bool = True, with_torch: bool = False) -> Replaced:
    """Swap each `torch.nn.RNN`, `GRU`, `LSTM` and their cells inside a model for the one here.

        print(unrolled.replace(model))
        # encoder.rnn: torch.nn.LSTM is now unrolled.LSTM

    A module stays the object that it is, and only its class changes. So everything about it stays:
    the parameters (an optimizer goes on working, tied weights stay tied), hooks, parametrizations,
    pruning, buffers, training mode, dtype, device, attributes of your own, and every reference to
    it. A model that is a recurrent layer itself is swapped too.

    Left alone, and named with the reason: a subclass of your own, a module whose `forward` was
    set on the object, quantized and TorchScript modules, and those that are ours already.

    Args:
        model: any module.
        in_place: change `model`; False changes a deep copy of it, which is `model` of the result.
        with_torch: the way back: swap the layers of this package for PyTorch's. A layer with an
            option that PyTorch lacks is left alone.

    Raises:
        DTypeError: `model` is no module; also TypeError.
    """
    if not isinstance(model, Module):
        raise DTypeError(f"model: got {type(model).__name__}, expected a torch.nn.Module")
    if not in_place:
        model = deepcopy(model)
    swaps: list[Swap] = []
    first: dict[Module, Swap] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        if module in first:
            swaps.append(first[module]._replace(name=name))
        elif _recurrent(module):
            swaps.append(_swap(name, module, with_torch))
            first[module] = swaps[-1]
    return Replaced(model, swaps)


def _swap(name: str, module: Module, with_torch: bool) -> Swap:
    kind = type(module)
    bare = kind.__bases__[0] if is_parametrized(module) else kind
    was = _title(bare)
    ours, torchs = _ours(), {getattr(torch.nn, each): each for each in _NAMES}
    if with_torch:
        names = {here: each for each, here in ours.items()}
        goal = getattr(torch.nn, names[bare]) if bare in names else None
    else:
        goal = ours.get(torchs.get(bare, ""))
    if goal is None or "forward" in vars(module):
        return Swap(name, was, was, _why_left(module, bare, with_torch))
    if with_torch:
        missing = options_of(module).given()
        if missing:
            return Swap(name, was, was, f"PyTorch has no {' and no '.join(missing)}")
        for own in ("init", "_prototypes", "_records"):
            vars(module).pop(own, None)
    module.__class__ = goal if bare is kind else _parametrized(kind, goal)
    return Swap(name, was, _title(goal))


def _parametrized(kind: type, goal: type) -> type:
    """The class that `parametrize` made for one module, over another base."""
    members = {
        name: value
        for name, value in vars(kind).items()
        if name not in ("__dict__", "__weakref__", "__doc__", "__module__")
    }
    return type(f"Parametrized{goal.__name__}", (goal,), members)


def _ours() -> dict[str, type[Module]]:
    return {name: getattr(layers, name) for name in _NAMES if hasattr(layers, name)}


def _recurrent(module: Module) -> bool:
    if isinstance(module, torch.jit.ScriptModule):
        return module.original_name in _NAMES
    kind = type(module)
    quantized = kind.__module__.startswith("torch.ao.nn") and kind.__name__ in _NAMES
    return quantized or isinstance(module, RNNBase | RNNCellBase)


def _why_left(module: Module, bare: type, with_torch: bool) -> str:
    if isinstance(module, torch.jit.ScriptModule):
        return "it is compiled by TorchScript; replace before torch.jit.script or trace"
    if bare.__module__.startswith("torch.ao.nn"):
        return "it is quantized, with kernels of its own"
    if "forward" in vars(module):
        return "its forward was set on the object, which would hide the new one"
    if bare in _ours().values():
        return "it is of this package already"
    if bare.__module__.startswith("torch.nn."):
        return "it is of PyTorch already" if with_torch else "there is no such layer here"
    return "its class is your own; derive it from the layer that it shall be"


def _title(kind: type) -> str:
    """The name of a class as one writes it in code."""
    module = kind.__module__
    if module.startswith("torch.nn."):
        return f"torch.nn.{kind.__name__}"
    if module.startswith("unrolled."):
        return f"unrolled.{kind.__name__}"
    return f"{module}.{kind.__qualname__}"
