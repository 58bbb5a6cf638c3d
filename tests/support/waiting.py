"""Waiting for what nothing announces: a server's metrics, another process's log."""

import threading
import time


def happens(true, within):
    """Asks again and again: whether it becomes true in so many seconds."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.05)
    return True


def wait_until(true, what, timeout=20.0):
    """`what`: said when it stays untrue; a function is called then."""
    assert happens(true, timeout), what() if callable(what) else what
