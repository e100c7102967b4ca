"""The fuzz deployment as files that a forge test loads: ``python -m bulkhead.bench.forge_state``.

The same deployment and prologue from which the Python harness fuzzes, so that both start from the
same state: accounts with code and storage for ``vm.loadAllocs``, and where everything is.
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

from bulkhead import ROOT
from bulkhead.bench.forge_suite import choices
from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts, ensure_compiled
from bulkhead.chain.codec import asset_id
from bulkhead.chain.rpc import Rpc
from bulkhead.fuzz.suite.universe import Universe
from bulkhead.fuzz.target import GENESIS

FOLDER = ROOT / ".build" / "forge"
ALLOCS = "allocs.json"
DEPLOYMENT = "deployment.json"


def write_state(folder: Path = FOLDER, artifacts: Artifacts | None = None) -> Path:
    """Deploy, settle everybody in and write the state; return the folder.

    ``allocs.json`` is what ``vm.loadAllocs`` reads. ``deployment.json`` is what the test asks about
    it: addresses, assets, block number and time, and how often to do what.

    Args:
        folder: where to; made if it is missing.
        artifacts: what to deploy; None: the last build, compiled first where needed.
    """
    built = artifacts or ensure_compiled()
    with Anvil(base_fee=0, timestamp=GENESIS) as anvil:
        universe = Universe(built)
        universe.deploy(anvil)
        allocs, deployment = _allocs(anvil.rpc), _deployment(universe, anvil.rpc)
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in ((ALLOCS, allocs), (DEPLOYMENT, deployment)):
        draft = folder / f"{name}.new"
        draft.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
        draft.replace(folder / name)
    return folder


def _allocs(rpc: Rpc) -> dict[str, Any]:
    """Return every account of a node as a genesis block lists them."""
    dump = bytes.fromhex(rpc.request("anvil_dumpState")[2:])
    accounts = json.loads(gzip.decompress(dump))["accounts"]
    return {
        address: {
            "balance": account["balance"],
            "nonce": hex(account["nonce"]),
            "code": account["code"],
            # A genesis block wants whole words on both sides.
            "storage": {_word(slot): _word(value) for slot, value in account["storage"].items()},
        }
        for address, account in accounts.items()
    }


def _word(number: str) -> str:
    return f"0x{int(number, 16):064x}"


def _deployment(u: Universe, rpc: Rpc) -> dict[str, Any]:
    book = u.book
    assets = [asset.name for asset in book.parameters.oracle]
    symbols = [book.settlement_token, *sorted(book.collaterals, key=book.collaterals.__getitem__)]
    return {
        "number": rpc.block_number(),
        "timestamp": rpc.timestamp(),
        "contracts": book.contracts,
        # By collateral id.
        "tokens": [book.tokens[symbol] for symbol in symbols],
        "markets": len(book.markets),
        "assets": ["0x" + asset_id(asset).hex() for asset in assets],
        # As many of each asset, in the assets' order.
        "feeds": [book.feeds[name] for asset in assets for name in u.feeds_of(asset)],
        "pegs": ["0x" + asset_id(peg.name).hex() for peg in book.parameters.pegs],
        "actors": u.actors,
        "people": [*u.actors, u.keeper, book.accounts["staker"]],
        "keeper": u.keeper,
        "guardian": u.guardian,
        "operator": book.deployer,
        # How often forge chooses which function of the handler.
        "functions": choices(),
    }


def main() -> None:
    """Write the state into the folder of the command line."""
    parser = argparse.ArgumentParser(description="Write the fuzz deployment for forge tests.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help=f"[{FOLDER}]")
    print(f"written to {write_state(parser.parse_args().folder)}")


if __name__ == "__main__":
    main()
