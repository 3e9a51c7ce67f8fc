"""Whether confidence can be trusted: how often items of like confidence are right, as SVG text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lens.ink import NETWORK, OTHER

if TYPE_CHECKING:
    from unrolled.training.classification import Bin

_SIDE, _LEFT, _TOP, _GAP, _LOW = 380.0, 58.0, 12.0, 30.0, 84.0


def reliability_svg(bins: tuple[Bin, ...], *, of: str = "items") -> str:
    """Above, the share that is right over the confidence, with 95% intervals; below, how many.

    On the dashed diagonal a confidence of 80% is right 80 times of 100. The blue edge of a bar is
    the share that is right, its orange part the distance from the mean confidence: where the edge
    lies below it the network is too sure of itself.

    Source of the intervals: Wilson, "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22, 1927.
    """
    width = _LEFT + _SIDE + 16
    base = _TOP + _SIDE
    foot = base + _GAP + _LOW
    height = foot + 44
    total = sum(one.count for one in bins)
    tallest = max((one.count for one in bins), default=0) or 1
    parts = [
        f'<svg class="reliability" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        ' role="img" aria-label="Reliability: share right over confidence">'
    ]
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = _LEFT + tick * _SIDE, base - tick * _SIDE
        parts.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" class="tick end">{tick:.0%}</text>'
            f'<text x="{x:.1f}" y="{foot + 18:.1f}" class="tick mid">{tick:.0%}</text>'
        )
    for one in bins:
        if one.count:
            parts.append(_bar(one, base))
            parts.append(_pillar(one, one.count / tallest, one.count / total, foot, of))
    parts.append(
        f'<line x1="{_LEFT}" y1="{base}" x2="{_LEFT + _SIDE}" y2="{_TOP}" class="diagonal"/>'
        f'<line x1="{_LEFT}" x2="{_LEFT + _SIDE}" y1="{foot}" y2="{foot}" class="grid"/>'
        f'<text x="{_LEFT - 8}" y="{foot - _LOW + 8:.1f}" class="tick end">'
        f"{tallest / max(total, 1):.0%}</text>"
        f'<text transform="translate(14 {_TOP + _SIDE / 2:.0f}) rotate(-90)" class="axis-name mid">'
        "share that is right</text>"
        f'<text transform="translate(14 {foot - _LOW / 2:.0f}) rotate(-90)" class="axis-name mid">'
        f"share of {of}</text>"
        f'<text x="{_LEFT + _SIDE / 2}" y="{foot + 38:.1f}" class="axis-name mid">confidence</text>'
    )
    return "\n".join([*parts, "</svg>"])


def _bar(one: Bin, base: float) -> str:
    x, wide = _LEFT + one.lower * _SIDE + 1, (one.upper - one.lower) * _SIDE - 2
    share, sure = one.accuracy * _SIDE, one.confidence * _SIDE
    low, high = wilson(one.accuracy, one.count)
    middle = _LEFT + one.confidence * _SIDE
    upper, lower = max(share, sure), min(share, sure)
    return (
        f"<g><title>{one.count:,} with a confidence of {one.confidence:.1%} on average:"
        f" {one.accuracy:.1%} right (95% interval {low:.1%} to {high:.1%})</title>"
        f'<rect x="{x:.1f}" width="{wide:.1f}" y="{base - lower:.1f}" height="{lower:.1f}"'
        f' fill="{NETWORK}" opacity="0.72"/>'
        f'<rect x="{x:.1f}" width="{wide:.1f}" y="{base - upper:.1f}"'
        f' height="{upper - lower:.1f}" fill="{OTHER}" opacity="0.32"/>'
        f'<rect x="{x:.1f}" width="{wide:.1f}" y="{base - share - 1:.1f}" height="2.5"'
        f' fill="{NETWORK}"/>'
        f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{base - low * _SIDE:.1f}"'
        f' y2="{base - high * _SIDE:.1f}" class="whisker"/></g>'
    )


def _pillar(one: Bin, tall: float, share: float, foot: float, of: str) -> str:
    x, wide = _LEFT + one.lower * _SIDE + 1, (one.upper - one.lower) * _SIDE - 2
    return (
        f"<g><title>{one.count:,} {of} ({share:.1%}) with a confidence from {one.lower:.0%} to"
        f' {one.upper:.0%}</title><rect x="{x:.1f}" width="{wide:.1f}"'
        f' y="{foot - tall * _LOW:.1f}" height="{tall * _LOW:.1f}" fill="#8d99a5"/></g>'
    )


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds the true share in 95 of 100 cases, `count` at least 1."""
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * ((share * (1 - share) + z * z / (4 * count)) / count) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
