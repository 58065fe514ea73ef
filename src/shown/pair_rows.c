/* SPDX-License-Identifier: BSD-3-Clause */
/* The pair of routers, its heartbeat paths and its witnesses. */
#include <stddef.h>

#include "shown/objects.h"

#define AT(member) offsetof(struct shown_pair, member), sizeof(((struct shown_pair *)0)->member)
#define PEER	   "peer"
#define SERVERS	   "servers"
#define SYNC	   "sync"

static const struct shown rows[] = {
	{"pair", SHOWN_YES, AT(s.has_peer), SHOWN_LIST, 0, .help = "1: there is a peer",
	 .metric = "pair"},
	{"state", SHOWN_TEXT, AT(state), SHOWN_LIST, 0, .help = "the state that the router is in"},
	{"state", SHOWN_LEVELS, AT(state_is), 0, 0,
	 .help = "1 for the state that the router is in, 0 for the others", .metric = "state",
	 .label = "state"},
	{"role", SHOWN_TEXT, AT(role), SHOWN_LIST, 0, .help = "`primary` or `backup`"},
	{"reason", SHOWN_TEXT, AT(reason), SHOWN_LIST, 0, .help = "why this state, in words"},
	{"explain", SHOWN_TEXT, AT(explain), SHOWN_LIST, 0, .help = "the whole, in sentences"},
	{"term", SHOWN_GAUGE, AT(s.term), SHOWN_LIST, 0, .help = "grows with each takeover",
	 .metric = "term"},
	{"priority", SHOWN_GAUGE, AT(s.priority), SHOWN_LIST, 0, .help = "as configured",
	 .metric = "priority"},
	{"state_ms", SHOWN_GAUGE, AT(s.state_ms), SHOWN_LIST, 0, .help = "time in this state",
	 .unit = "ms", .metric = "state_seconds"},
	{"ready", SHOWN_YES, AT(s.ready), SHOWN_LIST, 0,
	 .help = "1: ports are up and witnesses answer", .metric = "ready"},
	{"grace", SHOWN_YES, AT(s.grace), SHOWN_LIST, 0,
	 .help = "1: packets without a connection are not answered yet", .metric = "grace"},
	{"frozen", SHOWN_YES, AT(s.frozen), SHOWN_LIST, 0,
	 .help = "1: no connection begins while the peer takes over", .metric = "frozen"},
	{"relaying", SHOWN_YES, AT(s.relaying), SHOWN_LIST, 0,
	 .help = "1: what still comes is passed on to the peer", .metric = "relaying"},
	{"lease_ms", SHOWN_AGO, AT(s.lease_left_ms), SHOWN_LIST, 0,
	 .help = "until the lease ends; null: none is needed", .unit = "ms"},
	{"alarm", SHOWN_TEXT, AT(alarm), SHOWN_LIST, 0,
	 .help = "sentences: what a person has to put right; or null"},
	{"alarm", SHOWN_YES, AT(alarmed), 0, 0,
	 .help = "1: there is something that a person has to put right", .metric = "alarm"},
	{"all", SHOWN_GAUGE, AT(s.servers), SHOWN_LIST, 0,
	 .help = "real servers, once for each service", .group = SERVERS},
	{"up", SHOWN_GAUGE, AT(s.servers_up), SHOWN_LIST, 0,
	 .help = "real servers that this router sees up, once for each service", .group = SERVERS,
	 .metric = "servers_up"},
	{"verdicts", SHOWN_YES, AT(s.verdicts), SHOWN_LIST, 0, .help = "every check has one",
	 .group = SERVERS},
	{"backup_sees_more", SHOWN_YES, AT(s.sees_more), SHOWN_LIST, 0,
	 .help = "1: the backup sees more real servers up than the active router", .group = SERVERS,
	 .metric = "backup_sees_more"},
	{"known", SHOWN_YES, AT(s.peer.known), 0, 0,
	 .help = "1: the peer was heard since the start", .metric = "peer_known"},
	{"verdicts", SHOWN_YES, AT(s.peer.verdicts), SHOWN_LIST, 0,
	 .help = "every check has one there", .group = PEER},
	{"servers_up", SHOWN_GAUGE, AT(s.peer.servers_up), SHOWN_LIST, 0,
	 .help = "real servers that the peer sees up, once for each service", .group = PEER,
	 .metric = "peer_servers_up"},
	{"alive", SHOWN_YES, AT(s.peer.alive), SHOWN_LIST, 0, .help = "1: the peer is heard",
	 .group = PEER, .metric = "peer_alive"},
	{"hears", SHOWN_YES, AT(peer_hears), SHOWN_LIST, 0,
	 .help = "0: the peer is heard and does not hear this router", .group = PEER,
	 .metric = "peer_hears"},
	{"state", SHOWN_TEXT, AT(peer_state), SHOWN_LIST, 0, .help = "the peer's", .group = PEER},
	{"role", SHOWN_TEXT, AT(peer_role), SHOWN_LIST, 0, .help = "the peer's", .group = PEER},
	{"term", SHOWN_GAUGE, AT(s.peer.term), SHOWN_LIST, 0, .help = "the peer's", .group = PEER},
	{"priority", SHOWN_GAUGE, AT(s.peer.priority), SHOWN_LIST, 0, .help = "the peer's",
	 .group = PEER},
	{"heard_ms", SHOWN_AGO, AT(s.peer.heard_ms), SHOWN_LIST, 0,
	 .help = "since the peer was heard last", .group = PEER, .unit = "ms",
	 .metric = "peer_heard_seconds", .metric_if = offsetof(struct shown_pair, peer_heard)},
	{"configuration_differs", SHOWN_YES, AT(s.peer.digest_differs), SHOWN_LIST, 0,
	 .help = "1: the two routers have different shared configurations", .group = PEER,
	 .metric = "peer_configuration_differs"},
	{"behind", SHOWN_YES, AT(s.peer.sync.behind), SHOWN_LIST, 0,
	 .help = "the peer has told more than this router has", .group = PEER},
	{"unbound", SHOWN_GAUGE, AT(s.peer.unbound), SHOWN_LIST, 0,
	 .help = "connections whose service or server the peer does not know", .group = PEER,
	 .metric = "peer_unbound"},
	{"heard", SHOWN_VECTOR, AT(heard), 0, 0,
	 .help = "authentic messages of the peer, by verdict", .metric = "heard",
	 .label = "verdict"},
#define HEARD(name, i, help_)                                                                      \
	{                                                                                          \
		name, SHOWN_COUNTER, AT(heard_values[i]), SHOWN_LIST, 0, .help = help_,            \
									 .group = "heard"          \
	}
	HEARD("fresh", 0, "authentic messages that counted"),
	HEARD("copy", 1, "those that another path had brought"),
	HEARD("stale", 2, "those behind a newer one"),
	HEARD("retired", 3, "those of another session than the peer's present one"),
	HEARD("reflected", 4, "messages of the router itself, come back"),
	{"paths", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "the heartbeat paths",
	 .of = &shown_path},
	{"witnesses", SHOWN_MADE, 0, 0, SHOWN_LIST, 0, .help = "the witnesses of each link",
	 .of = &shown_witness},
	{"claims", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
	 .help = "stations that say that an address is theirs which is active here, in the last "
		 "two "
		 "minutes",
	 .of = &shown_claim},
	{"configuration", SHOWN_MADE, 0, 0, SHOWN_LIST, 0,
	 .help = "the shared configurations of both routers", .of = &shown_agreement},
	{"synchronised", SHOWN_YES, AT(s.sync.synchronised), SHOWN_LIST, 0,
	 .help = "1: this router has the active one's connections", .group = SYNC,
	 .metric = "sync_synchronised"},
	{"peer_synchronised", SHOWN_YES, AT(s.sync.peer_synchronised), SHOWN_LIST, 0,
	 .help = "1: the peer has this router's connections", .group = SYNC,
	 .metric = "sync_peer_synchronised"},
	{"behind", SHOWN_YES, AT(s.sync.behind), SHOWN_LIST, 0,
	 .help = "1: more is told than the peer has", .group = SYNC, .metric = "sync_behind"},
#define TOLD(name, kind, help_)                                                                    \
	{                                                                                          \
#name, SHOWN_##kind, AT(s.sync.name), SHOWN_LIST, 0, .help = help_, .group = SYNC, \
								     .metric = "sync_" #name       \
	}
	TOLD(sent, COUNTER, "records told: connections and their ends"),
	TOLD(received, COUNTER, "records heard"),
	TOLD(datagrams, COUNTER, "datagrams sent"),
	TOLD(repeated, COUNTER, "datagrams sent again"),
	TOLD(under_way, GAUGE, "datagrams not acknowledged yet"),
	TOLD(transfers, COUNTER, "times that everything was told"),
	TOLD(sheds, COUNTER, "times that records were left out"),
	TOLD(unbound, GAUGE, "records that wait for a service or server that is unknown here"),
	TOLD(unknown, COUNTER, "records of unknown services or servers"),
	TOLD(unreadable, COUNTER,
	     "records not sent, since the peer's release cannot read them: full NAT"),
	TOLD(refused, COUNTER, "records that make no sense"),
	TOLD(unbound_refused, COUNTER, "records for which there was no room to wait"),
	TOLD(not_fresh, COUNTER, "authentic datagrams that are not of now"),
	{"refused_as", SHOWN_VECTOR, AT(sync_refused_as), SHOWN_LIST, 0,
	 .help = "datagrams refused, by reason", .group = SYNC, .metric = "sync_refused_datagrams",
	 .label = "reason"},
	{"transitions", SHOWN_VECTOR, AT(transitions), SHOWN_LIST, 0,
	 .help = "changes of state, by reason", .metric = "transitions", .label = "reason"},
	{"refused_stops", SHOWN_COUNTER, AT(s.refused_stops), SHOWN_LIST, 0,
	 .help = "times that the peer's stop was refused", .metric = "refused_stops"},
	{"relayed", SHOWN_COUNTER, AT(s.relayed), SHOWN_LIST, 0,
	 .help = "frames passed on to the peer", .metric = "relayed"},
	{"late_p50_us", SHOWN_GAUGE, AT(s.late_p50_us), SHOWN_LIST, 0,
	 .help = "lateness of the ha loop over the last 10 s, median", .unit = "us"},
	{"keepalive_ms", SHOWN_GAUGE, AT(s.keepalive_ms), SHOWN_LIST, 0,
	 .help = "between two heartbeats, as in force", .unit = "ms",
	 .metric = "keepalive_seconds"},
	{"deadtime_ms", SHOWN_GAUGE, AT(s.deadtime_ms), SHOWN_LIST, 0,
	 .help = "silence of the peer before a takeover, as in force", .unit = "ms",
	 .metric = "deadtime_seconds"},
	{"deadtime_reason", SHOWN_TEXT, AT(deadtime_reason), SHOWN_LIST, 0,
	 .help = "why the deadtime is as it is, in words"},
	{"deadtime_supported_ms", SHOWN_GAUGE, AT(s.deadtime_supported_ms), SHOWN_LIST, 0,
	 .help = "the deadtime that this host and its paths bear, by the lateness of the last 5 "
		 "minutes; 0: not measured yet",
	 .unit = "ms", .metric = "deadtime_supported_seconds"},
	{"near_takeovers", SHOWN_COUNTER, AT(s.near_takeovers), SHOWN_LIST, 0,
	 .help = "silences of the peer that ended after more than half of the time that was left "
		 "before a takeover",
	 .metric = "near_takeovers"},
	{"realtime", SHOWN_YES, AT(s.realtime), SHOWN_LIST, 0,
	 .help = "1: the ha and link threads have real-time priority (SCHED_FIFO)",
	 .metric = "realtime"},
	{"late_p99_us", SHOWN_GAUGE, AT(s.late_p99_us), SHOWN_LIST, 0,
	 .help = "lateness of the ha loop over the last 10 s, 99th percentile", .unit = "us",
	 .metric = "late_p99_seconds"},
	{"late_max_us", SHOWN_GAUGE, AT(s.late_max_us), SHOWN_LIST, 0,
	 .help = "the worst lateness of the ha loop over the last 10 s", .unit = "us",
	 .metric = "late_max_seconds"},
#define X(name, help_)                                                                             \
	{#name, SHOWN_COUNTER, AT(s.counters.name), SHOWN_LIST, 0, .help = help_, .metric = #name},
	HA_COUNTERS(X)
#undef X
};

const struct shown_table shown_pair = {
	.title = "The pair",
	.prefix = "plvs_ha_",
	.labels = "`state`; `reason`: a row of the table of "
		  "[high-availability.md](high-availability.md), or why a datagram was refused; "
		  "`verdict`",
	.rows = rows,
	.n = sizeof(rows) / sizeof(rows[0]),
};

#define PATH_AT(member)                                                                            \
	offsetof(struct shown_path, member), sizeof(((struct shown_path *)0)->member)

static const struct shown path_rows[] = {
	{"name", SHOWN_TEXT, PATH_AT(name), SHOWN_LIST, 0, .help = "its name in the configuration"},
	{"local", SHOWN_TEXT, PATH_AT(local), SHOWN_LIST, 0, .help = "address:port"},
	{"peer", SHOWN_TEXT, PATH_AT(peer), SHOWN_LIST, 0, .help = "address:port"},
	{"open", SHOWN_YES, PATH_AT(s.open), SHOWN_LIST, 0, .help = "1: the path's socket is open",
	 .metric = "open"},
	{"heard_ms", SHOWN_AGO, PATH_AT(s.heard_ms), SHOWN_LIST, 0,
	 .help = "since the last heartbeat", .unit = "ms", .metric = "heard_seconds",
	 .metric_if = offsetof(struct shown_path, heard)},
	{"rtt_us", SHOWN_GAUGE, PATH_AT(s.rtt_us), SHOWN_LIST, 0,
	 .help = "smoothed round trip; 0: not known", .unit = "us", .metric = "rtt_seconds",
	 .metric_if = offsetof(struct shown_path, timed)},
#define X(name, help_)                                                                             \
	{#name, SHOWN_COUNTER, PATH_AT(s.counters.name), SHOWN_LIST,                               \
	 0,	.help = help_, .metric = #name},
	PATH_COUNTERS(X)
#undef X
		{"bad", SHOWN_COUNTER, PATH_AT(s.bad), SHOWN_LIST, 0, .help = "datagrams refused"},
	{"refused", SHOWN_VECTOR, PATH_AT(refused), SHOWN_LIST, 0,
	 .help = "datagrams refused, by reason", .metric = "refused", .label = "reason"},
};

static const struct shown_column path_columns[] = {
	{"name", "path", 0},	     {"local", "local", 0},
	{"peer", "peer", 0},	     {"heard_ms", "heard ms", 0},
	{"rtt_us", "rtt us", 0},     {"sent", "sent", 0},
	{"received", "received", 0}, {"lost", "lost", 0},
	{"bad", "bad", 0},	     {NULL, NULL, 0},
};

const struct shown_table shown_path = {.title = "Heartbeat paths",
				       .prefix = "plvs_ha_path_",
				       .labels = "`path`: its name; `reason`",
				       .rows = path_rows,
				       .n = sizeof(path_rows) / sizeof(path_rows[0]),
				       .columns = path_columns};

#define WITNESS_AT(member)                                                                         \
	offsetof(struct shown_witness, member), sizeof(((struct shown_witness *)0)->member)

static const struct shown witness_rows[] = {
	{"link", SHOWN_TEXT, WITNESS_AT(link), SHOWN_LIST, 0, .help = "a link with VIPs"},
	{"asked", SHOWN_GAUGE, WITNESS_AT(asked), SHOWN_LIST, 0,
	 .help = "witnesses asked on the link", .metric = "witnesses"},
	{"answering", SHOWN_GAUGE, WITNESS_AT(answering), SHOWN_LIST, 0,
	 .help = "of these: answering", .metric = "witnesses_answering"},
	{"frames_sent", SHOWN_COUNTER, WITNESS_AT(frames_sent), SHOWN_LIST, 0,
	 .help = "heartbeats sent in Ethernet frames", .metric = "frames_sent"},
	{"frames_received", SHOWN_COUNTER, WITNESS_AT(frames_received), SHOWN_LIST, 0,
	 .help = "heartbeats received in Ethernet frames", .metric = "frames_received"},
	{"frames_refused", SHOWN_COUNTER, WITNESS_AT(frames_refused), SHOWN_LIST, 0,
	 .help = "such frames that were refused: forged, damaged, of another cluster",
	 .metric = "frames_refused"},
	{"frames_heard_ms", SHOWN_AGO, WITNESS_AT(frames_heard_ms), SHOWN_LIST, 0,
	 .help = "since the last of them", .unit = "ms"},
};

static const struct shown_column witness_columns[] = {{"link", "link", 0},
						      {"asked", "witnesses asked", 0},
						      {"answering", "answering", 0},
						      {"frames_received", "frames", 0},
						      {NULL, NULL, 0}};

const struct shown_table shown_witness = {.title = "Witnesses",
					  .prefix = "plvs_ha_",
					  .labels = "`link`",
					  .rows = witness_rows,
					  .n = sizeof(witness_rows) / sizeof(witness_rows[0]),
					  .columns = witness_columns};

#define CLAIM_AT(member)                                                                           \
	offsetof(struct shown_claim, member), sizeof(((struct shown_claim *)0)->member)

static const struct shown claim_rows[] = {
	{"address", SHOWN_TEXT, CLAIM_AT(address), SHOWN_LIST, 0, .help = "the address"},
	{"link", SHOWN_TEXT, CLAIM_AT(link), SHOWN_LIST, 0, .help = "the link of the station"},
	{"mac", SHOWN_TEXT, CLAIM_AT(mac), SHOWN_LIST, 0, .help = "the station's MAC"},
	{"peer", SHOWN_YES, CLAIM_AT(peer), SHOWN_LIST, 0, .help = "the MAC is the peer's"},
	{"count", SHOWN_GAUGE, CLAIM_AT(count), SHOWN_LIST, 0, .help = "times that the MAC did so"},
	{"ago_ms", SHOWN_GAUGE, CLAIM_AT(ago_ms), SHOWN_LIST, 0, .help = "since the last time",
	 .unit = "ms"},
};

const struct shown_table shown_claim = {.title = "Claims of addresses",
					.rows = claim_rows,
					.n = sizeof(claim_rows) / sizeof(claim_rows[0])};
