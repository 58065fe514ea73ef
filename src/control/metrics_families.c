/* SPDX-License-Identifier: BSD-3-Clause */
/* Families with a sample for each service, or each server: tables, walked row by row. */
#include <stddef.h>

#include "control/metrics_internal.h"

#define CHUNK	1024U
#define CLOCK_N 64U /* samples between two looks at the clock */

enum value {
	VALUE_U64,
	VALUE_U32,
	VALUE_U8,   /* bool as well */
	VALUE_US,   /* uint32_t, shown in seconds */
	VALUE_US64, /* uint64_t, shown in seconds */
	VALUE_MS64, /* uint64_t, shown in seconds */
};

struct row_family {
	struct expo_family family;
	uint8_t value; /* enum value */
	uint16_t offset;
	uint16_t only; /* offset of a bool: rows without it have no sample; 0 = all have one */
};

#define AT_SERVER(member)  offsetof(struct metrics_server, member)
#define AT_SERVICE(member) offsetof(struct metrics_service, member)

/* After the info family. */
static const struct row_family service_families[] = {
	{{"plvs_service_connections", EXPO_COUNTER, NULL, "connections scheduled"},
	 VALUE_U64,
	 AT_SERVICE(counters.conns),
	 0},
	{{"plvs_service_in_packets", EXPO_COUNTER, NULL, "packets from clients"},
	 VALUE_U64,
	 AT_SERVICE(counters.in_pkts),
	 0},
	{{"plvs_service_out_packets", EXPO_COUNTER, NULL, "packets of real servers to clients"},
	 VALUE_U64,
	 AT_SERVICE(counters.out_pkts),
	 0},
	{{"plvs_service_in_bytes", EXPO_COUNTER, "bytes",
	  "bytes from clients, from the IP header on"},
	 VALUE_U64,
	 AT_SERVICE(counters.in_bytes),
	 0},
	{{"plvs_service_out_bytes", EXPO_COUNTER, "bytes",
	  "bytes of real servers to clients, from the IP header on"},
	 VALUE_U64,
	 AT_SERVICE(counters.out_bytes),
	 0},
	{{"plvs_service_servers", EXPO_GAUGE, NULL, "real servers, sorry servers included"},
	 VALUE_U64,
	 AT_SERVICE(servers),
	 0},
	{{"plvs_service_servers_up", EXPO_GAUGE, NULL,
	  "real servers that are up, sorry servers not counted"},
	 VALUE_U64,
	 AT_SERVICE(up),
	 0},
	{{"plvs_service_servers_unknown", EXPO_GAUGE, NULL,
	  "real servers that have not answered yet"},
	 VALUE_U64,
	 AT_SERVICE(unknown),
	 0},
	{{"plvs_service_servers_chosen", EXPO_GAUGE, NULL, "real servers that get new connections"},
	 VALUE_U64,
	 AT_SERVICE(chosen),
	 0},
	{{"plvs_service_quorum_held", EXPO_GAUGE, NULL,
	  "1: enough real servers are up; 0: they are not"},
	 VALUE_U8,
	 AT_SERVICE(held),
	 0},
};
#define N_SERVICE (sizeof(service_families) / sizeof(service_families[0]))

