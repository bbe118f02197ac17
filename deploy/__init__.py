"""Set-up, the life of the service on one machine, and the commands that use it."""
