/* SPDX-License-Identifier: BSD-3-Clause */
/* The global block of a lvs.cf: network, pair, time-outs. */
/* From the values of a lvs.cf to objects of an LVS. The whole file is known. */
#include <netinet/in.h>
#include <string.h>

#include "import/lvscf.h"

bool lvscf_said(const struct lvscf_block *b, enum lvscf_directive id)
{
	return b->v[id].at.line != 0;
}

uint32_t lvscf_number(const struct lvscf_block *b, enum lvscf_directive id, uint32_t otherwise)
{
	return lvscf_said(b, id) ? b->v[id].number : otherwise;
}

bool lvscf_word_is(const struct lvscf_block *b, enum lvscf_directive id, const char *word)
{
	return lvscf_said(b, id) && strcmp(b->v[id].text, word) == 0;
}

/* ---- global: the network ---- */

static void network_map(struct importer *im, const struct lvscf_block *g)
{
	const struct lvscf_value *v = &g->v[D_NETWORK];

	im->lvs.method = METHOD_NAT;
	if (!lvscf_said(g, D_NETWORK) || strcmp(v->text, "nat") == 0)
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

void lvscf_label_note(struct importer *im, const struct lvscf_value *v)
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

	if (lvscf_said(g, D_NAT_NMASK) && !lvscf_said(g, D_NAT_ROUTER))
		note(im, mask->at, NOTE_DROPPED, "nat_nmask without nat_router");
	if (!lvscf_said(g, D_NAT_ROUTER))
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
	if (lvscf_said(g, D_NAT_NMASK) && mask->number >= 8 && mask->number < 32)
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

	if (!lvscf_said(g, id))
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
	return g->v[D_BACKUP_ACTIVE].number && lvscf_said(g, D_BACKUP) &&
	       !lvscf_word_is(g, D_BACKUP, "0.0.0.0");
}

static void timers_note(struct importer *im, const struct lvscf_block *g)
{
	uint32_t dead = lvscf_number(g, D_DEADTIME, 5);
	struct origin at = lvscf_said(g, D_DEADTIME) ? g->v[D_DEADTIME].at : g->v[D_BACKUP].at;

	if (lvscf_said(g, D_KEEPALIVE))
		note(im, g->v[D_KEEPALIVE].at, NOTE_DIFFERS,
		     "keepalive %u s: plvs's own is used, 20 to 50 ms (shared.ha.keepalive)",
		     g->v[D_KEEPALIVE].number);
	note(im, at, NOTE_DIFFERS,
	     "deadtime %u s: plvs's own, measured, is used (shared.ha.deadtime); with %u s a "
	     "takeover "
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
		if (lvscf_said(g, ids[i]))
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
		note(im, g->v[lvscf_said(g, D_PRIMARY) ? D_PRIMARY : D_BACKUP].at, NOTE_NOTICE,
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
	if (lvscf_said(g, id))
		note(im, g->v[id].at, NOTE_UNSAID,
		     "%s: node.notify.ha is the nearest, one program for all changes of role, "
		     "which gets "
		     "JSON on standard input and not these arguments: a wrapper is needed, the "
		     "command is "
		     "not taken over",
		     lvscf_rows[id].name);
}

void lvscf_globals_map(struct importer *im, const struct lvscf_block *g)
{
	network_map(im, g);
	nat_router_map(im, g);
	pair_map(im, g);
	command_note(im, g, D_ACTIVE_CMD);
	command_note(im, g, D_INACTIVE_CMD);
	im->lvs.established_s = lvscf_number(g, D_TCP_TIMEOUT, 0);
	im->lvs.fin_wait_s = lvscf_number(g, D_TCPFIN_TIMEOUT, 0);
	im->lvs.udp_s = lvscf_number(g, D_UDP_TIMEOUT, 0);
	for (int id = D_TCP_TIMEOUT; id <= D_UDP_TIMEOUT; id++)
		if (lvscf_said(g, id) && g->v[id].number == 0)
			note(im, g->v[id].at, NOTE_DROPPED, "%s: 0 leaves the time-out as it is",
			     lvscf_rows[id].name);
	if (lvscf_said(g, D_MONITOR_LINKS))
		note(im, g->v[D_MONITOR_LINKS].at,
		     g->v[D_MONITOR_LINKS].number ? NOTE_DIFFERS : NOTE_DROPPED,
		     "monitor_links: plvs always gives up on the loss of a link when the peer has "
		     "better "
		     "ones");
	if (lvscf_said(g, D_HARD_SHUTDOWN))
		note(im, g->v[D_HARD_SHUTDOWN].at,
		     g->v[D_HARD_SHUTDOWN].number ? NOTE_DROPPED : NOTE_DIFFERS,
		     "hard_shutdown: plvs does not stop because a checker ends");
	if (lvscf_said(g, D_SERVICE))
		note(im, g->v[D_SERVICE].at, NOTE_DROPPED, "service: plvs balances only");
	if (lvscf_said(g, D_SERVICE) && !lvscf_word_is(g, D_SERVICE, "lvs"))
		note(im, g->v[D_SERVICE].at, NOTE_ERROR,
		     "service = %.16s: no virtual is balanced then; expected lvs",
		     g->v[D_SERVICE].text);
}
