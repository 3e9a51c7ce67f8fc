"""What a `Tagger` is trained with: sentences as numbers, batches of their like, and a score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching import BucketedBatches
from unrolled.layers.crf_sums import Potentials
from unrolled.tasks.arrays import like
from unrolled.tasks.tagging.network import TagNetworks
from unrolled.tasks.tagging.parts import Part
from unrolled.tasks.tagging.word_forms import WIDTH, WordForms
from unrolled.training.spans import span_scores

# Words, padding counted, that are read at once where nothing is learnt, and pairs of tags that are
# compared at once, so that many tags take no more memory than few.
_WORDS_AT_ONCE, _PAIRS_AT_ONCE = 4096, 2**23


@dataclass(frozen=True)
class Sentences:
    """Sentences as rows of a table of their different words.

    Attributes:
        table: `(U + 1, F)`; row 0 is padding.
        rows: of each sentence the rows of its words.
    """

    table: torch.Tensor
    rows: list[np.ndarray]

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], forms: WordForms) -> Sentences:
        """Look every different word up once."""
        place: dict[str, int] = {}
        rows = [
            np.array([place.setdefault(word, len(place) + 1) for word in words], dtype=np.int64)
            for words in sentences
        ]
        table = np.zeros((len(place) + 1, WIDTH), dtype=np.int64)
        table[1:] = forms.rows(list(place))
        return cls(torch.from_numpy(table), rows)


class TaggedBatches:
    """Batches of sentences of like length; `inputs` `(T, B, F)`, targets `(T, B)`.

    Source of a `Trainer`: `self[step]` depends on the arguments and `step` alone.
    """

    def __init__(
        self, sentences: Sentences, tags: Sequence[np.ndarray], *, batch_size: int, seed: int
    ) -> None:
        self._table = sentences.table
        self._bucketed = BucketedBatches(sentences.rows, tags, batch_size=batch_size, seed=seed)

    def __len__(self) -> int:
        return len(self._bucketed)

    def __getitem__(self, step: int) -> Batch:
        batch = self._bucketed[step]
        return replace(batch, inputs=self._table[batch.inputs])


def numbers_of(part: Part, classes: Sequence[str]) -> list[np.ndarray]:
    """The tags of each sentence as places in `classes`."""
    place = {tag: at for at, tag in enumerate(classes)}
    return [np.array([place[tag] for tag in tags], dtype=np.int64) for tags in part.tags]


def ask(
    model: TagNetworks, sentences: Sentences, rules: Potentials, *, shares: bool = True
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The likeliest tags `(n,)` int64 of each sentence, and p of each tag `(n, C)` float32.

    Sentences of like length are read together; a sentence's answers do not depend on the others,
    but for rounding.
    """
    device = like(model).device
    lengths = np.array([len(rows) for rows in sentences.rows], dtype=np.int64)
    tags: list[np.ndarray] = [np.empty(0, dtype=np.int64)] * len(lengths)
    found: list[np.ndarray] = [np.empty((0, 0), dtype=np.float32)] * len(lengths)
    table = sentences.table.to(device)
    rules = Potentials(*(one.to(device) for one in rules))
    for group in _groups(lengths, len(rules.start)):
        longest = int(lengths[group].max())
        places = np.zeros((longest, len(group)), dtype=np.int64)
        for column, at in enumerate(group):
            places[: lengths[at], column] = sentences.rows[at]
        inputs = table[torch.from_numpy(places).to(device)]
        own = torch.from_numpy(lengths[group]).to(device)
        best, likely = model.answer(inputs, own, rules, shares=shares)
        for column, at in enumerate(group):
            tags[at] = best[: lengths[at], column].cpu().numpy()
            if likely is not None:
                found[at] = likely[: lengths[at], column].float().cpu().numpy()
    return tags, found


def validator(
    model: TagNetworks,
    part: Part,
    sentences: Sentences,
    classes: Sequence[str],
    rules: Potentials,
    scheme: str | None,
) -> Callable[[], float]:
    """What share of the words has a wrong tag; of spans, one less the F1."""

    def score() -> float:
        places, _ = ask(model, sentences, rules, shares=False)
        said = [[classes[place] for place in row] for row in places]
        if scheme is not None:
            return 1 - span_scores(part.tags, said).f1
        pairs = zip(part.tags, said, strict=True)
        return (
            sum(a != b for one, other in pairs for a, b in zip(one, other, strict=True))
            / part.count
        )

    return score


def _groups(lengths: np.ndarray, tags: int) -> list[np.ndarray]:
    """Places of sentences of like length, few enough to be read at once."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    most = max(1, _PAIRS_AT_ONCE // tags**2)
    groups, begin = [], 0
    for end in range(1, len(order) + 1):
        last = end == len(order)
        rows = end + 1 - begin
        if last or rows > most or rows * lengths[order[end]] > _WORDS_AT_ONCE:
            groups.append(order[begin:end])
            begin = end
    return groups
