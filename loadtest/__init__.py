"""How much an installation can take, how fast, and what limits it."""
