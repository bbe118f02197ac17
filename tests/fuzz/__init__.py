"""Damages recordings in every way that is known to hurt, and watches what the service makes of them."""
