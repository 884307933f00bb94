#!/usr/bin/python3
"""Answers every request with a greeting and the name of this machine."""

import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        greeting = os.environ.get("HELLO_GREETING", "Hello")
        body = f"{greeting} from {socket.gethostname()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def tell_systemd(state):
    """Type=notify: the service has started once it can answer, not when Python has."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(state, address)


server = HTTPServer(("", int(os.environ.get("HELLO_PORT", "8080"))), Hello)
tell_systemd(b"READY=1")
server.serve_forever()
