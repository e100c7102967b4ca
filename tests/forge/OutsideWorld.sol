// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "../../contracts/types/Ids.sol";
import {AccountValuation} from "../../contracts/types/Valuation.sol";
import {CompartmentQuestions} from "./CompartmentQuestions.sol";
import {Deployment, IDevFeed} from "./Deployment.sol";
import {VM} from "./Vm.sol";

/// @title What happens around a compartment: prices move, time passes
abstract contract OutsideWorld is CompartmentQuestions {
    uint256 private constant SHORT_WAITS = 2;

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
    int16[8] private _depths =
        [int16(9_900), 10_050, 10_500, 12_000, 15_000, 20_000, 30_000, -5_000];
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

    /// @notice All feeds of an asset move together, and the oracle takes note. Not the pegged asset's.
    function movePrice(uint256 asset, uint256 factor) external {
        _scalePrice(asset % (_d.assets.length - 1), factor);
    }

    /// @notice The same; then the breaker takes note.
    function movePriceAndPoke(uint256 asset, uint256 factor) external {
        _scalePrice(asset % (_d.assets.length - 1), factor);
        _pokeBreaker();
    }

    /// @notice All feeds of the pegged asset move together; oracle and peg monitor take note.
    function movePegPrice(uint256 factor) external {
        _scalePegPrice(factor);
    }

    /// @notice The same; then the breaker takes note.
    function movePegPriceAndPoke(uint256 factor) external {
        _scalePegPrice(factor);
        _pokeBreaker();
    }

    /// @notice A price moves so far that an account just misses its maintenance margin, or owes money.
    function squeeze(uint256 target, uint256 market, uint256 depth) external {
        _squeeze(target, market, depth);
    }

    /// @notice The same; then the breaker takes note.
    function squeezeAndPoke(uint256 target, uint256 market, uint256 depth) external {
        _squeeze(target, market, depth);
        _pokeBreaker();
    }

    /// @notice One feed alone reports something else, within what is tolerated or not.
    function moveFeed(uint256 feed, uint256 factor) external inNextBlock {
        IDevFeed chosen = _d.feeds[feed / 2 % _d.feeds.length][feed % 2];
        int256 bps = int256(uint256(_oneFeedFactors[factor % _oneFeedFactors.length]));
        _report(chosen, _answer(chosen) * bps / int256(BPS));
    }

    /// @notice Time passes: a minute at most, or more while all feeds are silent.
    function wait(uint256 howLong, uint256 silent) external {
        uint256 longWaits = _waits.length - SHORT_WAITS;
        // One in sixteen of the long ones is silent.
        uint256 kind = silent % (16 * SHORT_WAITS + longWaits);
        _pass(_waits[kind < longWaits ? SHORT_WAITS + kind : howLong % SHORT_WAITS]);
    }

    /// @notice Ten minutes or more pass, every feed reports its last price again, and the breaker takes note.
    function waitAndReport(uint256 howLong) external {
        _pass(_waits[SHORT_WAITS + howLong % (_waits.length - SHORT_WAITS)] - BLOCK_SECONDS);
        for (uint256 j; j < _d.feeds.length; j++) {
            for (uint256 k; k < _d.feeds[j].length; k++) {
                _nextBlock();
                _report(_d.feeds[j][k], _answer(_d.feeds[j][k]));
            }
        }
        _pokeBreaker();
    }

    // ------------------------------------------------------------------ parts of the above

    function _squeeze(uint256 target, uint256 market, uint256 depth) private {
        AccountId account = _target(_isExposed, 0, target, 0);
        uint8 id = _item(_markets(account), market, 0, 0);
        // Market i is priced by asset i.
        int256 answer = _answer(_d.feeds[id][0]) * _squeezed(account, id, depth) / int256(BPS);
        _movePrice(id, answer);
    }

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
        if (depth % 16 < 8) worth -= int256(v.maintenanceMargin);
        int256 notional = (size > 0 ? size : -size) * int256(price) / int256(WAD);
        int256 change = worth * _depths[depth % 8] / (notional > 0 ? notional : int256(1));
        int256 moved = int256(BPS) - (size > 0 ? change : -change);
        return moved < 5_000 ? int256(5_000) : moved > 20_000 ? int256(20_000) : moved;
    }

    function _scalePegPrice(uint256 factor) private {
        _scalePrice(_d.assets.length - 1, factor);
        _nextBlock();
        VM.prank(_d.keeper);
        _d.pegMonitor.poke(_d.peg);
    }

    /// @dev The last factor leads back to the price from which the sequence began.
    function _scalePrice(uint256 asset, uint256 factor) private {
        uint256 kind = factor % (_factors.length + 1);
        int256 answer = kind == _factors.length
            ? _firstAnswers[asset]
            : _answer(_d.feeds[asset][0]) * int256(uint256(_factors[kind])) / int256(BPS);
        _movePrice(asset, answer);
    }

    function _movePrice(uint256 asset, int256 answer) private {
        for (uint256 j; j < _d.feeds[asset].length; j++) {
            _nextBlock();
            _report(_d.feeds[asset][j], answer > 0 ? answer : int256(1));
        }
        _nextBlock();
        VM.prank(_d.keeper);
        _d.oracle.record(_d.assets[asset]);
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
