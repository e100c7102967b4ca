"""Deploys what is fuzzed, and gives everybody something to lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import Contract, interface_of
from bulkhead.chain.rpc import Rpc
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet, devnet_parameters
from bulkhead.deployment.models import CollateralParameters, InterestParameters
from bulkhead.deployment.oracle_models import TOTAL_SHARE, OracleAssetParameters
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.sender import RpcSender
from bulkhead.fuzz.operation import Call
from bulkhead.fuzz.suite.fields import DEEP_ID, DEPTH
from bulkhead.fuzz.suite.origin import ACTOR_NAMES, GRANTEES, SEQUENCER
from bulkhead.model.math import UINT256_MAX, WAD
from bulkhead.model.types import Address

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.universe import Universe

ODD = "ODD"
"""Symbol of the fourth collateral, a token that misbehaves when told to."""
_ODD = CollateralParameters.model_validate(
    {"name": ODD, "decimals": 3, "asset": "ETH", "haircut": "0.1", "cap": 5_000}
)
_INTEREST = InterestParameters.model_validate(
    {
        "kink_bps": "0.1",
        "rate_at_zero": "0.002",
        "rate_at_kink": "0.005",
        "rate_at_full": "0.01",
        "tier1_bps": "1.5",
        "tier2_bps": "2",
        "tier3_bps": "3",
        "tier4_bps": "5",
    }
)
"""So high that a debt grows by more than dust between two operations."""
_MARKET = {"max_rebate": WAD * 6 // 10_000, "max_pool_share_bps": 10**6}
"""A rebate above the fee; the pool bounds a side once it is nearly empty."""
_ODD_EACH = 3_000 * 10**3
_SEASONING = 3_600
_FIRST = 6_000
"""Basis points of BTC's first feed, which makes the quorum."""


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
        spot_markets=False,
        parameters=_parameters(),
        pool_deposit=300_000,
        insurance_deposit=10_000,
        network="fuzz",
    )
    book = deploy_devnet(RpcSender(rpc, deployer), options, artifacts=built)
    book = _list_odd(rpc, book, built)
    book = _measure_depth(rpc, book, built)
    uptime = _deploy(rpc, book, built, "DevAggregatorV3", 0, "sequencer uptime")
    book = book.replace(feeds={**book.feeds, SEQUENCER: uptime})
    usdb = book.contract(rpc, book.settlement_token, built)
    for name in (*ACTOR_NAMES, "keeper", "staker"):
        for vault in ("LiquidityVault", "InsuranceFund"):
            usdb.transact("approve", book.contracts[vault], UINT256_MAX, sender=book.accounts[name])
    # Both sides start from aggregates and valuations of the same second.
    for asset in book.parameters.oracle:
        oracle = book.contract(rpc, "OracleAggregator", built)
        oracle.transact("record", asset_id(asset.name), sender=book.deployer)
    return book


def _parameters() -> DeploymentParameters:
    """Return the devnet's, where shares move within an hour and BTC's second feed may be missing.

    Debt costs much, and a request to leave the pool has cooled at once until the governor makes it
    wait. So sequences see lists of sources change, and judge a source that is away.
    """

    def uneven(asset: OracleAssetParameters) -> OracleAssetParameters:
        if asset.name != "BTC":
            return asset
        first, second = asset.sources
        shares = {"share": _FIRST}, {"share": TOTAL_SHARE - _FIRST}
        sources = first.model_copy(update=shares[0]), second.model_copy(update=shares[1])
        return asset.model_copy(update={"sources": sources, "quorum": _FIRST})

    parameters = devnet_parameters(spot_markets=False)
    oracle = tuple(map(uneven, parameters.oracle))
    collaterals = list(parameters.collaterals)
    deep = collaterals[DEEP_ID - 1].model_copy(update={"depth": DEPTH})
    collaterals[DEEP_ID - 1] = deep
    changes = {
        "seasoning": _SEASONING,
        "oracle": oracle,
        "interest": _INTEREST,
        "pool": parameters.pool.model_copy(update={"cooldown": 0}),
        "collaterals": tuple(collaterals),
        "markets": tuple(m.model_copy(update=_MARKET) for m in parameters.markets),
    }
    return parameters.model_copy(update=changes)


def _measure_depth(rpc: Rpc, book: AddressBook, built: Artifacts) -> AddressBook:
    """Deploy a ``ScriptedDepth``, and let it measure the market of a collateral."""
    address = _deploy(rpc, book, built, "ScriptedDepth")
    risk = book.contract(rpc, "RiskParameters", built)
    risk.transact("setDepthSource", DEEP_ID, address, sender=book.deployer)
    return book.replace(contracts={**book.contracts, "ScriptedDepth": address})


def _list_odd(rpc: Rpc, book: AddressBook, built: Artifacts) -> AddressBook:
    """Deploy a ``HostileToken``, give it to everybody, and list it as one more collateral."""
    address = _deploy(rpc, book, built, "HostileToken", "Odd", ODD, _ODD.decimals)
    number = len(book.parameters.collaterals) + 1
    listed = (*book.parameters.collaterals, _ODD)
    book = book.replace(
        tokens={**book.tokens, ODD: address},
        decimals={**book.decimals, ODD: _ODD.decimals},
        collaterals={**book.collaterals, ODD: number},
        parameters=book.parameters.model_copy(update={"collaterals": listed}),
    )
    token = book.contract(rpc, ODD, built)
    for holder in book.accounts.values():
        token.transact("mint", holder, _ODD_EACH, sender=book.deployer)
        token.transact("approve", book.contracts["CollateralVault"], UINT256_MAX, sender=holder)
    risk = book.contract(rpc, "RiskParameters", built)
    risk.transact("setCollateral", number, _ODD.config(address), sender=book.deployer)
    return book


def _deploy(rpc: Rpc, book: AddressBook, built: Artifacts, name: str, *args: object) -> str:
    artifact = built[name]
    data = artifact.bytecode + interface_of(artifact.abi).constructor.encode(args)
    sent = RpcSender(rpc, book.deployer).send(None, data, name)
    assert sent.created is not None
    return sent.created


def deploy_probe(rpc: Rpc, book: AddressBook, artifacts: Artifacts) -> Contract:
    """Deploy ``StateProbe``, which reads a whole compartment at once."""
    people = [book.accounts[name] for name in GRANTEES]
    address = _deploy(rpc, book, artifacts, "StateProbe", book.wiring, people)
    return Contract(rpc, address, artifacts["StateProbe"].abi, "StateProbe")


def prologue(u: Universe) -> list[Call]:
    """Return what everybody does first, so that a sequence begins with something at stake.

    A long paid for in cash, a long on staked ether alone, a short on bitcoin, an LP with a hedge
    in both markets, and money for the prober.
    """
    alice, bob, carol, lp = u.actors
    deposits = ((alice, 0, 60_000 * 10**6), (bob, 1, 20 * WAD), (carol, 2, 10**8), (lp, 0, 10**10))
    probing = Call(u.keeper, "MarginEngine", "deposit", (u.prober, 0, 2_000_000 * 10**6))
    trades = (
        *((alice, 0, 150 * WAD), (bob, 0, 120 * WAD), (carol, 0, -60 * WAD)),
        *((lp, 1, -WAD), (lp, 0, 15 * WAD)),
    )
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
