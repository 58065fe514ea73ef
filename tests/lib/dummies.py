#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Adds a dummy of each kind of docs/contributing.md to a copy of the tree.

usage: dummies.py TREE

Prints a line for each dummy with the files of src that it touched. Exits with 1 where a dummy
needs more files than its row may have, or where the place of an edit is not found any more: then
the edit is to be written anew, and the row may have to be as well.
"""
import os
import re
import sys


class Dummies:
    """Edits of a tree, and the files that they touch."""

    def __init__(self, tree):
        self.tree = tree
        self.files = set()
        self.bad = 0

    def path(self, name):
        return os.path.join(self.tree, "src", name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text):
        self.files.add(name)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def before(self, name, place, text):
        """Puts text before the first place of a file."""
        old = self.read(name)
        at = old.find(place)
        if at < 0:
            print(f"{name}: no {place!r} any more")
            self.bad += 1
            return
        self.write(name, old[:at] + text + old[at:])

    def instead(self, name, place, text):
        old = self.read(name)
        if place not in old:
            print(f"{name}: no {place!r} any more")
            self.bad += 1
            return
        self.write(name, old.replace(place, text, 1))

    def matching(self, name, pattern, text):
        """Puts text in place of the first match; text may refer to groups."""
        old = self.read(name)
        new, n = re.subn(pattern, text, old, count=1)
        if n == 0:
            print(f"{name}: nothing matches {pattern!r} any more")
            self.bad += 1
            return
        self.write(name, new)

    def done(self, what, most):
        """One dummy is in: most files of src, the files of meson not counted."""
        files = sorted(f for f in self.files if not f.endswith("meson.build"))
        print(f"{what}: {len(files)} of {most}: {' '.join(files)}")
        if len(files) > most:
            self.bad += 1
        self.files = set()


def scheduler(d):
    d.before("model/schedulers.h", "\tX(dh) ", "\tX(dummy) \\\n")
    d.instead("sched/meson.build", "'dh.c',", "'dh.c', 'dummy.c',")
    d.write(
        "sched/dummy.c",
        """#include "sched/ops.h"

static int dummy_choose(const struct service *svc, const struct sched_request *req)
{
	(void)req;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (server_eligible(&svc->servers[i]))
			return (int)i;
	return SCHED_NONE;
}

const struct sched_ops sched_dummy = {.name = "dummy", .choose = dummy_choose};
""",
    )
    d.done("a scheduler", 2)


def drop_reason(d):
    d.before("model/counters.h", "\tX(STALE_HANDOFF,", '\tX(DUMMY, dummy, "a dummy reason") \\\n')
    d.instead("dataplane/stages/rewrite.c", "DROP_TTL_EXCEEDED", "DROP_DUMMY")
    d.done("a drop reason", 2)


def punt_class(d):
    d.before("model/counters.h", "\tX(TRANSIT, transit,", '\tX(DUMMY, dummy, 10, "a dummy class") \\\n')
    d.instead("dataplane/stages/rewrite.c", "PUNT_ICMP : PUNT_OWN", "PUNT_ICMP : PUNT_DUMMY")
    d.done("a class of punted packets", 2)


def service_key(d):
    d.before("model/service.h", "\tuint32_t drain_s;", "\tuint32_t dummy;\n")
    d.before("config/schema_policy.c", "\tSET_FTP,", "\tSET_DUMMY,\n")
    d.before(
        "config/schema_policy.c",
        '\t{.name = "ftp",',
        """\t{.name = "dummy",
	 .type = TYPE_UINT,
	 AT(struct config_policy, service.dummy),
	 .set_bit = SET_DUMMY,
	 .max = 100,
	 .help = "a dummy"},
""",
    )
    d.instead("publish/publisher.c", "svc->policy.drain_s)", "svc->policy.drain_s + svc->policy.dummy)")
    d.done("a key of a service", 3)


def health_key(d):
    d.before("health/health.h", "\t/* Bounds of advice;", "\tuint32_t dummy;\n")
    d.before("config/schema_health.c", "\tSET_WEIGHT_MIN,", "\tSET_DUMMY,\n")
    d.before(
        "config/schema_health.c",
        '\t{.name = "weight_min",',
        """\t{.name = "dummy_health",
	 .type = TYPE_UINT,
	 AT(struct config_policy, health.dummy),
	 .set_bit = SET_DUMMY,
	 .max = 100,
	 .help = "a dummy of health"},
