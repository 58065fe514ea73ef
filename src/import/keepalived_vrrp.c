/* SPDX-License-Identifier: BSD-3-Clause */
/* vrrp_instance: addresses, and what of a pair can be known. */
#include <string.h>

#include "import/keepalived.h"

static const struct {
	const char *keyword, *why;
} dropped[] = {
	{"virtual_router_id", "a pair of plvs has shared.ha.cluster, which may have this number"},
	{"authentication", "a key file (node.ha.key_file) does it"},
	{"track_interface", "ports are monitored anyway; weights are not"},
	{"track_script", "witnesses (shared.ha.witnesses) are the nearest"},
	{"track_process", "plvs monitors no processes"},
	{"track_file", "plvs monitors no files"},
	{"track_bfd", "plvs speaks no BFD"},
	{"virtual_rules", "rules of routing are Linux's"},
	{"smtp_alert", "mail is sent by a program of node.notify.ha"},
	{"use_vmac", "plvs keeps the port's MAC and announces the addresses"},
	{"use_vmac_addr", "plvs keeps the port's MAC and announces the addresses"},
	{"use_ipvlan", "plvs keeps the port's MAC and announces the addresses"},
	{"vmac_xmit_base", "plvs keeps the port's MAC"},
	{"garp_master_delay", "plvs announces at once; see shared.ha.announce"},
	{"garp_master_refresh_repeat", "see shared.ha.announce"},
	{"garp_lower_prio_delay", "see shared.ha.announce"},
	{"garp_lower_prio_repeat", "see shared.ha.announce"},
	{"garp_extra_if", "see shared.ha.announce"},
	{"mcast_src_ip", "heartbeats go over node.ha.paths"},
	{"mcast_dst_ip", "heartbeats go over node.ha.paths"},
	{"unicast_ttl", "heartbeats go over node.ha.paths"},
	{"check_unicast_src", "heartbeats have a key (node.ha.key_file)"},
	{"track_src_ip", "ports are monitored anyway"},
	{"linkbeat_use_polling", "ports are monitored anyway"},
	{"dont_track_primary", "ports are monitored anyway"},
	{"accept", "plvs answers for VIPs"},
	{"no_accept", "plvs answers for VIPs"},
	{"debug", "see node.log.level"},
	{"preempt", "the primary takes back by itself (shared.ha.failback)"},
	{"skip_check_adv_addr", "plvs's pair speaks no VRRP"},
	{"promote_secondaries", "plvs makes no addresses of Linux"},
	{"unicast_fault_no_peer", "plvs's pair speaks no VRRP"},
	{"lvs_sync_daemon_inteface", "plvs synchronises by itself, over node.ha.paths"},
	{"version", "plvs's pair speaks no VRRP"},
	{"down_timer_adverts", "see shared.ha.deadtime"},
	{"lower_prio_no_advert", "plvs's pair speaks no VRRP"},
	{"old_unicast_checksum", "plvs's pair speaks no VRRP"},
	{"kernel_rx_buf_size", "plvs's pair speaks no VRRP"},
	{"notify_priority_changes", "plvs's priorities do not change"},
	{"native_ipv6", "plvs's pair speaks no VRRP"},
	{"strict_mode", "plvs's pair speaks no VRRP"},
	{"higher_prio_send_advert", "plvs's pair speaks no VRRP"},
	{"lvs_sync_daemon_interface", "plvs synchronises by itself, over node.ha.paths"},
	{"dpdk_interface", "the port's name: its device is to be filled in, Linux has a TAP of it"},
};

struct instance {
	struct keepalived *ka;
	const struct kw *kw;
	const char *device;
	bool master, nopreempt;
	uint32_t priority;
	const struct kw *source, *peers, *advert;
};

/* ---- addresses ---- */

static bool is_listener(const struct importer *im, const struct addr *a)
{
	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		for (const struct lvs_listener *l = svc->listeners; l; l = l->next)
			if (addr_equal(&l->addr, a))
				return true;
	return false;
}

/* Real servers by NAT are on the network of the address. */
static bool has_servers(const struct importer *im, const struct addr *a, uint8_t len)
{
	const struct prefix net = {.addr = addr_masked(a, len), .len = len};

	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		for (const struct lvs_server *s = svc->servers; s; s = s->next)
			if (s->method == METHOD_NAT && !s->sorry && prefix_contains(&net, &s->addr))
				return true;
	return false;
}

