/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The input of ipvsadm-restore: a command of ipvsadm a line. -E and -e replace all options of
 * their object, so an option that is not repeated is at its default again.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "import/importer.h"
#include "import/ipvsadm_words.h"

#define PERSISTENCE_DEFAULT 300U
#define TABLE		    16384U

struct reader {
	struct importer *im;
	struct origin at;
	struct keyed {
		struct keyed *next;
		struct lvs_service *svc;
	} * services[TABLE];
};

/* ---- which object ---- */

static uint32_t key_hash(const struct ipvsadm_command *c)
{
	return (addr_hash(&c->vip) ^ c->vip_port * 31U ^ c->mark * 2654435761U ^ c->protocol) %
	       TABLE;
}

static bool is_service(const struct lvs_service *svc, const struct ipvsadm_command *c)
{
	if (c->mark)
		return svc->mark == c->mark && svc->v6 == c->v6;
	return !svc->mark && svc->protocol == c->protocol && svc->listeners->port == c->vip_port &&
	       addr_equal(&svc->listeners->addr, &c->vip);
}

static struct keyed **service_find(struct reader *r, const struct ipvsadm_command *c)
{
	struct keyed **k = &r->services[key_hash(c)];

	while (*k && !is_service((*k)->svc, c))
		k = &(*k)->next;
	return k;
}

static struct lvs_server **server_find(struct lvs_service *svc, const struct ipvsadm_command *c)
{
	struct lvs_server **s = &svc->servers;

	while (*s && ((*s)->port != c->server_port || !addr_equal(&(*s)->addr, &c->server)))
		s = &(*s)->next;
	return s;
}

static void service_unlink(struct importer *im, struct lvs_service *svc)
{
	struct lvs_service **link = &im->lvs.services;

	while (*link != svc)
		link = &(*link)->next;
	*link = svc->next;
	if (im->lvs.services_end == &svc->next)
		im->lvs.services_end = link;
}

/* ---- what a line sets ---- */

static void flags_set(struct reader *r, struct lvs_service *svc, const struct ipvsadm_command *c)
{
	bool hashes = strcmp(svc->scheduler, "sh") == 0 || strcmp(svc->scheduler, "mh") == 0;

	svc->flags = c->flags & (LVS_FALLBACK | LVS_PORT);
	if (!c->flags)
		return;
	if (!hashes || c->flags & ~(LVS_FALLBACK | LVS_PORT))
		note(r->im, r->at, NOTE_DROPPED, "--sched-flags: scheduler %s has %s",
		     svc->scheduler, hashes ? "no flag-3" : "no flags");
	if (!hashes)
		svc->flags = 0;
}

static void service_set(struct reader *r, struct lvs_service *svc, const struct ipvsadm_command *c)
{
	svc->scheduler = scheduler_find(c->scheduler);
	if (!svc->scheduler) {
		note(r->im, r->at, NOTE_ERROR, "\"%s\" is no scheduler of plvs", c->scheduler);
		svc->scheduler = "wlc";
	}
	flags_set(r, svc, c);
	svc->persistence_s = c->persistent;
	svc->netmask = c->netmask;
	svc->one_packet = c->ops;
	svc->by_call_id = c->pe && lvs_engine_take(r->im, r->at, "--pe", c->pe, c->persistent != 0);
}

static void server_set(struct reader *r, struct lvs_server *s, const struct ipvsadm_command *c)
{
	s->weight = c->weight;
	s->method = c->method;
	s->upper = c->upper;
	s->lower = c->lower;
	s->host = c->server_host;
	s->tunnel = c->method == METHOD_TUNNEL ? c->tunnel : (struct encap){0};
	lvs_tunnel_finish(r->im, r->at, &s->tunnel);
	if (c->upper && c->lower > c->upper)
		note(r->im, r->at, NOTE_ERROR, "the lower threshold %u is above the upper one, %u",
		     c->lower, c->upper);
	if (c->lower && !c->upper)
		note(r->im, r->at, NOTE_DROPPED,
		     "a lower threshold has no effect without an upper one");
}

/* ---- commands ---- */

static void service_add(struct reader *r, const struct ipvsadm_command *c, struct keyed **slot)
{
	struct importer *im = r->im;
	struct lvs_service *svc;

	if (*slot) {
		note(im, r->at, NOTE_DIFFERS,
		     "the service exists already: as ipvsadm does, this line "
		     "is passed over");
		return;
	}
	svc = service_new(im, r->at);
	svc->protocol = c->protocol;
	svc->mark = c->mark;
	svc->v6 = c->mark && c->v6;
	if (!c->mark)
		listener_new(im, svc, r->at, &c->vip, c->vip_port);
	else
		note(im, r->at, NOTE_UNSAID,
		     "mark %u: the netfilter rules that set it are in no such file: shared.marks "
		     "is to "
		     "be written by hand",
		     c->mark);
	if (!c->mark && c->vip_port == 0 && !c->persistent)
		note(im, r->at, NOTE_ERROR, "port 0 needs persistence (-p)");
	service_set(r, svc, c);
	*slot = arena_alloc(im, sizeof(**slot));
	(*slot)->svc = svc;
}

