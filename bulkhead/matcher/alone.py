"""A matcher without a chain, as a process of its own: to be measured, and to be killed by tests.

python -m bulkhead.matcher.alone DATABASE CHAIN_ID CONTRACT
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkhead import ROOT
from bulkhead.matcher.command import Backing, MatcherError, MatcherOptions, serve
from bulkhead.matcher.engine import Limits
from bulkhead.matcher.orders import Domain

_MANY = 1_000_000


@contextmanager
def matcher_process(database: Path, domain: Domain) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a serving matcher and its URL; it is killed in the end, if it still runs.

    Raises:
        MatcherError: it did not start.
    """
    module = "bulkhead.matcher.alone"
    process = subprocess.Popen(
        [sys.executable, "-m", module, database, str(domain.chain_id), domain.contract],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"Listening on (http://\S+:\d+)\.", line):
                yield process, found[1]
                return
        raise MatcherError("the matcher did not start")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def main(database: str, chain_id: str, contract: str) -> None:
    """Serve on a free port until told to stop; matches wait, nobody's limit is reached."""
    options = MatcherOptions(
        host="127.0.0.1",
        port=0,
        database=Path(database),
        deployment="",
        url=None,
        sender=None,
        batch_interval_seconds=1.0,
        limits=Limits(open_per_signer=_MANY, open_orders=_MANY),
    )
    backing = Backing(Domain(int(chain_id), contract), None, None, "no chain")
    asyncio.run(serve(options, backing, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main(*sys.argv[1:])
