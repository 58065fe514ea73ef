/* SPDX-License-Identifier: BSD-3-Clause */
/* What the values of a lvs.cf mean, as objects of an LVS. The whole file is known. */
#include <netinet/in.h>
#include <string.h>

#include "import/lvscf.h"

#define PORT_DEFAULT 80U

static bool said(const struct lvscf_block *b, enum lvscf_directive id)
{
	return b->v[id].at.line != 0;
}

static uint32_t number_of(const struct lvscf_block *b, enum lvscf_directive id, uint32_t otherwise)
{
	return said(b, id) ? b->v[id].number : otherwise;
}

static bool word_is(const struct lvscf_block *b, enum lvscf_directive id, const char *word)
{
	return said(b, id) && strcmp(b->v[id].text, word) == 0;
}

/* ---- global: the network ---- */

static void network_map(struct importer *im, const struct lvscf_block *g)
{
	const struct lvscf_value *v = &g->v[D_NETWORK];

	im->lvs.method = METHOD_NAT;
	if (!said(g, D_NETWORK) || strcmp(v->text, "nat") == 0)
		return;
	if (strcmp(v->text, "direct") == 0) {
		im->lvs.method = METHOD_DR;
	} else if (strcmp(v->text, "tunnel") == 0) {
		im->lvs.method = METHOD_TUNNEL;
		note(im, v->at, NOTE_NOTICE,
		     "tunnel: real servers need the VIP on tunl0 and a route to the router's own "
		     "address; packets may be 20 bytes shorter. Checks ask the server's own "
		     "address, "
		     "not through the tunnel (`via_vip` would)");
	} else {
		note(im, v->at, NOTE_ERROR, "network \"%.32s\": expected nat, direct or tunnel",
		     v->text);
	}
}

/* "eth1:2" is a label of an address on eth1. */
static const char *device_of(struct importer *im, const char *label)
{
	return arena_copy(im, label, strcspn(label, ":"));
}

static void label_note(struct importer *im, const struct lvscf_value *v)
{
	const char *device = device_of(im, v->device), *dot = strchr(device, '.');
	uint64_t vlan;

	if (dot && number_parse(dot + 1, 4094, &vlan) && vlan)
		note(im, v->at, NOTE_DROPPED,
		     "\"%s\" is the label of an alias: `link` is left out. It would be VLAN %s of "
		     "the port "
		     "that %.*s is (\"PORT.%s\"), which is to be asked",
		     v->device, dot + 1, (int)(dot - device), device, dot + 1);
	else
		note(im, v->at, NOTE_DROPPED,
		     "\"%s\" is the label of an alias: `link` is left out, which port of plvs %s "
		     "is cannot "
		     "be known",
		     v->device, device);
}

static void nat_router_map(struct importer *im, const struct lvscf_block *g)
{
	const struct lvscf_value *v = &g->v[D_NAT_ROUTER], *mask = &g->v[D_NAT_NMASK];
	const char *host, *why;
	struct addr a;
	uint8_t len = 24;

	if (said(g, D_NAT_NMASK) && !said(g, D_NAT_ROUTER))
		note(im, mask->at, NOTE_DROPPED, "nat_nmask without nat_router");
	if (!said(g, D_NAT_ROUTER))
		return;
	if (im->lvs.method != METHOD_NAT) {
		note(im, v->at, NOTE_DROPPED, "nat_router: the network is not nat");
		return;
	}
	if (host_lookup(im, v->text, false, &a, &host, &why) < 0) {
		note(im, v->at, NOTE_ERROR, "nat_router: %s", why);
		return;
	}
	if (addr_is_zero(&a))
		return;
	if (said(g, D_NAT_NMASK) && mask->number >= 8 && mask->number < 32)
		len = (uint8_t)mask->number;
	else
		note(im, v->at, NOTE_DIFFERS,
		     "nat_router without a usable nat_nmask: a prefix length of 24 is guessed");
	address_add(im, v->at, &a, len, ADDRESS_GATEWAY, device_of(im, v->device));
	note(im, v->at, NOTE_NOTICE,
	     "the gateway's link is \"%s\": which port of plvs that is has to be checked",
	     v->device);
}

/* ---- global: the pair ---- */

static bool address_of(struct importer *im, const struct lvscf_block *g, enum lvscf_directive id,
		       struct addr *a)
{
	const char *host, *why;

