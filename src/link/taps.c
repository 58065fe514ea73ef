/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error_text.h"
#include "base/log.h"
#include "link/link_internal.h"

int taps_init(struct link *l)
{
	struct tap_slot *slot;

	l->n_slots = l->config.n_ports;
	for (uint16_t p = 0; p < l->config.n_ports; p++)
		l->n_slots += l->config.ports[p].n_vlans;
	l->slots = calloc(l->n_slots, sizeof(*l->slots));
	if (!l->slots)
		return -ENOMEM;
	slot = &l->slots[l->config.n_ports];
	for (uint16_t p = 0; p < l->config.n_ports; p++) {
		const struct link_port_config *port = &l->config.ports[p];

		l->slots[p].l = l;
		l->slots[p].used = true;
		tap_init(&l->slots[p].tap, p, 0);
		memcpy(l->slots[p].name, port->tap, sizeof(port->tap));
		for (uint32_t v = 0; v < port->n_vlans; v++, slot++) {
			slot->l = l;
			slot->vlan = &port->vlans[v];
			tap_init(&slot->tap, p, slot->vlan->id);
			snprintf(slot->name, sizeof(slot->name), "%.10s.%u", port->tap,
				 slot->vlan->id & 0xfffU);
		}
	}
	return 0;
}

void taps_fini(struct link *l)
{
	free(l->slots);
	l->slots = NULL;
	l->n_slots = 0;
}

static link_id slot_link(const struct tap_slot *slot)
{
	return link_id_of(slot->tap.port, slot->tap.vlan);
}

static void slot_close(struct tap_slot *slot, struct nlreq *req)
{
	if (slot->event)
		event_free(slot->event);
	slot->event = NULL;
	if (slot->urgent_event)
		event_free(slot->urgent_event);
	slot->urgent_event = NULL;
	mirror_set_tap(&slot->l->mirror, slot_link(slot), 0);
	tap_close(&slot->tap, req);
}

/* Linux keeps the interface. */
static bool slot_is_shared(const struct tap_slot *slot)
{
	return slot->l->config.ports[slot->tap.port].shared;
}

static void slot_lost(struct tap_slot *slot)
{
	struct link *l = slot->l;

	log_error(LINK_AREA,
		  slot_is_shared(slot)
			  ? "port %s: interface %s disappeared: looked for every second"
			  : "port %s: TAP %s disappeared: trying to make it again",
		  l->config.ports[slot->tap.port].name, slot->name);
	LINK_COUNT(l->port_counters[slot->tap.port].tap_lost);
	slot->lost = true;
	slot->told_lost = false;
	slot_close(slot, NULL);
	hops_links_gone(&l->hops);
	l->all_unknown = true;
}

static void on_tap(evutil_socket_t fd, short what, void *arg)
{
	struct tap_slot *slot = arg;
	struct link *l = slot->l;

	(void)fd;
	(void)what;
	if (pump_tap(&l->pump, &slot->tap) < 0)
		slot_lost(slot);
	link_round_end(l);
}

static void on_tap_urgent(evutil_socket_t fd, short what, void *arg)
{
	struct tap_slot *slot = arg;
	struct link *l = slot->l;

	(void)fd;
	(void)what;
	if (pump_tap_urgent(&l->pump, &slot->tap) < 0)
		slot_lost(slot);
	link_round_end(l);
}

