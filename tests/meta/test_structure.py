"""The folder tree is the architecture: tests mirror contracts, imports point left."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
ORDER = (
    "types",
    "libraries",
    "interfaces",
    "oracle",
    "peg",
    "risk",
    "guard",
    "margin",
    "perps",
    "liquidation",
    "insurance",
    "periphery",
    "devnet",
)
"""From left to right; a file imports from its own room and from rooms to its left."""

TESTED_THROUGH = {
    "MarginQuestions": "LensQuestions",
    "MarginViews": "MarginEngine",
    "AggregateRules": "OracleAggregator",
    "BoundedCall": "OracleAggregator",
    "DerivedPrice": "OracleAggregator",
    "MarginHoldings": "MarginEngine",
    "MarginOrders": "MarginEngine",
    "ParameterBounds": "RiskParameters",
    "PerpMarkets": "PerpExchange",
    "PerpViews": "PerpExchange",
    "MoveCheck": "OracleConfirmation",
    "PegMath": "PegMonitor",
    "PriceCache": "OracleAggregator",
    "PriceSeries": "OracleSeries",
    "SequencerUptime": "OracleUptime",
    "SourceSet": "OracleSources",
    "UniswapV3Window": "UniswapV3TwapAdapter",
    "WeightedMedian": "OracleAggregator",
}
"""Libraries of one contract, tested through it."""

SHARED = ("types", "libraries", "interfaces")
"""Vocabulary, which may refer to one another."""


def rank(folder: str) -> int:
    return 0 if folder in SHARED else ORDER.index(folder)


def test_imports__of_every_contract__point_left() -> None:
    wrong = []
    for file in CONTRACTS.rglob("*.sol"):
        room = file.relative_to(CONTRACTS).parts[0]
        for target in re.findall(r'from "(\.[^"]+)"', file.read_text(encoding="utf-8")):
            other = (file.parent / target).resolve().relative_to(CONTRACTS).parts[0]
            if rank(other) > rank(room):
                wrong.append(f"{file.relative_to(CONTRACTS)} imports {other}")
    assert wrong == []


def test_contracts__outside_of_shared_rooms__have_a_unit_test() -> None:
    tests = {path.name for path in (ROOT / "tests" / "unit").rglob("test_*.py")}
    missing = []
    for file in CONTRACTS.rglob("*.sol"):
        room = file.relative_to(CONTRACTS).parts[0]
        if room in ("interfaces", "types", "devnet"):
            continue
        stem = TESTED_THROUGH.get(file.stem, file.stem)
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()
        if not any(test.startswith(f"test_{name}") for test in tests):
            missing.append(str(file.relative_to(CONTRACTS)))
    assert missing == []


def test_model__imports__neither_ape_nor_web3() -> None:
    pattern = re.compile(r"^(?:from|import) (?:ape|web3)\b", re.MULTILINE)
    found = [
        path.name
        for path in (ROOT / "bulkhead" / "model").glob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_files__are_of_a_size_that_one_reads() -> None:
    limit = {"contracts": 400, "bulkhead": 420, "scripts": 400}
    long = [
        f"{path.relative_to(ROOT)}: {count}"
        for folder, most in limit.items()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".sol", ".py")
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > most
    ]
    assert long == []
