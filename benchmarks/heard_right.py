"""Words that sound alike, heard right by context."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from heard_right_parts.making import SCORED, SPOKEN, make


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--spoken", type=int, default=SPOKEN)
    parser.add_argument("--scored", type=int, default=SCORED)
    options = parser.parse_args()
    make(options.folder, options.spoken, options.scored)
    return 0


if __name__ == "__main__":
    sys.exit(main())
