"""`Attention`: which of many vectors a step looks at.

Shapes: `S` vectors that are looked at, `T` steps that look, `B` rows, `H` size of a query, `M` size
of a vector.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.attention_additive import additive_attention
from unrolled.layers.attention_multiplicative import multiplicative_attention

KINDS = ("multiplicative", "additive")


class Attention(nn.Module):
    """A weighted mean of vectors, weighted by how well each fits a query.

        multiplicative:  e_ts = (W q_t) . m_s / sqrt(M)
        additive:        e_ts = v . tanh(W q_t + U m_s)
        a_t = softmax_s(e_ts) over the real vectors;   c_t = sum_s a_ts m_s

    Args:
        query_size: H.
        memory_size: M.
        kind: "multiplicative" or "additive".
        size: of the sum inside the additive one; None: M.

    Sources: Luong et al. 2015, arXiv 1508.04025 ("general"); Bahdanau et al. 2015, arXiv 1409.0473.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        kind: str = "multiplicative",
        size: int | None = None,
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"attention: got {kind!r}, expected one of {', '.join(KINDS)}")
        self.kind = kind
        if kind == "multiplicative":
            self.query = nn.Linear(query_size, memory_size, bias=False)
            return
        size = memory_size if size is None else size
        self.query = nn.Linear(query_size, size)
        self.key = nn.Linear(memory_size, size, bias=False)
        self.score = nn.Parameter(torch.empty(size).uniform_(-(size**-0.5), size**-0.5))

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with, of `memory (S, B, M)`: `U m_s` `(S, B, A)`, of the
        multiplicative one the memory itself. Made once, however many steps look."""
        keys: Tensor = memory if self.kind == "multiplicative" else self.key(memory)
        return keys

    def forward(
        self, queries: Tensor, keys: Tensor, memory: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Look at `memory (S, B, M)`, of which the first `lengths (B,)` of each row are real, with
        `queries (T, B, H)`; `keys` are those of the memory.

        Returns:
            The contexts `(T, B, M)` and the weights `(T, B, S)`, zero on padding.
        """
        asked = self.query(queries)
        if self.kind == "multiplicative":
            return multiplicative_attention(asked, memory, lengths, memory.shape[-1] ** -0.5)
        return additive_attention(asked, keys, memory, self.score, lengths)
