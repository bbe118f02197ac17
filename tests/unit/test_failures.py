"""What clients are told."""

import errno
import os

import pytest

from api.failures import describe


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_bug(number: int) -> None:
    """Whoever uploads meanwhile is told when to come again."""
    failure = describe(OSError(number, os.strerror(number)))

    assert failure.status == 503
    assert int(failure.headers["Retry-After"]) > 0


def test_another_error_of_the_system_is() -> None:
    """It is not explained away."""
    assert describe(OSError(errno.EBADF, os.strerror(errno.EBADF))).status == 500
