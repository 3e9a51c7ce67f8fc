"""`SentenceError`: what is wrong with one of the sentences of a search."""

from __future__ import annotations

from unrolled.errors import ConfigError


class SentenceError(ConfigError):
    """A `ConfigError` that names a sentence, which a search counts from 0, as lists do.

    Who searches in batches knows which of the user's sentences it is, and says so with `of`.

    Args:
        before: the message up to the sentence.
        number: of the sentence.
        after: the rest of the message.
    """

    def __init__(self, before: str, number: int, after: str) -> None:
        super().__init__(before, number, after)
        self.before, self.number, self.after = before, number, after

    def __str__(self) -> str:
        return f"{self.before} sentence {self.number:,}{self.after}"

    def of(self, number: int) -> SentenceError:
        """The same of a sentence with another number."""
        return SentenceError(self.before, number, self.after)
