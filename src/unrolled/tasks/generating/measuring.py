"""Held-out scores of a language model beside its rival's, on the same tokens."""

from __future__ import annotations

import math

from unrolled.baselines import NGram
from unrolled.data.token_store import TokenStore
from unrolled.tasks.evaluation import ALONE, Comparison, Evaluation
from unrolled.tasks.generating.gate import rival_nats
from unrolled.tasks.generating.neural_cache import NeuralCache
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.generating.streams import score_stream

METRIC, NATS, PERPLEXITY = "bits per character", "nats per character", "perplexity per token"


def measure(
    reader: Reader,
    store: TokenStore,
    rival: NGram,
    sample: str,
    name: str,
    cache: NeuralCache | None,
) -> Evaluation:
    """Bits per character of the network and the rival; of the network also nats, and perplexity by
    token. Where the rival answers with the network, the network's own figures stand beside them.

    Every token is scored given all before it in its document; of words, spaces cost nothing, and an
    unknown word costs what the unknown token does, in both.

    Args:
        reader: model and tokenizer.
        store: the tokens to score.
        rival: an n-gram model of the same tokens.
        sample: what to say of the text that the rival learnt from; empty where that is all.
        name: in words, what is scored.
        cache: settings of a neural cache of the network, or None.
    """
    scored = score_stream(reader, store, cache)
    characters = max(1, store.characters)
    to_bits = 1 / math.log(2) / characters
    comparison = Comparison(
        METRIC,
        scored.nats * to_bits,
        rival_nats(rival, store) * to_bits,
        f"Kneser-Ney of order {rival.order}{sample}",
    )
    details = {
        NATS: scored.nats / characters,
        PERPLEXITY: math.exp(scored.nats / max(1, scored.tokens)),
    }
    if reader.interpolation is not None:
        details |= {
            "n-gram share": reader.interpolation.weight,
            f"{METRIC}, {ALONE}": scored.network * to_bits,
            f"{NATS}, {ALONE}": scored.network / characters,
            f"{PERPLEXITY}, {ALONE}": math.exp(scored.network / max(1, scored.tokens)),
        }
    if store.unknown:
        details["unknown tokens"] = store.unknown / max(1, scored.tokens)
    kind = "" if reader.tokenizer.kind == "characters" else f" in {scored.tokens:,} tokens"
    documents = len(store.document_starts)
    several = f" in {documents:,} documents" if documents > 1 else ""
    held_out = f"{name}, {store.characters:,} characters{kind}{several}"
    return Evaluation((comparison,), details, held_out)
