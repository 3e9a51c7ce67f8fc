"""The half of a `Translator` that chooses how much a language model counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from unrolled.errors import ConfigError
from unrolled.tasks.text_models import open_text_model
from unrolled.tasks.translating.answering import Answering, told_of
from unrolled.tasks.translating.tuning import Tuned, tuned


class WithLanguage(Answering):
    """What a `Translator` learns of a language model's say, when its network is learnt."""

    def tune(
        self,
        data: Any,
        *,
        rerank: Any,
        source: str | int | None = None,
        target: str | int | None = None,
        tell: Callable[[str], object] | None = None,
        **options: Any,
    ) -> Tuned:
        """Choose how much a language model counts, by pairs that nothing was learnt from.

            weight = argmax over w of BLEU(best by score(y) + w log q(y) / penalty(|y|))

        There is one search; its answers are put in order with each of some weights, 0 among them.
        The weight is kept in `language_weights`, and with it in the model's file: it is what
        `rerank=` counts with from now on, unless `rerank_weight=` says otherwise. Where the model
        does not help the answer says so, and the weight is 0.

        Args:
            data, source, target: pairs, as for `evaluate`.
            rerank: `q`, a `Generator` or `NGramModel`, or its file.
            tell: called with a line for each step.
            options: of the search, as in `translate`: the weight is good for those.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: no model that reads texts; an option that can't work; a beam of 1, which
                leaves nothing to choose from.
            DataError, ModelFileError: pairs or a file that can't be read.

        Warns:
            DataWarning: pairs with an empty side were left out.
        """
        self._check_fitted()
        for name in ("rerank_weight", "n_best"):
            if name in options:
                raise ConfigError(f"{name}: tune has its own; leave it out")
        # Read once, before the search: a model that can't be used is told at once.
        model = open_text_model(rerank, "rerank")
        request = self._request({**options, "rerank": model})
        if request.beam == 1:
            raise ConfigError(
                "beam: a beam of 1 has one answer, and leaves nothing to choose from; search with 2"
                " or more"
            )
        pairs = self._direction.read(data, source, target)
        told_of(pairs)
        answers = self._searched(pairs.sources, request, part=" of those that are measured")
        found = tuned(
            lambda weight: [one.text for one in answers.translations(weight)],
            pairs.targets,
            tell=tell,
        )
        chosen_by = f"{len(pairs):,} sentences of {pairs.name}"
        self.language_weights = replace(found.weights, told=chosen_by)
        return found
