"""A report about labels: the gate, a confusion matrix, reliability and a table, as one page."""

from __future__ import annotations

import html
import re
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.errors import ConfigError
from unrolled.lens.picture_confusion import MOST, confusion_svg
from unrolled.lens.picture_reliability import reliability_svg
from unrolled.tasks.evaluation import figure
from unrolled.writing import replacing

if TYPE_CHECKING:
    from unrolled.tasks.evaluation import Comparison, Evaluation
    from unrolled.tasks.label_scores import LabelScores

_PLACEHOLDER = re.compile(r"\{\{(title|body)\}\}")
# An average gap between confidence and accuracy below this is small to anyone who acts on it.
_TRUSTED, _DOUBTED = 0.02, 0.05
_WORDS = {
    "network wins": ("wins", "The network wins."),
    "network loses": ("loses", "The network LOSES to a simple rival."),
    "tie": ("tie", "A tie: the network is no better than a simple rival."),
}


def write_report(task_name: str, evaluation: Evaluation, path: str | PathLike[str]) -> Path:
    """Write what was measured about labels as one self-contained HTML page; gives its path.

    The page fetches nothing and runs no script; it can be printed. It is written aside and renamed:
    a failure leaves what stood there before.

    Args:
        task_name: what the heading calls the model, such as "Sentiment of film reviews".
        evaluation: with `labels`.
        path: `.html`.

    Raises:
        ConfigError: the evaluation has no figures of labels.
        OutputError: the folder is missing or can't be written.
    """
    target = Path(path)
    text = report_text(task_name, evaluation)
    with replacing(target) as aside:
        aside.write_text(text, encoding="utf-8", errors="replace")
    return target


def report_text(task_name: str, evaluation: Evaluation) -> str:
    """The page as text; see `write_report`."""
    scores = evaluation.labels
    if scores is None:
        raise ConfigError(
            "the evaluation has no figures of labels; a report needs one of a classifier or tagger"
        )
    parts = {
        "title": html.escape(task_name),
        "body": "\n".join(
            [
                f"<h1>{html.escape(task_name)}</h1>",
                f'<p class="subtitle">Measured on {html.escape(evaluation.held_out)}.</p>'
                if evaluation.held_out
                else "",
                _gate(evaluation),
                _confusion(scores),
                _reliability(scores),
                _by_label(scores),
                "<footer>Written by unrolled. The page holds everything it shows and fetches"
                " nothing.</footer>",
            ]
        ),
    }
    template = (files("unrolled.lens") / "static" / "labels.html").read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda match: parts[match.group(1)], template)


def _gate(evaluation: Evaluation) -> str:
    kind, words = _WORDS[evaluation.verdict]
    return (
        "<section><h2>Against simple rivals</h2>"
        f'<div class="card verdict {kind}"><p>{words}<br><small>{_told(evaluation.comparisons[0])}'
        f'</small></p></div><div class="card fit">{_contestants(evaluation)}</div></section>'
    )


def _contestants(evaluation: Evaluation) -> str:
    """A row for each contestant, a column for each metric; and how the network did in each."""
    contestants = evaluation.contestants()
    metrics = list(contestants["network"])
    judged = {one.metric: one for one in evaluation.comparisons}
    head = "".join(f"<th>{html.escape(metric)}</th>" for metric in metrics)
    rows = "".join(
        _contestant(name, figures, metrics, "own" if name == "network" else "")
        for name, figures in contestants.items()
    )
    verdicts = "".join(_verdict(judged.get(metric)) for metric in metrics)
    return (
        f'<table class="contest"><thead><tr><th></th>{head}</tr></thead>{rows}'
        f'<tr class="verdicts"><td>the network</td>{verdicts}</tr></table>'
    )


def _contestant(name: str, figures: dict[str, float], metrics: list[str], kind: str) -> str:
    cells = "".join(
        f"<td>{html.escape(figure(metric, figures.get(metric)))}</td>" for metric in metrics
    )
    return f'<tr class="{kind}"><td>{html.escape(name)}</td>{cells}</tr>'


