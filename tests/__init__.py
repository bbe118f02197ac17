"""Tests: units, parts on the real Redis and models, and the started service."""
