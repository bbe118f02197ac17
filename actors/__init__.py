"""The core: what a job is, where it is kept, how it travels, and who works on it."""
