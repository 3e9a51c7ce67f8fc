"""`found`: a finding about texts, and how a text is shown in one."""

from __future__ import annotations

from unrolled.data.doctor_checkup import DataFinding

# The share of the texts above which a fault spoils what is learnt or measured.
MANY = 0.01


def found(
    kind: str,
    text: str,
    done: str,
    *,
    warning: bool = False,
    place: str | None = None,
    label: str | None = None,
) -> DataFinding:
    """A finding about texts; `place` such as "text 17", `label` the one that it is about."""
    return DataFinding(kind, "", place, label, text, done, "warning" if warning else "note")


def shown(text: str, longest: int = 50) -> str:
    """The beginning of a text, in one line and quotation marks."""
    line = " ".join(text[: 4 * longest].split())
    return repr(line if len(line) <= longest else line[:longest].rstrip() + "...")


def share(part: int, whole: int) -> str:
    """ "1,234 of 25,000 (4.9%)"."""
    return f"{part:,} of {whole:,} ({percent(part / max(whole, 1))})"


def percent(value: float) -> str:
    """A share as a person reads it: "4.9%", "0.02%"."""
    return f"{100 * value:.2g}%" if 0 < value < 0.01 else f"{100 * value:.1f}%".replace(".0%", "%")


def counted(count: int, name: str) -> str:
    """ "1 text", "2,000 texts"."""
    return f"{count:,} {name}{'s' * (count != 1)}"
