// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {ILens} from "../interfaces/ILens.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskEngine} from "../interfaces/IRiskEngine.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {AccountStanding, AccountValuation, MarketExposure} from "../types/Valuation.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

/// @notice Answers that take a search: at which price, how much. By bisection over the very functions that decide, so
/// that no formula here can disagree with them.
abstract contract MarginQuestions is ILens {
    /// @dev Prices are found to within 2⁻⁴⁸ of the present one.
    uint256 private constant PRICE_STEPS = 48;
    /// @dev Prices are looked for up to 2¹⁶ times the present one.
    uint256 private constant PRICE_DOUBLINGS = 16;

    IMarginEngine internal immutable _marginEngine;
    IRiskEngine internal immutable _riskEngine;
    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    uint8 internal immutable _settlementDecimals;

    constructor(Compartment memory wiring) {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _riskEngine = IRiskEngine(wiring.riskEngine);
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _settlementDecimals = IERC20Metadata(wiring.settlementToken).decimals();
    }

    /// @inheritdoc ILens
    function liquidationPrices(AccountId account, MarketId market)
        external
        view
        returns (LiquidationPrices memory prices)
    {
        AccountStanding memory s = _marginEngine.standing(account);
        MarketExposure[] memory exposures = _perpExchange.exposuresOf(account);
        uint256 i;
        while (i < exposures.length && !(exposures[i].market == market)) ++i;
        if (i == exposures.length) revert Lens_NoPosition(account, market);
        (uint256 price,) = _perpExchange.indexPrice(market);
        if (_isLiquidatable(account, s, exposures, i, price)) {
            return LiquidationPrices(price, price);
        }

        prices.above = type(uint256).max;
        uint256 far = price;
        for (uint256 k; k < PRICE_DOUBLINGS; ++k) {
            far *= 2;
            if (!_isLiquidatable(account, s, exposures, i, far)) continue;
            prices.above = _edge(account, s, exposures, i, far / 2, far);
            break;
        }
        // A price of zero is no price: one wei is the least.
        if (_isLiquidatable(account, s, exposures, i, 1)) {
            prices.below = _edge(account, s, exposures, i, price, 1);
        }
    }

    /// @inheritdoc ILens
    function maxWithdraw(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256 amountTokens)
    {
        if (!_circuitBreaker.isAllowed(Action.Withdraw)) return 0;
        AccountStanding memory s = _marginEngine.standing(account);
        bool isCash = CollateralId.unwrap(collateral) == 0;
        uint256 held = isCash
            ? TokenScale.toTokensDown(s.cash > 0 ? uint256(s.cash) : 0, _settlementDecimals)
            : _marginEngine.collateralBalance(account, collateral);
        if (held == 0) return 0;
        MarketExposure[] memory exposures = _perpExchange.exposuresOf(account);
        if (exposures.length == 0 && s.cash >= 0) return held;

        if (_mayHold(s, exposures, collateral, held)) return held;
        uint256 low;
        uint256 high = held;
        if (!_mayHold(s, exposures, collateral, 0)) return 0;
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            if (_mayHold(s, exposures, collateral, middle)) low = middle;
            else high = middle;
        }
        return low;
    }

    /// @dev The last price on the way from a healthy to an unhealthy one at which the account may be liquidated.
    function _edge(
        AccountId account,
        AccountStanding memory s,
        MarketExposure[] memory exposures,
        uint256 i,
        uint256 healthy,
        uint256 unhealthy
    ) private view returns (uint256) {
        for (uint256 k; k < PRICE_STEPS; ++k) {
            uint256 middle = (healthy + unhealthy) / 2;
            if (middle == healthy || middle == unhealthy) break;
            if (_isLiquidatable(account, s, exposures, i, middle)) unhealthy = middle;
            else healthy = middle;
        }
        return unhealthy;
    }

    function _isLiquidatable(
        AccountId account,
        AccountStanding memory s,
        MarketExposure[] memory exposures,
        uint256 i,
        uint256 price
    ) private view returns (bool) {
        exposures[i] = _perpExchange.exposureAt(account, exposures[i].market, price);
        AccountValuation memory v = _riskEngine.valuationWith(s, exposures);
        return v.equityMaintenance < int256(v.maintenanceMargin) && v.bufferAtIndex < 0;
    }

    /// @dev Whether what is left after a withdrawal would pass the margin check.
    function _mayHold(
        AccountStanding memory s,
        MarketExposure[] memory exposures,
        CollateralId collateral,
        uint256 amountTokens
    ) private view returns (bool) {
        AccountStanding memory left = AccountStanding(
            s.cash, s.claim, s.matured, s.poolCash, s.junior, s.isHaircutFresh, s.holdings
        );
        uint256 k;
        if (CollateralId.unwrap(collateral) == 0) {
            left.cash -= int256(TokenScale.toWad(amountTokens, _settlementDecimals));
        } else {
            while (
                CollateralId.unwrap(s.holdings[k].collateral) != CollateralId.unwrap(collateral)
            ) {
                ++k;
            }
            s.holdings[k].amountTokens -= amountTokens;
            s.holdings[k].totalTokens -= amountTokens;
        }
        AccountValuation memory v = _riskEngine.valuationWith(left, exposures);
        if (CollateralId.unwrap(collateral) != 0) {
            s.holdings[k].amountTokens += amountTokens;
            s.holdings[k].totalTokens += amountTokens;
        }
        return v.status >= ActionPolicy.minStatus(Action.Withdraw)
            && v.equityInitial >= int256(v.initialMargin);
    }

    /// @dev WAD ratio of equity to requirement, rounded down.
    function _healthRatio(AccountValuation memory v) internal pure returns (uint256) {
        if (v.maintenanceMargin == 0) return type(uint256).max;
        if (v.equityMaintenance <= 0) return 0;
        return WadMath.mulDivDown(uint256(v.equityMaintenance), WadMath.WAD, v.maintenanceMargin);
    }
}
