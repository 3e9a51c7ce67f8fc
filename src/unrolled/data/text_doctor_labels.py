"""How many texts a label has: all of them, very few, or none but in the test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.labelled import LabelledTexts
from unrolled.data.text_doctor_findings import counted, found, percent

FEW = 10
_UNEQUAL = 10
_VERY_UNEQUAL = 20


def label_counts(texts: LabelledTexts) -> Iterator[DataFinding]:
    """One label alone, unequal labels, and labels with few texts."""
    counts = texts.counts()
    if not counts:
        yield found("one label", "no text has any label", "label some texts first", warning=True)
        return
    if len(counts) == 1 and not texts.several:
        only = next(iter(counts))
        yield found(
            "one label",
            f"all {len(texts):,} texts have the label {only!r}",
            "nothing can be learnt: give texts of other labels, or name another label_column",
            warning=True,
            label=only,
        )
        return
    yield from uneven(
        counts,
        len(texts),
        "text",
        "look at macro F1 beside the accuracy; class_weight='balanced' gives the small ones weight",
    )


def uneven(counts: Mapping[str, int], total: int, what: str, remedy: str) -> Iterator[DataFinding]:
    """Unequal labels, and labels with few examples.

    Args:
        counts: of each label how many there are; one label or more.
        total: how many there are of all.
        what: one of them is called.
        remedy: for unequal labels.
    """
    largest = max(counts, key=counts.__getitem__)
    smallest = min(counts, key=counts.__getitem__)
    ratio = counts[largest] / counts[smallest]
    if ratio >= _UNEQUAL:
        yield found(
            "imbalance",
            f"{largest!r} has {counted(counts[largest], what)} "
            f"({percent(counts[largest] / total)}), {smallest!r} {counts[smallest]:,}: "
            f"{ratio:,.0f} times as many",
            remedy,
            warning=ratio >= _VERY_UNEQUAL,
        )
    few = [name for name, count in counts.items() if count < FEW]
    if few:
        told = ", ".join(f"{name!r} ({counts[name]})" for name in few[:8])
        more = f" and {len(few) - 8:,} more" if len(few) > 8 else ""
        yield found(
            "few examples",
            f"{counted(len(few), 'label')} of {len(counts):,} with less than {FEW} {what}s: "
            f"{told}{more}",
            "give more of them, or join them with others: few can't be learnt or measured",
            warning=True,
        )


def unseen(
    known: Iterable[str], tested: Iterable[str], what: str, part: str = "test"
) -> Iterator[DataFinding]:
    """Labels, tags or other symbols that only the test, or another part, has."""
    new = sorted(set(tested) - set(known))
    if new:
        told = ", ".join(map(repr, new[:8])) + (" ..." if len(new) > 8 else "")
        yield found(
            "unseen",
            f"{counted(len(new), what)} of the {part} never occur{'s' * (len(new) == 1)} in the "
            f"training: {told}",
            "they can't be told right: correct their names, or give examples",
            warning=True,
        )
