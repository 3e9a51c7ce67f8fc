"""The gate of a translator: rivals, what is compared and told, and the worst sentences."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from unrolled.errors import DataError
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.poor import worst_table
from unrolled.tasks.translating import gate
from unrolled.training.translation_scores import sentence_chrf, translation_scores

NUMBERS = {"eins": "one", "zwei": "two", "drei": "three", "vier": "four", "elf": "eleven"}
NUMBERS |= {"zwölf": "twelve"}
PAIRS = [(" ".join(row), " ".join(map(NUMBERS.get, row))) for row in permutations(NUMBERS, 4)][::9]
SOURCES, REFERENCES = [one for one, _ in PAIRS], [other for _, other in PAIRS]
SAID = [f"{text} too" for text in REFERENCES[:20]] + REFERENCES[20:]


def _evaluation(said: list[str] = SAID) -> Evaluation:
    rivals = gate.fit_rivals(SOURCES, REFERENCES, seed=0)
    answers = {gate.name_of(one, len(SOURCES)): one.translate(SOURCES) for one in rivals.values()}
    return gate.evaluation_of(SOURCES, REFERENCES, said, answers, "40 pairs")


def test_the_better_rival_is_compared_by_bleu_and_by_chrf() -> None:
    found, right = _evaluation(), translation_scores(SAID, REFERENCES)
    bleu, chrf = found.comparisons
    assert (bleu.metric, bleu.network) == ("BLEU", right.bleu)
    assert (chrf.metric, chrf.network) == ("chrF", right.chrf)
    assert bleu.baseline_name == chrf.baseline_name == "word for word by IBM model 1"
    assert bleu.higher_is_better
    assert chrf.higher_is_better
    assert bleu.baseline == pytest.approx(100)  # word for word is all that this language needs
    assert bleu.verdict == chrf.verdict == "network loses"
    assert _evaluation(REFERENCES).verdict == "tie"


def test_all_figures_of_all_rivals_are_details() -> None:
    found = _evaluation()
    assert found["exact"] == 0.5
    assert found["length ratio"] == pytest.approx((20 * 5 + 20 * 4) / (40 * 4))
    who = found.contestants()
    assert list(who) == ["network", "word for word by IBM model 1", "copy of the source"]
    assert who["copy of the source"]["BLEU"] == translation_scores(SOURCES, REFERENCES).bleu
    assert who["copy of the source"]["exact"] == 0
    for figures in who.values():
        assert list(figures) == list(who["network"])


def test_bleu_by_the_length_of_the_source_is_a_detail_where_lengths_differ() -> None:
    assert not any(name.startswith("BLEU ") for name in _evaluation().details)
    sources = SOURCES + [f"{text}, sehr alt und auch klein" for text in SOURCES]
    references = REFERENCES + [f"{text}, very old and small too" for text in REFERENCES]
    said = SAID + ["it is old"] * 40
    found = gate.evaluation_of(sources, references, said, {"copy": sources}, "80 pairs")
    short, long = found["BLEU up to 5"], found["BLEU above 5"]
    assert short == translation_scores(SAID, REFERENCES).bleu
    assert long == translation_scores(said[40:], references[40:]).bleu
    assert f"{short:#.4g}" in str(found)
    assert found.contestants()["copy"]["BLEU above 5"] < short


def test_words_are_counted_with_marks_and_in_scripts_without_spaces() -> None:
    assert gate.words_of(["Das Haus, alt.", "他今天去", "", "don't"]) == [5, 4, 0, 1]


def test_signatures_are_printed_and_kept() -> None:
    found = _evaluation()
    bleu, chrf = found.notes
    scores = translation_scores(SAID, REFERENCES)
    assert bleu == f"BLEU {scores.bleu_signature}"
    assert chrf == f"chrF {scores.chrf_signature}"
    assert str(found).splitlines()[-3:] == ["measured on 40 pairs", bleu, chrf]
    again = Evaluation.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found


def test_the_script_of_the_references_says_how_bleu_cuts_words() -> None:
    sources = [f"a {n}" for n in range(30)] + [f"a b c d e {n}" for n in range(30)]
    chinese = [f"他今天去北京{n}" for n in range(60)]
    rival = [text.replace("北京", "上海") for text in chinese]
    for asked, used in ((None, "zh"), ("char", "char")):
        found = gate.evaluation_of(sources, chinese, chinese, {"copy": rival}, "60", tokenize=asked)
        assert f"tok:{used}" in found.notes[0]
        assert found["BLEU"] == found["BLEU up to 5"] == pytest.approx(100)
        own = found.contestants()["copy"]
        assert own["BLEU"] == translation_scores(rival, chinese, tokenize=used).bleu
        short = translation_scores(rival[:30], chinese[:30], tokenize=used)
        assert own["BLEU up to 5"] == short.bleu > 0


def test_the_rivals_of_a_file_say_the_same() -> None:
    from unrolled.baselines.owners import together

    rivals = gate.fit_rivals(SOURCES, REFERENCES, seed=0)
    kept = gate.rivals_from(together({kind: one.to_arrays() for kind, one in rivals.items()}))
    assert list(kept) == list(rivals)
    for kind, one in rivals.items():
        assert kept[kind].translate(SOURCES) == one.translate(SOURCES)


def test_a_rival_that_learnt_from_a_sample_says_so() -> None:
    dictionary = gate.fit_rivals(SOURCES, REFERENCES, seed=0)["dictionary"]
    assert gate.name_of(dictionary, 40) == "word for word by IBM model 1"
    assert gate.name_of(dictionary, 4000) == "word for word by IBM model 1, on 40 pairs"
    assert gate.name_of(gate.CopySource(), 4000) == "copy of the source"


def test_the_worst_sentences_come_first_and_none_that_is_right() -> None:
    said = [
        REFERENCES[0],
        "whale",
        f"{REFERENCES[2]} too",
        "",
        " " + REFERENCES[4],
    ]
    found = gate.worst(SOURCES[:5], REFERENCES[:5], said)
    assert [one.place for one in found] == [3, 1, 2]
    chrf = sentence_chrf(said, REFERENCES[:5])
    for one in found:
        assert one.chrf == chrf[one.place]
        assert (one.source, one.reference) == (SOURCES[one.place], REFERENCES[one.place])
        assert one.said == said[one.place]
    assert gate.worst(SOURCES[:5], REFERENCES[:5], said, 2) == found[:2]
    assert gate.worst(SOURCES, REFERENCES, REFERENCES) == ()


def test_the_worst_sentences_are_told_with_source_and_reference() -> None:
    told = worst_table(gate.worst(SOURCES[:1], REFERENCES[:1], [""]))
    assert told.splitlines() == [
        "1: chrF 0.0",
        "  source     eins zwei drei vier",
        "  reference  one two three four",
        "  said",
    ]


def test_texts_that_do_not_belong_together_are_told() -> None:
    with pytest.raises(DataError, match="2 translations and 3 references"):
        gate.evaluation_of(SOURCES[:3], REFERENCES[:3], SAID[:2], {"copy": SOURCES[:3]}, "")
    with pytest.raises(DataError, match="2 lengths of sources and 3 translations"):
        gate.evaluation_of(SOURCES[:2], REFERENCES[:3], SAID[:3], {"copy": SOURCES[:3]}, "")
    with pytest.raises(DataError, match="2 sources and 3"):
        gate.worst(SOURCES[:2], REFERENCES[:3], SAID[:3])
