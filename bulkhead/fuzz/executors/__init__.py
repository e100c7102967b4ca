"""Backends that play a sequence of transactions and bring back all that can be seen of it."""
