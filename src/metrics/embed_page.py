#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes a page of HTML as a C file: its bytes, and the headers that it is served with.

usage: embed_page.py PAGE.html OUT.c

The Content-Security-Policy allows the page's own script and style, by their digests, and
requests to the server that the page came from. Nothing else is loaded or run.
"""
import base64
import hashlib
import re
import sys


def digests(page, tag):
    parts = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    if len(parts) != 1:
        sys.exit(f"{sys.argv[1]}: {len(parts)} of <{tag}>, not one")
    digest = base64.b64encode(hashlib.sha256(parts[0].encode()).digest()).decode()
    return f"'sha256-{digest}'"


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as f:
        page = f.read()
    policy = (f"default-src 'none'; script-src {digests(page, 'script')}; "
              f"style-src {digests(page, 'style')}; connect-src 'self'; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    headers = ["Content-Type: text/html; charset=utf-8", f"Content-Security-Policy: {policy}",
               "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
               "Cache-Control: no-store"]
    data = page.encode()
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("/* SPDX-License-Identifier: BSD-3-Clause */\n/* Made from page.html. */\n"
                  '#include "metrics/page.h"\n\nstatic const unsigned char body[] = {\n')
        for i in range(0, len(data), 16):
            out.write("\t" + "".join(f"{b}," for b in data[i:i + 16]) + "\n")
        out.write("};\n\nconst struct scrape_page metrics_page = {\n\t.headers =\n")
        for line in headers:
            out.write(f'\t\t"{line}\\r\\n"\n')
        out.write("\t,\n\t.body = (const char *)body,\n\t.len = sizeof(body),\n};\n")


main()