""",
    )
    d.instead("health/group.c", "last - window_us : 1;", "last - window_us : 1 + policy->dummy;")
    d.done("a key of a service that health goes by", 3)


def check_type(d):
    d.before("health/check.h", "\tX(DNS, dns)", "\tX(DUMMY, dummy) \\\n")
    d.before("health/check.h", "\tbool weight; /* AGENT", "\tuint32_t dummy;\n")
    text = d.read("health/check_tcp.c").replace("CHECK_TCP", "CHECK_DUMMY")
    text = re.sub(r"\btcp_|(?<=check_)tcp(?=_ops)", lambda m: m[0].replace("tcp", "dummy"), text)
    text = text.replace('"connected to %s",', '"%u: connected to %s", p->spec->dummy,')
    d.write("health/check_dummy.c", text)
    d.instead("health/meson.build", "'check_dns.c',", "'check_dns.c', 'check_dummy.c',")
    d.before(
        "config/schema_health.c",
        '\t{.name = "passive",\n',
        """\t{.name = "dummy",
	 .type = TYPE_UINT,
	 AT(struct check_spec, dummy),
	 .types = OF(DUMMY),
	 .max = 100,
	 .help = "of `dummy`"},
""",
    )
    d.done("a type of check", 4)


def counters(d):
    d.before("model/counters.h", "\tX(resolved,", '\tX(dummies, "dummies of a worker") \\\n')
    d.instead(
        "dataplane/stages/rewrite.c", "DROP_DUMMY", "(w->counters.dummies++, DROP_DUMMY)"
    )
    d.done("a counter of a worker", 2)
    d.instead(
        "model/counters.h",
        '"bytes of real servers to clients, from the IP header on")\n',
        '"bytes of real servers to clients, from the IP header on") \\\n'
        '\tX(dummies, "dummies", NULL, "dummies")\n',
    )
    d.instead("dataplane/stages/rewrite.fam.h", "\tsc->pkts[dir]++;\n", "\tsc->pkts[dir]++;\n\tsc->dummies++;\n")
    d.done("a counter of services and servers", 2)
    d.before("ha/ha.h", "\tX(late_times,", '\tX(dummies, "dummies of the pair") \\\n')
    d.instead("ha/ha.c", "ha->counters.late_times++;", "ha->counters.late_times++;\n\t\tha->counters.dummies++;")
    d.done("a counter of the pair", 2)
    d.before("model/counters.h", '\tX(tx_full, "tx_full",', '\tX(dummies, "dummies", NULL, "dummies of a port") \\\n')
    d.before("dataplane/exits/doors.c", "\tpc->tx_full +=", "\tpc->dummies++;\n")
    d.done("a counter of a port", 2)
    d.before("link/link.h", "\tX(tap_down, NULL,", '\tX(dummies_of_linux, NULL, "dummies of Linux") \\\n')
    d.before("link/pump.c", "\t\tCOUNT(c->tap_down, 1);", "\t\tCOUNT(c->dummies_of_linux, 1);\n")
    d.done("a counter of a port's Linux side", 2)
    d.before("ha/net/path.h", "\tX(lost,", '\tX(dummies, "dummies of a path") \\\n')
    d.before("ha/net/path.c", "\tCOUNT(p->state.counters.sent, 1);", "\tCOUNT(p->state.counters.dummies, 1);\n")
    d.done("a counter of a path", 2)
    d.before("health/health.h", "\tX(probes, COUNTER,", '\tX(dummies, COUNTER, "dummies of checks") \\\n')
    d.instead("health/runner.c", "h->totals.probes++;", "h->totals.probes++;\n\th->totals.dummies++;")
    d.done("a counter of all checks", 2)


def fact(d):
    d.before("shown/objects.h", "\tuint64_t quorums_lost;", "\tuint64_t dummy_fact;\n")
    d.before(
        "shown/health_rows.c",
        '\t\t{"quorums_lost",',
        """\t\t{"dummy_fact", SHOWN_GAUGE, AT(dummy_fact), 0, 0,
		 .help = "a dummy fact", .metric = "dummy_fact"},
