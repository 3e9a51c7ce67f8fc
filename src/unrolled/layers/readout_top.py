"""`readout_top` and `Readout`: the best few tokens of a readout, which is what a search asks for.

Shapes: `R` rows, `E` size of an output, `V` vocabulary, `k` how many tokens of each row.
"""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.checks import device_fault
from unrolled.layers.paths import asked_path, autocast_dtype

PRECISIONS = ("float32", "int8")

# Of a product in int8 so many more than k are scored again. In 960 rows of random readouts of 4,000
# to 16,000 tokens, the best 10 always stood among the best 13 of the rounded scores, and in 18,000
# rows of a translator of 8,000 tokens the best 8 among the best 11.
MARGIN = 8


def readout_top(
    o: Tensor, weight: Tensor, bias: Tensor | None, k: int, *, precision: str = "float32"
) -> tuple[Tensor, Tensor]:
    """The best k tokens of each row, and their log-probabilities: one call of a `Readout`.

        log p_v = x_v - log sum_u exp(x_u)      with x = o W' + b

    Args:
        o: `(R, E)`.
        weight, bias: `(V, E)` and `(V,)`, or None for no bias.
        k: 1 to V.
        precision: see `Readout`.

    Returns:
        The log-probabilities `(R, k)` in descending order and their tokens `(R, k)`, int64. Of
        tokens with the same score the lower comes first.

    Raises: as `Readout`.

    Example:

        >>> import torch
        >>> from unrolled.layers.readout_top import readout_top
        >>> weight = torch.tensor([[0.0], [2.0], [0.0], [1.0]])
        >>> values, tokens = readout_top(torch.ones(1, 1), weight, None, 3)
        >>> tokens
        tensor([[1, 3, 0]])
        >>> values
        tensor([[-0.4938, -1.4938, -2.4938]])
    """
    return Readout(weight, bias, precision=precision).top(o, k)


class Readout:
    """A readout whose rows are asked for their best tokens again and again, as a search does.

        readout = Readout(weight, bias)
        values, tokens = readout.top(o, 10)     # as readout_top(o, weight, bias, 10)

    In float32 on a CPU the product goes into memory that the calls share, and the kernels find the
    best tokens and the sum over the vocabulary row by row, in less than half the time of
    `log_softmax` and `topk` and without another tensor as large as the product. Elsewhere, and with
    `use_path("reference")`, it is PyTorch operations. No gradient is recorded. One object is for
    one thread at a time.

    Args:
        weight, bias: `(V, E)` and `(V,)`, or None for no bias. They are not copied but for int8:
            make a new object when they have changed.
        precision: "int8" takes the product in whole numbers of 8 bits, each row of both sides in a
            unit of its own, which a processor with AVX512-VNNI or AMX does four times as fast, and
            scores the best k + 8 again in float32. Their order and scores are then those of
            float32; a token whose rounded score is not among them is missed, and the sum over the
            rest of the vocabulary is that of rounded scores, so that the log-probabilities of a row
            are all off by the same small number. Asked for where the kernels can't run, it raises.

    Raises:
        ConfigError: a precision that is none, a k beyond 1 to V, or a path that can't run this.
        ShapeError, DTypeError: arguments that do not fit each other.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None = None, *, precision: str = "float32"
    ) -> None:
        if precision not in PRECISIONS:
            raise ConfigError(f"precision: got {precision!r}, expected one of {PRECISIONS}")
        if weight.dim() != 2:
            raise ShapeError(f"weight: got shape {tuple(weight.shape)}, expected (V, E)")
        if bias is not None and bias.shape != weight.shape[:1]:
            want = f"(V,) = ({len(weight)},)"
            raise ShapeError(f"bias: got shape {tuple(bias.shape)}, expected {want}")
        if not weight.is_floating_point():
            raise DTypeError(f"weight: got {weight.dtype}, expected floating-point numbers")
        if bias is not None:
            _check_alike("bias", bias, weight)
        self.weight = weight.detach()
        self.bias = None if bias is None else bias.detach().contiguous()
        self.precision = precision
        self._products = weight.new_empty(0, 0)
        if precision == "int8":
            if (obstacle := why_not_native(self.weight)) is not None:
                raise ConfigError(f"precision 'int8' can't be had: {obstacle}")
            self._exact = self.weight.contiguous()
            self._rounded, self._scale = _in_bytes(self._exact)

    def top(self, o: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The log-probabilities `(R, k)` of the best k tokens of each row, and those `(R, k)`."""
        vocabulary, size = self.weight.shape
        if o.dim() != 2 or o.shape[1] != size:
            want = f"(R, E) with E = {size}"
            raise ShapeError(f"o: got shape {tuple(o.shape)}, expected {want}")
        _check_alike("o", o, self.weight)
        if not 1 <= k <= vocabulary:
            raise ConfigError(f"k: got {k}, expected 1 to V = {vocabulary}")
        with torch.no_grad():
            if self._native():
                return self._by_kernels(o.detach(), k)
            return best_by_operations(self.scores(o), k)

    def scores(self, o: Tensor) -> Tensor:
        """`o W' + b`, `(R, V)`."""
        products = o @ self.weight.t()
        return products if self.bias is None else products + self.bias

    def _by_kernels(self, o: Tensor, k: int) -> tuple[Tensor, Tensor]:
        values = o.new_empty(len(o), k)
        tokens = torch.empty(len(o), k, dtype=torch.int64)
        if not len(o):
            return values, tokens
        if self.precision == "float32":
            products = torch.mm(o, self.weight.t(), out=self._room(len(o), torch.float32))
            kernels.top_tokens(products, self.bias, values, tokens)
            return values, tokens
        o = o.contiguous()
        rounded, row = _in_bytes(o)
        products = torch._int_mm(rounded, self._rounded.t(), out=self._room(len(o), torch.int32))
        again = (o, self._exact, min(k + MARGIN, len(self.weight)))
        kernels.top_tokens(
            products, self.bias, values, tokens, units=(row, self._scale), again=again
        )
        return values, tokens

    def _room(self, rows: int, dtype: torch.dtype) -> Tensor:
        """`(R, V)`, of the memory of the last call where that has as many rows."""
        if len(self._products) < rows or self._products.dtype != dtype:
            self._products = self.weight.new_empty(rows, len(self.weight), dtype=dtype)
        return self._products[:rows]

    def _native(self) -> bool:
        asked = asked_path()
        if asked == "auto":
            return why_not_native(self.weight) is None
        if asked == "native":
            obstacle = why_not_native(self.weight)
        elif self.precision == "int8":
            obstacle = "precision 'int8' needs the kernels"
        else:
            obstacle = "PyTorch has no such layer of its own" if asked == "aten" else None
        if obstacle is not None:
            raise ConfigError(
                f"path {asked!r} was asked for and can't run this call: {obstacle}; "
                f"ask for another with use_path, such as 'auto'"
            )
        return asked == "native"


