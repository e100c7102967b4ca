"""The share vault as a target: what to deploy, what people do, what must come of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from bulkhead import fuzz

WALLET, ERROR = 10**24, "ShareVault"
NO_SHARES, NO_ASSETS, POOR = "ZeroShares", "ZeroAssets", "InsufficientShares"


class Model:
    def __init__(self) -> None:
        self.assets, self.supply = 0, 0

    def deposit(self, _: str, assets: int, __: str) -> int:
        shares = assets * (self.supply + 1) // (self.assets + 1)
        if shares == 0:
            raise fuzz.Revert(ERROR + NO_SHARES, assets)
        self.assets, self.supply = self.assets + assets, self.supply + shares
        return shares

    def withdraw(self, _: str, assets: int, __: str, owner: str) -> int:
        shares = -(-assets * (self.supply + 1) // (self.assets + 1))
        if assets == 0:
            raise fuzz.Revert(ERROR + NO_ASSETS, shares)
        if shares > self.supply:
            raise fuzz.Revert(ERROR + POOR, owner, self.supply, shares)
        self.assets, self.supply = self.assets - assets, self.supply - shares
        return shares

    def transfer(self, _: str, __: str, value: int) -> None:  # A donation to the vault.
        self.assets += value


@dataclass(frozen=True)
class Act(fuzz.Operation):
    refusals = frozenset(ERROR + why for why in (NO_SHARES, NO_ASSETS, POOR))
    what: Annotated[int, fuzz.Index(3)]
    share: Annotated[int, fuzz.Share()]

    def resolve(self, u: "ShareVault") -> fuzz.Step:
        m, ann, amount = u.model, u.ann, fuzz.part(WALLET // 10**6, self.share)
        worth = fuzz.part(m.supply * (m.assets + 1) // (m.supply + 1), self.share)
        calls = (
            fuzz.Call(ann, "vault", "deposit", (amount, ann)),
            fuzz.Call(ann, "vault", "withdraw", (worth, ann, ann)),
            fuzz.Call(ann, "asset", "transfer", (u.contract("vault").address, amount)),
        )
        return fuzz.Step((calls[self.what],))


class ShareVault(fuzz.Target):
    name, kinds, vault = "share-vault", (Act,), "ShareVault"

    def deploy(self, node: Any) -> fuzz.Deployment:
        code, ann = fuzz.compile_project(Path(__file__).parent), node.accounts[1].address
        asset = self.place(node, "asset", code["Asset"])
        vault = self.place(node, "vault", code[self.vault], asset.address)
        asset.transact("mint", ann, WALLET, sender=node.accounts[0].address)
        asset.transact("approve", vault.address, 2**256 - 1, sender=ann)
        self.ann, self.views = ann.lower(), (fuzz.View("vault", "totals"),)
        return fuzz.Deployment({"asset": asset, "vault": vault}, {"ann": ann})

    def reset(self) -> None:
        self.model = Model()

    def expected(self) -> list[Any]:
        return [(self.model.assets, self.model.supply)]

    def violations(self, judged: Any) -> list[fuzz.Violation]:
        (a0, s0), (a1, s1) = judged.before[0], judged.after[0]
        fell = (a1 + 1) * (s0 + 1) < (a0 + 1) * (s1 + 1)
        return [fuzz.Violation("PRICE", f"{a0} : {s0} became {a1} : {s1}")] * fell


class BuggyShareVault(ShareVault):
    vault = "BuggyShareVault"