static const char *device_behind(struct importer *im, const struct kw *k, const char *otherwise)
{
	for (uint32_t i = 1; i + 1 < k->n; i++)
		if (strcmp(k->raw[i], "dev") == 0)
			return kw_word(im, k, i + 1);
	return otherwise;
}

/* An address without a word of its network, as many guides have it: NAT servers are in its /24
 * (or /64), and no service is. */
static bool network_guess(struct importer *im, const struct kw *k, const struct addr *a)
{
	const uint8_t len = a->family == ADDR_V6 ? 64 : 24;
	const struct prefix net = {.addr = addr_masked(a, len), .len = len};

	if (strchr(k->raw[0], '/') || !has_servers(im, a, len))
		return false;
	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		for (const struct lvs_listener *l = svc->listeners; l; l = l->next)
			if (prefix_contains(&net, &l->addr))
				return false;
	return true;
}

/* The words behind an address, but its device: "brd A scope global label eth0:1 no_track". */
static void address_options_note(struct importer *im, const struct kw *k)
{
	static const char *const with_value[] = {"dev",	  "brd",  "broadcast",	   "scope",
						 "label", "peer", "preferred_lft", NULL};

	for (uint32_t i = 1; i < k->n; i++) {
		const char *word = k->raw[i];
		size_t o = 0;

		if (strcmp(word, "label") == 0)
			note(im, k->at, NOTE_DROPPED, "label: an alias of Linux");
		else if (strcmp(word, "dev") != 0)
			note(im, k->at, NOTE_DROPPED,
			     "%.48s: of an address of Linux; a VIP of plvs has none", word);
		while (with_value[o] && strcmp(with_value[o], word) != 0)
			o++;
		i += with_value[o] != NULL;
	}
}

static void address_take(struct instance *v, const struct kw *k)
{
	struct importer *im = v->ka->im;
	const char *device = device_behind(im, k, v->device);
	struct addr a;
	uint8_t len, whole;
	bool gateway, guessed;

	if (addr_with_len_parse(kw_word(im, k, 0), &a, &len) < 0) {
		note(im, k->at, NOTE_ERROR, "\"%.64s\" is no address", k->raw[0]);
		return;
	}
	whole = a.family == ADDR_V6 ? 128 : 32;
	guessed = network_guess(im, k, &a);
	if (guessed)
		len = a.family == ADDR_V6 ? 64 : 24;
	gateway =
		len < whole && len >= whole / 4 && !is_listener(im, &a) && has_servers(im, &a, len);
	if (gateway && !device) {
		note(im, k->at, NOTE_ERROR, "a gateway without a device: expected \"dev IF\"");
		return;
	}
	address_add(im, k->at, &a, gateway ? len : whole, gateway ? ADDRESS_GATEWAY : ADDRESS_VIP,
		    device);
	if (gateway)
		note(im, k->at, NOTE_NOTICE,
		     "no service listens at this address, and real servers by NAT are on its "
		     "network: taken "
		     "as their gateway");
	if (gateway && guessed)
		note(im, k->at, NOTE_DIFFERS,
		     "the address is written without its network: a prefix length of %u is guessed",
		     len);
	address_options_note(im, k);
}

static void addresses_take(struct instance *v, const char *keyword)
{
	for (const struct kw *b = v->kw->children; b; b = b->next)
		for (const struct kw *k = kw_is(b, keyword) ? b->children : NULL; k; k = k->next)
			address_take(v, k);
}

/* ---- the pair ---- */

static void path_take(struct instance *v)
{
	struct importer *im = v->ka->im;
	const struct kw *peer = v->peers ? v->peers->children : NULL;
	struct addr local, other;
	struct lvs_port *port;

	if (!peer) {
		note(im, v->kw->at, NOTE_NOTICE,
		     "no unicast_peer: the peer's address is in no line (multicast VRRP): "
		     "node.ha.paths "
		     "is to be written by hand");
		return;
	}
	if (!v->source) {
		note(im, v->peers->at, NOTE_NOTICE,
		     "no unicast_src_ip: this router's own address is in no line: a path to %.64s "
		     "is to be "
		     "written by hand",
		     kw_word(im, peer, 0));
		return;
	}
	if (peer->next)
		note(im, peer->next->at, NOTE_UNSAID,
		     "more than one peer: plvs has pairs; the first one is taken");
	if (peer->n > 1)
		note(im, peer->at, NOTE_DROPPED, "%.48s: heartbeats have a key (node.ha.key_file)",
		     peer->raw[1]);
	if (!kw_address(im, v->source, 1, &local) || !kw_address(im, peer, 0, &other))
		return;
	port = v->device ? port_of(im, v->kw->at, v->device, NULL) : NULL;
	path_add(im, v->source->at, NULL, &local, &other);
	for (struct lvs_path *p = im->lvs.pair.paths; p; p = p->next)
		if (addr_equal(&p->local, &local))
			p->port = port;
}

