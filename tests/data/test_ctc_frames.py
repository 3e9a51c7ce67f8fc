"""How many frames a transcript needs."""

from __future__ import annotations

import itertools

from unrolled.data.ctc_frames import frames_needed


def test_it_is_the_length_of_the_shortest_path_that_says_it() -> None:
    for count in range(4):
        for said in itertools.product((1, 2), repeat=count):
            steps = next(
                steps
                for steps in range(8)
                for path in itertools.product((0, 1, 2), repeat=steps)
                if tuple(token for token, _ in itertools.groupby(path) if token) == said
            )
            assert frames_needed(said) == steps


def test_a_text_counts_by_its_letters() -> None:
    assert frames_needed("hello book") == 12
