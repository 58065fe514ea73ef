#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Opens a page in a headless Chromium, waits for a text, and looks at its layout.

usage: browser.py DIRECTORY URL TEXT WIDTH HEIGHT

Writes DIRECTORY/page-WIDTH.png, and prints as JSON: width and height of the picture, whether the page is wider
than the window, the addresses that it asked other than its own, and the text of the page. Speaks the DevTools
protocol by a WebSocket, with nothing but the standard library. Exits with 1 if the text does not appear.
"""
import base64
import json
import os
import socket
import struct
import subprocess
import sys
import time
import urllib.request


class Page:
    """Of a browser: requests and answers of its DevTools."""

    def __init__(self, url):
        host, _, path = url.removeprefix("ws://").partition("/")
        name, port = host.rsplit(":", 1)
        self.socket = socket.create_connection((name, int(port)), 30)
        self.socket.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Key: cGx2cyBwYWdlIHRlc3QhIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        while self.stream.readline().strip():
            pass
        self.id = 0

    def message(self):
        data = b""
        while True:
            first, length = self.stream.read(2)
            if length == 126:
                (length,) = struct.unpack("!H", self.stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self.stream.read(8))
            data += self.stream.read(length)
            if first & 0x80:
                return json.loads(data)

    def call(self, method, **params):
        self.id += 1
        data = json.dumps({"id": self.id, "method": method, "params": params}).encode()
        self.socket.sendall(b"\x81" + struct.pack("!BH", 0x80 | 126, len(data)) + bytes(4) + data)
        while True:
            answer = self.message()
            if answer.get("id") == self.id:
                return answer.get("result", {})

    def evaluate(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")


def main():
    directory, url, text, width, height = *sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5])
    profile = os.path.join(directory, f"profile-{width}")
    browser = subprocess.Popen(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": directory})
    try:
        end = time.monotonic() + 90
        while not os.path.exists(os.path.join(profile, "DevToolsActivePort")):
            if browser.poll() is not None or time.monotonic() > end:
                raise SystemExit("chromium does not start")
            time.sleep(0.2)
        with open(os.path.join(profile, "DevToolsActivePort"), encoding="ascii") as f:
            port = f.readline().strip()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as f:
            pages = [p for p in json.load(f) if p["type"] == "page"]
        page = Page(pages[0]["webSocketDebuggerUrl"])
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        page.call("Page.navigate", url=url)
        while text not in (page.evaluate("document.body ? document.body.innerText : ''") or ""):
            if time.monotonic() > end:
                raise SystemExit("the page never shows it: " + str(page.evaluate("document.body.innerText")))
            time.sleep(0.3)
        png = base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])
        with open(os.path.join(directory, f"page-{width}.png"), "wb") as f:
            f.write(png)
        print(json.dumps({
            "width": struct.unpack("!I", png[16:20])[0],
            "height": struct.unpack("!I", png[20:24])[0],
            "bytes": len(png),
            "too_wide": page.evaluate("document.documentElement.scrollWidth > innerWidth"),
            "foreign": page.evaluate(
                "performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin))"),
            "plots": page.evaluate("document.querySelectorAll('canvas').length"),
            "text": page.evaluate("document.body.innerText"),
        }))
    finally:
        browser.terminate()
        browser.wait()


main()
