"""The models' bounds are the contracts': both are probed at their edges and at random.

Each probe changes one raw field of a valid struct and asks both sides. They must agree on whether
it is accepted, and if not, on which field is wrong. The contracts' own limits come from the errors
that they answer an absurd value with.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bulkhead.chain.codec import asset_id
from bulkhead.chain.contract import ContractReverted
from bulkhead.deployment.devnet import devnet_parameters
from bulkhead.deployment.models import (
    BreakerThresholds,
    BreakerTiming,
    CollateralParameters,
    CompartmentParameters,
    InterestParameters,
    MarketParameters,
    Model,
    _camel_case,
)
from bulkhead.deployment.oracle_models import OracleAssetParameters
from bulkhead.deployment.peg_models import PegParameters
from bulkhead.deployment.survey import ZERO_ADDRESS
from bulkhead.deployment.units import (
    WAD,
    BasisPoints,
    Seconds,
    Wad,
    Whole,
    from_basis_points,
    from_wad,
)

PARAMETERS = devnet_parameters(spot_markets=False)
MARKET = PARAMETERS.markets[0]
PEGGED, UNPEGGED = PARAMETERS.collaterals[:2]
ORACLE = PARAMETERS.oracle[0]
PEG = PARAMETERS.pegs[0]


def numbers_of(kind: type[Model]) -> list[str]:
    """Fields of a model that hold one number."""
    quantities = (BasisPoints, Wad, Seconds, Whole)
    return [
        name
        for name, info in kind.model_fields.items()
        if any(isinstance(metadata, quantities) for metadata in info.metadata)
    ]


def refusal_of_model(model: Model, field: str, value: int) -> str | None:
    """Return the field that a model complains about when one raw value is changed, or None."""
    data = model.model_dump()
    [quantity] = [m for m in type(model).model_fields[field].metadata if hasattr(m, "lowest")]
    data[field] = value
    if isinstance(quantity, Wad):
        data[field] = from_wad(value)
    elif isinstance(quantity, BasisPoints):
        data[field] = from_basis_points(value)
    try:
        type(model).model_validate(data)
    except ValidationError as error:
        details = error.errors()[0]
        if details["loc"]:
            return str(details["loc"][0])
        return str(details["msg"]).removeprefix("Value error, ").partition(":")[0]
    return None


class Probe:
    """One struct on both sides.

    Args:
        world: the devnet.
        model: a valid model of the struct.
        send: calls the contract with a changed struct, given raw fields by their Solidity names.
    """

    def __init__(self, model: Model, send: Any) -> None:
        self.model = model
        self.send = send

    def refusal(self, field: str, value: int) -> tuple[str | None, tuple[int, int] | None]:
        """Return the field that the contract complains about, and its limits, or None twice."""
        try:
            self.send(_camel_case(field), value)
        except ContractReverted as reverted:
            args = reverted.error.args
            if not reverted.name.endswith("_OutOfBounds"):
                raise
            return args.parameter.rstrip(b"\0").decode(), (args.minimum, args.maximum)
        return None, None

    def agree(self, field: str, value: int) -> None:
        """Both sides refuse the value, naming the same field, or both accept it."""
        theirs, _ = self.refusal(field, value)
        ours = refusal_of_model(self.model, field, value)
        assert (ours and _camel_case(ours)) == theirs, (field, value)


@pytest.fixture(scope="module")
def probes(devnet):
    """A probe per struct, by the model's class; of collaterals, by whether they are pegged."""
    governor = devnet.governor

    def market(field: str, value: int) -> None:
        trading, liquidation = MARKET.trading(), MARKET.liquidation()
        (trading if field in trading else liquidation)[field] = value
        # A market that is not listed yet, so that its curve may be made shallower too.
        devnet.risk.call("setMarket", 2, trading, liquidation, sender=governor)

    def collateral(model: CollateralParameters) -> Any:
        def send(field: str, value: int) -> None:
            number = PARAMETERS.collateral_ids[model.name]
            config = devnet.risk.call("collateralConfig", number)._asdict()
            config[field] = value // 10 ** (18 - model.decimals) if field == "cap" else value
            devnet.risk.call("setCollateral", number, config, sender=governor)

        return send

    def compartment(field: str, value: int) -> None:
        struct = {**PARAMETERS.compartment.struct(), field: value}
        devnet.risk.call("setCompartment", struct, sender=governor)

    def interest(field: str, value: int) -> None:
        struct = {**PARAMETERS.interest.struct(), field: value}
        devnet.risk.call("setInterest", struct, sender=governor)

    def margin(field: str, value: int) -> None:
        if field != "horizon":
            value //= WAD // 10_000
        struct = {**PARAMETERS.margin.struct(), field: value}
        devnet.risk.call("setMargin", struct, sender=governor)

    def timing(field: str, value: int) -> None:
        struct = {**PARAMETERS.breaker.timing.struct(), field: value}
        thresholds = PARAMETERS.breaker.thresholds.struct()
        devnet.risk.call("setBreaker", struct, thresholds, [], [], sender=governor)

    def oracle(field: str, value: int) -> None:
        config = {**ORACLE.config(), field: value}
        sources = ORACLE.votes(devnet.book.adapters[ORACLE.name])
        devnet.oracle.call("configure", asset_id("ETH"), config, sources, sender=governor)

    def peg(field: str, value: int) -> None:
        config = {**PEG.config(devnet.lst.address, ZERO_ADDRESS, devnet.lst.address), field: value}
        devnet.peg.call("configure", asset_id("LST"), config, sender=governor)

    return {
        "market": Probe(MARKET, market),
        "pegged": Probe(PEGGED, collateral(PEGGED)),
        "unpegged": Probe(UNPEGGED, collateral(UNPEGGED)),
        "compartment": Probe(PARAMETERS.compartment, compartment),
        "interest": Probe(PARAMETERS.interest, interest),
        "timing": Probe(PARAMETERS.breaker.timing, timing),
        "oracle": Probe(ORACLE, oracle),
        "peg": Probe(PEG, peg),
    }


