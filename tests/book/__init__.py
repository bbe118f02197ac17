"""The documentation, taken apart for the tests that keep it true."""
