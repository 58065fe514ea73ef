/* SPDX-License-Identifier: BSD-3-Clause */
/* The virtuals of a lvs.cf and their servers. */
/* From the values of a lvs.cf to objects of an LVS. The whole file is known. */
#include <netinet/in.h>
#include <string.h>

#include "import/lvscf.h"
#include "model/limits.h"

#define PORT_DEFAULT 80U

/* ---- a virtual ---- */

static void pmask_map(struct importer *im, const struct lvscf_block *b, struct lvs_service *svc)
{
	const struct lvscf_value *v = &b->v[D_PMASK];
	uint32_t len;

	if (!lvscf_said(b, D_PMASK))
		return;
	if (!netmask_parse(v->text, &len) || len == LVS_MASK_ALL)
		note(im, v->at, NOTE_DROPPED,
		     "pmask \"%.32s\" is not valid: lvsd ignores it without a "
		     "word",
		     v->text);
	else if (!svc->persistence_s)
		note(im, v->at, NOTE_DROPPED, "pmask has no meaning without persistent");
	else
		svc->netmask = len;
}

static void sorry_map(struct importer *im, const struct lvscf_block *b, struct lvs_service *svc)
{
	const struct lvscf_value *v = &b->v[D_SORRY_SERVER];
	struct lvs_server *s;
	struct addr a;

	if (!lvscf_said(b, D_SORRY_SERVER))
		return;
	if (addr_parse(v->text, &a) < 0) {
		note(im, v->at, NOTE_ERROR, "sorry_server \"%.64s\": expected an address", v->text);
		return;
	}
	s = server_new(im, svc, v->at);
	s->addr = a;
	s->sorry = true;
	s->port = svc->mark ? 0 : svc->listeners->port;
	note(im, v->at, NOTE_NOTICE,
	     "sorry_server: serves while no real server is up, weight 1, unchecked, as with nanny");
}

static void load_note(struct importer *im, const struct lvscf *cf, const struct lvscf_block *b)
{
	const struct lvscf_value *v = &b->v[D_LOAD_MONITOR], *rsh = &cf->globals.v[D_RSH_COMMAND];
	const char *shell = rsh->at.line ? rsh->text : "rsh";
	const char *command = v->text;

	if (!lvscf_said(b, D_LOAD_MONITOR))
		return;
	if (strcmp(v->text, "none") == 0 || v->len == 0) {
		note(im, v->at, NOTE_DROPPED, "load_monitor: none");
		return;
	}
	if (strcmp(v->text, "ruptime") == 0 || strcmp(v->text, "uptime") == 0)
		command = arena_printf(im, "/usr/bin/%s %%h uptime", shell);
	else if (strcmp(v->text, "rup") == 0)
		command = "/usr/bin/rup %h";
	note(im, v->at, NOTE_UNSAID,
	     "load_monitor %s: the weight followed the load, up to ten times. Not written, since a "
	     "program "
	     "that fails would take servers out: add a check of type exec with \"argv\": [\"%s\"] "
	     "(its "
	     "words each in quotes; ssh in place of rsh), \"load\": true, \"any_code\": true%s",
	     v->text, command,
	     strchr(v->text, '%') ? "; %h is put in by plvs, nanny does not document it here" : "");
}

static void mark_rules(struct importer *im, const struct lvscf_block *b, const struct addr *vip,
		       uint8_t protocol, uint32_t port)
{
	const struct lvscf_value *v = &b->v[D_FWMARK];
	struct lvs_mark rule = {
		.dest = *vip, .protocol = protocol, .first = port, .last = port, .mark = v->number};

	mark_add(im, v->at, &rule);
	note(im, v->at, NOTE_DIFFERS,
	     "mark %u: a rule is guessed for port %u of this address: the netfilter rules that set "
	     "it are "
	     "not in the file",
	     v->number, port);
	if (port != 21 || protocol != IPPROTO_TCP)
		return;
	rule.first = 1024;
	rule.last = 65535;
	mark_add(im, v->at, &rule);
	note(im, v->at, NOTE_DIFFERS, "mark %u: FTP: ports 1024-65535 are guessed for passive data",
	     v->number);
}

static struct lvs_service *mark_service(struct importer *im, uint32_t mark)
{
	struct lvs_service *svc = im->lvs.services;