static const struct row_family server_families[] = {
	{{"plvs_server_connections", EXPO_COUNTER, NULL, "connections scheduled to it"},
	 VALUE_U64,
	 AT_SERVER(counters.conns),
	 0},
	{{"plvs_server_in_packets", EXPO_COUNTER, NULL, "packets of clients sent to it"},
	 VALUE_U64,
	 AT_SERVER(counters.in_pkts),
	 0},
	{{"plvs_server_out_packets", EXPO_COUNTER, NULL, "packets of it to clients"},
	 VALUE_U64,
	 AT_SERVER(counters.out_pkts),
	 0},
	{{"plvs_server_in_bytes", EXPO_COUNTER, "bytes",
	  "bytes of clients sent to it, from the IP header on"},
	 VALUE_U64,
	 AT_SERVER(counters.in_bytes),
	 0},
	{{"plvs_server_out_bytes", EXPO_COUNTER, "bytes",
	  "bytes of it to clients, from the IP header on"},
	 VALUE_U64,
	 AT_SERVER(counters.out_bytes),
	 0},
	{{"plvs_server_active", EXPO_GAUGE, NULL, "active connections, as schedulers count them"},
	 VALUE_U64,
	 AT_SERVER(active),
	 0},
	{{"plvs_server_inactive", EXPO_GAUGE, NULL,
	  "inactive connections, as schedulers count them"},
	 VALUE_U64,
	 AT_SERVER(inactive),
	 0},
	{{"plvs_server_weight", EXPO_GAUGE, NULL, "weight that the scheduler uses"},
	 VALUE_U32,
	 AT_SERVER(weight),
	 0},
	{{"plvs_server_configured_weight", EXPO_GAUGE, NULL, "weight as configured"},
	 VALUE_U32,
	 AT_SERVER(configured),
	 0},
	{{"plvs_server_overloaded", EXPO_GAUGE, NULL, "1: at its upper threshold"},
	 VALUE_U8,
	 AT_SERVER(overloaded),
	 0},
	{{"plvs_server_state", EXPO_GAUGE, NULL,
	  "what counts of checks, operators and agents: 0 unknown, 1 up, 2 down, 3 maintenance"},
	 VALUE_U8,
	 AT_SERVER(standing),
	 0},
	{{"plvs_server_forced", EXPO_GAUGE, NULL,
	  "an operator's word: 0 none, 1 up, 2 down, 3 maintenance"},
	 VALUE_U8,
	 AT_SERVER(admin),
	 0},
	{{"plvs_server_chosen", EXPO_GAUGE, NULL, "1: it may get new connections"},
	 VALUE_U8,
	 AT_SERVER(chosen),
	 0},
	{{"plvs_server_transitions", EXPO_COUNTER, NULL, "changes of its state"},
	 VALUE_U64,
	 AT_SERVER(edges),
	 0},
	{{"plvs_server_probes", EXPO_COUNTER, NULL, "probes of its checks"},
	 VALUE_U64,
	 AT_SERVER(probes),
	 0},
	{{"plvs_server_probe_failures", EXPO_COUNTER, NULL, "probes that failed"},
	 VALUE_U64,
	 AT_SERVER(failures),
	 0},
	{{"plvs_server_probe_errors", EXPO_COUNTER, NULL, "probes that could not be made"},
	 VALUE_U64,
	 AT_SERVER(errors),
	 0},
	{{"plvs_server_probe_seconds", EXPO_GAUGE, "seconds", "time that the last probe took"},
	 VALUE_US,
	 AT_SERVER(duration_us),
	 AT_SERVER(asked)},
	{{"plvs_server_probe_timestamp_seconds", EXPO_GAUGE, "seconds",
	  "when the last probe was answered, since 1970"},
	 VALUE_MS64,
	 AT_SERVER(checked_ms),
	 AT_SERVER(asked)},
	{{"plvs_server_syns", EXPO_COUNTER, NULL, "clients' SYNs sent to it by NAT"},
	 VALUE_U64,
	 AT_SERVER(passive.syns),
	 AT_SERVER(handshakes)},
	{{"plvs_server_syn_answers", EXPO_COUNTER, NULL, "of these: answered by SYN-ACK"},
	 VALUE_U64,
	 AT_SERVER(passive.answers),
	 AT_SERVER(handshakes)},
	{{"plvs_server_syn_refused", EXPO_COUNTER, NULL, "of these: answered by RST"},
	 VALUE_U64,
	 AT_SERVER(passive.refused),
	 AT_SERVER(handshakes)},
	{{"plvs_server_syn_silent", EXPO_COUNTER, NULL, "of these: not answered"},
	 VALUE_U64,
	 AT_SERVER(passive.no_answer),
	 AT_SERVER(handshakes)},
	{{"plvs_server_syn_answer_seconds", EXPO_COUNTER, "seconds",
	  "time from SYN to SYN-ACK, summed over plvs_server_syn_answers"},
	 VALUE_US64,
	 AT_SERVER(passive.answer_us),
	 AT_SERVER(handshakes)},
};
#define N_SERVER (sizeof(server_families) / sizeof(server_families[0]))

