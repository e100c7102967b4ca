"""Bulkhead: the risk lab around the derivatives suite."""
