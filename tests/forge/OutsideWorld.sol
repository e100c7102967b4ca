// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "../../contracts/types/Ids.sol";
import {AccountValuation} from "../../contracts/types/Valuation.sol";
import {CompartmentQuestions} from "./CompartmentQuestions.sol";
import {Deployment, IDevFeed} from "./Deployment.sol";
import {VM} from "./Vm.sol";

/// @title What happens around a compartment: prices move, time passes
abstract contract OutsideWorld is CompartmentQuestions {
    uint16[17] private _factors = [
        10_000,
        10_010,
        9_990,
        10_050,
        9_950,
        10_100,
        9_900,
        10_200,
        9_800,
        10_300,
        9_700,
        10_500,
        9_500,
        11_500,
        8_500,
        13_000,
        7_000
    ];
    uint16[8] private _oneFeedFactors =
        [10_100, 9_900, 10_400, 9_600, 10_800, 9_200, 20_000, 5_000];
    int16[9] private _depths =
        [int16(9_900), 10_010, 10_050, 10_200, 11_000, 15_000, 20_000, 30_000, -5_000];
    uint32[7] private _waits = [12, 60, 600, 3_600, 21_600, 86_400, 259_200];
    int256[] private _firstAnswers;

    /// @notice Time passes between any two transactions.
    modifier inNextBlock() {
        _nextBlock();
        _;
    }

    constructor(Deployment memory deployment) {
        _d = deployment;
        for (uint256 i; i < deployment.feeds.length; i++) {
            _firstAnswers.push(_answer(deployment.feeds[i][0]));
        }
    }

    /// @notice All feeds of an asset move together; then the oracle, and perhaps the breaker, takes note.
    function movePrice(uint256 asset, uint256 factor, uint256 told) external {
        uint256 i = asset % _d.assets.length;
        uint256 kind = factor % (_factors.length + 1);
        // The last factor leads back to the price from which the sequence began.
        int256 answer = kind == _factors.length
            ? _firstAnswers[i]
            : _answer(_d.feeds[i][0]) * int256(uint256(_factors[kind])) / int256(BPS);
        _movePrice(i, answer, told % 8);
    }

    /// @notice A price moves so far that an account just misses its maintenance margin, or owes money.
    function squeeze(uint256 target, uint256 market, uint256 depth, uint256 told) external {
        AccountId account = _target(_isExposed, 0, target, 0);
        uint8 id = _item(_markets(account), market, 0, 0);
        // Market i is priced by asset i.
        int256 answer = _answer(_d.feeds[id][0]) * _squeezed(account, id, depth) / int256(BPS);
        _movePrice(id, answer, told % 8);
    }

    /// @notice One feed alone reports something else, within what is tolerated or not.
    function moveFeed(uint256 feed, uint256 factor) external inNextBlock {
        IDevFeed chosen = _d.feeds[feed / 2 % _d.feeds.length][feed % 2];
        int256 bps = int256(uint256(_oneFeedFactors[factor % _oneFeedFactors.length]));
        _report(chosen, _answer(chosen) * bps / int256(BPS));
    }

    /// @notice Time passes; mostly feeds report their last prices again after an hour or more, and the breaker is
    /// poked after ten minutes or more.
    function wait(uint256 howLong, uint256 silent) external {
        uint256 duration = _waits[howLong % _waits.length];
        if (silent % 16 >= 14 || duration < 10 minutes) return _pass(duration);
        _pass(duration - BLOCK_SECONDS);
        if (duration >= 1 hours) _reportAll();
        _pokeBreaker();
    }

    // ------------------------------------------------------------------ parts of the above

    /// @dev The price that does it, in basis points of the price now.
    function _squeezed(AccountId account, uint8 market, uint256 depth)
        private
        view
        returns (int256)
    {
        (bool valued, AccountValuation memory v) = _valuation(account);
        (uint256 price,) = _d.exchange.indexPrice(MarketId.wrap(market));
        if (!valued || price == 0) return int256(BPS);
        int256 size = _d.exchange.position(account, MarketId.wrap(market)).size;
        int256 worth = v.equityMaintenance;
        int256 notional = (size > 0 ? size : -size) * int256(price) / int256(WAD);
        uint256 kind = depth % (2 * _depths.length);
        if (kind < _depths.length) {
            worth -= int256(v.maintenanceMargin);
            // The margin asked for moves with the price, too.
            int256 margin = notional * int256(_maintenanceRatio(market)) / int256(WAD);
            notional += size > 0 ? -margin : margin;
        }
        int256 change =
            worth * _depths[kind % _depths.length] / (notional > 0 ? notional : int256(1));
        int256 moved = int256(BPS) - (size > 0 ? change : -change);
        return moved < 5_000 ? int256(5_000) : moved > 20_000 ? int256(20_000) : moved;
    }

    function _maintenanceRatio(uint8 market) private view returns (uint256) {
        return _d.parameters.marketTrading(MarketId.wrap(market)).maintenanceMarginRatio;
    }

    /// @dev `told`: nobody of 0 to 3, the oracle and the peg monitor from 4 on, the breaker, too, from 6 on.
    function _movePrice(uint256 asset, int256 answer, uint256 told) private {
        for (uint256 j; j < _d.feeds[asset].length; j++) {
            _nextBlock();
            _report(_d.feeds[asset][j], answer > 0 ? answer : int256(1));
        }
        if (told < 4) return;
        _nextBlock();
        VM.prank(_d.keeper);
        _d.oracle.record(_d.assets[asset]);
        if (asset == _d.assets.length - 1) {
            _nextBlock();
            VM.prank(_d.keeper);
            _d.pegMonitor.poke(_d.peg);
        }
        if (told >= 6) _pokeBreaker();
    }

    function _reportAll() private {
        for (uint256 j; j < _d.feeds.length; j++) {
            for (uint256 k; k < _d.feeds[j].length; k++) {
                _nextBlock();
                _report(_d.feeds[j][k], _answer(_d.feeds[j][k]));
            }
        }
    }

    function _pokeBreaker() private {
        _nextBlock();
        VM.prank(_d.keeper);
        _d.breaker.poke();
    }

    function _report(IDevFeed feed, int256 answer) private {
        VM.prank(_d.operator);
        feed.setAnswer(answer);
    }

    function _nextBlock() internal {
        _pass(BLOCK_SECONDS);
    }

    function _pass(uint256 seconds_) private {
        VM.warp(block.timestamp + seconds_);
        VM.roll(block.number + 1);
    }
}
