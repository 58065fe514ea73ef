/* SPDX-License-Identifier: BSD-3-Clause */
#include "metrics/port_view.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/port.h"
#include "dataplane/port_big.h"
#include "dataplane/port_device.h"

static const struct device_word {
	const char *name;
	const char *help;
	bool loss;
} words[TRAFFIC_DEVICE] = {
#define X(name, loss, help) {#name, help, loss},
	DEVICE_COUNTERS(X)
#undef X
};

static void device_read(const struct router_parts *r, uint16_t port, uint64_t out[TRAFFIC_DEVICE])
{
	struct device_counters now;

	dataplane_device_counters(r->dp, port, &now);
	memcpy(out, &now, sizeof(now));
}

json_t *port_view_losses(const struct router_parts *r)
{
	json_t *rows = json_array();

	for (uint16_t p = 0; r->dp && p < r->dp->n_ports; p++) {
		uint64_t now[TRAFFIC_DEVICE];

		device_read(r, p, now);
		for (size_t i = 0; i < TRAFFIC_DEVICE; i++) {
			const double rate = (double)r->traffic->ports[p].device_rate[i];
			const struct shown_reason v = {.port = r->dp->ports[p].config.name,
						       .device = true,
						       .name = words[i].name,
						       .help = words[i].help,
						       .count = now[i],
						       .rate = shown_round(rate)};

			if (words[i].loss)
				json_array_append_new(
					rows, shown_object(&shown_reason, &v, SHOWN_COUNTS));
		}
	}
	return rows;
}

static const char *const state_texts[PORT_STATES] = {
	[PORT_WORKS] = "works",
	[PORT_STALLED] = "carries nothing while its device counts drops, and is opened again",
	[PORT_GONE] = "the interface under its device is gone",
	[PORT_FAILED] = "carries nothing while its device counts drops, after restarts, too",
};

static void warning_add(const struct port *p, bool named, json_t *list, const char *text)
{
	json_array_append_new(list, named ? json_sprintf("port %s: %s", p->config.name, text)
					  : json_string(text));
}

/* The device and its state. */
static void device_warnings(const struct router_parts *r, uint16_t port, bool named, json_t *list)
{
	const float *rate = r->traffic->ports[port].device_rate;
	const struct port *p = &r->dp->ports[port];
	uint64_t now[TRAFFIC_DEVICE];
	char text[160];

	if (!port_device_works(p)) {
		snprintf(text, sizeof(text), "%s (for %llu s): its link is down",
			 state_texts[port_device_state(p)],
			 (unsigned long long)port_state_s(p, clock_us()));
		warning_add(p, named, list, text);
	}
	device_read(r, port, now);
	for (size_t i = 0; i < TRAFFIC_DEVICE; i++) {
		if (!words[i].loss || rate[i] <= 0)
			continue;
		snprintf(text, sizeof(text), "its device loses %.1f frames/s (%s: %llu)",
			 shown_round((double)rate[i]), words[i].name, (unsigned long long)now[i]);
		warning_add(p, named, list, text);
	}
}

/* Appends what an operator should know of a port, a string each; named: after "port NAME: ". */
static void port_warnings(const struct router_parts *r, uint16_t port, bool named, json_t *list)
{
	const struct port *p = &r->dp->ports[port];
	uint32_t silent = __atomic_load_n(&p->silent, __ATOMIC_RELAXED);
	uint32_t refused = __atomic_load_n(&p->device.vlans_refused, __ATOMIC_RELAXED);
	char text[160];

	if (p->warning[0])
		warning_add(p, named, list, p->warning);
	if (silent) {
		snprintf(text, sizeof(text),
			 "the link is up, but nothing at all is received, though Linux asks for %u "
			 "neighbours: check the cable, the switch and its VLANs",
			 silent);
		warning_add(p, named, list, text);
	}
	if (refused) {
		snprintf(text, sizeof(text),
			 "the VLAN filter of driver %s refused %u VLANs, whose frames may not "
			 "arrive: the log names them",
			 p->driver, refused);
		warning_add(p, named, list, text);
	}
	device_warnings(r, port, named, list);
}

void port_view_warnings(const struct router_parts *r, json_t *list)
{
	for (uint16_t p = 0; r->dp && p < r->dp->n_ports; p++)
		port_warnings(r, p, true, list);
}

json_t *port_warnings_json(const struct router_parts *r, uint16_t port)
{
	json_t *list = json_array();

	port_warnings(r, port, false, list);
	return list;
}

static void tap_counters_fill(const struct router_parts *r, uint16_t port, struct shown_port *out)
{
	const struct link_port_counters *l = r->link ? link_port_counters(r->link, port) : NULL;

	out->has_tap = l != NULL;
#define X(name, unit, help) out->tap_counters.name = __atomic_load_n(&l->name, __ATOMIC_RELAXED);
	if (l) {
		LINK_PORT_COUNTERS(X)
	}
#undef X
}

static void counters_fill(const struct router_parts *r, uint16_t port, struct shown_port *out)
{
	const struct traffic_port *t = &r->traffic->ports[port];

	traffic_read_port(r->traffic, port, &out->counters);
	dataplane_device_counters(r->dp, port, &out->device_counters);
	for (size_t i = 0; i < TRAFFIC_PORT; i++)
		out->rate[i] = (double)t->rate[i];
	for (size_t i = 0; i < TRAFFIC_DEVICE; i++)
		out->rate[TRAFFIC_PORT + i] = (double)t->device_rate[i];
	tap_counters_fill(r, port, out);
}

void port_view(const struct router_parts *r, uint16_t port, struct port_texts *texts,
	       struct shown_port *out)
{
	const struct config_node *node = &r->boot->node;
	const struct port *p = &r->dp->ports[port];

	*out = (struct shown_port){
		.port = port,
		.name = p->config.name,
		.device = p->config.device,
		.driver = p->driver,
		.mac = mac_format(&p->mac, texts->mac, sizeof(texts->mac)),
		.link_up = __atomic_load_n(&p->carrier, __ATOMIC_RELAXED) != 0,
		.speed_mbps = port_speed_mbps(p),
		.mtu = __atomic_load_n(&p->mtu, __ATOMIC_RELAXED),
		.socket = p->socket,
		.queues_asked = p->n_asked,
		.rx_queues = p->n_rx,
		.tx_queues = p->n_tx,
		.rss_asked = port_rss_name(p->rss_asked),
		.rss = port_rss_name(p->rss),
		.rx_wake = port_wake_name(p),
		.big_frames = port_big_name(p),
		.state = port_state_names[port_device_state(p)],
		.state_s = port_state_s(p, clock_us()),
		.silent = __atomic_load_n(&p->silent, __ATOMIC_RELAXED) != 0,
		.works = port_device_works(p),
		.stalls = __atomic_load_n(&p->device.stalls, __ATOMIC_RELAXED),
		.restarts = __atomic_load_n(&p->device.restarts, __ATOMIC_RELAXED),
		.tap = port < node->n_ports ? node->ports[port].tap : NULL,
	};
	counters_fill(r, port, out);
}
