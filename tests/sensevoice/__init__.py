"""A small SenseVoice that knows digit strings in five languages, and the scripts that made it."""
