"""Several hosts that share a Redis: what becomes of requests when one of them is cut off."""
