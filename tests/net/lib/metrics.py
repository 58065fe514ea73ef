#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Holds a document of metrics against what the control socket says.

usage: metrics.py METRICS BEFORE AFTER

METRICS is the OpenMetrics text. BEFORE and AFTER are folders with the JSON results of counter.list,
service.list and health.list (`counters`, `services`, `health`), taken before and after METRICS: a
value lies between the two, and is the same where nothing was counted. METRICS is read by the strict
parser of prometheus_client. Exits with 1 and a line for each thing that differs.
"""
import json
import os
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

# Of all workers, as plvsctl has them.
SUMS = {"plvs_worker_drops_total": ("drops", "reason"), "plvs_worker_punts_total": ("punts", "class")}


def values_of(folder):
    """By name and labels, as samples of METRICS have them."""
    counters, services, health = (
        json.load(open(os.path.join(folder, name), encoding="utf-8"))
        for name in ("counters", "services", "health")
    )
    values = {}

    def say(name, value, **labels):
        values[name, tuple(sorted(labels.items()))] = value

    for row in counters["services"]:
        for ours, theirs in TRAFFIC.items():
            say(f"plvs_service_{ours}_total", row["counters"][theirs], service=row["key"])
    for row in counters["servers"]:
        labels = {"service": row["service"], "server": row["server"]}
        for ours, theirs in TRAFFIC.items():
            say(f"plvs_server_{ours}_total", row["counters"][theirs], **labels)
    for name, (listing, label) in SUMS.items():
        for row in counters[listing]:
            say(name, row["count"], **{label: row["name"]})
    for row in counters["workers"]:
        for key in ("created", "expired", "connections", "embryonic"):
            suffix = "_total" if key in ("created", "expired") else ""
            say(f"plvs_worker_{key}{suffix}", row["counters"][key], worker=str(row["worker"]))
    for row in services["services"]:
        for server in row["servers"]:
            labels = {"service": row["key"], "server": server["address"]}
            say("plvs_server_active", server["active"], **labels)
            say("plvs_server_inactive", server["inactive"], **labels)
            say("plvs_server_configured_weight", server["weight"], **labels)
            for ours, theirs in (
                ("syns", "syns"),
                ("syn_answers", "answers"),
                ("syn_refused", "refused"),
            ):
                if "handshakes" in server:
                    say(f"plvs_server_{ours}_total", server["handshakes"][theirs], **labels)
    for row in health["servers"]:
        labels = {"service": row["service"], "server": row["server"]}
        say("plvs_server_state", STATES[row["standing"]], **labels)
        say("plvs_server_chosen", int(row["chosen"]), **labels)
        say("plvs_server_weight", row["effective_weight"], **labels)
    return values


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        families = list(parser.text_string_to_metric_families(f.read()))
    before, after = (values_of(folder) for folder in sys.argv[2:4])
    names = [f.name for f in families]
    wrong = [f"family {n} stands there twice" for n in set(names) if names.count(n) > 1]
    samples = {}
    for family in families:
        for s in family.samples:
            samples[(s.name, tuple(sorted(s.labels.items())))] = s.value
    if before.keys() != after.keys():
        wrong.append(f"objects came or went: {sorted(before.keys() ^ after.keys())}")
    compared = before.keys() & after.keys()
    for key in compared:
        name, labels = key
        low, high = sorted((before[key], after[key]))
        if name in SUMS:
            got = sum(v for (n, l), v in samples.items() if n == name and set(labels) <= set(l))
        else:
            got = samples.get(key)
        if got is None or not low <= got <= high:
            wrong.append(f"{name}{dict(labels)}: {got}, and plvsctl says {low} to {high}")
    for line in wrong:
        print(line)
    print(f"{len(families)} families, {len(samples)} samples, {len(compared)} compared")
    sys.exit(1 if wrong else 0)


main()
