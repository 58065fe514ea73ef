#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A server of a line protocol, plain and with TLS, and an agent, for tests of checks.

usage: talker.py ADDRESS PORT TLS-PORT AGENT-PORT CERTIFICATE KEY DIRECTORY

DIRECTORY/talk says how to talk: well; bad: other answers; mute: no word; slow: a
byte each 100 ms; endless: a line without end. DIRECTORY/agent is what the agent says.
"""
import socket
import socketserver
import ssl
import sys
import threading
import time

ADDRESS, PORT, TLS_PORT, AGENT_PORT, CERT, KEY, DIRECTORY = sys.argv[1:]


def said(name):
    with open(f"{DIRECTORY}/{name}", encoding="ascii") as f:
        return f.read().strip()


class Talk(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self):
        how = said("talk")
        try:
            if how == "mute":
                self.rfile.read(1)
                return
            if how == "slow":
                for c in b"220 ready\r\n":
                    self.wfile.write(bytes([c]))
                    time.sleep(0.1)
                return
            while how == "endless":
                self.wfile.write(b"x" * 65536)
            self.wfile.write(b"220 ready\r\n")
            for line in self.rfile:
                if line.startswith(b"HELO ") and how == "well":
                    self.wfile.write(b"250-mail.example.test\r\n250 \x01ok\r\n")
                elif line == b"QUIT\r\n" and how != "bad":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"500 what?\r\n")
        except OSError:
            pass


class Agent(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.wfile.write(said("agent").encode() + b"\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    address_family = socket.AF_INET6 if ":" in ADDRESS else socket.AF_INET

    def __init__(self, port, handler, context=None):
        self.context = context
        super().__init__((ADDRESS, int(port)), handler)

    def get_request(self):
        sock, peer = super().get_request()
        if self.context:
            # The handshake is the handler's, with its first read.
            sock = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, peer

    def handle_error(self, request, client_address):
        pass


tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(CERT, KEY)
servers = [Server(PORT, Talk), Server(TLS_PORT, Talk, tls), Server(AGENT_PORT, Agent)]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
