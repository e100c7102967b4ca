"""Real Uniswap v3 pools, from the bytecode of its npm packages."""

from __future__ import annotations

import json
from math import isqrt
from pathlib import Path

import pytest
from ape.contracts import ContractContainer
from ethpm_types import ContractType

FEE = 3_000
SPACING = 60
FULL_RANGE = 887_220


@pytest.fixture(scope="session")
def artifact(project):
    """A container for a contract of an npm package's build."""

    def _artifact(package, source):
        name = Path(source).stem
        folder = Path(project.path) / "node_modules" / "@uniswap" / package / "artifacts"
        built = json.loads((folder / "contracts" / source / f"{name}.json").read_text())
        fields = {
            "abi": built["abi"],
            "contractName": name,
            "deploymentBytecode": {"bytecode": built["bytecode"]},
        }
        return ContractContainer(ContractType.model_validate(fields))

    return _artifact


@pytest.fixture(scope="module")
def tokens(project, governor):
    """token0 and token1 of every pool here: 6 and 18 decimals."""
    while True:
        six = governor.deploy(project.DevToken, "Six", "SIX", 6)
        eighteen = governor.deploy(project.DevToken, "Eighteen", "ETN", 18)
        if int(six.address, 16) < int(eighteen.address, 16):
            return six, eighteen


@pytest.fixture(scope="module")
def uniswap(artifact, project, governor):
    """Factory, position manager and router."""
    weth = governor.deploy(project.DevWETH9)
    factory = governor.deploy(artifact("v3-core", "UniswapV3Factory.sol"))
    nobody = "0x" + "00" * 20
    positions = governor.deploy(
        artifact("v3-periphery", "NonfungiblePositionManager.sol"), factory, weth, nobody
    )
    router = governor.deploy(artifact("v3-periphery", "SwapRouter.sol"), factory, weth)
    return factory, positions, router


@pytest.fixture(scope="module")
def real_pool(artifact, uniswap, tokens, governor, chain):
    """A full-range pool at 2,000 SIX per ETN, with a history of 50 observations."""
    factory, positions, router = uniswap
    six, eighteen = tokens
    factory.createPool(six, eighteen, FEE, sender=governor)
    container = artifact("v3-core", "UniswapV3Pool.sol")
    pool = container.at(factory.getPool(six, eighteen, FEE))
    amounts = 2_000_000 * 10**6, 1_000 * 10**18
    pool.initialize(isqrt((amounts[1] << 192) // amounts[0]), sender=governor)
    pool.increaseObservationCardinalityNext(50, sender=governor)
    for token, amount in zip(tokens, amounts, strict=True):
        token.mint(governor, 10 * amount, sender=governor)
        for spender in (positions, router):
            token.approve(spender, 2**256 - 1, sender=governor)
    # The ring grows with the first observation of another second than that of the birth.
    chain.pending_timestamp = chain.blocks.head.timestamp + 1
    positions.mint(
        (
            six.address,
            eighteen.address,
            FEE,
            -FULL_RANGE,
            FULL_RANGE,
            *amounts,
            0,
            0,
            governor.address,
            2**40 - 1,
        ),
        sender=governor,
    )
    return pool


@pytest.fixture
def swap(uniswap, governor):
    """Sell a token into the pool."""
    router = uniswap[2]

    def _swap(token_in, token_out, amount):
        router.exactInputSingle(
            (
                token_in.address,
                token_out.address,
                FEE,
                governor.address,
                2**40 - 1,
                amount,
                0,
                0,
            ),
            sender=governor,
        )

    return _swap
