"""Callbacks: whoever handed a job in is told of its end, signed, and only where that does no harm."""
