"""The chain a scenario plays on: one of its own, or one that is running already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bulkhead.chain.anvil import Anvil
from bulkhead.chain.artifacts import Artifacts
from bulkhead.chain.rpc import Rpc, RpcConnectionError, RpcError
from bulkhead.deployment.devnet import DevnetOptions, deploy_devnet
from bulkhead.deployment.sender import RpcSender
from bulkhead.scenarios.world import BLOCK_GAS_LIMIT, World, WorldError

GENESIS_TIMESTAMP = 1_767_225_600
"""Unix seconds, 2026-01-01: fixed, so that nothing depends on the day of the run."""


@contextmanager
def scenario_node(url: str | None) -> Iterator[Rpc]:
    """Yield a node: a fresh Anvil, stopped in any case, or the one at ``url``, left running.

    Raises:
        AnvilError: Anvil did not start.
        WorldError: there is no Anvil at ``url``.
    """
    if url is None:
        with Anvil(base_fee=0, gas_limit=BLOCK_GAS_LIMIT, timestamp=GENESIS_TIMESTAMP) as anvil:
            yield anvil.rpc
        return
    rpc = Rpc(url)
    try:
        version = str(rpc.request("web3_clientVersion"))
    except (RpcError, RpcConnectionError) as error:
        raise WorldError(f"no node answers at {url}: {error}") from error
    if not version.lower().startswith("anvil"):
        raise WorldError(f"{url} is {version}: a scenario needs an Anvil node of its own")
    try:
        yield rpc
    finally:
        # The node goes on without us: mine for whoever uses it next.
        with suppress(RpcError, RpcConnectionError):
            rpc.request("anvil_removeBlockTimestampInterval")
            rpc.set_automine(True)
        rpc.close()


def deploy_world(rpc: Rpc, options: DevnetOptions, artifacts: Artifacts | None = None) -> World:
    """Deploy the suite on a node and take the node over: from now on blocks are mined by hand.

    Raises:
        DeploymentError: a step failed.
        ArtifactError: the contracts are not compiled.
        WorldError: the node cannot carry a scenario.
    """
    rpc.request("evm_setBlockGasLimit", [hex(BLOCK_GAS_LIMIT)])
    rpc.request("anvil_setNextBlockBaseFeePerGas", ["0x0"])
    # One second per block, whatever the clock says: the same run on every machine.
    rpc.request("anvil_setBlockTimestampInterval", [1])
    rpc.set_automine(True)
    held = rpc.request("eth_accounts")
    if not held:
        raise WorldError(f"the node at {rpc.url} holds no accounts to deploy with")
    book = deploy_devnet(RpcSender(rpc, held[0]), options, artifacts=artifacts)
    rpc.set_automine(False)
    return World(rpc, book)
