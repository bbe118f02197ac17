"""Ten times more than the service can do, and what becomes of it: `python -m tests.overload`."""