	while (svc && svc->mark != mark)
		svc = svc->next;
	return svc;
}

static void scheduler_map(struct importer *im, const struct lvscf_block *b, struct lvs_service *svc)
{
	static const char *const known[] = {"lc",    "rr", "wlc", "wrr", "lblc",
					    "lblcr", "dh", "sh",  NULL};
	const char *text = lvscf_said(b, D_SCHEDULER) ? b->v[D_SCHEDULER].text : "wlc";

	for (size_t i = 0; known[i]; i++)
		if (strcmp(known[i], text) == 0)
			svc->scheduler = known[i];
	if (!svc->scheduler && (svc->scheduler = scheduler_find(text)) != NULL)
		note(im, b->v[D_SCHEDULER].at, NOTE_DIFFERS,
		     "scheduler %s: lvsd does not know it, plvs "
		     "does",
		     text);
	if (!svc->scheduler)
		note(im, b->v[D_SCHEDULER].at, NOTE_ERROR,
		     "scheduler \"%.32s\": expected lc, rr, wlc, wrr, lblc, lblcr, dh or sh", text);
}

/* A service for the virtual: its own, or that of another virtual with the same mark. */
static struct lvs_service *service_map(struct importer *im, const struct lvscf_block *b)
{
	uint32_t mark = lvscf_number(b, D_FWMARK, 0);
	struct lvs_service *svc = mark ? mark_service(im, mark) : NULL;
	const char *host, *why;
	uint8_t protocol = lvscf_word_is(b, D_PROTOCOL, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	uint32_t port = lvscf_number(b, D_PORT, PORT_DEFAULT);
	struct addr vip;

	if (lvscf_said(b, D_PROTOCOL) && !lvscf_word_is(b, D_PROTOCOL, "udp") &&
	    !lvscf_word_is(b, D_PROTOCOL, "tcp"))
		note(im, b->v[D_PROTOCOL].at, NOTE_ERROR, "protocol: expected tcp or udp");
	if (!lvscf_said(b, D_ADDRESS)) {
		note(im, b->at, NOTE_ERROR, "virtual %s has no address", b->name);
		return NULL;
	}
	if (host_lookup(im, b->v[D_ADDRESS].text, false, &vip, &host, &why) < 0) {
		note(im, b->v[D_ADDRESS].at, NOTE_LOST, "virtual %s: %s", b->name, why);
		return NULL;
	}
	lvscf_label_note(im, &b->v[D_ADDRESS]);
	address_add(im, b->v[D_ADDRESS].at, &vip, 32, ADDRESS_VIP, NULL);
	if (mark)
		mark_rules(im, b, &vip, protocol, port);
	if (svc) {
		note(im, b->v[D_FWMARK].at, NOTE_DIFFERS,
		     "mark %u is that of virtual %s (line %u), too: one service is written, and "
		     "its "
		     "servers have the checks of both; all of them must be good",
		     mark, svc->name, svc->at.line);
		return svc;
	}
	svc = service_new(im, b->at);
	svc->name = b->name;
	svc->mark = mark;
	svc->protocol = mark ? 0 : protocol;
	if (!mark)
		listener_new(im, svc, b->v[D_ADDRESS].at, &vip, port);
	scheduler_map(im, b, svc);
	svc->persistence_s = lvscf_number(b, D_PERSISTENT, 0);
	svc->quiesce = b->v[D_QUIESCE].number ? SWITCH_ON : SWITCH_OFF;
	pmask_map(im, b, svc);
	return svc;
}

/* ---- its servers ---- */

static struct lvs_server *server_of(struct lvs_service *svc, const struct addr *a, uint32_t port)
{
	struct lvs_server *s = svc->servers;

