"""Prints all settings, as `docs/settings.md` has them."""

from actors.settings.reference import table

print(table(), end="")  # noqa: T201
