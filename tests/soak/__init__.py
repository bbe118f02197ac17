"""Hours of mixed use, good and bad, and what has grown by then: `python -m tests.soak`."""
