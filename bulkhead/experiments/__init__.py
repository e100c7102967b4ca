"""Experiments: questions about the protocol that are answered by numbers from a local chain."""
