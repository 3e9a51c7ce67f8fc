"""The rival of a text classifier."""

from __future__ import annotations

import gzip
import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from unrolled.baselines import TfidfLogistic
from unrolled.baselines.tfidf import fit_weightings
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError

WORDS = {"good": ["fine", "lovely", "warm"], "bad": ["dull", "cold", "long"], "odd": ["a", "of"]}


def _texts(classes: list[str], count: int = 90) -> tuple[list[str], list[str]]:
    draws = np.random.default_rng(0)
    labels = [classes[k % len(classes)] for k in range(count)]
    return [
        " ".join([*draws.choice(WORDS[label], 2), *draws.choice(["film", "the", "it"], 3)])
        for label in labels
    ], labels


@pytest.mark.parametrize("weighting", ["tfidf", "naive-bayes"])
@pytest.mark.parametrize("classes", [["good", "bad"], ["good", "bad", "odd"]])
def test_it_learns_which_words_tell_a_class(weighting: str, classes: list[str]) -> None:
    texts, labels = _texts(classes)
    rival = TfidfLogistic(weighting=weighting).fit(texts, labels)
    assert rival.classes == tuple(sorted(classes))
    assert rival.predict(["dull cold film", "lovely the it"]) == ["bad", "good"]
    shares = rival.predict_proba(texts)
    assert shares.shape == (90, len(classes))
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert rival.learnt_from == 90


@pytest.mark.parametrize("weighting", ["tfidf", "naive-bayes"])
def test_several_labels_have_a_probability_each(weighting: str) -> None:
    texts, labels = _texts(["good", "bad"])
    both = [f"{one} {other}" for one, other in itertools.pairwise(texts)]
    held = [tuple({a, b}) for a, b in itertools.pairwise(labels)]
    rival = TfidfLogistic(weighting=weighting).fit(
        [*texts, *both, "film film"], [*[(one,) for one in labels], *held, ()]
    )
    assert rival.several
    assert rival.predict(["dull cold", "warm warm", "dull lovely cold warm"]) == [
        ("bad",),
        ("good",),
        ("bad", "good"),
    ]
    assert rival.predict_proba(["dull lovely cold warm"]).sum() > 1.2


@pytest.mark.parametrize("several", [False, True])
def test_rivals_that_are_fitted_together_are_those_fitted_alone(several: bool) -> None:
    texts, labels = _texts(["good", "bad", "odd"])
    told = [(one,) for one in labels] if several else labels
    together = fit_weightings(texts, told, several=several, sample=80, seed=3)
    assert set(together) == {"tfidf", "naive-bayes"}
    for weighting, rival in together.items():
        alone = TfidfLogistic(weighting=weighting, sample=80, seed=3).fit(
            texts, told, several=several
        )
        assert rival.name == alone.name
        arrays, expected = rival.to_arrays(), alone.to_arrays()
        assert arrays.keys() == expected.keys()
        for name, array in expected.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_a_label_of_every_text_has_the_share_of_all() -> None:
    texts, labels = _texts(["good", "bad"])
    rival = TfidfLogistic().fit(texts, [(one, "text") for one in labels])
    shares = rival.predict_proba(["dull", "warm"])[:, rival.classes.index("text")]
    assert (shares > 0.98).all()
    assert shares[0] == shares[1]


def test_weights_of_grams_are_those_of_scikit_learn() -> None:
    texts, labels = _texts(["good", "bad"])
    rival = TfidfLogistic(min_count=1).fit(texts, labels)
    counts = rival._counts.transform(texts)
    found = np.asarray(rival._features(counts, rival._idf).todense())
    other = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True)
    expected = np.asarray(other.fit_transform(texts).todense())
    # The order of the columns differs: compare how alike each two texts are.
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


@pytest.mark.parametrize("weighting", ["tfidf", "naive-bayes"])
def test_a_rival_from_its_arrays_gives_the_same_bits(weighting: str) -> None:
    texts, labels = _texts(["good", "bad", "odd"])
    rival = TfidfLogistic((1, 3), "char", weighting=weighting, seed=3).fit(texts, labels)
    arrays = rival.to_arrays()
    assert all(array.dtype.kind in "iuf" for array in arrays.values())
    back = TfidfLogistic.from_arrays(arrays)
    np.testing.assert_array_equal(back.predict_proba(texts), rival.predict_proba(texts))
    assert (back.name, back.c, back.several) == (rival.name, rival.c, rival.several)
    again = TfidfLogistic((1, 3), "char", weighting=weighting, seed=3).fit(texts, labels)
    np.testing.assert_array_equal(again.predict_proba(texts), rival.predict_proba(texts))


