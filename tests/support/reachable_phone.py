"""Phones over TCP that listen at their Contact, as RFC 3261 18.2.2 wants it, and whose connections come and go."""

import socket
import threading

from .called_phone import CalledPhone
from .softphone import Softphone


class Reachable:
    """Put before a kind of softphone. Whatever it says next goes over the latest connection, whoever opened it. `listens=False`: nobody is
    at its Contact."""

    def __init__(self, server, address="127.0.0.2", transport="tcp", listens=True, **more):
        self.listeners = []
        super().__init__(server, address=address, transport=transport, **more)
        self.port = self.listen()
        if not listens:
            self.deafen()

    @property
    def contact(self):
        return f"<sip:test@{self.host}:{self.port};transport=tcp>"

    def listen(self):
        """At one more port: which."""
        listener = socket.create_server((self.host, 0))
        self.listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener.getsockname()[1]

    def _accept(self, listener):
        while not self.closing:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._use(connection)

    def deafen(self):
        for listener in self.listeners:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()

    def _use(self, connection):
        self.transport, self.socket = "TCP", connection
        threading.Thread(target=self._read, daemon=True).start()

    def drop(self):
        """Closes the connection, as a proxy closes one that is idle. The server has noticed when this returns."""
        self.socket.shutdown(socket.SHUT_WR)
        self.gone.wait(10)

    def reconnect(self):
        """A new connection of its own."""
        connection = socket.socket()
        connection.bind((self.host, 0))
        connection.connect(self.server_address)
        self._use(connection)

    def close(self):
        super().close()
        self.deafen()


class ReachableCaller(Reachable, Softphone):
    def _leave(self):
        if self.state in ("calling", "up") and self.gone.is_set():
            self.reconnect()
        super()._leave()


class ReachableCallee(Reachable, CalledPhone):
    """Is called at one port, and gives another one as its Contact."""

    def __init__(self, server, **more):
        super().__init__(server, **more)
        self.called_port = self.listen()

    @property
    def uri(self):
        return f"sip:bob@{self.host}:{self.called_port};transport=tcp"

    def request_text(self, method, *args, **more):
        if self.gone.is_set():
            self.reconnect()
        return super().request_text(method, *args, **more)
