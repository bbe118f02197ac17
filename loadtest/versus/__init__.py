"""The same recordings and load on this service and on another server, in turn."""
