/* SPDX-License-Identifier: BSD-3-Clause */
/* Families of the pair of routers. Without an ha thread they have no samples. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "control/metrics_internal.h"
#include "ha/ha.h"

#define LABELS 256

struct writer {
	struct evbuffer *out;
	const struct ha_status *s; /* NULL: no samples */
};

static void one(const struct writer *w, const char *name, enum expo_type type, const char *help,
		uint64_t value)
{
	const struct expo_family f = {name, type, NULL, help};

	expo_head(w->out, &f);
	if (w->s)
		expo_count(w->out, &f, "", value);
}

static void one_seconds(const struct writer *w, const char *name, const char *help, double value)
{
	const struct expo_family f = {name, EXPO_GAUGE, "seconds", help};

	expo_head(w->out, &f);
	if (w->s && value >= 0)
		expo_number(w->out, &f, "", value);
}

/* "peer_serves" */
static const char *lower(const char *text, char buf[48])
{
	size_t n = 0;

	for (; text[n] && n < 47; n++)
		buf[n] = (char)tolower((unsigned char)text[n]);
	buf[n] = '\0';
	return buf;
}

static void write_state(const struct writer *w, const struct ha_status *s)
{
	static const struct expo_family state = {
		"plvs_ha_state", EXPO_GAUGE, NULL,
		"1 for the state that the router is in, 0 for the others"};
	static const struct expo_family rows = {"plvs_ha_transitions", EXPO_COUNTER, NULL,
						"changes of state, by reason"};
	char labels[LABELS], name[48];

	one(w, "plvs_ha_pair", EXPO_GAUGE, "1: there is a peer", s->has_peer);
	expo_head(w->out, &state);
	for (unsigned int i = 0; w->s && i <= HA_STATE_MAX; i++) {
		labels[0] = '\0';
		expo_label(labels, LABELS, "state", role_state_name((enum ha_state)i));
		expo_count(w->out, &state, labels, s->state == (enum ha_state)i);
	}
	one_seconds(w, "plvs_ha_state_seconds", "time in this state", (double)s->state_ms / 1e3);
	expo_head(w->out, &rows);
	for (unsigned int i = 0; w->s && i < ROLE_N_ROWS; i++) {
		labels[0] = '\0';
		expo_label(labels, LABELS, "reason", lower(role_rows[i].name, name));
		expo_count(w->out, &rows, labels, s->transitions[i]);
	}
	one(w, "plvs_ha_term", EXPO_GAUGE, "grows with each takeover", s->term);
	one(w, "plvs_ha_priority", EXPO_GAUGE, "as configured", s->priority);
	one(w, "plvs_ha_ready", EXPO_GAUGE, "1: ports are up and witnesses answer", s->ready);
	one(w, "plvs_ha_grace", EXPO_GAUGE, "1: packets without a connection are not answered yet",
	    s->grace);
	one(w, "plvs_ha_frozen", EXPO_GAUGE, "1: no connection begins while the peer takes over",
	    s->frozen);
	one(w, "plvs_ha_relaying", EXPO_GAUGE, "1: what still comes is passed on to the peer",
	    s->relaying);
	one(w, "plvs_ha_relayed", EXPO_COUNTER, "frames passed on to the peer", s->relayed);
	one(w, "plvs_ha_refused_stops", EXPO_COUNTER, "times that the peer's stop was refused",
	    s->refused_stops);
	one_seconds(w, "plvs_ha_late_p99_seconds",
		    "lateness of the ha loop over the last 10 s, 99th percentile",
		    (double)s->late_p99_us / 1e6);
	one_seconds(w, "plvs_ha_late_max_seconds",
		    "the worst lateness of the ha loop over the last 10 s",
		    (double)s->late_max_us / 1e6);
}

