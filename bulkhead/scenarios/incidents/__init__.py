"""Replays of real incidents: the mechanism of each, against the suite's own contracts."""