/* 0 or -ENOMEM; slot_close() cleans up. */
static int slot_events(struct tap_slot *slot)
{
	struct event_base *base = slot->l->base;

	slot->event = event_new(base, slot->tap.fd, EV_READ | EV_PERSIST, on_tap, slot);
	if (!slot->event || event_add(slot->event, NULL) < 0)
		return -ENOMEM;
	if (slot->tap.urgent_fd < 0)
		return 0;
	slot->urgent_event =
		event_new(base, slot->tap.urgent_fd, EV_READ | EV_PERSIST, on_tap_urgent, slot);
	if (!slot->urgent_event || event_add(slot->urgent_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

/* The interface as Linux has it, up: a port without a TAP. */
static int slot_adopt(struct tap_slot *slot, char error[ERROR_TEXT])
{
	struct link *l = slot->l;
	struct nl_link now;
	int ret = nlreq_link_get(&l->req, slot->name, &now);

	error[0] = '\0';
	if (ret == 0)
		ret = nlreq_link_set_up(&l->req, now.ifindex);
	if (ret < 0)
		return error_text(error, ret, "interface %s: %s", slot->name, strerror(-ret));
	slot->tap.ifindex = now.ifindex;
	ret = mirror_set_tap(&l->mirror, slot_link(slot), now.ifindex);
	if (ret < 0)
		return error_text(error, ret, "interface %s: out of memory", slot->name);
	l->all_unknown = true;
	return 0;
}

static int slot_open(struct tap_slot *slot, char error[ERROR_TEXT])
{
	struct link *l = slot->l;
	const struct link_port_config *port = &l->config.ports[slot->tap.port];
	const struct tap_want want = {
		.name = slot->name,
		.mac = &port->mac,
		.mtu = l->port_mtu[slot->tap.port],
		.linux_side = slot->vlan ? &slot->vlan->linux_side : &port->linux_side,
	};
	int ret;

	if (slot_is_shared(slot))
		return slot_adopt(slot, error);
	ret = tap_open(&slot->tap, &l->req, &want, error);
	if (ret < 0)
		return ret;
	tap_set_carrier(&slot->tap, l->carrier[slot->tap.port]);
	ret = mirror_set_tap(&l->mirror, slot_link(slot), slot->tap.ifindex);
	if (ret == 0 && slot->vlan)
		ret = pump_add_vlan_tap(&l->pump, &slot->tap);
	if (ret < 0 || slot_events(slot) < 0) {
		error_text(error, 0, "TAP %s: out of memory", slot->name);
		slot_close(slot, &l->req);
		return -ENOMEM;
	}
	l->all_unknown = true;
	return 0;
}

/* The configured VLANs of a port whose TAP is there. */
static int vlans_open(struct link *l, uint16_t port, char error[ERROR_TEXT])
{
	for (uint32_t i = l->config.n_ports; i < l->n_slots; i++) {
		struct tap_slot *slot = &l->slots[i];
		int ret;

		if (slot->tap.port != port || slot->used)
			continue;
		ret = tap_vlan_add(&l->slots[port].tap, &l->req, slot->vlan, slot->name, error);
		if (ret == -EOPNOTSUPP) {
			log_notice(LINK_AREA,
				   "this kernel has no VLAN interfaces (8021q): %s is a "
				   "TAP of its own",
				   slot->name);
			slot->used = true;
			ret = slot_open(slot, error);
		}
		if (ret < 0 && !error[0])
			error_text(error, 0, "%s: %s", slot->name, strerror(-ret));
		if (ret < 0)
			return ret;
	}
	return 0;
}

int taps_open(struct link *l, char error[ERROR_TEXT])
{
	int ret = 0;

	for (uint16_t p = 0; ret == 0 && p < l->config.n_ports; p++) {
		ret = slot_open(&l->slots[p], error);
		if (ret == 0)
			ret = vlans_open(l, p, error);
	}
	return ret;
}

void taps_close(struct link *l)
{
	for (uint32_t i = l->n_slots; i-- > 0;)
		slot_close(&l->slots[i], l->req.sock ? &l->req : NULL);
}

static void slot_retry(struct tap_slot *slot)
{
	struct link *l = slot->l;
	const char *port = l->config.ports[slot->tap.port].name;
	char error[ERROR_TEXT] = "";
	int ret = slot_open(slot, error);

	if (ret == 0 && !slot->vlan)
		ret = vlans_open(l, slot->tap.port, error);
	if (ret == 0) {
		log_notice(LINK_AREA, "port %s: %s %s is there again", port,
			   slot_is_shared(slot) ? "interface" : "TAP", slot->name);
		slot->lost = false;
		return;
	}
	slot_close(slot, &l->req);
	if (!slot->told_lost)
		log_error(LINK_AREA, "port %s: %s; tried again every second", port, error);
	slot->told_lost = true;
}

void taps_retry(struct link *l)
{
	for (uint32_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].lost)
			slot_retry(&l->slots[i]);
}

void taps_gone(struct link *l, link_id link)
{
	for (uint32_t i = 0; i < l->n_slots; i++) {
		struct tap_slot *slot = &l->slots[i];

		if (slot->used && !slot->lost && slot_link(slot) == link &&
		    (slot->tap.fd >= 0 || slot_is_shared(slot)))
			slot_lost(slot);
	}
}

void taps_set_carrier(struct link *l, uint16_t port)
{
	for (uint32_t i = 0; i < l->n_slots; i++)
		if (l->slots[i].tap.port == port)
			tap_set_carrier(&l->slots[i].tap, l->carrier[port]);
}

void taps_set_mtu(struct link *l, uint16_t port, uint16_t mtu)
{
	for (uint32_t i = 0; i < l->n_slots; i++) {
		const struct tap_slot *slot = &l->slots[i];
		int ret;

		if (slot->tap.port != port || slot->tap.fd < 0)
			continue;
		ret = nlreq_link_set_mtu(&l->req, slot->tap.ifindex, mtu);
		if (ret < 0)
			log_error(LINK_AREA, "%s: cannot set MTU %u: %s", slot->name, mtu,
				  strerror(-ret));
	}
}
