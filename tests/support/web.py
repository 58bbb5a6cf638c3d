"""A web server with files that the test decides about: what is sent, and when."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class File:
    """`pieces`: bytes and, between them, events that are awaited before the server goes on. `length`: the Content-Length that is claimed;
    None: none is. `abort`: the connection is reset after the last piece."""

    def __init__(self, *pieces, status=200, headers=(), length="right", abort=False):
        self.pieces, self.status, self.headers, self.abort = pieces, status, dict(headers), abort
        content = sum(len(piece) for piece in pieces if isinstance(piece, bytes))
        self.length = content if length == "right" else length


class Web:
    """`files[path]`: a File, or a function of the request's headers that returns one."""

    def __init__(self, certificate=None, host="127.0.0.1"):
        self.files = {}
        self.requests = []
        self.changed = threading.Condition()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                web._serve(self)

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                web._serve(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # the other side has gone

        self.server = Server((host, 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def _serve(self, handler):
        path = handler.path.split("?")[0]
        file = self.files.get(path, File(b"not here", status=404))
        with self.changed:
            self.requests.append((handler.path, dict(handler.headers)))
            self.changed.notify_all()
        if callable(file):
            file = file(handler.headers)
        handler.send_response(file.status)
        for name, value in file.headers.items():
            handler.send_header(name, value)
        if file.length is not None:
            handler.send_header("Content-Length", str(file.length))
        else:
            handler.send_header("Connection", "close")
            handler.close_connection = True
        handler.end_headers()
        for piece in file.pieces:
            if isinstance(piece, bytes):
                handler.wfile.write(piece)
                handler.wfile.flush()
            else:
                piece.wait(60)
        if file.abort:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            handler.close_connection = True
            handler.connection.close()

    def wait_for(self, count, timeout=20.0):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= count, timeout), f"{len(self.requests)} requests instead of {count}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
