"""A `Generator` that another task starts from: how it is given, and by what it is known again."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError, ModelFileError

if TYPE_CHECKING:
    from unrolled.data.tokens import Tokenizer
    from unrolled.tasks.generator import Generator


def open_pretrained(given: Any, argument: str = "pretrained") -> tuple[Generator, str]:
    """The generator, and the name to call it by.

    Args:
        given: a fitted `Generator`, or the path of its file.
        argument: what it is given as.

    Raises:
        ModelFileError: the file can't be read, or holds another task.
        ConfigError: neither a fitted `Generator` nor a path.
    """
    from unrolled.tasks.generator import Generator
    from unrolled.tasks.loading import load, with_article

    if isinstance(given, str | os.PathLike):
        name = os.fspath(given)
        task = load(name)
        if not isinstance(task, Generator):
            raise ModelFileError(
                f"{name}: holds {with_article(type(task).__name__)}, expected a Generator:"
                f" {argument}= takes what a language model learnt; give the file of one"
            )
        return task, os.path.basename(name)
    if not isinstance(given, Generator):
        raise ConfigError(
            f"{argument}: got {type(given).__name__}, expected a Generator or the path of its file"
        )
    given._check_fitted()
    return given, "a Generator"


def tokens_of(generator: Generator) -> Tokenizer:
    """What it reads by."""
    found: Tokenizer = generator.vocabulary
    return found


def check_equal(name: str, argument: str, found: Any, task: str, given: Any) -> None:
    """ConfigError where an argument says otherwise than the generator is; None leaves it open.

    Args:
        name: of the generator, for messages.
        argument: its name.
        found: what the generator has; None where it has nothing to say.
        task: who was given the argument, such as "Classifier".
        given: the argument.
    """
    if given is not None and found is not None and given != found:
        raise ConfigError(
            f"pretrained: {name} has {argument}={found!r}, the {task} was given {given!r}; leave"
            f" {argument} out, or train a Generator with {argument}={given!r}"
        )


def digest_of(generator: Generator) -> str:
    """A sum of the encoder's weights and of the tokens."""
    digest = hashlib.sha256("".join(tokens_of(generator).pieces).encode("utf-8", "surrogatepass"))
    for name, weight in generator.model.encoder.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def name_to_keep(given: Any) -> str | None:
    """What a model's card keeps of a path: the file's name; None of what is no path.

    The whole path may say more of its owner than a shared model should.
    """
    return os.path.basename(given) if isinstance(given, str | os.PathLike) else None