""",
    )
    d.before("metrics/worker_view.c", "\t\tout->quorums_lost =", "\t\tout->dummy_fact = 1;\n")
    d.done("any other fact of an object", 3)


def method(d):
    d.before(
        "control/methods_system.c",
        "static void log_level(",
        """static void dummy(struct control *c, struct rpc_request *req, json_t *params)
{
	(void)c;
	rpc_answer(req, json_incref(params));
}

""",
    )
    d.before(
        "control/methods_system.c",
        '\t{.name = "log.level",',
        """\t{.name = "dummy.echo",
	 .run = dummy,
	 .help = "a dummy",
	 .params = {{"word", PARAM_STRING, true, "any"}},
	 .result = "`word`"},
""",
    )
    d.before(
        "cli/commands.c",
        '\t{"version", "versions',
        """\t{.words = "dummy", .help = "a dummy",
	 .args = (const struct arg[]){{"WORD", ARG_WORD, ARG_POSITIONAL | ARG_REQUIRED, "word",
				       "any", NULL, 0, 0}, END},
	 .method = "dummy.echo"},
""",
    )
    d.done("a method with a command", 2)


def forwarding_method(d):
    d.before("model/service.h", '\tX(LOCAL, local, "Local")', '\tX(DUMMY, dummy, "Tunnel") \\\n')
    for name in ("SERVER_HAS_VIP", "OUTER_HEADER"):
        d.matching(
            "model/service.h", rf"(#define FORWARD_{name}\s+\()", r"\g<1>1U << FWD_DUMMY | "
        )
    d.write(
        "dataplane/tunnel/dummy.h",
        """/* Included for each family, after tunnel/tunnel.h. */
static inline void FAM_FN(dummy, send)(struct worker *w, struct FAM(pkt) *p)
{
	FAM_FN(tunnel, send)(w, p);
}
""",
    )
    d.before("dataplane/stages/rewrite.c", "void FAM_FN(rewrite, refuse)", '#include "dataplane/tunnel/dummy.h"\n\n')
    d.instead(
        "dataplane/stages/rewrite.c",
        "\tif (p->conn->c.method != FWD_TUNNEL)",
        "\tif (p->conn->c.method == FWD_DUMMY)\n\t\tFAM_FN(dummy, send)(w, p);\n"
        "\telse if (p->conn->c.method != FWD_TUNNEL)",
    )
    d.done("a forwarding method", 4)


def heartbeat_field(d):
    message = "ha/wire/message.c"
    d.before("ha/wire/message.h", "\tstruct ha_timers timers;\n};\n\n#endif", "\tuint32_t dummy;\n")
    d.instead("ha/wire/ha_wire.h", "HA_MESSAGE_BYTES  232", "HA_MESSAGE_BYTES  236")
    d.instead(message, "\tAT_TIMERS = 216,\n", "\tAT_TIMERS = 216,\n\tAT_DUMMY = 232,\n")
    d.instead(message, "AT_TIMERS + 16 == HA_MESSAGE_BYTES", "AT_DUMMY + 4 == HA_MESSAGE_BYTES")
    d.before(message, "\tput16(p + AT_TIMERS, ", "\tput32(p + AT_DUMMY, m->dummy);\n")
    d.instead(
        message,
        "\tif (e->payload_len >= HA_MESSAGE_BYTES)\n",
        """\tif (e->payload_len >= HA_MESSAGE_BYTES)
		m->dummy = get32(p + AT_DUMMY);
	if (e->payload_len >= AT_DUMMY)
""",
    )
    d.before("ha/role/role_text.c", "\tmsg->unbound = r->unbound;", "\tmsg->dummy = r->unbound;\n")
    d.instead("ha/role/role_message.c", "p->unbound = msg->unbound;", "p->unbound = msg->dummy;")
    d.done("a field of heartbeats", 5)


def main():
    d = Dummies(sys.argv[1])
    for add in (
        scheduler,
        drop_reason,
        punt_class,
        service_key,
        health_key,
        check_type,
        counters,
        fact,
        method,
        forwarding_method,
        heartbeat_field,
    ):
        add(d)
    sys.exit(1 if d.bad else 0)


main()
