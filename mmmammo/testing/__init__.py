"""Tiny inputs for tests; imported by tests only."""
