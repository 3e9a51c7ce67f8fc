"""Whether intervals hold what they name, before and after their repair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.lens.ink import INK, NETWORK, OTHER, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from unrolled.tasks.forecasting.calibration import Audit, IntervalAudit

# Intervals whose coverage is drawn, where they were forecast.
SHOWN = (0.8, 0.95)


def draw_histogram(axes: Axes, before: Audit, after: Audit) -> None:
    """The PIT of both audits: flat at 10% where calibration is right."""
    bars = len(after.histogram)
    edges = [k / bars for k in range(bars + 1)]
    middles = [(k + 0.5) / bars for k in range(bars)]
    axes.bar(middles, after.histogram, width=0.92 / bars, color=NETWORK, alpha=0.55, lw=0)
    axes.stairs(before.histogram, edges, color=OTHER, lw=1.2, ls=(0, (3, 1.5)))
    axes.axhline(1 / bars, color=INK, lw=0.8)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.15 * max(*before.histogram, *after.histogram, 1.5 / bars))
    axes.set_xticks([0, 0.5, 1], ["low", "median", "high"])
    _plain(axes)
    _heading(axes, "where in the forecast what came fell")


def draw_coverage(axes: Axes, before: Audit, after: Audit) -> None:
    """The share that intervals held at each step ahead; a thin line is what they name."""
    from matplotlib.ticker import MaxNLocator

    chosen = [one for one in after.intervals if any(abs(one.nominal - s) < 1e-6 for s in SHOWN)]
    for one in chosen or list(after.intervals[-1:]):
        axes.axhline(one.nominal, color=INK, lw=0.8)
        axes.text(
            1.01,
            one.nominal,
            f"{one.nominal:.0%}",
            transform=axes.get_yaxis_transform(),
            fontsize=6.5,
            color=INK,
            va="center",
        )
        _line(axes, one, color=NETWORK, lw=1.6)
        # On top: where the repair has changed nothing, both are seen.
        _line(axes, _same(before, one), color=OTHER, ls=(0, (3, 1.5)), lw=1.2)
    steps = max((len(one.covered_by_step) for one in after.intervals), default=1)
    axes.set_xlim(0.5 if steps == 1 else 1, max(steps, 1.5))
    axes.set_ylim(min(0.5, axes.get_ylim()[0]), 1.02)
    if steps == 1:
        axes.set_xticks([1])  # so narrow a range has no other whole number
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    _plain(axes)
    _heading(axes, "share held, by steps ahead")


def calibration_key(axes: Axes) -> None:
    """The key of both, above the right one."""
    from matplotlib.lines import Line2D

    axes.legend(
        [
            Line2D([], [], color=INK, lw=0.8),
            Line2D([], [], color=OTHER, lw=1.2, ls=(0, (3, 1.5))),
            Line2D([], [], color=NETWORK, lw=1.4),
        ],
        ["right", "before repair", "after"],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.12),
        ncols=3,
        frameon=False,
        fontsize=6.5,
        labelcolor=QUIET,
        handlelength=1.8,
        columnspacing=1.4,
        borderpad=0.2,
        handletextpad=0.6,
    )


def _same(audit: Audit, interval: IntervalAudit) -> IntervalAudit:
    return next(one for one in audit.intervals if one.nominal == interval.nominal)


def _line(axes: Axes, one: IntervalAudit, **style: Any) -> None:
    steps = list(range(1, len(one.covered_by_step) + 1))
    marker = "o" if len(steps) == 1 else None
    axes.plot(steps, one.covered_by_step, marker=marker, ms=3, **style)


def _heading(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=6.5, color=QUIET, pad=4)


def _plain(axes: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", color=RULE, lw=0.6)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0, labelsize=6.5, labelcolor=QUIET)