static void sample_put(const struct row_family *f, const void *row, const char *labels,
		       struct evbuffer *out)
{
	const char *at = (const char *)row + f->offset;

	if (f->only && !*(const bool *)((const char *)row + f->only))
		return;
	switch ((enum value)f->value) {
	case VALUE_U64:
		expo_count(out, &f->family, labels, *(const uint64_t *)(const void *)at);
		break;
	case VALUE_U32:
		expo_count(out, &f->family, labels, *(const uint32_t *)(const void *)at);
		break;
	case VALUE_U8:
		expo_count(out, &f->family, labels, *(const uint8_t *)at);
		break;
	case VALUE_US:
		expo_number(out, &f->family, labels, *(const uint32_t *)(const void *)at / 1e6);
		break;
	case VALUE_US64:
		expo_number(out, &f->family, labels,
			    (double)*(const uint64_t *)(const void *)at / 1e6);
		break;
	case VALUE_MS64:
		expo_number(out, &f->family, labels,
			    (double)*(const uint64_t *)(const void *)at / 1e3);
		break;
	}
}

/* True: time to let others have their turn. */
static bool enough(const struct metrics_place *at, const struct evbuffer *out, uint64_t end_us)
{
	return at->row % CLOCK_N == 0 &&
	       (evbuffer_get_length(out) >= SCRAPE_SLICE || clock_us() >= end_us);
}

static void info_put(const struct metrics_service *s, const struct expo_family *f,
		     struct evbuffer *out)
{
	char labels[512];

	snprintf(labels, sizeof(labels), "%s", s->labels);
	expo_label(labels, sizeof(labels), "name", s->name);
	expo_label(labels, sizeof(labels), "scheduler", s->scheduler);
	expo_count(out, f, labels, 1);
}

bool metrics_write_services(const struct metrics_rows *r, struct metrics_place *at,
			    struct evbuffer *out, uint64_t end_us)
{
	static const struct expo_family info = {"plvs_service", EXPO_INFO, NULL,
						"virtual services, with their labels of the "
						"configuration"};

	for (; at->family <= N_SERVICE; at->family++, at->row = 0) {
		const struct row_family *f = at->family ? &service_families[at->family - 1] : NULL;

		if (at->row == 0)
			expo_head(out, f ? &f->family : &info);
		while (at->row < r->n_services) {
			const struct metrics_service *s =
				&r->services[at->row / CHUNK][at->row % CHUNK];

			if (f)
				sample_put(f, s, s->labels, out);
			else
				info_put(s, &info, out);
			at->row++;
			if (at->row < r->n_services && enough(at, out, end_us))
				return true;
		}
	}
	return false;
}

bool metrics_write_servers(const struct metrics_rows *r, struct metrics_place *at,
			   struct evbuffer *out, uint64_t end_us)
{
	for (; at->family < N_SERVER; at->family++, at->row = 0) {
		const struct row_family *f = &server_families[at->family];

		if (at->row == 0)
			expo_head(out, &f->family);
		while (at->row < r->n_servers) {
			const struct metrics_server *s =
				&r->servers[at->row / CHUNK][at->row % CHUNK];

			sample_put(f, s, s->labels, out);
			at->row++;
			if (at->row < r->n_servers && enough(at, out, end_us))
				return true;
		}
	}
	return false;
}
