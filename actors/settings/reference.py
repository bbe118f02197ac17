"""The settings described: their names, what each may be and what it is for."""

from typing import Any, get_type_hints

import msgspec
import msgspec.inspect

from actors.settings.fields import Settings

PREFIX = "ASR_"


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def names() -> list[str]:
    """The environment variables of all settings."""
    return [variable(field) for field in Settings.__struct_fields__]


def allowed(field: str) -> str:
    """What a setting may be, for people."""
    info = msgspec.inspect.type_info(types()[field])
    match info.type if isinstance(info, msgspec.inspect.Metadata) else info:
        case msgspec.inspect.IntType(ge=int(least), le=int(most)):
            return f"a whole number from {least} to {most}"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case _:
            return description(field)


def description(field: str) -> str:
    """What a setting is for."""
    match msgspec.inspect.type_info(types()[field]):
        case msgspec.inspect.Metadata(extra_json_schema={"description": str(text)}):
            return text
        case _:
            raise LookupError(field)


def table() -> str:
    """All settings as a table in Markdown."""
    rows = [
        f"| `{variable(field)}` | {f'`{_text(default)}`' if default != '' else ''} | {_row(field)} |"
        for field, default in msgspec.structs.asdict(Settings()).items()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows, ""])


def _row(field: str) -> str:
    meaning, range_ = description(field), allowed(field)
    return meaning if range_ == meaning else f"{meaning}; {range_.removeprefix('a whole number ')}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def types() -> dict[str, Any]:
    """The type of each field, with its range and description."""
    return get_type_hints(Settings, include_extras=True)