def test_a_text_of_unknown_words_or_none_has_the_answer_of_no_words() -> None:
    rival = TfidfLogistic().fit(*_texts(["good", "bad"]))
    shares = rival.predict_proba(["", "zzz qqq"])
    np.testing.assert_array_equal(shares[0], shares[1])
    assert np.isfinite(shares).all()
    assert rival.predict_proba([]).shape == (0, 2)


def test_a_sample_is_drawn_by_the_seed_and_told() -> None:
    texts, labels = _texts(["good", "bad"])
    first, second = (TfidfLogistic(sample=50, seed=seed).fit(texts, labels) for seed in (0, 1))
    assert first.learnt_from == second.learnt_from == 50
    assert not np.array_equal(first.predict_proba(texts), second.predict_proba(texts))


def test_a_class_with_one_text_is_learnt_too() -> None:
    texts, labels = _texts(["good", "bad"])
    rival = TfidfLogistic().fit([*texts, "odd one out"], [*labels, "odd"])
    assert rival.predict_proba(["odd one out"]).shape == (1, 3)


def test_bad_input_is_named_in_one_plain_line() -> None:
    with pytest.raises(ConfigError, match="weighting is 'none'"):
        TfidfLogistic(weighting="none")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="sample is 1"):
        TfidfLogistic(sample=1)
    with pytest.raises(NotFittedError, match="fit"):
        TfidfLogistic().predict(["a"])
    with pytest.raises(NotFittedError, match="fit"):
        TfidfLogistic().to_arrays()
    with pytest.raises(DataError, match="1 texts and 2 labels"):
        TfidfLogistic().fit(["a"], ["x", "y"])
    with pytest.raises(DataError, match=r"1 class \(x\)"):
        TfidfLogistic().fit(["a", "b"], ["x", "x"])
    with pytest.raises(DataError, match="no word stands in 1 of the 2 texts"):
        TfidfLogistic().fit(["", " "], ["x", "y"])


@pytest.mark.parametrize("name", ["kind", "c", "idf", "weights", "biases", "classes_bytes"])
def test_an_array_that_is_missing_or_of_another_shape_is_told(name: str) -> None:
    arrays = TfidfLogistic().fit(*_texts(["good", "bad"])).to_arrays()
    with pytest.raises(ModelFileError, match=f"TfidfLogistic lacks the array '{name}'"):
        TfidfLogistic.from_arrays({k: v for k, v in arrays.items() if k != name})
    with pytest.raises(ModelFileError, match="TfidfLogistic has"):
        TfidfLogistic.from_arrays(arrays | {name: np.zeros((3, 3), dtype=arrays[name].dtype)})


@pytest.mark.data
def test_on_film_reviews_it_is_as_good_as_published() -> None:
    folders = [Path(one) for one in os.environ["UNROLLED_DATA"].split(os.pathsep)]
    folder = next((one / "mr" for one in folders if (one / "mr").exists()), None)
    if folder is None:
        pytest.skip("needs the public data set mr")
    texts, labels = [], []
    for label in ("pos", "neg"):
        lines = gzip.decompress((folder / f"rt-polarity.utf8.{label}.gz").read_bytes()).decode()
        new = [line for line in lines.split("\n") if line]
        texts += new[::3]
        labels += [label] * len(new[::3])
    apart = np.arange(len(texts)) % 10 == 0
    rival = TfidfLogistic(weighting="naive-bayes").fit(
        [text for text, out in zip(texts, apart, strict=True) if not out],
        [label for label, out in zip(labels, apart, strict=True) if not out],
    )
    said = rival.predict([text for text, out in zip(texts, apart, strict=True) if out])
    real = [label for label, out in zip(labels, apart, strict=True) if out]
    # A third of the texts: .73; the whole, in ten parts: .789 (docs/baselines.md).
    assert np.mean([a == b for a, b in zip(said, real, strict=True)]) > 0.68