FIELDS = [
    (name, field)
    for name, kind in {
        "market": MarketParameters,
        "pegged": CollateralParameters,
        "unpegged": CollateralParameters,
        "compartment": CompartmentParameters,
        "interest": InterestParameters,
        "timing": BreakerTiming,
        "oracle": OracleAssetParameters,
        "peg": PegParameters,
    }.items()
    for field in numbers_of(kind)
    if field != "decimals"  # Read from the token; see test_deploy.
]


def _largest(probe: Probe, field: str) -> int:
    """Return the largest value that the struct's field can hold."""
    for bits in (16, 32, 56, 64, 128):
        try:
            probe.refusal(field, 2**bits)
        except ValueError:  # The codec: it does not fit.
            return 2**bits - 1
    return 2**128 - 1


@pytest.mark.parametrize(("struct", "field"), FIELDS)
def test_bounds__every_field__same_edges(probes, struct, field):
    probe = probes[struct]
    scale = 10 ** (18 - probe.model.decimals) if field == "cap" else 1
    largest = _largest(probe, field)
    values = {0, 1, largest}
    for absurd in (0, largest):
        name, limits = probe.refusal(field, absurd)
        if name == _camel_case(field) and limits is not None:
            values |= {max(0, edge + off) for edge in limits for off in (-1, 0, 1)}
    for value in sorted(values):
        if value <= largest:
            probe.agree(field, value * scale)


@given(st.data())
def test_bounds__any_value_of_any_field__same_answer(probes, data):
    struct, field = data.draw(st.sampled_from(FIELDS))
    probe = probes[struct]
    scale = 10 ** (18 - probe.model.decimals) if field == "cap" else 1
    probe.agree(field, data.draw(st.integers(0, _largest(probe, field) // scale)) * scale)


@given(
    st.lists(st.integers(0, 5), min_size=4, max_size=4), st.sampled_from(["priceMove", "badDebt"])
)
def test_bounds__thresholds__rise_strictly_on_both_sides(devnet, values, field):
    valid = PARAMETERS.breaker.thresholds
    snake = {"priceMove": "price_move", "badDebt": "bad_debt"}[field]
    try:
        BreakerThresholds.model_validate(
            {**valid.model_dump(), snake: [from_wad(v) for v in values]}
        )
        ours = True
    except ValidationError:
        ours = False
    try:
        timing, struct = PARAMETERS.breaker.timing.struct(), {**valid.struct(), field: values}
        devnet.risk.call("setBreaker", timing, struct, [], [], sender=devnet.governor)
        theirs = True
    except ContractReverted as reverted:
        theirs = reverted.name != "RiskParameters_OutOfBounds"
    assert ours == theirs


def test_bounds__watched__same_number_on_both_sides(devnet):
    risk, governor = devnet.risk, devnet.governor
    timing = PARAMETERS.breaker.timing.struct()
    thresholds = PARAMETERS.breaker.thresholds.struct()
    names = [asset_id("ETH")]
    risk.call("setBreaker", timing, thresholds, names * 8, names * 8, sender=governor)
    for prices, pegs in ((9, 0), (0, 9)):
        with pytest.raises(ContractReverted, match=rf"{9}, 0, 8"):
            risk.call(
                "setBreaker", timing, thresholds, names * prices, names * pegs, sender=governor
            )
    breaker = PARAMETERS.breaker.model_dump()
    for field in ("watched_prices", "watched_pegs"):
        with pytest.raises(ValidationError, match="at most 8"):
            type(PARAMETERS.breaker).model_validate({**breaker, field: ["ETH"] * 9})


def test_bounds__sources__same_number_on_both_sides(devnet):
    addresses = [f"0x{i:040x}" for i in range(1, 9)]
    with pytest.raises(ContractReverted, match=r"SourceCount\(8, 7\)"):
        devnet.oracle.call(
            "configure",
            asset_id("ETH"),
            ORACLE.config(),
            [(address, 1_250) for address in addresses],
            sender=devnet.governor,
        )
    feed = ORACLE.sources[0].model_dump()
    sources = [{**feed, "feed": address, "share": "0.125"} for address in addresses]
    with pytest.raises(ValidationError, match="at most 7"):
        OracleAssetParameters.model_validate({**ORACLE.model_dump(), "sources": sources})
