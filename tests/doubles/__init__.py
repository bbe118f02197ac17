"""Engines for tests: what they do is known, so that what the service does shows."""
