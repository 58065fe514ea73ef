/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP and ND on the links that carry VIPs: witnesses, announcements, strangers' claims. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "ha/ask_addresses.h"
#include "ha/ha_internal.h"

#define DISCOVERY_BUDGET 256 /* packets of a link before others run */

struct vip_link {
	struct ha *ha;
	struct discovery_socket socket; /* fd -1: tried again */
	struct event *event;
	/* peer_mac: the MAC of the last station that sent ARP or ND from an address of the peer on
	 * a path. claimant: the MAC of the last station that claimed an address that moves, perhaps
	 * the peer; used while peer_mac is unknown. Any station can forge both. */
	struct mac peer_mac, claimant;
};

struct vip_links {
	struct vip_link links[ROLE_MAX_VIP_LINKS];
	struct ha_address *addresses; /* owned */
	uint32_t n_addresses;
	struct witnesses *witnesses;
	struct announcer *announcer;
	struct claims *claims;
	uint64_t asked_us; /* witnesses, last */
	/* Questions of ha_ask_addresses(): the next pair of address and link, and those to come. */
	uint32_t question_at, questions_left;
	uint64_t questions; /* ha: wo, any: ro (relaxed) */
};

static struct vip_link *link_find(struct ha *ha, link_id id)
{
	for (uint8_t i = 0; i < ha->config.n_links; i++)
		if (ha->vips->links[i].socket.link == id)
			return &ha->vips->links[i];
	return NULL;
}

static uint8_t link_index(const struct ha *ha, const struct vip_link *l)
{
	return (uint8_t)(l - ha->vips->links);
}

/* --- what comes in --- */

static void witness_tell(struct ha *ha, const struct vip_link *l, const struct discovery_packet *p)
{
	const struct ha_link_config *config = &ha->config.links[link_index(ha, l)];
	struct role_event event = {.type = ROLE_WITNESS};

	event.witness.link = link_index(ha, l);
	for (uint8_t i = 0; i < config->n_witnesses; i++) {
		if (!addr_equal(&config->witnesses[i], &p->sender))
			continue;
		event.witness.witness = i;
		ha_post(ha, &event);
	}
}

static bool is_announced(const struct ha *ha, const struct addr *addr)
{
	for (uint32_t i = 0; i < ha->vips->n_addresses; i++)
		if (addr_equal(&ha->vips->addresses[i].addr, addr))
			return true;
	return false;
}

static bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool mac_known(const struct mac *m)
{
	static const struct mac none;

	return !mac_equal(m, &none);
}

static bool is_peers(const struct ha *ha, const struct vip_link *l, const struct mac *mac)
{
	for (uint8_t i = 0; i < ha->role.peer.n_ports; i++)
		if (mac_equal(&ha->role.peer.ports[i].mac, mac))
			return true;
	return mac_equal(&l->peer_mac, mac);
}

/* Ports are compared by name: both lists are in the order of names. */
static const struct mac *told_mac(const struct ha *ha, link_id link)
{
	const struct role_peer *peer = &ha->role.peer;

	for (uint8_t i = 0; i < ha->config.n_ports && i < peer->n_ports; i++)
		if (ha->config.ports[i].port == link_port(link))
			return &peer->ports[i].mac;
	return NULL;
}

bool vip_links_peer_mac(const struct ha *ha, uint8_t link, struct mac *out)
{
	const struct vip_link *l = &ha->vips->links[link];
	const struct mac *told = told_mac(ha, l->socket.link);
	const struct mac *mac = told && mac_known(told)	  ? told
				: mac_known(&l->peer_mac) ? &l->peer_mac
							  : &l->claimant;

	/* A group's address, or this router's own: nothing but a forged claim says so. */
	if (!mac_known(mac) || mac->byte[0] & 1 || mac_equal(mac, &l->socket.mac))
		return false;
	*out = *mac;
	return true;
}

/* Notes the MAC of a station that sends ARP or ND from an address of the peer on a path. */
static void peer_mac_note(struct ha *ha, struct vip_link *l, const struct discovery_packet *p)
{
	for (uint8_t i = 0; i < ha->config.n_paths; i++)
		if (addr_equal(&ha->config.paths[i].peer.addr, &p->sender))
			l->peer_mac = p->sender_mac;
}

static void claim_answer(struct ha *ha, struct vip_link *l, const struct discovery_packet *p)
{
	const struct claim *claim;
	char addr[ADDR_STRLEN], mac[MAC_STRLEN];
	unsigned int what;

	if (!ha_state_serves(ha->role.state) || !is_announced(ha, &p->sender) ||
	    memcmp(&p->sender_mac, &l->socket.mac, sizeof(p->sender_mac)) == 0)
		return;
	l->claimant = p->sender_mac;
	if (is_peers(ha, l, &p->sender_mac)) {
		const struct role_event event = {.type = ROLE_CLAIM};

		ha_post(ha, &event);
	}
	what = claim_seen(ha->vips->claims, l->socket.link, &p->sender, &p->sender_mac, ha_now_ms(),
			  &claim);
	if (what & CLAIM_ANNOUNCE)
		announcer_again(ha->vips->announcer, l->socket.link, &p->sender);
	if (what & CLAIM_TELL)
		log_error(HA_AREA, "%s is claimed by %s on %s, %s, %u times so far",
			  addr_format(&p->sender, addr, sizeof(addr)),
			  is_peers(ha, l, &p->sender_mac) ? "the peer" : "another station",
			  ha->config.links[link_index(ha, l)].name,
			  mac_format(&p->sender_mac, mac, sizeof(mac)), claim->n);
}

