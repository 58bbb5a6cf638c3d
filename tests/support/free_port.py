"""Ports for programs that are told which one to take."""

import contextlib
import itertools
import os
import random
import socket

# Below what the kernel gives to those who ask for any, above what the servers under test use for RTP; a part of it for each of the workers
# that tests run in.
FIRST, COUNT, WORKERS = 30400, 2300, 16
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS
_own = range(FIRST + COUNT // WORKERS * _worker, FIRST + COUNT // WORKERS * (_worker + 1))
_candidates = itertools.cycle(random.sample(_own, len(_own)))


def _is_free(port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with contextlib.closing(socket.socket(socket.AF_INET, kind)) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port():
    """One that is free on 127.0.0.1, for UDP and TCP; another one each time."""
    for port in itertools.islice(_candidates, len(_own)):
        if _is_free(port):
            return port
    raise RuntimeError("no free port")
