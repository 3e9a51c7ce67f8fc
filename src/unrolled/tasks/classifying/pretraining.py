"""Starting from a `Generator`: its tokenizer, its encoder's weights, and rates that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from unrolled.errors import ConfigError
from unrolled.tasks.pretrained import check_equal, tokens_of
from unrolled.training.optimizer import Pace

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator


def check_like(generator: Generator, name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The sizes that come with the generator.

    Args:
        generator: fitted.
        name: of it, for messages.
        wanted: what the classifier's arguments say; None where they leave it open.

    Raises:
        ConfigError: an argument that says otherwise than the generator is.
    """
    encoder = generator.model.encoder
    found = {
        "tokenizer": tokens_of(generator).kind,
        "vocabulary_size": None,
        "lower": bool(getattr(tokens_of(generator), "lower", False)),
        "cell": generator.cell,
        "directions": 2 if encoder.recurrent.bidirectional else 1,
        "hidden_size": encoder.recurrent.hidden_size,
        "layers": encoder.recurrent.num_layers,
        "embedding_size": encoder.embedding.embedding_dim,
    }
    for argument, value in wanted.items():
        check_equal(name, argument, found[argument], "Classifier", value)
    if wanted.get("vocabulary_size") is not None:
        raise ConfigError(
            f"vocabulary_size: the vocabulary is that of {name} ({len(tokens_of(generator)):,}"
            " tokens); leave vocabulary_size out"
        )
    return found


def copy_encoder(generator: Generator, network: nn.Module) -> None:
    """Give the network's encoder the generator's weights."""
    encoder: Any = network.encoder
    weights = generator.model.encoder.state_dict()
    encoder.load_state_dict(weights)


def paces(layers: int, decay: float, unfreeze: float) -> tuple[Pace, ...]:
    """The rate of each part from the embedding (slowest) up, and when it begins to learn.

    Each layer below the head learns `decay` times as slowly as the one above; the head learns alone
    for a share `unfreeze` of the run, then the top layer with it for as long, and so on down.

    Source: Howard & Ruder 2018 (arXiv 1801.06146): 2.6, and an epoch each.
    """
    found = [
        Pace(
            f"encoder.recurrent.*_l{layer}*",
            decay ** -(layers - layer),
            unfreeze * (layers - layer),
        )
        for layer in range(layers)
    ]
    return (*found, Pace("encoder.*", decay ** -(layers + 1), unfreeze * (layers + 1)))
