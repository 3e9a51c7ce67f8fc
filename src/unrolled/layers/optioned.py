"""`Optioned`: a layer of torch's with the options that torch lacks, as arguments and attributes."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import RNNBase

from unrolled.errors import ConfigError
from unrolled.layers.initial import Init, add_parameters, initialise
from unrolled.layers.options import PLAIN, Options, Rates, Zoneout, changed, checked, options_of


def _option(name: str, settable: bool = True) -> Any:
    """An attribute that stands in the layer's `Options`; those that have parameters are fixed."""

    def get(self: RNNBase) -> Any:
        return getattr(options_of(self), name)

    def put(self: RNNBase, value: Any) -> None:
        _keep(self, changed(options_of(self), self.mode, name, value))

    return property(get, put if settable else None)


def _keep(layer: RNNBase, options: Options) -> None:
    """A layer without options has none in its dictionary: that is what the quick way looks at."""
    rates = options.input_dropout
    if isinstance(rates, tuple) and len(rates) != layer.num_layers:
        raise ConfigError(
            f"input_dropout: got {len(rates)} rates for {layer.num_layers} layers; give one, or"
            " one for each layer"
        )
    if options == PLAIN:
        layer.__dict__.pop("_options", None)
    else:
        layer.__dict__["_options"] = options


class Optioned(RNNBase):
    """Keeps the options; what each does stands in `LSTM` (`rnn.py`)."""

    init: Init = "torch"
    _prototypes: dict[int, Any] | None = None  # see `prototypes.py`
    _options: Options | None = None  # in the dictionary where there are any
    _records: list[Any] | None = None  # in the dictionary while there are any
    layer_norm = _option("layer_norm", settable=False)
    peephole = _option("peephole", settable=False)
    merge = _option("merge", settable=False)
    residual = _option("residual", settable=False)
    zoneout = _option("zoneout")
    recurrent_dropout = _option("recurrent_dropout")
    weight_dropout = _option("weight_dropout")
    input_dropout = _option("input_dropout")
    checkpoint = _option("checkpoint")

    def __init__(
        self,
        *args: Any,
        layer_norm: bool = False,
        peephole: bool = False,
        zoneout: Zoneout = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        input_dropout: Rates = 0.0,
        residual: bool = False,
        merge: str = "concat",
        init: Init = "torch",
        checkpoint: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        given = {
            "layer_norm": layer_norm,
            "peephole": peephole,
            "zoneout": zoneout,
            "recurrent_dropout": recurrent_dropout,
            "weight_dropout": weight_dropout,
            "input_dropout": input_dropout,
            "residual": residual,
            "merge": merge,
            "checkpoint": checkpoint,
        }
        options = checked(self.mode, self.bidirectional, given)
        _keep(self, options)
        if init != "torch":
            self.init = init
        if add_parameters(self) or init != "torch":
            self.reset_parameters()

    def __getstate__(self) -> dict[str, Any]:
        """Without what the kernels are called with: addresses are of this object and process."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_prototypes"}

    def reset_parameters(self) -> None:
        """Draw all parameters anew, as `init` says; as torch does where nothing else was said."""
        initialise(self, self.init)

    def flatten_parameters(self) -> None:
        """As torch's: on a GPU it lays the weights out as cuDNN reads them, in one piece. Layers
        that are narrower than cuDNN's stack (`merge`) run one by one, and stay as they are."""
        if self.merge == "concat":
            super().flatten_parameters()

    def extra_repr(self) -> str:
        shown = super().extra_repr() + options_of(self).shown()
        named = self.init != "torch" and not callable(self.init)
        return shown + (f", init={self.init!r}" if named else "")

    def _inside(self) -> tuple[str, ...]:
        """Names of the options that only some paths can run."""
        options = self.__dict__.get("_options")
        if options is None:
            return ()
        return options.inside(
            self.training, 2 if self.bidirectional else 1, torch.is_grad_enabled()
        )

    def _watched(self) -> bool:
        """Told to `torch.compile`: it traces again when an attribute that it read has changed, but
        not when something appears in a dictionary, which is where our own code looks."""
        return self._options is not None or self._records is not None

    def _in_segments(self) -> bool:
        """Whether the call is run in segments; the graph of a traced call is made in one."""
        return (
            self.checkpoint is not None
            and torch.is_grad_enabled()
            and not torch.compiler.is_compiling()
        )