static void write_peer(const struct writer *w, const struct ha_status *s)
{
	one(w, "plvs_ha_peer_known", EXPO_GAUGE, "1: the peer was heard since the start",
	    s->peer.known);
	one(w, "plvs_ha_peer_alive", EXPO_GAUGE, "1: the peer is heard", s->peer.alive);
	one(w, "plvs_ha_peer_configuration_differs", EXPO_GAUGE,
	    "1: the two routers have different shared configurations", s->peer.digest_differs);
	one(w, "plvs_ha_peer_hears", EXPO_GAUGE,
	    "0: the peer is heard and does not hear this router", !s->peer.deaf);
	one(w, "plvs_ha_alarm", EXPO_GAUGE,
	    "1: role or priority of the two routers do not go together", s->alarm[0] != '\0');
	one(w, "plvs_ha_servers_up", EXPO_GAUGE,
	    "real servers that this router sees up, once for each service", s->servers_up);
	one(w, "plvs_ha_peer_servers_up", EXPO_GAUGE, "the same, of the peer", s->peer.servers_up);
	one(w, "plvs_ha_backup_sees_more", EXPO_GAUGE,
	    "1: the backup sees more real servers up than the active router", s->sees_more);
	one_seconds(w, "plvs_ha_peer_heard_seconds", "since the peer was heard last",
		    s->peer.known && s->peer.heard_ms != UINT64_MAX ? (double)s->peer.heard_ms / 1e3
								    : -1);
}

enum path_value {
	PATH_OPEN,
	PATH_SENT,
	PATH_ERRORS,
	PATH_RECEIVED,
	PATH_LOST,
	PATH_RTT,
	PATH_HEARD
};

static const struct {
	struct expo_family family;
	enum path_value value;
} path_families[] = {
	{{"plvs_ha_path_open", EXPO_GAUGE, NULL, "1: the path's socket is open"}, PATH_OPEN},
	{{"plvs_ha_path_sent", EXPO_COUNTER, NULL, "heartbeats sent"}, PATH_SENT},
	{{"plvs_ha_path_send_errors", EXPO_COUNTER, NULL, "heartbeats that Linux did not take"},
	 PATH_ERRORS},
	{{"plvs_ha_path_received", EXPO_COUNTER, NULL, "heartbeats received"}, PATH_RECEIVED},
	{{"plvs_ha_path_lost", EXPO_COUNTER, NULL, "heartbeats of the peer that did not come"},
	 PATH_LOST},
	{{"plvs_ha_path_rtt_seconds", EXPO_GAUGE, "seconds", "smoothed round trip"}, PATH_RTT},
	{{"plvs_ha_path_heard_seconds", EXPO_GAUGE, "seconds", "since the last heartbeat"},
	 PATH_HEARD},
};

static void path_sample(struct evbuffer *out, const struct expo_family *f, const char *labels,
			enum path_value value, const struct ha_path_status *p)
{
	switch (value) {
	case PATH_OPEN:
		expo_count(out, f, labels, p->open);
		break;
	case PATH_SENT:
		expo_count(out, f, labels, p->sent);
		break;
	case PATH_ERRORS:
		expo_count(out, f, labels, p->send_errors);
		break;
	case PATH_RECEIVED:
		expo_count(out, f, labels, p->received);
		break;
	case PATH_LOST:
		expo_count(out, f, labels, p->lost);
		break;
	case PATH_RTT:
		if (p->rtt_us)
			expo_number(out, f, labels, p->rtt_us / 1e6);
		break;
	case PATH_HEARD:
		if (p->heard_ms != UINT64_MAX)
			expo_number(out, f, labels, (double)p->heard_ms / 1e3);
		break;
	}
}

