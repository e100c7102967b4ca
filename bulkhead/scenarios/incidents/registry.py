"""All incidents by name, in the order of the calendar."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.scenarios.incidents.base import Incident
from bulkhead.scenarios.incidents.cap_desync import CapDesync
from bulkhead.scenarios.incidents.donate_liquidate import DonateLiquidate
from bulkhead.scenarios.incidents.donate_price import DonatePrice
from bulkhead.scenarios.incidents.ezeth import EzEth
from bulkhead.scenarios.incidents.forged_forwarder import ForgedForwarder
from bulkhead.scenarios.incidents.mango import Mango
from bulkhead.scenarios.incidents.min_answer import MinAnswer
from bulkhead.scenarios.incidents.reentrant_average import ReentrantAverage
from bulkhead.scenarios.incidents.steth_2022 import StEth2022
from bulkhead.scenarios.incidents.thin_twap import ThinTwap
from bulkhead.scenarios.incidents.uwu import Uwu
from bulkhead.scenarios.incidents.yfi import Yfi
from bulkhead.scenarios.incidents.zero_impact import ZeroImpact

INCIDENTS: dict[str, Incident] = {
    incident.name: incident
    for incident in (
        DonatePrice(),
        ThinTwap(),
        MinAnswer(),
        StEth2022(),
        ZeroImpact(),
        Mango(),
        DonateLiquidate(),
        Yfi(),
        EzEth(),
        Uwu(),
        ForgedForwarder(),
        ReentrantAverage(),
        CapDesync(),
    )
}


class UnknownIncidentError(ValueError):
    """There is no incident of that name; the message lists those there are."""


def chosen_incidents(names: Sequence[str]) -> list[Incident]:
    """Return incidents by name, each once; all of them if none is named.

    Raises:
        UnknownIncidentError: a name is not among them.
    """
    unknown = [name for name in names if name not in INCIDENTS]
    if unknown:
        known = ", ".join(INCIDENTS)
        raise UnknownIncidentError(f"no incident {', '.join(unknown)}; there are {known}")
    return [INCIDENTS[name] for name in dict.fromkeys(names or INCIDENTS)]
