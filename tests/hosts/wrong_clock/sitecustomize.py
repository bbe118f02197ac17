"""Every Python process that has this folder in `PYTHONPATH` believes that it is a minute later."""

import time

AHEAD_S = 60

_true_s, _true_ns = time.time, time.time_ns
time.time = lambda: _true_s() + AHEAD_S
time.time_ns = lambda: _true_ns() + AHEAD_S * 1_000_000_000
