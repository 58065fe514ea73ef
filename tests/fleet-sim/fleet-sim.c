/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fleet in numbers: flows are spread over routers as ECMP does, and over servers by the mh of
 * src/sched. For each event: the share of flows that reach another router, the share whose server
 * mh chooses anew, and the share that breaks, with `adopt` and without.
 *
 * A flow breaks when it reaches a server that does not know it. A router that knows a flow sends it
 * to its server, whatever mh says now. Another router adopts it: the flow goes to the choice of mh
 * there (with `adopt`), or breaks (without). Flows of a removed server break anyway, and are
 * counted apart.
 *
 * ECMP:
 *	resilient	a table of buckets; only those of a router that goes are given to others
 *	threshold	the hash is cut into as many regions as there are routers (Linux)
 *	modulo		the hash modulo the number of routers
 *
 *	fleet-sim [ROUTERS SERVERS FLOWS SLOTS]: the table in markdown. Exit code 1: an event that
 *	must break nothing with `adopt` breaks something.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/published.h"
#include "sched/sched.h"

#define BUCKETS 65536 /* of resilient ECMP */

static uint32_t n_routers = 100, n_servers = 10000, n_flows = 1000000, n_slots = 1000003;

/* ---- servers: nodes of one service ---- */

static struct runtime runtime;
static struct service_rt *service_rt;
static struct service *node;

struct list {
	uint32_t n;
	uint32_t id[MAX_SERVERS_PER_SERVICE];
	bool down[MAX_SERVERS_PER_SERVICE];
};

static void give_up(const char *what)
{
	fprintf(stderr, "fleet-sim: %s\n", what);
	exit(2);
}