static void claim_fill(const struct ha *ha, const struct claim *k, struct ha_claim_status *out)
{
	memset(out, 0, sizeof(*out));
	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		if (ha->config.links[i].link != k->link)
			continue;
		memcpy(out->link, ha->config.links[i].name, sizeof(out->link));
		out->peer = is_peers(ha, &ha->vips->links[i], &k->mac);
	}
	out->addr = k->addr;
	out->mac = k->mac;
	out->count = k->n;
	out->ago_ms = ha_now_ms() - k->seen_ms;
}

void vip_links_status(const struct ha *ha, struct ha_status *out)
{
	const struct claims *all = ha->vips->claims;
	const uint64_t now_ms = ha_now_ms();
	const uint32_t within_ms = role_witness_period(&ha->role) == ROLE_WITNESS_SLOW_MS
					   ? ROLE_CALM_MS
					   : ha->role.cfg.deadtime_ms;

	out->n_claims = 0;
	for (uint32_t i = 0; i < all->n && out->n_claims < HA_CLAIMS_SHOWN; i++)
		if (all->list[i].n > 0 && now_ms - all->list[i].seen_ms <= CLAIM_FORGET_MS)
			claim_fill(ha, &all->list[i], &out->claims[out->n_claims++]);
	out->n_links = ha->config.n_links;
	for (uint8_t i = 0; i < out->n_links; i++) {
		const struct ha_link_config *link = &ha->config.links[i];
		struct ha_witness_status *w = &out->witnesses[i];

		memcpy(w->link, link->name, sizeof(w->link));
		/* Without a peer nobody is asked. */
		w->configured = ha->config.role.has_peer ? link->n_witnesses : 0;
		w->answering = (uint8_t)witnesses_count(ha->vips->witnesses, link->link, now_ms,
							within_ms);
	}
}

static void link_lost(struct vip_link *l)
{
	if (l->event)
		event_free(l->event);
	l->event = NULL;
	discovery_close(&l->socket);
}

static void link_read(struct ha *ha, struct vip_link *l, unsigned int budget)
{
	struct discovery_packet p;
	int ret = 0;

	while (budget-- && l->socket.fd >= 0 && (ret = discovery_receive_one(&l->socket, &p)) > 0) {
		if (witnesses_heard(ha->vips->witnesses, l->socket.link, &p, ha_now_ms()))
			witness_tell(ha, l, &p);
		peer_mac_note(ha, l, &p);
		claim_answer(ha, l, &p);
	}
	if (ret < 0)
		link_lost(l);
}

static void on_frame(evutil_socket_t fd, short what, void *arg)
{
	struct vip_link *l = arg;

	(void)fd;
	(void)what;
	link_read(l->ha, l, DISCOVERY_BUDGET);
}

static void drain(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_links; i++)
		link_read(ha, &ha->vips->links[i], HA_DRAIN_BUDGET);
}

/* --- what goes out --- */

static void on_ask(void *arg, link_id id, const struct discovery_packet *p)
{
	struct ha *ha = arg;
	struct vip_link *l = link_find(ha, id);

	if (l && l->socket.fd >= 0 && discovery_send(&l->socket, p) == -ENODEV)
		link_lost(l);
}

static int on_announce(void *arg, link_id id, const struct discovery_packet *p)
{
	struct ha *ha = arg;
	struct vip_link *l = link_find(ha, id);

	return l && l->socket.fd >= 0 ? discovery_send(&l->socket, p) : -ENODEV;
}

/* Each on its link; one that is on any, on all. Gateways come first in the list. */
void vip_links_addresses(struct ha *ha, struct ha_address *addresses, uint32_t count)
{
	struct announce_item *v = calloc((size_t)count * ha->config.n_links + 1, sizeof(*v));
	uint32_t n = 0;

	free(ha->vips->addresses);
	ha->vips->addresses = addresses;
	ha->vips->n_addresses = count;
	for (uint32_t i = 0; v && i < ha->vips->n_addresses; i++) {
		const struct ha_address *a = &ha->vips->addresses[i];

		for (uint8_t k = 0; k < ha->config.n_links; k++)
			if (a->link == LINK_ANY || a->link == ha->config.links[k].link)
				v[n++] = (struct announce_item){ha->config.links[k].link, a->addr};
	}
	if (!v || announcer_set(ha->vips->announcer, v, n) < 0)
		log_error(HA_AREA, "no memory for the addresses to announce: the old ones are");
	free(v);
}

void vip_links_announce(struct ha *ha)
{
	announcer_start(ha->vips->announcer, ha_now_us());
}

