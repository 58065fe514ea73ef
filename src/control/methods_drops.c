/* SPDX-License-Identifier: BSD-3-Clause */
/* The packets that were dropped last, by reason: headers alone (dataplane/exits/drop_log.h). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "control/explain_json.h"
#include "control/worker_ask.h"
#include "dataplane/exits/drop_log.h"
#include "shown/packet_shown.h"

struct looking {
	struct worker_ask ask;
	int reason;
	json_t *packets;
	struct drop_log log; /* of the worker that answered last */
};

static void looking_free(struct pending *l)
{
	struct looking *k = (struct looking *)l;

	worker_ask_fini(&k->ask);
	json_decref(k->packets);
	free(k);
}

static const struct pending_kind pending_kind = {worker_ask_stop, looking_free};

static void worker_look(struct looking *k, uint16_t worker)
{
	k->ask.command = (struct worker_command){.kind = CMD_DROPS, .drops = &k->log};
	worker_ask_send(&k->ask, worker);
}

/* Oldest first, of one worker. */
static void records_take(struct looking *k)
{
	const struct drop_ring *r = &k->log.reason[k->reason];
	const uint32_t now_s = clock_coarse_s();

	for (uint32_t i = 0; i < DROP_LOG_RECORDS; i++) {
		const struct drop_record *n = &r->record[(r->next + i) % DROP_LOG_RECORDS];
		json_t *p;

		if (!n->seq)
			continue;
		p = packet_shown(n->head, n->caplen, n->len, n->vlan);
		json_object_set_new(p, "age_s", json_integer((json_int_t)(now_s - n->at_s)));
		json_object_set_new(p, "worker", json_integer(k->ask.worker));
		json_object_set_new(
			p, "port", json_string(control_port_name(k->ask.pending.control, n->port)));
		json_array_append_new(k->packets, p);
	}
}

static void looked(struct worker_ask *a)
{
	struct looking *k = (struct looking *)a;
	struct control *c = a->pending.control;

	records_take(k);
	if (a->worker + 1 < c->dp->n_workers) {
		worker_look(k, (uint16_t)(a->worker + 1));
		return;
	}
	pending_answer(&a->pending,
		       json_pack("{s:s, s:s, s:O}", "reason", drop_names[k->reason], "help",
				 drop_helps[k->reason], "packets", k->packets));
	pending_end(&a->pending);
}

static int reason_find(const char *name)
{
	for (int i = 0; i < DROP_MAX; i++)
		if (strcmp(drop_names[i], name) == 0)
			return i;
	return -1;
}

static void drop_show(struct control *c, struct rpc_request *req, json_t *params)
{
	const char *name = param_string(params, "reason");
	const int reason = reason_find(name);
	struct looking *k;

	if (reason < 0) {
		const char *names[DROP_MAX + 1] = {NULL}, *near;

		memcpy(names, drop_names, sizeof(drop_names));
		near = text_near_miss(name, names);
		rpc_fail(req, RPC_NO_OBJECT, NULL,
			 near ? "\"%.64s\" is no reason for a drop (did you mean \"%s\"?)"
			      : "\"%.64s\" is no reason for a drop; \"plvsctl drops list\" lists "
				"reasons that occurred, \"plvsctl drops show --help\" all of them",
			 name, near);
		return;
	}
	k = worker_ask_create(c, req, sizeof(*k), &pending_kind, looked);
	if (!k)
		return;
	k->reason = reason;
	k->packets = json_array();
	worker_look(k, 0);
}

const struct method drop_methods[] = {
	{.name = "drop.show",
	 .run = drop_show,
	 .help = "headers of the packets that were dropped last for a reason",
	 .params = {{"reason", PARAM_STRING, true, "as `counter.list` names it in `drops`"}},
	 .result = "`reason`, `help`, `packets`: of each worker up to 8, oldest first, each with "
		   "`age_s`, `worker`, `port` and its headers: `text` (all headers in a line), "
		   "`mac_source`, `mac_destination`, `protocol`, `source`, `destination`, "
		   "`length`, `hops`, `flags`, `icmp`, `inner`, `vlan`, `frame_length`"},
	{.name = NULL},
};
