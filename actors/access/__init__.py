"""Who may use the service: API keys, of which the operator's machine keeps hashes only."""