	while (s && (s->sorry || s->port != port || !addr_equal(&s->addr, a)))
		s = s->next;
	return s;
}

static uint32_t server_port(struct importer *im, const struct lvscf_block *b,
			    const struct lvscf_block *s, const struct lvs_service *svc)
{
	uint32_t own = lvscf_number(s, D_SERVER_PORT, s->port_so_far);
	uint32_t service = lvscf_number(b, D_PORT, PORT_DEFAULT);

	if (own > 65535)
		note(im, s->v[D_SERVER_PORT].at, NOTE_ERROR, "port: expected 0 to 65535");
	if (!lvscf_said(s, D_SERVER_PORT) && own != service)
		note(im, s->at, NOTE_DIFFERS,
		     "server %s stands before the virtual's port (line %u): its own port is %u, "
		     "the default "
		     "read so far",
		     s->name, b->v[D_PORT].at.line, own);
	(void)svc;
	return own;
}

static void server_map(struct importer *im, const struct lvscf *cf, const struct lvscf_block *b,
		       const struct lvscf_block *from, struct lvs_service *svc)
{
	uint32_t port = server_port(im, b, from, svc), listed = port;
	const char *host, *why;
	struct lvs_server *s;
	struct addr a;

	if (!from->v[D_ACTIVE].number) {
		note(im, from->at, NOTE_NOTICE, "server %s is not imported: active is %s",
		     from->name,
		     lvscf_said(from, D_ACTIVE) ? "0" : "missing, and its default is 0");
		return;
	}
	if (!lvscf_said(from, D_SERVER_ADDRESS)) {
		note(im, from->at, NOTE_ERROR, "server %s has no address", from->name);
		return;
	}
	/* Under a mark only NAT has ports. */
	if (svc->mark && im->lvs.method != METHOD_NAT)
		listed = 0;
	if (host_lookup(im, from->v[D_SERVER_ADDRESS].text, false, &a, &host, &why) < 0) {
		s = server_new(im, svc, from->v[D_SERVER_ADDRESS].at);
		s->host = from->v[D_SERVER_ADDRESS].text;
		s->lost = why;
		return;
	}
	s = svc->mark ? server_of(svc, &a, listed) : NULL;
	if (!s) {
		s = server_new(im, svc, from->at);
		s->addr = a;
		s->host = host;
		s->port = listed;
		s->port_at = from->v[D_SERVER_PORT].at;
		s->weight = lvscf_number(from, D_WEIGHT, 1);
		if (s->weight > MAX_WEIGHT)
			note(im, from->v[D_WEIGHT].at, NOTE_ERROR, "weight: expected 0 to %u",
			     MAX_WEIGHT);
		if (s->weight == 0)
			note(im, from->v[D_WEIGHT].at, NOTE_NOTICE,
			     "weight 0: server %s gets no new connections", from->name);
	}
	lvscf_checks(im, cf, b, svc, s, port);
}

static void virtual_map(struct importer *im, const struct lvscf *cf, const struct lvscf_block *b)
{
	struct lvs_service *svc;

	if (b->failover) {
		note(im, b->at, NOTE_UNSAID,
		     "failover %s: plvs has no failover services: start and stop commands of "
		     "programs are a "
		     "cluster manager's",
		     b->name);
		return;
	}
	if (!b->v[D_ACTIVE].number) {
		note(im, b->at, NOTE_NOTICE, "virtual %s is not imported: active is %s", b->name,
		     lvscf_said(b, D_ACTIVE) ? "0" : "missing, and its default is 0");
		return;
	}
	svc = service_map(im, b);
	if (!svc)
		return;
	for (const struct lvscf_block *s = b->servers; s; s = s->next)
		server_map(im, cf, b, s, svc);
	sorry_map(im, b, svc);
	load_note(im, cf, b);
	if (!b->servers)
		note(im, b->at, NOTE_NOTICE, "virtual %s has no servers: it refuses everything",
		     b->name);
}

void lvscf_map(struct importer *im, const struct lvscf *cf)
{
	bool any_active = false;

	lvscf_globals_map(im, &cf->globals);
	for (const struct lvscf_block *b = cf->virtuals; b; b = b->next) {
		any_active = any_active || (!b->failover && b->v[D_ACTIVE].number);
		virtual_map(im, cf, b);
	}
	if (cf->globals.v[D_RSH_COMMAND].at.line)
		note(im, cf->globals.v[D_RSH_COMMAND].at, NOTE_DROPPED,
		     "rsh_command: counts for load_monitor only");
	if (!any_active)
		return;
	note(im, (struct origin){cf->virtuals->at.file, 0}, NOTE_NOTICE,
	     "nanny raises the weight of a new server from 1/32 over some 100 s: slow_start is the "
	     "nearest, "
	     "and is not written");
}
