"""`make bench`: what this server does on this box, beside something plain that does as much. I/O.

Figures depend on the box and on what else runs there: compare the ratios.
"""

import argparse
import sys
from collections.abc import Callable

from bench.both import bench_both
from bench.calls import bench_calls
from bench.claims import bench_claims
from bench.imports import bench_imports
from bench.pages import bench_pages
from bench.retention import bench_retention
from bench.texts import bench_texts

_PARTS: dict[str, Callable[[], None]] = {
    "calls": bench_calls,
    "claims": bench_claims,
    "texts": bench_texts,
    "both": bench_both,
    "import": bench_imports,
    "retention": bench_retention,
    "pages": bench_pages,
}


def main() -> int:
    """Run the chosen parts; 0 whatever the figures are, since they are for reading."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    help_ = "calls: beside a plain IVR; claims: with few and with many targets; texts: beside a "
    help_ += "bare ESME; both: at once; import: an audience beside a bare bulk load; "
    help_ += (
        "retention: claims beside it; pages: the operator's of a large campaign; by default all"
    )
    parser.add_argument("part", nargs="?", choices=list(_PARTS), help=help_)
    part = parser.parse_args().part
    for bench in _PARTS.values() if part is None else (_PARTS[part],):
        bench()
    return 0


if __name__ == "__main__":
    sys.exit(main())
