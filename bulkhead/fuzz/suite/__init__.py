"""This project's own contracts, as a target of the harness."""