	if (!said(g, id))
		return false;
	if (host_lookup(im, g->v[id].text, false, a, &host, &why) < 0) {
		note(im, g->v[id].at, NOTE_UNSAID, "%s: %s; the path of the pair is left out",
		     lvscf_rows[id].name, why);
		return false;
	}
	if (host)
		note(im, g->v[id].at, NOTE_NOTICE, "%s: the name %s was resolved once",
		     lvscf_rows[id].name, host);
	return !addr_is_zero(a);
}

static bool has_backup(const struct lvscf_block *g)
{
	return g->v[D_BACKUP_ACTIVE].number && said(g, D_BACKUP) &&
	       !word_is(g, D_BACKUP, "0.0.0.0");
}

static void timers_note(struct importer *im, const struct lvscf_block *g)
{
	uint32_t dead = number_of(g, D_DEADTIME, 5);
	struct origin at = said(g, D_DEADTIME) ? g->v[D_DEADTIME].at : g->v[D_BACKUP].at;

	if (said(g, D_KEEPALIVE))
		note(im, g->v[D_KEEPALIVE].at, NOTE_DIFFERS,
		     "keepalive %u s: plvs's own 50 ms is used (shared.ha.keepalive)",
		     g->v[D_KEEPALIVE].number);
	note(im, at, NOTE_DIFFERS,
	     "deadtime %u s: plvs's own 200 ms is used (shared.ha.deadtime); with %u s a takeover "
	     "would "
	     "take that long and more",
	     dead, dead);
}

static void no_pair_note(struct importer *im, const struct lvscf_block *g)
{
	static const enum lvscf_directive ids[] = {D_PRIMARY,	     D_PRIMARY_PRIVATE, D_BACKUP,
						   D_BACKUP_PRIVATE, D_BACKUP_ACTIVE,	D_KEEPALIVE,
						   D_DEADTIME};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (said(g, ids[i]))
			note(im, g->v[ids[i]].at, NOTE_DROPPED,
			     "%s: there is no backup router, so no part of a pair is written",
			     lvscf_rows[ids[i]].name);
}

static void pair_map(struct importer *im, const struct lvscf_block *g)
{
	bool backup = im->options->role && strcmp(im->options->role, "backup") == 0;
	struct lvs_pair *pair = &im->lvs.pair;
	struct addr a, b, pa, pb;

	if (!has_backup(g)) {
		no_pair_note(im, g);
		return;
	}
	timers_note(im, g);
	pair->any = true;
	pair->at = g->v[D_BACKUP].at;
	pair->role = backup ? "backup" : "primary";
	pair->role_guessed = !im->options->role;
	pair->manual = SWITCH_ON;
	if (pair->role_guessed)
		note(im, g->v[said(g, D_PRIMARY) ? D_PRIMARY : D_BACKUP].at, NOTE_NOTICE,
		     "the file is of both routers: role primary is written, for the router that "
		     "has "
		     "this address; import with --role backup for the other one");
	note(im, pair->at, NOTE_NOTICE,
	     "failback is manual: Piranha's primary does not take back by itself");
	if (address_of(im, g, D_PRIMARY, &a) && address_of(im, g, D_BACKUP, &b))
		path_add(im, g->v[D_PRIMARY].at, "public", backup ? &b : &a, backup ? &a : &b);
	if (address_of(im, g, D_PRIMARY_PRIVATE, &pa) && address_of(im, g, D_BACKUP_PRIVATE, &pb))
		path_add(im, g->v[D_PRIMARY_PRIVATE].at, "private", backup ? &pb : &pa,
			 backup ? &pa : &pb);
	if (!pair->paths)
		pair->role = NULL, pair->role_guessed = false;
}

static void command_note(struct importer *im, const struct lvscf_block *g, enum lvscf_directive id)
{
	if (said(g, id))
		note(im, g->v[id].at, NOTE_UNSAID,
		     "%s: node.notify.ha is the nearest, one program for all changes of role, "
		     "which gets "
		     "JSON on standard input and not these arguments: a wrapper is needed, the "
		     "command is "
		     "not taken over",
		     lvscf_rows[id].name);
}

