"""What all layers on the native kernels need: tensors handed over by address, outputs laid out like
the caller's input, and gradients that can be differentiated again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ShapeError
from unrolled.layers.checks import DTypeRuntimeError


def any_requires_grad(tensors: Sequence[Tensor | None]) -> bool:
    return any(tensor is not None and tensor.requires_grad for tensor in tensors)


def batched(grads: Sequence[Tensor | None]) -> bool:
    """Whether these stand for many gradients at once: under a vmap, the old or the new one."""
    return torch._C._are_functorch_transforms_active() or any(
        grad is not None and torch._C._functorch.is_legacy_batchedtensor(grad) for grad in grads
    )


def own_copies(*tensors: Tensor | None) -> list[Tensor | None]:
    """Copies of what the backward pass will read again, and the caller may change meanwhile."""
    return [
        None if tensor is None else tensor.clone(memory_format=torch.contiguous_format)
        for tensor in tensors
    ]


def dense_rows(tensor: Tensor) -> Tensor:
    """The tensor, or a copy of it, with its last axis dense."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def point(struct: Any, name: str, tensor: Tensor, offset: int = 0) -> None:
    """Hand over a tensor `(T, B, width)` or `(N, width)`, from column `offset` on.

    Whoever calls keeps the tensor alive until the kernel returns.
    """
    strides, at = tensor.stride(), tensor.data_ptr()
    setattr(struct, name, at + offset * tensor.element_size() if offset else at)
    setattr(struct, name + "_row", strides[-2])
    if len(strides) == 3:
        setattr(struct, name + "_time", strides[0])


def point_extent(
    struct: Any,
    x: Tensor,
    batch: int,
    reverse: bool,
    lengths: Tensor | None,
    starts: Tensor | None,
    batch_sizes: Tensor | None,
) -> None:
    """Hand over `x` and what it runs over: `Extent` in sequence.h, but for the cell and sizes."""
    struct.steps = len(x) if batch_sizes is None else len(batch_sizes)
    struct.batch = batch
    struct.input = x.shape[-1]
    struct.reverse = reverse
    struct.threads = torch.get_num_threads()
    point(struct, "x", x)
    if lengths is not None:
        struct.lengths = lengths.data_ptr()
    if batch_sizes is not None:
        struct.batch_sizes = batch_sizes.data_ptr()
    if starts is not None:
        point(struct, "starts", starts.unsqueeze(-1))


def check_part(
    name: str, part: Tensor, shape: tuple[int, ...], dtype: torch.dtype, x: Tensor
) -> None:
    """Raise ShapeError or DTypeError where a state or weight is not what the kernels will read."""
    if part.shape != shape:
        raise ShapeError(f"{name}: got shape {tuple(part.shape)}, expected {shape}")
    if part.dtype != dtype or part.device != x.device:
        raise DTypeRuntimeError(
            f"{name}: got {part.dtype} on {part.device}, expected {dtype} on {x.device}"
        )


def address(states: Tensor, direction: int) -> int:
    """Where one direction's `(B, width)` of the dense `(D, B, width)` stands."""
    if direction == 0:
        return states.data_ptr()
    return states.data_ptr() + direction * states.stride(0) * states.element_size()


def like_input(x: Tensor, width: int, batch_first: bool) -> Tensor:
    """An empty tensor over the steps and rows of `x`: of `(T, B, I)` as `batch_first` says, or of
    `(N, I)`."""
    if x.dim() == 2:
        return x.new_empty((len(x), width))
    steps, batch, _ = x.shape
    return x.new_empty((batch, steps, width) if batch_first else (steps, batch, width))


def time_major(tensor: Tensor, batch_first: bool) -> Tensor:
    """What `like_input` gave, as `(T, B, width)`, or `(N, width)` packed."""
    return tensor.transpose(0, 1) if tensor.dim() == 3 and batch_first else tensor


def gradients_in_operations(
    function: Callable[..., tuple[Tensor, ...]],
    tensors: Sequence[Tensor | None],
    grads: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """The gradients of `function(*tensors)`, None where not wanted, in PyTorch operations: under
    `create_graph` they can be differentiated again."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # Aliases: an input may depend on a weight of this very layer, or be given twice.
        tensors = [None if tensor is None else tensor.view_as(tensor) for tensor in tensors]
        outputs = function(*tensors)
    pairs = [(y, dy) for y, dy in zip(outputs, grads, strict=True) if dy is not None]
    inputs = [tensor for tensor, want in zip(tensors, wanted, strict=True) if want]
    found = iter(
        torch.autograd.grad(
            [y for y, _ in pairs],
            inputs,  # type: ignore[arg-type]
            [dy for _, dy in pairs],
            create_graph=create_graph,
            allow_unused=True,
        )
    )
    return [next(found) if want else None for want in wanted]
