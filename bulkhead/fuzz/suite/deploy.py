"""Deploys what is fuzzed, and gives everybody something to lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, interface_of
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet
from bulkhead.deployment.sender import RpcSender
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.suite.origin import ACTOR_NAMES
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.types import Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe


def deploy_for_fuzzing(
    rpc: Rpc, deployer: Address, artifacts: Artifacts | None = None
) -> AddressBook:
    """Deploy a feeds-only devnet on a fresh Anvil and give every actor every allowance.

    The pool is small and the insurance fund smaller, so that sequences reach the haircut and the
    last tranche of the waterfall.
    """
    built = artifacts or load_artifacts()
    # Blocks do not follow the wall clock, so that the same bytes are the same sequence every time.
    rpc.request("anvil_setBlockTimestampInterval", [1])
    options = DevnetOptions(
        spot_markets=False, pool_deposit=2_000_000, insurance_deposit=20_000, network="fuzz"
    )
    book = deploy_devnet(RpcSender(rpc, deployer), options, artifacts=built)
    usdb = book.contract(rpc, book.settlement_token, built)
    for name in (*ACTOR_NAMES, "keeper", "staker"):
        for vault in ("LiquidityVault", "InsuranceFund"):
            usdb.transact("approve", book.contracts[vault], UINT256_MAX, sender=book.accounts[name])
    # Both sides start from aggregates and valuations of the same second.
    for asset in book.parameters.oracle:
        oracle = book.contract(rpc, "OracleAggregator", built)
        oracle.transact("record", asset_id(asset.name), sender=book.deployer)
    return book


def deploy_probe(rpc: Rpc, book: AddressBook, artifacts: Artifacts) -> Contract:
    """Deploy ``StateProbe``, which reads a whole compartment at once."""
    artifact = artifacts["StateProbe"]
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode([book.wiring])
    sent = RpcSender(rpc, book.deployer).send(None, data, "StateProbe")
    assert sent.created is not None
    return Contract(rpc, sent.created, artifact.abi, "StateProbe")


def prologue(u: Universe) -> list[Call]:
    """Return what everybody does first, so that a sequence begins with something at stake.

    A long paid for in cash, a long on staked ether alone, a short on bitcoin, an LP with a hedge,
    and money for the prober.
    """
    alice, bob, carol, lp = u.actors
    deposits = ((alice, 0, 60_000 * 10**6), (bob, 1, 20 * WAD), (carol, 2, 10**8), (lp, 0, 10**10))
    probing = Call(u.keeper, "MarginEngine", "deposit", (u.prober, 0, 50_000 * 10**6))
    trades = ((alice, 0, 150 * WAD), (bob, 0, 120 * WAD), (carol, 0, -60 * WAD), (lp, 1, -WAD))
    return (
        [probing]
        + [
            Call(who, "MarginEngine", "deposit", (u.account(who, 0), token, amount))
            for who, token, amount in deposits
        ]
        + [
            Call(
                who, "PerpExchange", "trade", (u.account(who, 0), m, size, UINT256_MAX * (size > 0))
            )
            for who, m, size in trades
        ]
    )
