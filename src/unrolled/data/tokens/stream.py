"""`TextStream`: tokens that come one by one, written out as text as soon as it is settled."""

from __future__ import annotations

import codecs
from collections.abc import Iterable

from unrolled.data.tokens.tokenizer import Tokenizer


class TextStream:
    """The text of tokens, piece by piece: joined, it is what `decode` gives of all of them.

    Args:
        tokenizer: of the tokens.
        before: ids that were written before (a prompt); the first piece is set apart from them by
            a space where one is usual.

    Example:
        >>> stream = TextStream(tokenizer, prompt_ids)                    # doctest: +SKIP
        >>> text = "".join(stream.push(id) for id in ids) + stream.end()  # doctest: +SKIP
    """

    def __init__(self, tokenizer: Tokenizer, before: Iterable[int] = ()) -> None:
        self._tokenizer = tokenizer
        ids = list(before)
        self._last = ids[-1:]
        self._to_bytes = getattr(tokenizer, "to_bytes", None)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, id: int) -> str:
        """What one more token adds; "" where it ends inside a character."""
        if self._to_bytes is not None:
            return self._decoder.decode(self._to_bytes([id]))
        written = self._tokenizer.decode(self._last)
        both = self._tokenizer.decode([*self._last, id])
        self._last = [id]
        return both[len(written) :]

    def end(self) -> str:
        """What is left: U+FFFD for a character of which only a part came."""
        return self._decoder.decode(b"", final=True)
