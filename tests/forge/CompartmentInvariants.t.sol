// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, CollateralId, MarketId} from "../../contracts/types/Ids.sol";
import {AccountLedger, LedgerTotals, UnrealizedTotals} from "../../contracts/types/Ledger.sol";
import {Market, Position} from "../../contracts/types/Market.sol";
import {CompartmentHandler} from "./CompartmentHandler.sol";
import {Deployment, DeploymentLoader} from "./Deployment.sol";
import {OutsideWorld} from "./OutsideWorld.sol";

/// @title The conservation checks after any sequence of operations
/// @notice The state is that in which the Python harness starts: `python -m bulkhead.bench.forge_state` writes it,
/// `forge test` with `FOUNDRY_PROFILE=invariant` runs this. The checks are those of `bulkhead/model/invariants.py`.
contract CompartmentInvariants {
    uint256 private constant WAD = 1e18;

    /// @notice Which functions of which contract forge calls.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Deployment private _d;
    CompartmentHandler private _handler;
    bytes4[] private _choices;

    error Violated(string id, string what, uint256 which, int256 actual, int256 expected);

    function setUp() external {
        Deployment memory d = DeploymentLoader.load();
        _d = d;
        _handler = new CompartmentHandler(d);
        _choose(DeploymentLoader.text());
    }

    /// @notice Every check, so that forge makes each of them once after every call.
    function invariant_everyUnitIsAccountedFor() external view {
        LedgerTotals memory t = _d.engine.totals();
        uint256 custody = _d.tokens[0].balanceOf(_d.custody) * _d.cashScale;
        uint256 owed = uint256(t.principal) + t.poolCash + t.insuranceCash + t.feeReserve;
        if (owed > custody) revert Violated("CUS-1", "custody", 0, _int(custody), _int(owed));
        uint256 principal = _checkLedger(t);
        uint256 senior = custody - t.insuranceCash - t.feeReserve;
        if (principal > senior) {
            revert Violated("LED-2", "backing", 0, _int(senior), _int(principal));
        }
        for (uint8 i = 1; i < _d.tokens.length; i++) {
            _checkCollateral(CollateralId.wrap(i));
        }
        int256 positive;
        int256 net;
        for (uint8 i; i < _d.markets; i++) {
            _checkMarket(MarketId.wrap(i));
            int256 unrealized = _d.engine.marketUnrealized(MarketId.wrap(i)).unrealized;
            if (unrealized > 0) positive += unrealized;
            net += unrealized;
        }
        UnrealizedTotals memory u = _d.engine.unrealizedTotals();
        _equal("PNL-1", "U+", 0, int256(uint256(u.positive)), positive);
        _equal("PNL-1", "sum of U", 0, u.net, net);
        uint256 h = _d.engine.haircutRatio();
        if (h > WAD) revert Violated("LED-3", "h", 0, _int(h), _int(WAD));
    }

    /// @notice What forge is to call: each kind as often as its weight in the Python suite says.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), _choices);
    }

    /// @notice Only the handler acts.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    // ------------------------------------------------------------------ choices

    function _choose(string memory json) private {
        _add(json, "wait", OutsideWorld.wait.selector);
        _add(json, "deposit", CompartmentHandler.deposit.selector);
        _add(json, "withdraw", CompartmentHandler.withdraw.selector);
        _add(json, "trade", CompartmentHandler.trade.selector);
        _add(json, "convert", CompartmentHandler.convert.selector);
        _add(json, "movePrice", OutsideWorld.movePrice.selector);
        _add(json, "squeeze", OutsideWorld.squeeze.selector);
        _add(json, "moveFeed", OutsideWorld.moveFeed.selector);
        _add(json, "liquidate", CompartmentHandler.liquidate.selector);
        _add(json, "startAuction", CompartmentHandler.startAuction.selector);
        _add(json, "takeAuction", CompartmentHandler.takeAuction.selector);
        _add(json, "endAuction", CompartmentHandler.endAuction.selector);
        _add(json, "writeOff", CompartmentHandler.writeOff.selector);
        _add(json, "upkeep", CompartmentHandler.upkeep.selector);
        _add(json, "enterVault", CompartmentHandler.enterVault.selector);
        _add(json, "leaveVault", CompartmentHandler.leaveVault.selector);
        _add(json, "donate", CompartmentHandler.donate.selector);
        _add(json, "raiseTier", CompartmentHandler.raiseTier.selector);
        _add(json, "intrude", CompartmentHandler.intrude.selector);
    }

    function _add(string memory json, string memory name, bytes4 selector) private {
        for (uint256 i = DeploymentLoader.countOf(json, name); i > 0; i--) {
            _choices.push(selector);
        }
    }

    // ------------------------------------------------------------------ checks

    /// @dev CUS-1, the ledger's sums, and LED-4. Returns the sum of positive cash.
    function _checkLedger(LedgerTotals memory t) private view returns (uint256) {
        int256 principal;
        int256 debt;
        int256 claims;
        for (uint256 i; i < _d.accounts.length; i++) {
            AccountLedger memory a = _d.engine.accountLedger(_d.accounts[i]);
            if (a.cash > 0) principal += a.cash;
            (uint256 booked,) = _d.engine.bookedDebt(_d.accounts[i]);
            debt += int256(booked);
            claims += int256(uint256(a.claim));
            if (a.cash < 0 && a.claim > 0) {
                revert Violated("LED-4", "debt and claim", i, a.cash, int256(uint256(a.claim)));
            }
        }
        _equal("CUS-1", "P", 0, int256(uint256(t.principal)), principal);
        _equal("CUS-1", "D", 0, int256(uint256(t.debt)), debt);
        _equal("CUS-1", "J", 0, int256(uint256(t.claims)), claims);
        return uint256(principal);
    }

    /// @dev CUS-1, a collateral's part.
    function _checkCollateral(CollateralId id) private view {
        uint256 booked;
        for (uint256 i; i < _d.accounts.length; i++) {
            booked += _d.engine.collateralBalance(_d.accounts[i], id);
        }
        uint256 which = CollateralId.unwrap(id);
        uint256 total = _d.engine.totalCollateral(id);
        _equal("CUS-1", "collateral", which, _int(total), _int(booked));
        uint256 held = _d.tokens[which].balanceOf(_d.custody);
        if (total > held) {
            revert Violated("CUS-1", "collateral in custody", which, _int(held), _int(total));
        }
    }

    /// @dev PNL-1, the sums.
    function _checkMarket(MarketId id) private view {
        int256 long;
        int256 short;
        int256 quote;
        int256 product;
        for (uint256 i; i < _d.accounts.length; i++) {
            Position memory p = _d.exchange.position(_d.accounts[i], id);
            if (p.size > 0) long += p.size;
            else short -= p.size;
            quote += p.quote;
            product += int256(p.size) * p.fundingEntry;
        }
        Market memory m = _d.exchange.marketState(id);
        uint256 which = MarketId.unwrap(id);
        _equal("PNL-1", "long open interest", which, int256(uint256(m.openInterestLong)), long);
        _equal("PNL-1", "short open interest", which, int256(uint256(m.openInterestShort)), short);
        _equal("PNL-1", "quote", which, m.quote, quote);
        _equal("PNL-1", "funding entry product", which, m.fundingEntryProduct, product);
    }

    function _equal(
        string memory id,
        string memory what,
        uint256 which,
        int256 actual,
        int256 expected
    ) private pure {
        if (actual != expected) revert Violated(id, what, which, actual, expected);
    }

    function _int(uint256 value) private pure returns (int256) {
        return int256(value);
    }
}