static void list_publish(const struct list *l)
{
	struct service *svc = service_create(l->n, 1), *old = node;

	if (!svc)
		give_up("no memory");
	svc->rt = service_rt;
	svc->sched = sched_find("mh");
	svc->family = ADDR_V4;
	svc->policy.scheduler_flags = SCHED_MH_PORT;
	svc->policy.adopt = true;
	svc->policy.mh_slots = n_slots;
	for (uint32_t i = 0; i < l->n; i++) {
		const struct endpoint ep = {.addr = addr_from_v4(be32_from(0x0a000000 + l->id[i])),
					    .port = be16_from(80)};
		struct server *s = &svc->servers[i];

		s->rt = runtime_server_get(&runtime, service_rt, &ep);
		if (!s->rt)
			give_up("no memory");
		s->addr = ep.addr;
		s->port = ep.port;
		s->weight = s->last_weight = s->configured = 1;
		s->down = l->down[i];
	}
	if (sched_attach(svc, old) < 0)
		give_up("mh does not take the list");
	node = svc;
	service_put(old);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

/* The server's number. */
static uint32_t server_of(uint32_t flow)
{
	const uint64_t x = mix(flow + 1);
	const struct sched_request req = {.family = ADDR_V4,
					  .client = addr_from_v4(be32_from((uint32_t)x)),
					  .client_port = be16_from((uint16_t)(x >> 32))};
	const int at = node->sched->choose(node, &req);

	return at == SCHED_NONE ? UINT32_MAX : be32_to(node->servers[at].addr.v4) - 0x0a000000;
}

/* ---- routers ---- */

enum ecmp { RESILIENT, THRESHOLD, MODULO, ECMP_MAX };
static const char *const ecmp_names[] = {"resilient", "threshold", "modulo"};

struct ecmp_state {
	enum ecmp kind;
	uint32_t n; /* routers, numbers 0 to n - 1 without removed ones */
	uint32_t router[4096];
	uint16_t bucket[BUCKETS];
};

static void ecmp_init(struct ecmp_state *e, enum ecmp kind)
{
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->n = n_routers;
	for (uint32_t i = 0; i < e->n; i++)
		e->router[i] = i;
	for (uint32_t b = 0; b < BUCKETS; b++)
		e->bucket[b] = (uint16_t)(b % e->n);
}

static void ecmp_remove(struct ecmp_state *e, uint32_t at)
{
	const uint32_t gone = e->router[at];
	uint32_t next = 0;

	memmove(&e->router[at], &e->router[at + 1], (e->n - at - 1) * sizeof(e->router[0]));
	e->n--;
	for (uint32_t b = 0; b < BUCKETS; b++)
		if (e->bucket[b] == gone)
			e->bucket[b] = (uint16_t)e->router[next++ % e->n];
}

static void ecmp_add(struct ecmp_state *e, uint32_t at, uint32_t router)
{
	const uint32_t share = BUCKETS / (e->n + 1);

	memmove(&e->router[at + 1], &e->router[at], (e->n - at) * sizeof(e->router[0]));
	e->router[at] = router;
	e->n++;
	for (uint32_t i = 0; i < share; i++)
		e->bucket[mix(i + 77) % BUCKETS] = (uint16_t)router;
}

static uint32_t router_of(const struct ecmp_state *e, uint32_t flow)
{
	const uint32_t hash = (uint32_t)(mix(flow + 0x5555555555U) >> 16);

	switch (e->kind) {
	case RESILIENT:
		return e->bucket[hash % BUCKETS];
	case THRESHOLD:
		return e->router[(uint64_t)hash * e->n >> 32];
	default:
		return e->router[hash % e->n];
	}
}

/* ---- events ---- */

static uint32_t *server_before, *router_before;
static bool failed;

static double share(uint32_t n)
{
	return 100.0 * n / n_flows;
}

/* The fate of the flows; gone: the number of a removed server, or UINT32_MAX. */
static void row(const char *event, const struct ecmp_state *e, uint32_t gone, bool harmless)
{
	uint32_t moved = 0, dealt = 0, lost = 0, broken = 0, without = 0;

	for (uint32_t i = 0; i < n_flows; i++) {
		const bool other = router_of(e, i) != router_before[i];
		const bool anew = server_of(i) != server_before[i];

		moved += other;
		if (server_before[i] == gone) {
			lost++;
			continue;
		}
		dealt += anew;
		broken += other && anew;
		without += other;
	}
	printf("| %s | %s | %.3f | %.4f | %.4f | %.4f | %.3f |\n", event, ecmp_names[e->kind],
	       share(moved), share(lost), share(dealt), share(broken), share(without));
	failed |= harmless && broken;
}

static void before(const struct ecmp_state *e)
{
	for (uint32_t i = 0; i < n_flows; i++) {
		server_before[i] = server_of(i);
		router_before[i] = router_of(e, i);
	}
}

static void events(enum ecmp kind)
{
	static struct ecmp_state e;
	static struct list l, full;

	full.n = n_servers;
	for (uint32_t i = 0; i < n_servers; i++)
		full.id[i] = i + 1;
	l = full;
	list_publish(&l);
	ecmp_init(&e, kind);
	before(&e);

	ecmp_remove(&e, n_routers / 3);
	row("a router dies", &e, UINT32_MAX, true);
	ecmp_add(&e, n_routers / 3, n_routers / 3);
	ecmp_init(&e, kind);
	ecmp_add(&e, n_routers / 3, n_routers);
	row("a router is added", &e, UINT32_MAX, true);
	ecmp_init(&e, kind);
	for (uint32_t i = 0; i < n_routers / 10; i++)
		ecmp_remove(&e, n_routers / 3);
	row("a tenth of the routers dies", &e, UINT32_MAX, true);

	ecmp_init(&e, kind);
	l.down[n_servers / 2] = true;
	list_publish(&l);
	row("a server is down", &e, l.id[n_servers / 2], true);
	ecmp_remove(&e, n_routers / 3);
	row("a server is down, and a router dies", &e, l.id[n_servers / 2], true);

	ecmp_init(&e, kind);
	l = full;
	memmove(&l.id[n_servers / 2], &l.id[n_servers / 2 + 1],
		(n_servers - n_servers / 2 - 1) * sizeof(l.id[0]));
	l.n--;
	list_publish(&l);
	row("a server is removed", &e, full.id[n_servers / 2], true);
	ecmp_remove(&e, n_routers / 3);
	row("a server is removed, and a router dies", &e, full.id[n_servers / 2], false);

	ecmp_init(&e, kind);
	l = full;
	l.id[l.n++] = n_servers + 1;
	list_publish(&l);
	row("a server is added", &e, UINT32_MAX, true);
	ecmp_remove(&e, n_routers / 3);
	row("a server is added, and a router dies", &e, UINT32_MAX, false);
}

/* Whether a number is one, and within its bounds. */
static uint32_t number(const char *text, uint32_t least, uint32_t most)
{
	const unsigned long n = strtoul(text, NULL, 10);

	if (n < least || n > most)
		give_up("usage: fleet-sim [ROUTERS SERVERS FLOWS SLOTS]");
	return (uint32_t)n;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		if (argc != 5)
			give_up("usage: fleet-sim [ROUTERS SERVERS FLOWS SLOTS]");
		n_routers = number(argv[1], 4, 4000);
		n_servers = number(argv[2], 2, MAX_SERVERS_PER_SERVICE - 1);
		n_flows = number(argv[3], 1000, 100000000);
		n_slots = number(argv[4], n_servers + 1, 2097143);
	}
	if (runtime_init(&runtime) < 0 ||
	    !(service_rt = runtime_service_get(&runtime, "tcp:198.51.100.80:80")))
		give_up("no memory");
	server_before = calloc(n_flows, sizeof(*server_before));
	router_before = calloc(n_flows, sizeof(*router_before));
	if (!server_before || !router_before)
		give_up("no memory");
	printf("%u routers, %u servers, %u flows, %u slots; per cent of all flows\n\n", n_routers,
	       n_servers, n_flows, n_slots);
	printf("| event | ECMP | at another router | of a removed server | dealt anew by mh | "
	       "broken with `adopt` | broken without |\n|---|---|---|---|---|---|---|\n");
	for (int kind = 0; kind < ECMP_MAX; kind++)
		events((enum ecmp)kind);
	service_put(node);
	free(server_before);
	free(router_before);
	return failed;
}
