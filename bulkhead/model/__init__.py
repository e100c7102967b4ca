"""Integer twins of the contracts: same names, same rounding, a typed error per custom error.

Nothing here imports Ape or web3, so a model runs anywhere and as fast as Python integers allow.
"""
