"""The answering half of a `Translator`: translations, their scores, and its file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from unrolled.baselines.owners import together
from unrolled.data.doctor_checkup import Checkup
from unrolled.data.pairs import SentencePairs, places_told
from unrolled.data.text_doctor_findings import counted
from unrolled.errors import ConfigError, DataWarning
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.base import Task
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.translating.asking import searched
from unrolled.tasks.translating.building import build
from unrolled.tasks.translating.direction import Direction
from unrolled.tasks.translating.encoding import PairTokens
from unrolled.tasks.translating.gate import MOST, Rivals, evaluation_of, name_of, rivals_from
from unrolled.tasks.translating.links import WordLink, word_links
from unrolled.tasks.translating.networks import AnyTranslationNetwork, TranslationNetworks
from unrolled.tasks.translating.request import Request, Translation
from unrolled.tasks.translating.searched import Searched
from unrolled.tasks.translating.settings import Settings
from unrolled.tasks.translating.stepping import begun, read_token
from unrolled.tasks.translating.tuning import Weights
from unrolled.tasks.translating.unknown_scripts import warn_of_scripts


class Answering(Task):
    """What a fitted `Translator` is asked, and what its file holds.

    Attributes:
        model: the network, or several.
        tokens: the tokenizers of both sides.
        settings: the numbers that it was made and trained with.
        checkup: the data doctor's.
        rivals: fitted on the same pairs.
        language_weights: how much a language model counts, as `tune` chose it.
    """

    model: AnyTranslationNetwork
    tokens: PairTokens
    settings: Settings
    checkup: Checkup
    rivals: Rivals
    members: int
    _longest: int
    _learnt_pairs: int
    # None: a file of before they were kept
    _scripts: tuple[str, ...] | None
    _direction: Direction
    language_weights: Weights = Weights()

    def predict(self, sentences: Iterable[str], **options: Any) -> list[str]:
        """The best translation of each sentence.

        Args:
            sentences: one line each.
            options: of the search, as in `translate`.
        """
        return [one.text for one in self.translate(sentences, **options)]

    def translate(
        self, sentences: Iterable[str], *, before: int = 0, **options: Any
    ) -> list[Translation]:
        """The best translation of each sentence, with its score and where it looked.

        Args:
            sentences: one line each.
            before: how many came before these, which warnings and errors number on from.
            options: fields of `Request`: `beam`, `n_best`, `length_penalty` and others.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: an option that can't work, no list of sentences, or one that is no text.

        Warns:
            DataWarning: a sentence is longer than any that was learnt, or has no letter in a
                script that was learnt.
        """
        self._check_fitted()
        listed = isinstance(sentences, Iterable) and not isinstance(sentences, str)
        if not listed:
            raise ConfigError(
                "sentences: expected a list of them, such as ['Guten Tag.']; a text is split into"
                " lines first"
            )
        several = list(sentences)
        for number, one in enumerate(several, start=before + 1):
            if not isinstance(one, str):
                raise ConfigError(f"sentence {number:,}: got {type(one).__name__}, expected text")
        return self._searched(several, self._request(options), before=before).translations()

    def _request(self, options: Mapping[str, Any]) -> Request:
        """With the weight that `tune` chose, where no other is given."""
        return Request.of({**self.language_weights.numbers, **options})

    def _searched(
        self, sentences: Sequence[str], request: Request, *, before: int = 0, part: str = ""
    ) -> Searched:
        if self._scripts is not None:
            warn_of_scripts(sentences, self._scripts, before=before, part=part)
        longest = self._longest
        return searched(
            self.model, self.tokens, sentences, request, longest, before=before, part=part
        )

    def word_links(self, translation: Translation) -> list[WordLink]:
        """Where each word of a translation looked, in the order of the words.

        Args:
            translation: what `translate` gave.

        Raises:
            ConfigError: the model has no attention.
        """
        return word_links(translation, self.tokens.kind)

    def start(self, sentence: str) -> Arrays:
        """The state before the first token of a sentence's translation: plain arrays, for `step`.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: that is no sentence.
        """
        self._check_fitted()
        if not isinstance(sentence, str) or not sentence.strip():
            raise ConfigError(f"sentence: got {sentence!r}, expected a text with at least one word")
        return begun(self.model, self.tokens.sources([sentence])[0])

    def step(self, token: str | int | None, state: Arrays) -> tuple[np.ndarray, Arrays]:
        """Read one token of a translation, chosen by whom you like.

        Args:
            token: one of `tokens.target.pieces` that is whole characters, or its number; None: the
                beginning. What is no piece is read as one word or character of a text would be.
            state: what `start` or an earlier `step` gave; stays as it is.

        Returns:
            The probability of each token to come next, float32 `(V,)` (`tokens.end` is that of the
            end), and the new state; its `looked` `(S,)` says where in the source it looked.

        Raises:
            ConfigError: no such token, a piece of several tokens, or no state of this model.
        """
        self._check_fitted()
        return read_token(self.model, self._number_of(token), state)

    def _number_of(self, token: str | int | None) -> int:
        if token is None:
            return self.tokens.end
        target = self.tokens.target
        if isinstance(token, str):
            same = target.pieces.count(token)
            if same > 1:
                raise ConfigError(
                    f"step: {same} tokens are written {token!r}; give the number of one, its place"
                    " in tokens.target.pieces"
                )
            found = [target.pieces.index(token)] if same else target.encode(token).tolist()
            if len(found) == 1:
                return int(found[0])
        elif not isinstance(token, bool) and token in range(len(target)):
            return int(token)
        kind = target.kind.removesuffix("s")
        raise ConfigError(f"step: got {token!r}, expected one {kind} or its number")

    def evaluate(
        self,
        data: Any = None,
        *,
        source: str | int | None = None,
        target: str | int | None = None,
        worst: int = MOST,
        **options: Any,
    ) -> Evaluation:
        """BLEU and chrF beside the rivals', of new pairs or (without) as `fit` measured.

        Args:
            data: as for `fit`; None: what `fit` measured.
            source, target: columns of a table; None for both: those that `fit` read, and what has
                the names of its columns is turned to its direction. A list is taken as it is.
            worst: how many of the worst sentences to keep in `worst`.
            options: of the search.

        Raises:
            ConfigError: a number of sentences below 0, or an option of the search that can't work.
            DataError: pairs that can't be read.

        Warns:
            DataWarning: pairs with an empty side were left out.
        """
        if not isinstance(worst, int) or isinstance(worst, bool) or worst < 0:
            raise ConfigError(f"worst: got {worst!r}, expected a whole number from 0 on")
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        pairs = self._direction.read(data, source, target)
        found = self._evaluate(
            pairs.sources,
            pairs.targets,
            f"all of {pairs.name}, {len(pairs):,} sentences",
            worst,
            **options,
        )
        return replace(found, notes=(*found.notes, *told_of(pairs)))

    def _evaluate(
        self,
        sources: Sequence[str],
        targets: Sequence[str],
        told: str,
        worst: int = MOST,
        **options: Any,
    ) -> Evaluation:
        request = self._request(options)
        found = self._searched(sources, request, part=" of those that are measured")
        said = [one.text for one in found.translations()]
        rivals = {
            name_of(one, self._learnt_pairs): one.translate(sources) for one in self.rivals.values()
        }
        return evaluation_of(sources, targets, said, rivals, told, most=worst)

    def _build(self) -> AnyTranslationNetwork:
        sources = len(self.tokens.source)
        targets = None if self.tokens.shared else len(self.tokens.target)
        networks = [
            build(self.settings, self.cell, self.directions, sources, targets)
            for _ in range(self.members)
        ]
        return networks[0] if len(networks) == 1 else TranslationNetworks(networks)

    def _assets(self) -> dict[str, Any]:
        return {
            "tokens": self.tokens.to_assets(),
            "settings": asdict(self.settings),
            "longest": self._longest,
            "pairs": self._learnt_pairs,
            "direction": self._direction.to_assets(),
            "scripts": None if self._scripts is None else list(self._scripts),
            "language": asdict(self.language_weights),
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.tokens = PairTokens.from_assets(assets["tokens"])
        self.settings = Settings(**assets["settings"])
        self._longest = int(assets["longest"])
        self._learnt_pairs = int(assets["pairs"])
        self._direction = Direction.from_assets(assets["direction"])
        self.language_weights = Weights(**assets.get("language", {}))
        scripts = assets.get("scripts")
        self._scripts = None if scripts is None else tuple(map(str, scripts))

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return together({kind: rival.to_arrays() for kind, rival in self.rivals.items()})

    def _restore_baseline(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.rivals = rivals_from(arrays)


def told_of(pairs: SentencePairs) -> tuple[str, ...]:
    """What was guessed and left out in reading; a warning where that is more than empty lines."""
    if not pairs.one_sided:
        return pairs.notes
    what = "line" if pairs.lines else "row"
    told = (
        f"left out {counted(len(pairs.one_sided), 'pair')} with one empty side:"
        f" {places_told(pairs.one_sided, what)}"
    )
    warnings.warn(f"{pairs.name}: {told}", DataWarning, stacklevel=3)
    return (*pairs.notes, told)
