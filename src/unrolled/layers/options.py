"""What our layers take beyond torch's arguments: the options, checked, in one frozen record.

    inside the step     layer_norm, peephole, zoneout, recurrent_dropout: on native and reference
    around a layer      weight_dropout, input_dropout, residual, merge: on every path
    over time           checkpoint

(`init` concerns no call; it is a plain attribute of the layer.)
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from torch.nn import Module

from unrolled.errors import ConfigError
from unrolled.layers.memory_budget import parse_checkpoint

MERGES = ("concat", "sum", "mean", "mul")

Zoneout: TypeAlias = float | tuple[float, float]
Rates: TypeAlias = float | tuple[float, ...]


@dataclass(frozen=True)
class Options:
    """The options of one layer; each is told where it is an argument, in `_Layer` (`rnn.py`)."""

    layer_norm: bool = False
    peephole: bool = False
    zoneout: tuple[float, float] = (0.0, 0.0)
    recurrent_dropout: float = 0.0
    weight_dropout: float = 0.0
    input_dropout: Rates = 0.0
    residual: bool = False
    merge: str = "concat"
    checkpoint: int | str | None = None

    def shown(self) -> str:
        """What differs from the defaults, as `repr` of a layer shows it."""
        return "".join(f", {name}={getattr(self, name)!r}" for name in self.given())

    def given(self) -> list[str]:
        """The names of those that differ from the defaults."""
        names = [field.name for field in fields(self)]
        return [name for name in names if getattr(self, name) != getattr(PLAIN, name)]

    def inside(self, training: bool, directions: int, grad: bool) -> tuple[str, ...]:
        """The options at work that PyTorch's fused layers do not have."""
        both = directions == 2 and grad and self.checkpoint is not None
        at_work = {
            "layer_norm": self.layer_norm,
            "peephole": self.peephole,
            "zoneout": any(self.zoneout),
            "recurrent_dropout": training and self.recurrent_dropout > 0,
            "checkpoint in two directions": both,
        }
        return tuple(name for name, on in at_work.items() if on)


PLAIN = Options()


def options_of(layer: Module) -> Options:
    """The options of a layer; `PLAIN` for one of torch's own."""
    found = layer.__dict__.get("_options", PLAIN)
    assert isinstance(found, Options)
    return found


def checked(mode: str, bidirectional: bool, given: dict[str, Any]) -> Options:
    """Options for a layer of this mode (as torch names it).

    Raises:
        ConfigError: a value that has no meaning, or none for this layer.
    """
    for name in ("layer_norm", "peephole", "residual"):
        if not isinstance(given[name], bool):
            raise ConfigError(f"{name}: got {given[name]!r}, expected True or False")
    if given["peephole"] and mode != "LSTM":
        raise ConfigError("peephole: got True, and only an LSTM has a cell state to look at")
    if given["merge"] not in MERGES:
        raise ConfigError(f"merge: got {given['merge']!r}, expected one of {', '.join(MERGES)}")
    if given["merge"] != "concat" and not bidirectional:
        raise ConfigError(
            f"merge: got {given['merge']!r} for a layer with one direction, expected 'concat'; "
            "make the layer with bidirectional=True"
        )
    for name in ("recurrent_dropout", "weight_dropout"):
        check_rate(name, given[name])
    parse_checkpoint(given["checkpoint"])
    rates = {
        "zoneout": both_rates(mode, given["zoneout"]),
        "input_dropout": rates_of_layers("input_dropout", given["input_dropout"]),
    }
    return Options(**{**given, **rates})


def changed(options: Options, mode: str, name: str, value: Any) -> Options:
    """The options with another rate, once it is one."""
    if name == "zoneout":
        value = both_rates(mode, value)
    elif name == "input_dropout":
        value = rates_of_layers(name, value)
    elif name == "checkpoint":
        parse_checkpoint(value)
    else:
        check_rate(name, value)
    return replace(options, **{name: value})


def both_rates(mode: str, zoneout: Zoneout) -> tuple[float, float]:
    """Zoneout's rates for h and c; one number is for both, where there are both."""
    if isinstance(zoneout, tuple | list):
        if len(zoneout) != 2:
            raise ConfigError(f"zoneout: got {zoneout!r}, expected a rate, or one for h and for c")
        rates = tuple(zoneout)
        if rates[1] and mode != "LSTM":
            raise ConfigError(
                f"zoneout: got {zoneout!r}, and only an LSTM has a cell state for the second rate; "
                "give one number"
            )
    else:
        rates = (zoneout, zoneout if mode == "LSTM" else 0.0)
    for rate in rates:
        check_rate("zoneout", rate)
    return float(rates[0]), float(rates[1])


def rates_of_layers(name: str, given: Any) -> Rates:
    """One rate for all layers of a stack, or a tuple with one for each."""
    if not isinstance(given, tuple | list):
        check_rate(name, given)
        return float(given)
    for rate in given:
        check_rate(name, rate)
    return tuple(map(float, given)) if any(given) else 0.0


def check_rate(name: str, rate: Any) -> None:
    number = isinstance(rate, int | float) and not isinstance(rate, bool)
    if not number or not 0 <= rate <= 1:
        raise ConfigError(f"{name}: got {rate!r}, expected a number from 0 to 1")