static void globals_map(struct importer *im, const struct lvscf_block *g)
{
	network_map(im, g);
	nat_router_map(im, g);
	pair_map(im, g);
	command_note(im, g, D_ACTIVE_CMD);
	command_note(im, g, D_INACTIVE_CMD);
	im->lvs.established_s = number_of(g, D_TCP_TIMEOUT, 0);
	im->lvs.fin_wait_s = number_of(g, D_TCPFIN_TIMEOUT, 0);
	im->lvs.udp_s = number_of(g, D_UDP_TIMEOUT, 0);
	for (int id = D_TCP_TIMEOUT; id <= D_UDP_TIMEOUT; id++)
		if (said(g, id) && g->v[id].number == 0)
			note(im, g->v[id].at, NOTE_DROPPED, "%s: 0 leaves the time-out as it is",
			     lvscf_rows[id].name);
	if (said(g, D_MONITOR_LINKS))
		note(im, g->v[D_MONITOR_LINKS].at,
		     g->v[D_MONITOR_LINKS].number ? NOTE_DIFFERS : NOTE_DROPPED,
		     "monitor_links: plvs always gives up on the loss of a link when the peer has "
		     "better "
		     "ones");
	if (said(g, D_HARD_SHUTDOWN))
		note(im, g->v[D_HARD_SHUTDOWN].at,
		     g->v[D_HARD_SHUTDOWN].number ? NOTE_DROPPED : NOTE_DIFFERS,
		     "hard_shutdown: plvs does not stop because a checker ends");
	if (said(g, D_SERVICE))
		note(im, g->v[D_SERVICE].at, NOTE_DROPPED, "service: plvs balances only");
	if (said(g, D_SERVICE) && !word_is(g, D_SERVICE, "lvs"))
		note(im, g->v[D_SERVICE].at, NOTE_ERROR,
		     "service = %.16s: no virtual is balanced then; expected lvs",
		     g->v[D_SERVICE].text);
}

/* ---- a virtual ---- */

static void pmask_map(struct importer *im, const struct lvscf_block *b, struct lvs_service *svc)
{
	const struct lvscf_value *v = &b->v[D_PMASK];
	uint32_t len;

	if (!said(b, D_PMASK))
		return;
	if (!netmask_parse(v->text, &len) || len == 0)
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

	if (!said(b, D_SORRY_SERVER))
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

	if (!said(b, D_LOAD_MONITOR))
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
	const char *text = said(b, D_SCHEDULER) ? b->v[D_SCHEDULER].text : "wlc";

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
	uint32_t mark = number_of(b, D_FWMARK, 0);
	struct lvs_service *svc = mark ? mark_service(im, mark) : NULL;
	const char *host, *why;
	uint8_t protocol = word_is(b, D_PROTOCOL, "udp") ? IPPROTO_UDP : IPPROTO_TCP;
	uint32_t port = number_of(b, D_PORT, PORT_DEFAULT);
	struct addr vip;

	if (said(b, D_PROTOCOL) && !word_is(b, D_PROTOCOL, "udp") && !word_is(b, D_PROTOCOL, "tcp"))
		note(im, b->v[D_PROTOCOL].at, NOTE_ERROR, "protocol: expected tcp or udp");
	if (!said(b, D_ADDRESS)) {
		note(im, b->at, NOTE_ERROR, "virtual %s has no address", b->name);
		return NULL;
	}
	if (host_lookup(im, b->v[D_ADDRESS].text, false, &vip, &host, &why) < 0) {
		note(im, b->v[D_ADDRESS].at, NOTE_LOST, "virtual %s: %s", b->name, why);
		return NULL;
	}
	label_note(im, &b->v[D_ADDRESS]);
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
	svc->persistence_s = number_of(b, D_PERSISTENT, 0);
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
	uint32_t own = number_of(s, D_SERVER_PORT, s->port_so_far);
	uint32_t service = number_of(b, D_PORT, PORT_DEFAULT);

	if (own > 65535)
		note(im, s->v[D_SERVER_PORT].at, NOTE_ERROR, "port: expected 0 to 65535");
	if (!said(s, D_SERVER_PORT) && own != service)
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
		     from->name, said(from, D_ACTIVE) ? "0" : "missing, and its default is 0");
		return;
	}
	if (!said(from, D_SERVER_ADDRESS)) {
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
		s->weight = number_of(from, D_WEIGHT, 1);
		if (s->weight > 65535)
			note(im, from->v[D_WEIGHT].at, NOTE_ERROR, "weight: expected 0 to 65535");
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
		     said(b, D_ACTIVE) ? "0" : "missing, and its default is 0");
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

	globals_map(im, &cf->globals);
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
