"""What `torch.compile` has to be told, so that it traces these layers.

PyTorch's tracer leaves every instance of `torch.nn.RNN`, `GRU` and `LSTM` out of the graph, unless
`torch._dynamo.config.allow_rnn` is set. Its reason does not hold for the layers of this package,
which are one operator each; and PyTorch's own layers are none of our business. So the option is set
for the moment in which one of ours is looked at, and for no other module.

The tracer is slow to import, and most programs never do. So it is not imported here: this waits
until something else does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_TRACER = "torch._dynamo.variables.builder"


def trace_instances_of(kind: type) -> None:
    """Let `torch.compile` trace modules of this class, now or as soon as its tracer is imported.

    Where PyTorch's tracer is not as it is known here (2.6 to 2.13), nothing happens, and a call of
    such a layer breaks the graph, as a call of PyTorch's own does.
    """
    tracer = sys.modules.get(_TRACER)
    if tracer is not None and hasattr(tracer, "VariableBuilder"):
        _teach(tracer, kind)
    else:
        sys.meta_path.insert(0, _WhenImported(kind))


def _teach(tracer: ModuleType, kind: type) -> None:
    builder: Any = getattr(tracer, "VariableBuilder", None)
    config: Any = sys.modules.get("torch._dynamo.config")
    if not hasattr(builder, "wrap_module") or not hasattr(config, "allow_rnn"):
        return
    wrap_module = builder.wrap_module

    @wraps(wrap_module)
    def wrap(self: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, kind):
            with config.patch(allow_rnn=True):
                return wrap_module(self, value, *args, **kwargs)
        return wrap_module(self, value, *args, **kwargs)

    builder.wrap_module = wrap


class _WhenImported(MetaPathFinder):
    """Stands before the finders of modules until the tracer is imported, then steps aside."""

    def __init__(self, kind: type) -> None:
        self.kind = kind

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _TRACER:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_teach(module: ModuleType) -> None:
            execute(module)
            _teach(module, self.kind)

        spec.loader.exec_module = execute_and_teach  # type: ignore[method-assign]
        return spec
