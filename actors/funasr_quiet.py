"""Keeping FunASR to itself."""

import contextlib
import io
import logging
import pkgutil
import warnings
from collections.abc import Iterator
from unittest import mock


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep FunASR's banners off stdout and undo what its import does to the root logger."""
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, root.manager.disable
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.ERROR)
        try:
            yield
        finally:
            logging.disable(disabled)
            root.handlers[:] = handlers
            root.setLevel(level)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let an import of FunASR bring what is named: its first one would import all of its modules."""
    with mock.patch.object(pkgutil, "walk_packages", return_value=()):
        yield
