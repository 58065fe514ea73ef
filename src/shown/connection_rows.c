/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member)                                                                                 \
	offsetof(struct shown_connection, member), sizeof(((struct shown_connection *)0)->member)

#define FLAGS "flags"

static const struct shown rows[] = {
	{"protocol", SHOWN_TEXT, AT(protocol), SHOWN_LIST, 0, .help = "`tcp` or `udp`"},
	{"client", SHOWN_TEXT, AT(client), SHOWN_LIST, 0, .help = "address:port"},
	{"virtual", SHOWN_TEXT, AT(virtual), SHOWN_LIST, 0, .help = "address:port"},
	{"server", SHOWN_TEXT, AT(server), SHOWN_LIST, 0, .help = "address:port"},
	{"local", SHOWN_TEXT, AT(local), SHOWN_LIST, 0,
	 .help = "by full NAT: the address:port from which the real server sees the client"},
	{"client_address", SHOWN_TEXT, AT(client_address), SHOWN_LIST, 0,
	 .help = "how the real server is told the client's address, if it is: `proxy-v2`"},
	{"header", SHOWN_TEXT, AT(header), SHOWN_LIST, 0,
	 .help = "how far that header has come: `waits` for the server's answer, `sent`, "
		 "`acknowledged`; of UDP `each datagram`"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0,
	 .help = "as ipvsadm names it: `ESTABLISHED`"},
	{"expires_s", SHOWN_GAUGE, AT(expires_s), SHOWN_LIST, 0,
	 .help = "until it ends without traffic", .unit = "s"},
	{"method", SHOWN_TEXT, AT(method), SHOWN_LIST, 0, .help = "the forwarding method"},
	{"worker", SHOWN_ID, AT(worker), SHOWN_LIST, 0, .help = "its owner"},
	{"active", SHOWN_YES, AT(active), SHOWN_LIST, 0,
	 .help = "the connection counts as active at its server"},
	{"template", SHOWN_YES, AT(template), SHOWN_LIST, 0,
	 .help = "the entry is a persistence template"},
	{"service", SHOWN_TEXT, AT(service), SHOWN_ONE, 0,
	 .help = "key of the virtual service, or null"},
	{"idle_s", SHOWN_GAUGE, AT(idle_s), SHOWN_ONE, 0, .help = "since its last packet",
	 .unit = "s"},
	{"nexthop_in", SHOWN_TEXT, AT(nexthop_in), SHOWN_ONE, 0,
	 .help = "the next hop towards the real server, or null"},
	{"nexthop_out", SHOWN_TEXT, AT(nexthop_out), SHOWN_ONE, 0,
	 .help = "the next hop towards the client, or null"},
	{"embryonic", SHOWN_YES, AT(embryonic), SHOWN_ONE, 0,
	 .help = "no packet has followed the first", .group = FLAGS},
	{"no_output", SHOWN_YES, AT(no_output), SHOWN_ONE, 0, .help = "no reply has been seen here",
	 .group = FLAGS},
	{"template", SHOWN_YES, AT(template), SHOWN_ONE, 0,
	 .help = "the entry is a persistence template", .group = FLAGS},
	{"one_packet", SHOWN_YES, AT(one_packet), SHOWN_ONE, 0,
	 .help = "the service schedules each packet by itself", .group = FLAGS},
};

static const struct shown_column columns[] = {
	{"protocol", "PROTO", 0}, {"client", NULL, 0}, {"virtual", NULL, 0},
	{"server", NULL, 0},	  {"state", NULL, 0},  {"expires_s", "EXPIRES", 0},
	{"method", NULL, 0},	  {"worker", NULL, 0}, {"active", NULL, 0},
	{NULL, NULL, 0},
};

const struct shown_table shown_connection = {
	.title = "Connections",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
	.columns = columns,
};
