"""Waiting for what nothing announces: a server's metrics, another process's log."""

import threading
import time


def wait_until(true, what, timeout=20.0):
    """Asks again and again. `what`: said when it stays untrue; a function is called then."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, what() if callable(what) else what
        threading.Event().wait(0.05)