static void pair_take(struct instance *v)
{
	struct lvs_pair *pair = &v->ka->im->lvs.pair;
	uint32_t priority = v->priority ? v->priority : 100;
	const char *wanted = v->ka->im->options->role, *role;

	role = wanted ? wanted : v->master || priority > 100 ? "primary" : "backup";
	if (!pair->any) {
		pair->at = v->kw->at;
		pair->priority = priority;
		pair->role = role;
		pair->role_guessed = !wanted && !v->master;
		if (pair->role_guessed)
			note(v->ka->im, v->kw->at, NOTE_NOTICE,
			     "state BACKUP is the initial state only: role %s is guessed by "
			     "priority %u "
			     "(--role says it)",
			     role, priority);
		if (v->nopreempt && !v->master)
			pair->manual = SWITCH_ON;
	} else if (strcmp(role, pair->role) != 0) {
		note(v->ka->im, v->kw->at, NOTE_DIFFERS,
		     "this instance would be %s, the one of line %u %s: a router of plvs has one "
		     "role, and "
		     "all addresses move together",
		     role, pair->at.line, pair->role);
	}
	pair->any = true;
}

static void advert_note(struct instance *v)
{
	uint32_t ms = 1000, priority = v->priority ? v->priority : 100, takeover;

	if (v->advert)
		kw_ms(v->ka->im, v->advert, &ms);
	takeover =
		3 * ms + (uint32_t)((uint64_t)(256 - (priority < 256 ? priority : 255)) * ms / 256);
	note(v->ka->im, v->advert ? v->advert->at : v->kw->at, NOTE_DIFFERS,
	     "advert_int %u ms: a takeover came after about %u ms; plvs's own 50 ms and 200 ms are "
	     "used "
	     "(shared.ha.keepalive, deadtime)",
	     ms, takeover);
}

/* ---- keywords ---- */

static bool pair_keyword(struct instance *v, const struct kw *k)
{
	struct importer *im = v->ka->im;
	struct lvs_pair *pair = &im->lvs.pair;

	if (kw_is(k, "state"))
		v->master = strcmp(kw_word(im, k, 1), "MASTER") == 0;
	else if (kw_is(k, "interface"))
		v->device = kw_word(im, k, 1);
	else if (kw_is(k, "priority"))
		kw_number(im, k, 1, 255, &v->priority);
	else if (kw_is(k, "nopreempt"))
		v->nopreempt = true;
	else if (kw_is(k, "preempt_delay"))
		kw_ms(im, k, &pair->failback_delay_ms);
	else if (kw_is(k, "advert_int"))
		v->advert = k;
	else if (kw_is(k, "unicast_src_ip"))
		v->source = k;
	else if (kw_is(k, "unicast_peer"))
		v->peers = k;
	else if (kw_is(k, "garp_master_repeat"))
		kw_number(im, k, 1, 100, &pair->announce_count);
	else if (kw_is(k, "garp_master_refresh"))
		pair->refresh =
			kw_number(im, k, 1, 86400, &pair->refresh_s) ? SWITCH_ON : SWITCH_UNSET;
	else
		return false;
	return true;
}

static void authentication_note(struct importer *im, const struct kw *k)
{
	for (const struct kw *c = k->children; c; c = c->next) {
		bool known = kw_is(c, "auth_type") || kw_is(c, "auth_pass");

		note(im, c->at, known ? NOTE_DROPPED : NOTE_DIFFERS, "%.48s: %s", c->raw[0],
		     known ? "a key file (node.ha.key_file) does it"
			   : "no keyword of authentication: passed over, as keepalived does");
	}
}