void vip_links_silence(struct ha *ha)
{
	announcer_abort(ha->vips->announcer);
}

uint64_t vip_links_questions(const struct ha *ha)
{
	return __atomic_load_n(&ha->vips->questions, __ATOMIC_RELAXED);
}

void vip_links_ask(struct ha *ha)
{
	const uint32_t pairs = ha->vips->n_addresses * ha->config.n_links;

	/* A request while questions are under way asks no more of them. */
	if (!ha->vips->questions_left)
		ha->vips->questions_left = pairs < HA_QUESTIONS ? pairs : HA_QUESTIONS;
}

static void question_send(struct ha *ha, const struct ha_address *a, uint8_t k)
{
	const struct ha_link_config *config = &ha->config.links[k];
	struct discovery_packet p = {.op = DISCOVERY_QUESTION,
				     .dst = discovery_all,
				     .sender = config->own4,
				     .target = a->addr};

	if (a->addr.family == ADDR_V6)
		p.sender = config->own6;
	else if (p.sender.family == ADDR_NONE) /* as one who wants the address (RFC 5227) */
		p.sender = (struct addr){.family = ADDR_V4};
	if ((a->link != LINK_ANY && a->link != config->link) || p.sender.family == ADDR_NONE)
		return;
	on_ask(ha, config->link, &p);
	__atomic_store_n(&ha->vips->questions, ha->vips->questions + 1, __ATOMIC_RELAXED);
}

static void questions_step(struct ha *ha)
{
	const uint32_t pairs = ha->vips->n_addresses * ha->config.n_links;

	if (!pairs || !ha_state_serves(ha->role.state))
		ha->vips->questions_left = 0;
	for (unsigned int i = 0; i < HA_QUESTIONS_STEP && ha->vips->questions_left; i++) {
		const uint32_t at = ha->vips->question_at % pairs;

		question_send(ha, &ha->vips->addresses[at / ha->config.n_links],
			      (uint8_t)(at % ha->config.n_links));
		ha->vips->question_at = at + 1;
		ha->vips->questions_left--;
	}
}

static uint32_t poll(struct ha *ha)
{
	const uint64_t now_us = ha_now_us();
	const uint64_t every_us = (uint64_t)role_witness_period(&ha->role) * 1000;

	/* From once a second to keepalive rate: the next question is due at once. */
	if (every_us && now_us - ha->vips->asked_us >= every_us) {
		ha->vips->asked_us = now_us;
		witnesses_ask(ha->vips->witnesses, now_us / 1000);
	}
	announcer_step(ha->vips->announcer, now_us);
	questions_step(ha);
	return UINT32_MAX;
}

/* Opens what is not open: a TAP may come later, or go and come back. */
static void slow(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		const struct ha_link_config *config = &ha->config.links[i];
		struct vip_link *l = &ha->vips->links[i];

		if (l->socket.fd >= 0 ||
		    discovery_open(&l->socket, config->link, config->ifname) < 0)
			continue;
		l->event = event_new(ha->base, l->socket.fd, EV_READ | EV_PERSIST, on_frame, l);
		if (!l->event || event_add(l->event, NULL) < 0)
			link_lost(l);
	}
}

/* --- life --- */

int vip_links_witnesses(struct ha *ha)
{
	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		const struct ha_link_config *config = &ha->config.links[i];

		if (witnesses_set(ha->vips->witnesses, config->link, &config->own4, &config->own6,
				  config->witnesses, config->n_witnesses) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int start(struct ha *ha, char error[ERROR_TEXT])
{
	const struct witness_ops ask = {.ask = on_ask, .arg = ha};
	const struct announce_ops say = {.send = on_announce, .arg = ha};

	error_text(error, 0, "out of memory");
	ha->vips = calloc(1, sizeof(*ha->vips));
	if (!ha->vips)
		return -ENOMEM;
	for (uint8_t i = 0; i < ha->config.n_links; i++) {
		ha->vips->links[i].ha = ha;
		ha->vips->links[i].socket.link = ha->config.links[i].link;
		ha->vips->links[i].socket.fd = -1;
	}
	ha->vips->witnesses = witnesses_create(&ask);
	ha->vips->announcer = announcer_create(&ha->config.announce, &say);
	ha->vips->claims = calloc(1, sizeof(*ha->vips->claims));
	if (!ha->vips->witnesses || !ha->vips->announcer || !ha->vips->claims)
		return -ENOMEM;
	slow(ha);
	return vip_links_witnesses(ha);
}

static void stop(struct ha *ha)
{
	struct vip_links *v = ha->vips;

	if (!v)
		return;
	for (uint8_t i = 0; i < ha->config.n_links; i++)
		link_lost(&v->links[i]);
	if (v->witnesses)
		witnesses_destroy(v->witnesses);
	if (v->announcer)
		announcer_destroy(v->announcer);
	free(v->claims);
	free(v->addresses);
	free(v);
	ha->vips = NULL;
}

const struct ha_part vip_links_part = {
	.start = start,
	.stop = stop,
	.drain = drain,
	.poll = poll,
	.slow = slow,
};
