/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_GOLDEN_LIVE_H
#define PLVS_TESTS_GOLDEN_LIVE_H

/* A plvs in a process of its own, started for each recording. */

#include <sys/types.h>

#include "cli/rpc_call.h"
#include "golden/scenario.h"

#define QUEUE 64 /* frames of a port that nobody has taken yet */

struct live_frame {
	size_t len;
	uint8_t bytes[FRAME_MAX];
};

struct live_port {
	int fd; /* raw socket on the cable's other end */
	unsigned int n;
	struct live_frame queue[QUEUE];
};

struct live_doors {
	json_int_t dropped, generated;
};

struct live {
	pid_t pid;
	struct rpc rpc;
	struct live_port ports[PORTS];
	struct live_doors seen; /* when last looked at */
};

/* The result of a method, or NULL with s->error. New reference. rows: of a stream, appended
 * to the array, or NULL. */
json_t *live_ask(struct scenario *s, const char *method, json_t *params, json_t *rows);

/* live_net.c: both return 0 or -errno with s->error. */
int live_port_open(struct scenario *s, struct live_port *p, const char *netns, const char *ifname);
void live_port_close(struct live_port *p);
/* Takes frames up and answers ARP for everybody, until done() or the time is over. */
bool live_pump(struct scenario *s, unsigned int ms, bool (*done)(struct scenario *s));

/* live_lists.c */
json_t *live_list(struct scenario *s);
json_t *live_stats(struct scenario *s);
json_t *live_conns(struct scenario *s);

#endif
