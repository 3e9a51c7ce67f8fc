"""Where a measure becomes a finding; `diagnostics_findings` says where each number is from."""

from __future__ import annotations

VANISHED = 2.0**-23
EXPLODED = 1000.0
SATURATED = 0.9
DEAD = 0.5
BLOWN_UP = 10.0

FEWEST_STEPS = 10
"""Over fewer steps than these the gradient is not judged: nothing had time to vanish."""
