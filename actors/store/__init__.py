"""Where jobs live: every Redis key, script and transition, and nothing else touches them."""
