"""`multiplicative_attention`: scores that are products, over whole sequences or one step."""

from __future__ import annotations

from torch import Tensor

from unrolled.layers.attention_function import AttentionRun, attend


def multiplicative_attention(
    q: Tensor, m: Tensor, lengths: Tensor | None = None, scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    """What each step of one sequence draws from another one.

        e_ts = scale * q_t . m_s
        a_ts = exp(e_ts) / sum_s exp(e_ts)      over the sources of the row
        c_t  = sum_s a_ts m_s

    Args:
        q: `(T, B, M)`, the queries: the decoder's states, or a linear map of them.
        m: `(S, B, M)`, the memory.
        lengths: `(B,)` integers, 0 to S: how many leading sources of each row are real. None is
            all. What stands beyond them in m, NaN included, changes nothing.
        scale: 1, or `M ** -0.5`, with which scores of wide states stay in the range of softmax.

    Returns:
        c `(T, B, M)` and the weights a `(T, B, S)`, which are 0 beyond a row's length; both are 0
        in a row without sources. A loss may look at either.

    Paths and derivatives as of `additive_attention`.

    Raises:
        ConfigError: a path was asked for that can't run this call.
        ShapeError: shapes that do not fit each other, or lengths beyond S.
        DTypeError: dtypes or devices that differ, or lengths that are not integers.

    Example. Two sources, of which the second is like the query:

        >>> import torch
        >>> from unrolled.layers.attention_multiplicative import multiplicative_attention
        >>> c, a = multiplicative_attention(torch.ones(1, 1, 1), torch.tensor([[[-1.0]], [[1.0]]]))
        >>> a.flatten()
        tensor([0.1192, 0.8808])

    Sources: Luong, Pham and Manning 2015, Effective Approaches to Attention-based Neural Machine
    Translation, arXiv 1508.04025, section 3.1; the scale is that of Vaswani et al. 2017, arXiv
    1706.03762, section 3.2.1.
    """
    return attend(AttentionRun("multiplicative", scale, lengths), (q, m, m, None))
