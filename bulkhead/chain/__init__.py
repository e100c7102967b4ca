"""Ways to talk to a chain."""
