"""The plain network with the weights of ours: what each parameter is called in both."""

from __future__ import annotations

import re

from torch import Tensor

from translation_tasks.plain import Plain, Sizes
from unrolled.tasks.translating.network import TranslationNetwork

# Ours, and what it is in the plain network.
NAMES = (
    (r"source\.", "source_embedding."),
    (r"target\.", "target_embedding."),
    (r"bias$", "readout.bias"),
    (r"encoder\.", "encoder.recurrent."),
    (r"decoder\.first\.(\w+)_l0", r"cells.0.\1"),
    (r"decoder\.upper\.(\w+)_l(\d+)", lambda found: f"cells.{int(found[2]) + 1}.{found[1]}"),
    (r"decoder\.attention\.score$", "attention.energy.weight"),
    (r"decoder\.", ""),
)


def sizes_of(ours: TranslationNetwork, dropout: float = 0.0, input_dropout: float = 0.0) -> Sizes:
    """What our network is made of; a network does not tell its dropouts in evaluation."""
    decoder, attention = ours.decoder, ours.decoder.attention
    additive = attention is not None and attention.kind == "additive"
    return Sizes(
        source_vocabulary=ours.source.num_embeddings,
        vocabulary=ours.target.num_embeddings,
        shared=ours.source is ours.target,
        tied=ours.readout is None,
        embedding=ours.target.embedding_dim,
        hidden=ours.encoder.hidden_size,
        decoder=decoder.first.hidden_size,
        encoder_layers=ours.encoder.num_layers,
        decoder_layers=decoder.layers,
        cell="lstm" if decoder.lstm else "gru",
        attention=None if attention is None else attention.kind,
        additive_size=attention.key.out_features if additive else 0,
        feeding=decoder.feeding,
        dropout=dropout,
        input_dropout=input_dropout,
    )


def plain_of(ours: TranslationNetwork, dropout: float = 0.0, input_dropout: float = 0.0) -> Plain:
    """The plain network that computes the same; with these dropouts in training."""
    plain = Plain(sizes_of(ours, dropout, input_dropout))
    weights = {renamed(name): value for name, value in ours.state_dict().items()}
    weights.setdefault("readout.weight", weights["target_embedding.weight"])
    if "attention.energy.weight" in weights:
        weights["attention.energy.weight"] = weights["attention.energy.weight"].unsqueeze(0)
    plain.load_state_dict(weights)
    return plain


def renamed(name: str) -> str:
    """What a parameter of ours is called in the plain network."""
    for pattern, other in NAMES:
        new, count = re.subn(f"^{pattern}", other, name)
        if count:
            return new
    return name


def gradients(plain: Plain, ours: TranslationNetwork) -> dict[str, tuple[Tensor, Tensor]]:
    """The gradients of both by our names, ours first."""
    theirs = dict(plain.named_parameters(remove_duplicate=False))
    found = {}
    for name, parameter in ours.named_parameters():
        other = theirs[renamed(name)].grad
        assert parameter.grad is not None
        assert other is not None
        found[name] = (parameter.grad, other.view_as(parameter.grad))
    return found