static void write_paths(const struct writer *w, const struct ha_status *s)
{
	static const struct expo_family refused = {"plvs_ha_path_refused", EXPO_COUNTER, NULL,
						   "datagrams refused, by reason"};
	uint8_t n = w->s ? s->n_paths : 0;
	char labels[LABELS];

	for (size_t k = 0; k < sizeof(path_families) / sizeof(path_families[0]); k++) {
		expo_head(w->out, &path_families[k].family);
		for (uint8_t i = 0; i < n; i++) {
			labels[0] = '\0';
			expo_label(labels, LABELS, "path", s->paths[i].name);
			path_sample(w->out, &path_families[k].family, labels,
				    path_families[k].value, &s->paths[i]);
		}
	}
	expo_head(w->out, &refused);
	for (uint8_t i = 0; i < n; i++) {
		for (unsigned int k = HA_WIRE_OK + 1; k < HA_WIRE_MAX; k++) {
			labels[0] = '\0';
			expo_label(labels, LABELS, "path", s->paths[i].name);
			expo_label(labels, LABELS, "reason", ha_wire_names[k]);
			expo_count(w->out, &refused, labels, s->paths[i].refused[k]);
		}
	}
}

static void write_witnesses(const struct writer *w, const struct ha_status *s)
{
	static const struct expo_family asked = {"plvs_ha_witnesses", EXPO_GAUGE, NULL,
						 "witnesses asked on a link"};
	static const struct expo_family answering = {"plvs_ha_witnesses_answering", EXPO_GAUGE,
						     NULL, "of these: answering"};
	uint8_t n = w->s ? s->n_links : 0;
	char labels[LABELS];

	for (int k = 0; k < 2; k++) {
		expo_head(w->out, k ? &answering : &asked);
		for (uint8_t i = 0; i < n; i++) {
			labels[0] = '\0';
			expo_label(labels, LABELS, "link", s->witnesses[i].link);
			expo_count(w->out, k ? &answering : &asked, labels,
				   k ? s->witnesses[i].answering : s->witnesses[i].configured);
		}
	}
}

static void write_sync(const struct writer *w, const struct ha_sync_status *y)
{
	one(w, "plvs_ha_sync_synchronised", EXPO_GAUGE,
	    "1: this router has the active one's connections", y->synchronised);
	one(w, "plvs_ha_sync_peer_synchronised", EXPO_GAUGE,
	    "1: the peer has this router's connections", y->peer_synchronised);
	one(w, "plvs_ha_sync_behind", EXPO_GAUGE, "1: more is told than the peer has", y->behind);
	one(w, "plvs_ha_sync_sent", EXPO_COUNTER, "records told: connections and their ends",
	    y->sent);
	one(w, "plvs_ha_sync_received", EXPO_COUNTER, "records heard", y->received);
	one(w, "plvs_ha_sync_datagrams", EXPO_COUNTER, "datagrams sent", y->datagrams);
	one(w, "plvs_ha_sync_repeated", EXPO_COUNTER, "datagrams sent again", y->repeated);
	one(w, "plvs_ha_sync_under_way", EXPO_GAUGE, "datagrams not acknowledged yet",
	    y->under_way);
	one(w, "plvs_ha_sync_transfers", EXPO_COUNTER, "times that everything was told",
	    y->transfers);
	one(w, "plvs_ha_sync_sheds", EXPO_COUNTER, "times that records were left out", y->sheds);
	one(w, "plvs_ha_sync_unbound", EXPO_GAUGE,
	    "records that wait for a service or server that is unknown here", y->unbound);
	one(w, "plvs_ha_sync_unknown", EXPO_COUNTER, "records of unknown services or servers",
	    y->unknown);
	one(w, "plvs_ha_sync_refused", EXPO_COUNTER, "records that make no sense", y->refused);
	one(w, "plvs_ha_sync_unbound_refused", EXPO_COUNTER,
	    "records for which there was no room to wait", y->unbound_refused);
}

void metrics_write_ha(const struct control *c, struct evbuffer *out)
{
	struct ha_status *s = calloc(1, sizeof(*s));
	const struct writer w = {out, c->ha ? s : NULL};

	if (!s)
		return;
	if (c->ha)
		ha_status(c->ha, s);
	write_state(&w, s);
	write_peer(&w, s);
	write_paths(&w, s);
	write_witnesses(&w, s);
	write_sync(&w, &s->sync);
	free(s);
}