static void other_keyword(struct instance *v, const struct kw *k)
{
	struct importer *im = v->ka->im;

	if (kw_is(k, "virtual_ipaddress") || kw_is(k, "virtual_ipaddress_excluded"))
		return;
	if (kw_is(k, "authentication"))
		authentication_note(im, k);
	if (strncmp(k->raw[0], "notify", 6) == 0 && !kw_is(k, "notify_priority_changes")) {
		note(im, k->at, NOTE_UNSAID,
		     "%.32s: node.notify.ha is the nearest, one program for all changes of role: "
		     "[\"PROGRAM\", \"INSTANCE\", \"%.32s\", \"%%{vrrp}\", \"PRIORITY\"] gives it "
		     "the arguments of keepalived; the script is not taken over",
		     k->raw[0], kw_word(im, v->kw, 1));
		return;
	}
	if (kw_is(k, "virtual_routes")) {
		note(im, k->at, NOTE_UNSAID,
		     "virtual_routes: a route that moves with the master has no equal");
		return;
	}
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		if (!kw_is(k, dropped[i].keyword))
			continue;
		note(im, k->at, NOTE_DROPPED, "%s: %s", k->raw[0], dropped[i].why);
		return;
	}
	note(im, k->at, k->block ? NOTE_ERROR : NOTE_DIFFERS,
	     "\"%.48s\" is no keyword of vrrp_instance: %s", k->raw[0],
	     k->block ? "keepalived passes its block over, an import does not"
		      : "passed over, as keepalived does");
}

void ka_instance_map(struct keepalived *ka, const struct kw *k)
{
	struct instance v = {.ka = ka, .kw = k};

	ka->any_vrrp = true;
	for (const struct kw *c = k->children; c; c = c->next)
		if (!pair_keyword(&v, c))
			other_keyword(&v, c);
	pair_take(&v);
	path_take(&v);
	advert_note(&v);
}

/* When all services are known: which address is what. */
static void instance_addresses(struct keepalived *ka, const struct kw *k)
{
	const struct kw *interface = kw_find(k, "interface");
	struct instance v = {.ka = ka, .kw = k};

	v.device = interface ? kw_word(ka->im, interface, 1) : NULL;
	addresses_take(&v, "virtual_ipaddress");
	addresses_take(&v, "virtual_ipaddress_excluded");
}

static bool is_vip(const struct importer *im, const struct addr *a)
{
	const struct lvs_address *v = im->lvs.addresses;

	while (v && !addr_equal(&v->addr, a))
		v = v->next;
	return v != NULL;
}

/* A real server that is one of the two routers. */
static void collocated_note(struct importer *im)
{
	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next)
		for (const struct lvs_server *s = svc->servers; s; s = s->next)
			for (const struct lvs_path *p = im->lvs.pair.paths; p; p = p->next) {
				bool own = addr_equal(&p->local, &s->addr);

				if (own || addr_equal(&p->peer, &s->addr))
					note(im, s->at, NOTE_UNSAID,
					     "real server %s is %s: it is local on one router of "
					     "the "
					     "pair and remote on the other, and `shared` is the "
					     "same on "
					     "both",
					     server_text(im, s),
					     own ? "this router" : "the other router");
			}
}

void ka_vrrp_end(struct keepalived *ka)
{
	struct importer *im = ka->im;
	struct lvs_pair *pair = &im->lvs.pair;

	for (const struct kw *k = ka->tree.root.children; k; k = k->next)
		if (kw_is(k, "vrrp_instance"))
			instance_addresses(ka, k);
	if (pair->manual == SWITCH_ON)
		pair->failback_delay_ms = 0;
	for (const struct lvs_service *svc = im->lvs.services; svc; svc = svc->next) {
		const struct lvs_listener *l = svc->listeners;

		if (l && ka->any_vrrp && !is_vip(im, &l->addr))
			note(im, svc->at, NOTE_NOTICE,
			     "the address of %s is in no vrrp_instance: plvs answers for it all "
			     "the same, "
			     "while the router is active",
			     service_text(im, svc));
	}
	collocated_note(im);
	if (!ka->any_vrrp && im->lvs.services)
		note(im, (struct origin){im->lvs.services->at.file, 0}, NOTE_NOTICE,
		     "no vrrp_instance: where the VIPs come from is not in the file; plvs answers "
		     "for "
		     "them");
}
