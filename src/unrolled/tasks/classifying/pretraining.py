"""Starting from a `Generator`: its tokenizer, its encoder's weights, and rates that keep them."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from torch import nn

from unrolled.errors import ConfigError, ModelFileError
from unrolled.training.optimizer import Pace

if TYPE_CHECKING:
    from unrolled.data.tokens import Tokenizer
    from unrolled.tasks.generator import Generator


def open_pretrained(given: Any) -> tuple[Generator, str]:
    """The generator, and the name to call it by.

    Raises:
        ModelFileError: the file can't be read, or holds another task.
        ConfigError: neither a fitted `Generator` nor a path.
    """
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load

    if isinstance(given, str | os.PathLike):
        name = os.fspath(given)
        task = load(name)
        if not isinstance(task, Generator):
            raise ModelFileError(
                f"{name}: holds a {type(task).__name__}, expected a Generator: pretrained= takes"
                " the encoder of a language model"
            )
        return task, os.path.basename(name)
    if not isinstance(given, Generator):
        raise ConfigError(
            f"pretrained: got {type(given).__name__}, expected a Generator or the path of its file"
        )
    given._check_fitted()
    return given, "a Generator"


def tokens_of(generator: Generator) -> Tokenizer:
    """What it reads by."""
    found: Tokenizer = generator.vocabulary
    return found


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
        if value is not None and found[argument] is not None and value != found[argument]:
            raise ConfigError(
                f"pretrained: {name} has {argument}={found[argument]!r}, the Classifier was given"
                f" {value!r}; leave {argument} out, or train a Generator with"
                f" {argument}={value!r}"
            )
    if wanted.get("vocabulary_size") is not None:
        raise ConfigError(
            f"vocabulary_size: the vocabulary is that of {name} ({len(tokens_of(generator)):,}"
            " tokens); leave vocabulary_size out"
        )
    return found


def digest_of(generator: Generator) -> str:
    """A sum of the encoder's weights and of the tokens."""
    digest = hashlib.sha256("".join(tokens_of(generator).pieces).encode("utf-8", "surrogatepass"))
    for name, weight in generator.model.encoder.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


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
