"""`bench`: one table of what this service is to reach, and what it reaches here."""
