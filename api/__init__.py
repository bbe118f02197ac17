"""The HTTP API: takes uploads in, waits for their jobs, renders results. Only I/O, no models."""
