"""`additive_attention`: the attention of Bahdanau et al., over whole sequences or one step."""

from __future__ import annotations

from torch import Tensor

from unrolled.layers.attention_function import AttentionRun, attend


def additive_attention(
    q: Tensor, k: Tensor, m: Tensor, v: Tensor, lengths: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What each step of one sequence draws from another one.

        e_ts = v . tanh(q_t + k_s)
        a_ts = exp(e_ts) / sum_s exp(e_ts)      over the sources of the row
        c_t  = sum_s a_ts m_s

    Args:
        q: `(T, B, A)`, the queries: a linear map of the decoder's states, with its bias.
        k: `(S, B, A)`, the keys: a linear map of the memory.
        m: `(S, B, M)`, the memory.
        v: `(A,)`.
        lengths: `(B,)` integers, 0 to S: how many leading sources of each row are real. None is
            all. What stands beyond them in k and m, NaN included, changes nothing.

    Returns:
        c `(T, B, M)` and the weights a `(T, B, S)`, which are 0 beyond a row's length; both are 0
        in a row without sources. A loss may look at either.

    In float32 and float64 on a CPU the kernels run: no `(T, B, S, A)` is made, neither here nor for
    the gradients, whose tanh is computed again. Elsewhere, under `torch.compile`, `torch.export`
    and `torch.func`, and with `use_path("reference")`, it is PyTorch operations. Gradients can be
    differentiated again, then in PyTorch operations.

    Raises:
        ConfigError: a path was asked for that can't run this call.
        ShapeError: shapes that do not fit each other, or lengths beyond S.
        DTypeError: dtypes or devices that differ, or lengths that are not integers.

    Example. Two sources, of which the second is like the query:

        >>> import torch
        >>> from unrolled.layers.attention_additive import additive_attention
        >>> k = torch.tensor([-1.0, 1.0]).view(2, 1, 1)
        >>> c, a = additive_attention(torch.ones(1, 1, 1), k, m=k, v=torch.tensor([4.0]))
        >>> a.flatten()
        tensor([0.0207, 0.9793])

    Source: Bahdanau, Cho and Bengio 2015, Neural Machine Translation by Jointly Learning to Align
    and Translate, arXiv 1409.0473, appendix A.1.2.
    """
    return attend(AttentionRun("additive", lengths=lengths), (q, k, m, v))
