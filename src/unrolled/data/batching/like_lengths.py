"""`LikeLengths`: rows of like sizes in batches, dealt anew in each epoch."""

from __future__ import annotations

import numpy as np

from unrolled.data.batching.checks import check_step, epoch_generator

# The most cells of a padded batch, before the jitter, in the sizes of a batch. Rows of like lengths
# fill far fewer; this parts a long row from short neighbours.
_PADDED = 1.5


class LikeLengths:
    """Which rows are a batch: those of like sizes, in another order in each epoch.

    Args:
        sizes: of each row, `(N,)`.
        cuts: as `cut` gives them; by the sizes, not by the deal, so that every epoch has as many
            batches.
        jitter: sizes are disturbed by up to this share before they are sorted, so that the same
            rows do not meet in every epoch.
        seed: of the order.
    """

    def __init__(self, sizes: np.ndarray, cuts: np.ndarray, *, jitter: float, seed: int) -> None:
        self._sizes, self._cuts, self._jitter, self._seed = sizes, cuts, jitter, seed
        self._dealt: tuple[int, list[np.ndarray]] | None = None

    def __len__(self) -> int:
        return len(self._cuts) + 1

    def rows(self, step: int) -> tuple[int, np.ndarray]:
        """The epoch of a step and the rows of its batch; they depend on nothing but the arguments
        and `step`."""
        epoch, place = divmod(check_step(step), len(self))
        if self._dealt is None or self._dealt[0] != epoch:
            self._dealt = (epoch, self._deal(epoch))
        return epoch, self._dealt[1][place]

    def _deal(self, epoch: int) -> list[np.ndarray]:
        random = epoch_generator(self._seed, epoch)
        noise = random.uniform(1 - self._jitter, 1 + self._jitter, len(self._sizes))
        # The row of each rank is at most (1 + jitter) / (1 - jitter) times as long as the one that
        # the cuts were made by.
        batches = np.split(np.argsort(self._sizes * noise, kind="stable"), self._cuts)
        return [batches[place] for place in random.permutation(len(batches))]


def cut(sizes: np.ndarray, most: int) -> np.ndarray:
    """Where to cut rows into batches of about the same size, none of which is padded to far more.

    Args:
        sizes: of each row, ascending, `(N,)`.
        most: of a batch.

    Returns:
        the first row of each batch but the first, ascending.
    """
    sums = np.cumsum(sizes)
    count = max(1, -(-int(sums[-1]) // most))
    shares = np.searchsorted(sums, sums[-1] / count * np.arange(1, count))
    cuts, start = [], 0
    wanted = {int(one) for one in shares}
    for row in range(1, len(sizes)):
        if row in wanted or sizes[row] * (row + 1 - start) > _PADDED * most:
            cuts.append(row)
            start = row
    return np.array(cuts, dtype=np.int64)
