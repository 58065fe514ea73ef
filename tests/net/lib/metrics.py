#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds a document of metrics against what the control socket says.

usage: metrics.py METRICS COUNTERS SERVICES HEALTH

METRICS is the OpenMetrics text, the others are the JSON results of counter.list, service.list
and health.list, taken while nothing was counted. It is read by the strict parser of
prometheus_client. Exits with 1 and a line for each thing that differs.
"""
import json
import sys

from prometheus_client.openmetrics import parser

STATES = {"unknown": 0, "up": 1, "down": 2, "maintenance": 3}
TRAFFIC = {
    "connections": "conns",
    "in_packets": "in_pkts",
    "out_packets": "out_pkts",
    "in_bytes": "in_bytes",
    "out_bytes": "out_bytes",
}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        families = list(parser.text_string_to_metric_families(f.read()))
    counters, services, health = (json.load(open(p, encoding="utf-8")) for p in sys.argv[2:5])
    names = [f.name for f in families]
    wrong = [f"family {n} stands there twice" for n in set(names) if names.count(n) > 1]
    samples = {}
    for family in families:
        for s in family.samples:
            samples[(s.name, tuple(sorted(s.labels.items())))] = s.value
    compared = 0

    def same(name, value, **labels):
        nonlocal compared
        compared += 1
        got = samples.get((name, tuple(sorted(labels.items()))))
        if got != value:
            wrong.append(f"{name}{labels}: {got}, and plvsctl says {value}")

    for row in counters["services"]:
        for ours, theirs in TRAFFIC.items():
            same(f"plvs_service_{ours}_total", row["counters"][theirs], service=row["key"])
    for row in counters["servers"]:
        labels = {"service": row["service"], "server": row["server"]}
        for ours, theirs in TRAFFIC.items():
            same(f"plvs_server_{ours}_total", row["counters"][theirs], **labels)
    for name in ("drops", "punts"):
        for row in counters[name]:
            label = "reason" if name == "drops" else "class"
            total = sum(
                v
                for (n, labels), v in samples.items()
                if n == f"plvs_worker_{name}_total" and (label, row["name"]) in labels
            )
            compared += 1
            if total != row["count"]:
                wrong.append(f"{name} {row['name']}: {total}, and plvsctl says {row['count']}")
    for row in counters["workers"]:
        for key in ("created", "expired", "connections", "embryonic"):
            suffix = "_total" if key in ("created", "expired") else ""
            same(
                f"plvs_worker_{key}{suffix}",
                row["counters"][key],
                worker=str(row["worker"]),
            )
    for row in services["services"]:
        for server in row["servers"]:
            labels = {"service": row["key"], "server": server["address"]}
            same("plvs_server_active", server["active"], **labels)
            same("plvs_server_inactive", server["inactive"], **labels)
            same("plvs_server_configured_weight", server["weight"], **labels)
            for ours, theirs in (
                ("syns", "syns"),
                ("syn_answers", "answers"),
                ("syn_refused", "refused"),
            ):
                if "handshakes" in server:
                    same(f"plvs_server_{ours}_total", server["handshakes"][theirs], **labels)
    for row in health["servers"]:
        labels = {"service": row["service"], "server": row["server"]}
        same("plvs_server_state", STATES[row["standing"]], **labels)
        same("plvs_server_chosen", int(row["chosen"]), **labels)
        same("plvs_server_weight", row["effective_weight"], **labels)
    for line in wrong:
        print(line)
    print(f"{len(families)} families, {len(samples)} samples, {compared} compared")
    sys.exit(1 if wrong else 0)


main()