def why_not_native(weight: Tensor) -> str | None:
    """Why the kernels can't run, as part of a sentence; None where they can."""
    if weight.device.type != "cpu":
        return f"native runs on a CPU, and the weight is on {weight.device.type!r}"
    if weight.dtype != torch.float32:
        return f"native runs in float32, and the weight is {weight.dtype}"
    if (dtype := autocast_dtype("cpu")) is not None:
        return f"native runs in float32, and autocast asks for {dtype}"
    if torch.compiler.is_compiling():
        return "torch.compile and torch.export trace PyTorch operations"
    missing = kernels.why_not()
    return None if missing is None else f"the kernels are not there: {missing}"


def prefers_native(weight: Tensor) -> bool:
    """Whether the kernels can run, and no other path was asked for."""
    return asked_path() in ("auto", "native") and why_not_native(weight) is None


def _in_bytes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows `(R, E)` as whole numbers from -127 to 127, int8, and the unit of each row `(R,)`."""
    unit = x.abs().amax(1) / 127
    # Of a row of zeros any unit will do.
    return (x / unit.clamp(min=1e-30).unsqueeze(1)).round_().to(torch.int8), unit


def best_by_operations(scores: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Log-probabilities and tokens of the best k of each row of `(R, V)`, in PyTorch operations.

    Computed in float32 at least. Of equal scores the lower token comes first, which `topk` leaves
    open.
    """
    if scores.dtype in (torch.float16, torch.bfloat16):
        scores = scores.float()
    found, tokens = scores.topk(k)
    # In order of the tokens, then of the scores: the first of equal ones stays the first.
    tokens, order = tokens.sort(-1)
    found, order = found.gather(-1, order).sort(dim=-1, descending=True, stable=True)
    tokens = tokens.gather(-1, order)
    # Where others are as good as the last of the best, which of them topk took is open.
    open_rows = ((scores >= found[:, -1:]).sum(-1) > k).nonzero().squeeze(-1)
    if len(open_rows):
        whole = scores[open_rows].sort(dim=-1, descending=True, stable=True)
        tokens[open_rows] = whole.indices[:, :k]
        found[open_rows] = whole.values[:, :k]
    return found - scores.logsumexp(-1, keepdim=True), tokens


def _check_alike(name: str, tensor: Tensor, weight: Tensor) -> None:
    if tensor.device != weight.device:
        kind, message = device_fault(name, tensor, weight)
        raise kind(message)
    if tensor.dtype != weight.dtype:
        raise DTypeError(f"{name}: got {tensor.dtype}, expected {weight.dtype} as the weight")
