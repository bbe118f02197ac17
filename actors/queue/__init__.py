"""How work travels: Dramatiq on Redis with immediate pick-up, lanes and an end for poison."""
