"""N-gram language models for decoding: estimated from text, ARPA files, a form that maps into
memory.

    counting -> kneser_ney -> pruning      from sentences to a model
    arpa_reading, arpa_writing, file       from and to files
    trie, scoring                          the model as arrays, and what it says
    model                                  `NGramModel`, all of it together
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.decoding.ngrams.model import NGramModel
    from unrolled.decoding.ngrams.perplexity import HeldOut, Perplexity
    from unrolled.decoding.ngrams.trie import Trie
    from unrolled.decoding.ngrams.vocabulary import Vocabulary

_HOMES = {
    "HeldOut": "perplexity",
    "NGramModel": "model",
    "Perplexity": "perplexity",
    "Trie": "trie",
    "Vocabulary": "vocabulary",
}

__all__ = ["HeldOut", "NGramModel", "Perplexity", "Trie", "Vocabulary"]

__getattr__, __dir__ = door(__name__, _HOMES)