def _verdict(one: Comparison | None) -> str:
    if one is None:
        return "<td></td>"
    kind = _WORDS[one.verdict][0]
    better = "higher is better" if one.higher_is_better else "lower is better"
    told = f"{better}; beside {one.baseline_name} {one.baseline:.4g}"
    return (
        f'<td class="{kind}" title="{html.escape(told)}">{"a tie" if kind == "tie" else kind}</td>'
    )


def _told(one: Comparison) -> str:
    better = "higher is better" if one.higher_is_better else "lower is better"
    return (
        f"{html.escape(one.metric)} ({better}): network {one.network:.4g},"
        f" {html.escape(one.baseline_name)} {one.baseline:.4g}"
    )


def _confusion(scores: LabelScores) -> str:
    if scores.confusion is None:
        return ""
    few = len(scores.labels) <= MOST
    which = "" if few else f" The {MOST} labels with the most mistakes of {len(scores.labels)}."
    mistakes = scores.most_confused(5)
    support = dict(zip(scores.labels, scores.support, strict=True))
    listed = "".join(
        f"<li><b>{html.escape(real)}</b> said to be <b>{html.escape(said)}</b>: {count:,} times,"
        f" {count / support[real]:.1%} of {html.escape(real)}</li>"
        for real, said, count in mistakes
    )
    frequent = (
        f'<div class="words"><p class="lead">The most frequent mistakes</p><ol>{listed}</ol></div>'
        if listed
        else ""
    )
    return (
        "<section><h2>What is taken for what</h2>"
        '<p class="lead">A row for what an item is, a column for what the network said; the count,'
        f" and its share of the row. Blue is right, orange a mistake.{which}</p>"
        f'<div class="card pair">{confusion_svg(scores)}{frequent}</div></section>'
    )


def _reliability(scores: LabelScores) -> str:
    if not any(one.count for one in scores.bins):
        return ""
    gap = scores.calibration_error
    held = [one for one in scores.bins if one.count]
    lean = sum(one.count * (one.confidence - one.accuracy) for one in held)
    one_label = scores.confusion is not None
    if one_label:
        what, side = "network is", ("too sure of itself", "not sure enough of itself")[lean <= 0]
    else:
        what, side = "probabilities are", ("too high", "too low")[lean <= 0]
    if gap < _TRUSTED:
        words = "The confidence can be taken at its word."
    elif gap < _DOUBTED:
        words = f"The confidence is nearly right: on average the {what} a little {side}."
    else:
        words = f"Don't take the confidence at its word: on average the {what} {side}."
    of = "items" if one_label else "decisions"
    return (
        "<section><h2>Can its confidence be trusted?</h2>"
        f'<div class="card pair"><div>{reliability_svg(scores.bins, of=of)}</div>'
        f'<div class="words"><p class="big">{gap:.1%}</p><p class="lead">expected calibration error'
        " (ECE): how far confidence and share right lie apart, on average</p>"
        f"<p>{words}</p>"
        f'<p class="lead">Each bar stands for {of} of like confidence: the blue edge is the share'
        " that is right, orange its distance from the confidence, the thin line its 95% interval."
        f" On the dashed diagonal both are the same. Below: how many {of} there are.</p>"
        "</div></div></section>"
    )


def _by_label(scores: LabelScores) -> str:
    order = sorted(range(len(scores.labels)), key=lambda k: (-scores.support[k], scores.labels[k]))
    rows = "".join(
        f"<tr><td>{html.escape(scores.labels[k])}</td><td>{scores.support[k]:,}</td>"
        f"<td>{scores.precision[k]:.1%}</td><td>{scores.recall[k]:.1%}</td>"
        f"<td>{scores.f1[k]:.1%}</td>"
        f'<td><span class="meter"><i style="width:{scores.f1[k]:.1%}"></i></span></td></tr>'
        for k in order
    )
    return (
        '<section class="long"><h2>Label by label</h2>'
        '<p class="lead">Precision: how many of those said to have the label have it. Recall: how'
        " many of those that have it were said to. F1: their harmonic mean.</p>"
        '<div class="card fit"><table><thead><tr><th>label</th><th>items</th><th>precision</th>'
        f"<th>recall</th><th>F1</th><th></th></tr></thead>{rows}</table></div></section>"
    )
