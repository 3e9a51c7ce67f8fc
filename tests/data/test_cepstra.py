"""Cepstra and the bands that they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.data.cepstra import bands_of_cepstra, centres_of_cepstra


def cepstra_of(energies: np.ndarray, count: int) -> np.ndarray:
    """As Sphinx makes them."""
    bands = energies.shape[1]
    waves = np.cos(np.pi * np.outer(np.arange(count), np.arange(bands) + 0.5) / bands)
    return energies @ waves.T / bands


def test_all_cepstra_give_back_the_energies_that_they_were_made_of() -> None:
    energies = np.random.default_rng(0).normal(size=(7, 12))
    found = bands_of_cepstra(cepstra_of(energies, 12), 12)
    np.testing.assert_allclose(found, energies, rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize("bands", [13, 24, 40])
def test_fewer_cepstra_give_the_smoothed_spectrum_at_any_number_of_bands(bands: int) -> None:
    # Smooth already: three waves over the range, of which 13 cepstra lose nothing.
    def smooth(places: np.ndarray) -> np.ndarray:
        return 2 - np.cos(np.pi * places) + 0.5 * np.cos(3 * np.pi * places)

    cepstra = cepstra_of(smooth((np.arange(40) + 0.5) / 40)[None], 13)
    wanted = smooth(centres_of_cepstra(bands))[None]
    np.testing.assert_allclose(bands_of_cepstra(cepstra, bands), wanted, rtol=1e-5, atol=1e-5)
