"""The settings of one process, read once from `ASR_*` variables and `.env`."""

from actors.settings.fields import PARTS, Settings
from actors.settings.reading import LOADTEST_KEY, STATE_DIR, SettingsError, load
from actors.settings.reference import PREFIX, names, table, variable

__all__ = [
    "LOADTEST_KEY",
    "PARTS",
    "PREFIX",
    "STATE_DIR",
    "Settings",
    "SettingsError",
    "load",
    "names",
    "table",
    "variable",
]
