"""From long sequences to batches, in an order that a seed settles.

    len(source)     batches of one epoch
    source[step]    the batch of step 0, 1, 2, ... (epoch = step // len(source))

`source[step]` is a pure function of what the source was made of and of `step`: a run that is
resumed reads the same batches as one that never stopped.
"""

from __future__ import annotations

from unrolled.data.batching.bucketed import BucketedBatches
from unrolled.data.batching.contiguous import ContiguousBatches
from unrolled.data.batching.windows import WindowBatches

__all__ = ["BucketedBatches", "ContiguousBatches", "WindowBatches"]
