"""Bulkhead: the risk lab around the derivatives suite."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The project's folder."""
