"""Speech recognition engines, all behind the `Engine` protocol."""
