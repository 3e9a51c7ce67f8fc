"""The report about labels: what it says, and that it is one quiet file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from unrolled.errors import ConfigError, OutputError
from unrolled.lens.picture_confusion import MOST, confusion_svg, shown_labels
from unrolled.lens.picture_reliability import reliability_svg, wilson
from unrolled.lens.report_labels import report_text, write_report
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.label_scores import LabelScores
from unrolled.training.classification import reliability


def _scores(classes: int = 3, items: int = 400, right: float = 0.8) -> LabelScores:
    draws = np.random.default_rng(0)
    actual = draws.integers(0, classes, items)
    said = np.where(draws.random(items) < right, actual, draws.integers(0, classes, items))
    names = [f"<label {k}>" for k in range(classes)]
    return LabelScores.of(names, actual, said, draws.uniform(0.6, 1, items))


def _evaluation(scores: LabelScores | None, network: float = 0.9) -> Evaluation:
    compared = (
        Comparison("accuracy", network, 0.8, "TF-IDF & friends", higher_is_better=True),
        Comparison("log loss", 0.3, 0.4, "TF-IDF & friends"),
    )
    return Evaluation(compared, {"macro F1": 0.87654}, "400 <items>", scores)


class _Tags(HTMLParser):
    """Fails where an element is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "link", "br", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


@pytest.mark.parametrize("classes", [2, 3, 30])
def test_the_page_is_whole_runs_no_script_and_fetches_nothing(classes: int) -> None:
    text = report_text("Films <b>", _evaluation(_scores(classes)))
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert "script" not in tags.seen
    assert "<b>" not in text.split("<body>")[1].split("</h1>")[0].replace("Films &lt;b&gt;", "")
    assert "<label" not in text
    assert "400 &lt;items&gt;" in text
    assert not re.search(r"https?://|\{\{", text)


@pytest.mark.parametrize(
    ("network", "words", "kind"),
    [
        (0.9, "The network wins.", "wins"),
        (0.7, "The network LOSES to a simple rival.", "loses"),
        (0.8, "A tie:", "tie"),
    ],
)
def test_the_gate_is_said_in_words(network: float, words: str, kind: str) -> None:
    text = report_text("Films", _evaluation(_scores(), network))
    assert words in text
    assert f'class="card verdict {kind}"' in text
    assert f"network {network:.4g}, TF-IDF &amp; friends 0.8" in text
    assert "0.8765" in text


def test_every_label_has_its_line_the_most_frequent_first() -> None:
    scores = _scores()
    text = report_text("Films", _evaluation(scores)).split("Label by label")[1]
    found = re.findall(r"<td>&lt;(label \d)&gt;</td><td>(\d+)</td>", text)
    assert [int(count) for _, count in found] == sorted(scores.support, reverse=True)
    assert len(found) == 3


def test_a_heat_map_shows_counts_and_shares_of_the_row() -> None:
    scores = LabelScores.of(["a", "b"], np.array([0, 0, 0, 0, 1]), np.array([0, 0, 0, 1, 1]))
    drawn = confusion_svg(scores)
    assert re.findall(r'class="count mid"[^>]*>([^<]+)<', drawn) == ["3", "1", "1"]
    assert re.findall(r'class="share mid"[^>]*>([^<]+)<', drawn) == ["75%", "25%", "100%"]
    assert "a said to be b: 1 (25.0%)" in drawn
    assert "b said to be a: 0 (0.0%)" in drawn


def test_of_many_labels_the_most_mistaken_are_drawn_and_the_rest_together() -> None:
    actual = np.repeat(np.arange(30), 3)
    said = actual.copy()
    said[:60] = (said[:60] + 1) % 20  # mistakes among the first twenty alone
    scores = LabelScores.of([str(k) for k in range(30)], actual, said)
    labels, table = shown_labels(scores)
    assert labels == [*(str(k) for k in range(20)), "all others"]
    assert len(labels) == MOST + 1
    assert table.sum() == 90
    assert table[20, 20] == 30
    assert "20 labels with the most mistakes of 30" in report_text("x", _evaluation(scores))


def test_labels_without_an_item_draw_no_share() -> None:
    scores = LabelScores.of(["a", "never"], np.array([0, 0]), np.array([0, 0]))
    assert "never said to be a: 0 (0.0%)" in confusion_svg(scores)


@pytest.mark.parametrize(
    ("sure", "share", "words"),
    [
        (0.8, 0.8, "can be taken at its word"),
        (0.8, 0.77, "a little too sure of itself"),
        (0.8, 0.6, "the network is too sure of itself"),
        (0.6, 0.9, "the network is not sure enough of itself"),
    ],
)
def test_the_confidence_is_judged_in_words(sure: float, share: float, words: str) -> None:
    right = np.arange(1000) < share * 1000
    scores = LabelScores.of(["a", "b"], np.where(right, 0, 1), np.zeros(1000, int), [sure] * 1000)
    assert words in report_text("x", _evaluation(scores))


def test_a_bar_tells_its_count_confidence_and_share_right() -> None:
    drawn = reliability_svg(reliability([0.9] * 4, [True, True, True, False]))
    assert "4 with a confidence of 90.0% on average: 75.0% right (95% interval" in drawn
    low, high = wilson(0.75, 4)
    assert f"{low:.1%} to {high:.1%}" in drawn
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)


def test_without_confidence_or_confusion_the_rest_is_still_there() -> None:
    plain = LabelScores.of(["a", "b"], np.array([0, 1]), np.array([0, 1]))
    assert "trusted" not in report_text("x", _evaluation(plain))
    several = LabelScores.of(["a", "b"], np.eye(2, dtype=bool), np.eye(2, dtype=bool), np.eye(2))
    text = report_text("x", _evaluation(several))
    assert "What is taken for what" not in text
    assert "decisions" in text


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write_report("Films", _evaluation(_scores()), tmp_path / "report.html")
    before = path.read_bytes()
    assert before == report_text("Films", _evaluation(_scores())).encode()
    with pytest.raises(ConfigError, match="no figures of labels"):
        write_report("Films", _evaluation(None), path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OutputError, match="nowhere"):
        write_report("Films", _evaluation(_scores()), tmp_path / "nowhere" / "report.html")


def test_one_table_has_a_row_for_each_contestant_and_a_column_for_each_metric() -> None:
    compared = (Comparison("accuracy", 0.9, 0.8, "TF-IDF", higher_is_better=True),)
    details = {"AUC": 0.95, "accuracy, network alone": 0.85, "AUC, TF-IDF": 0.875}
    evaluation = Evaluation(compared, details, "400 items", _scores())
    table = report_text("Films", evaluation).split('<table class="contest">')[1]
    rows = re.findall(r"<tr.*?</tr>", table.split("</table>")[0])
    cells = [re.findall(r"<t[dh][^>]*>([^<]*)<", row) for row in rows]
    assert cells == [
        ["", "accuracy", "AUC"],
        ["network", "0.9000", "0.9500"],
        ["network alone", "0.8500", ""],
        ["TF-IDF", "0.8000", "0.8750"],
        ["the network", "wins", ""],
    ]