static void service_do(struct reader *r, const struct ipvsadm_command *c)
{
	struct keyed **slot = service_find(r, c);

	if (c->verb == 'A') {
		service_add(r, c, slot);
		return;
	}
	if (!*slot) {
		note(r->im, r->at, NOTE_ERROR, "there is no such service before this line");
		return;
	}
	if (c->verb == 'E') {
		service_set(r, (*slot)->svc, c);
		note(r->im, r->at, NOTE_NOTICE,
		     "-E replaces all options of the service: those that the line lacks are at "
		     "their "
		     "defaults");
		return;
	}
	service_unlink(r->im, (*slot)->svc);
	*slot = (*slot)->next;
}

static void server_remove(struct lvs_service *svc, struct lvs_server **link)
{
	if (svc->servers_end == &(*link)->next)
		svc->servers_end = link;
	*link = (*link)->next;
}

static void server_do(struct reader *r, struct ipvsadm_command *c)
{
	struct keyed **slot = service_find(r, c);
	struct lvs_service *svc = *slot ? (*slot)->svc : NULL;
	struct lvs_server **link, *s;

	if (!svc) {
		note(r->im, r->at, NOTE_ERROR, "there is no such service before this line");
		return;
	}
	if (!c->server_port_said && !c->mark)
		c->server_port = c->vip_port;
	if (c->method != METHOD_NAT && !c->mark && c->server_port != c->vip_port) {
		note(r->im, r->at, NOTE_DIFFERS,
		     "port %u is not used: only NAT rewrites ports, packets keep %u",
		     c->server_port, c->vip_port);
		c->server_port = c->vip_port;
	}
	link = server_find(svc, c);
	if (c->verb == 'a' && *link) {
		note(r->im, r->at, NOTE_DIFFERS,
		     "the real server exists already: as ipvsadm does, this "
		     "line is passed over");
		return;
	}
	if (c->verb == 'a') {
		s = server_new(r->im, svc, r->at);
		s->addr = c->server;
		s->port = c->server_port;
		server_set(r, s, c);
	} else if (!*link) {
		note(r->im, r->at, NOTE_ERROR, "there is no such real server before this line");
	} else if (c->verb == 'e') {
		server_set(r, *link, c);
		note(r->im, r->at, NOTE_NOTICE,
		     "-e replaces all options of the server: those that the line lacks are at "
		     "their "
		     "defaults");
	} else {
		server_remove(svc, link);
	}
}

static void timeouts_do(struct reader *r, const struct ipvsadm_command *c)
{
	struct lvs *lvs = &r->im->lvs;

	if (c->set[0])
		lvs->established_s = c->set[0];
	if (c->set[1])
		lvs->fin_wait_s = c->set[1];
	if (c->set[2])
		lvs->udp_s = c->set[2];
	note(r->im, r->at, NOTE_IMPORTED, "time-outs of --set; 0 leaves one as it is");
}

static void command_do(struct reader *r, struct ipvsadm_command *c)
{
	switch (c->verb) {
	case 'A':
	case 'E':
	case 'D':
		service_do(r, c);
		break;
	case 'a':
	case 'e':
	case 'd':
		server_do(r, c);
		break;
	case 'C':
		r->im->lvs.services = NULL;
		r->im->lvs.services_end = &r->im->lvs.services;
		memset(r->services, 0, sizeof(r->services));
		note(r->im, r->at, NOTE_NOTICE, "-C: what stands before this line is cleared");
		break;
	case 'S':
		timeouts_do(r, c);
		break;
	default:
		note(r->im, r->at, NOTE_DROPPED, "%s: %s", c->verb_text,
		     c->verb == 'Y' ? "plvs synchronises by itself, over node.ha.paths"
				    : "says nothing of services");
		break;
	}
}

void ipvsadm_read(struct importer *im, const char *file, const char *text, size_t len)
{
	struct reader *r = arena_alloc(im, sizeof(*r));
	struct ipvsadm_command c;
	const char *line;
	struct lines l;
	size_t n;

	r->im = im;
	lines_init(&l, file, text, len);
	while (line_next(&l, &line, &n)) {
		r->at = l.here;
		if (ipvsadm_line_parse(im, l.here, line, n, &c))
			command_do(r, &c);
	}
	note(im, (struct origin){file, 0}, NOTE_NOTICE,
	     "ipvsadm-save does not save thresholds, time-outs, the synchronisation daemon nor "
	     "sysctls: "
	     "see ipvsadm -Ln --thresholds and --timeout. It sorts by address: the kernel's order "
	     "may have been another");
	note(im, (struct origin){file, 0}, NOTE_NOTICE,
	     "prefix length and link of the VIPs are in no such file; without checks all real "
	     "servers "
	     "are always up");
}
