"""What the README says of the settings is what the code does."""

from pathlib import Path

from actors import settings

README = Path(__file__).resolve().parents[2] / "README.md"


def test_settings_table() -> None:
    """Every setting with its default and range; `python -m actors.settings` prints the table."""
    table = README.read_text().partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0]

    assert table == settings.table()
