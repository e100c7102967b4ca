"""One deployment for scripts and tests: plan all, send all, check all."""

from __future__ import annotations

from collections.abc import Callable

from bulkhead.chain.artifacts import Artifacts, load_artifacts
from bulkhead.deployment.addresses import AddressBook
from bulkhead.deployment.parameters import DeploymentParameters
from bulkhead.deployment.plan import Plan, Step, plan_core
from bulkhead.deployment.sender import DeploymentError, Sender
from bulkhead.deployment.survey import Environment, external_environment
from bulkhead.deployment.verify import code_hash, verify

__all__ = [
    "Environment",
    "Plan",
    "Progress",
    "Step",
    "deploy_core",
    "external_environment",
    "plan_core",
]

Progress = Callable[[str], None]
"""Is told what is done next, one short line per step."""


def deploy_core(
    sender: Sender,
    parameters: DeploymentParameters,
    environment: Environment,
    *,
    artifacts: Artifacts | None = None,
    progress: Progress | None = None,
) -> AddressBook:
    """Deploy roles, oracle, peg monitor and one compartment; configure and verify all of it.

    Args:
        sender: deploys, and is governor at least until the end.
        parameters: validated parameters.
        environment: tokens, feeds, oracles and pools that exist.
        artifacts: what to deploy; None: the last build.
        progress: is told each step.

    Raises:
        DeploymentError: refused before anything is sent, or a step failed, or the result is not
            what was planned.
        ArtifactError: the contracts are not compiled.
    """
    known = artifacts or load_artifacts()
    plan = plan_core(sender, parameters, environment, known)
    block = 0
    for step in plan.steps:
        if progress:
            progress(step.label)
        sent = sender.send(step.to, step.data, step.label)
        if step.creates is not None and sent.created != step.creates:
            raise DeploymentError(
                f"{step.label}: is at {sent.created} instead of {step.creates}: "
                f"{sender.address} sent something else meanwhile"
            )
        block = sent.block
    if progress:
        progress("verify")
    hashes = verify(sender, parameters, plan, known)
    hashes |= {name: code_hash(sender, a) for name, a in environment.contracts.items()}
    return AddressBook(
        network=environment.network,
        chain_id=sender.chain_id(),
        deployer=sender.address,
        block=block,
        settlement_token=parameters.settlement_token,
        contracts={**plan.contracts, **environment.contracts},
        code_hashes=hashes,
        adapters=plan.adapters,
        tokens={**environment.tokens, **plan.tokens},
        decimals=plan.decimals,
        feeds=dict(environment.feeds),
        oracles=dict(environment.oracles),
        pools=dict(environment.pools),
        markets=parameters.market_ids,
        collaterals=parameters.collateral_ids,
        accounts=dict(environment.accounts),
        parameters=parameters,
    )
