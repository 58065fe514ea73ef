/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port_view.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dataplane/port.h"
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

static void device_read(const struct control *c, uint16_t port, uint64_t out[TRAFFIC_DEVICE])
{
	struct device_counters now;

	dataplane_device_counters(c->dp, port, &now);
	memcpy(out, &now, sizeof(now));
}

void port_view_device(const struct control *c, uint16_t port, json_t *row)
{
	const float *rate = c->traffic.ports[port].device_rate;
	json_t *counters = json_object(), *rates = json_object();
	uint64_t now[TRAFFIC_DEVICE];

	device_read(c, port, now);
	for (size_t i = 0; i < TRAFFIC_DEVICE; i++) {
		json_object_set_new(counters, words[i].name, json_integer((json_int_t)now[i]));
		json_object_set_new(rates, words[i].name,
				    json_real(traffic_round((double)rate[i])));
	}
	json_object_set_new(row, "device_counters", counters);
	json_object_set_new(row, "device_rates", rates);
}

json_t *port_view_losses(struct control *c)
{
	json_t *rows = json_array();

	for (uint16_t p = 0; c->dp && p < c->dp->n_ports; p++) {
		uint64_t now[TRAFFIC_DEVICE];

		device_read(c, p, now);
		for (size_t i = 0; i < TRAFFIC_DEVICE; i++)
			if (words[i].loss)
				json_array_append_new(
					rows, json_pack("{s:s, s:s, s:s, s:I, s:f}", "port",
							c->dp->ports[p].config.name, "name",
							words[i].name, "help", words[i].help,
							"count", (json_int_t)now[i], "rate",
							traffic_round((double)c->traffic.ports[p]
									      .device_rate[i])));
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

/* What the device is and does. */
static void device_warnings(const struct control *c, uint16_t port, bool named, json_t *list)
{
	const float *rate = c->traffic.ports[port].device_rate;
	const struct port *p = &c->dp->ports[port];
	uint64_t now[TRAFFIC_DEVICE];
	char text[160];

	if (!port_device_works(p)) {
		snprintf(text, sizeof(text), "%s (for %llu s): its link is down",
			 state_texts[port_device_state(p)],
			 (unsigned long long)port_state_s(p, clock_us()));
		warning_add(p, named, list, text);
	}
	device_read(c, port, now);
	for (size_t i = 0; i < TRAFFIC_DEVICE; i++) {
		if (!words[i].loss || rate[i] <= 0)
			continue;
		snprintf(text, sizeof(text), "its device loses %.1f frames/s (%s: %llu)",
			 traffic_round((double)rate[i]), words[i].name, (unsigned long long)now[i]);
		warning_add(p, named, list, text);
	}
}

/* Appends what an operator should know of a port, a string each; named: after "port NAME: ". */
static void port_warnings(const struct control *c, uint16_t port, bool named, json_t *list)
{
	const struct port *p = &c->dp->ports[port];
	uint32_t silent = __atomic_load_n(&p->silent, __ATOMIC_RELAXED);
	uint32_t refused = __atomic_load_n(&p->device.vlans_refused, __ATOMIC_RELAXED);
	char text[160];

	if (p->warning[0])
		warning_add(p, named, list, p->warning);
	if (silent) {
		snprintf(text, sizeof(text),
			 "the link is up, but nothing at all is received, though Linux asks for %u "
			 "neighbours: look at the cable, the switch and its VLANs",
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
	device_warnings(c, port, named, list);
}

void port_view_warnings(const struct control *c, json_t *list)
{
	for (uint16_t p = 0; c->dp && p < c->dp->n_ports; p++)
		port_warnings(c, p, true, list);
}

static json_t *tap_counters_json(const struct control *c, uint16_t i)
{
	const struct link_port_counters *l = link_port_counters(c->link, i);
	json_t *tap = json_object();

#define X(name, help)                                                                              \
	json_object_set_new(                                                                       \
		tap, #name,                                                                        \
		json_integer((json_int_t)__atomic_load_n(&l->name, __ATOMIC_RELAXED)));
	if (l) {
		LINK_PORT_COUNTERS(X)
	}
#undef X
	return tap;
}

json_t *port_view_json(const struct control *c, uint16_t i)
{
	const struct port *p = &c->dp->ports[i];
	struct port_counters now;
	char mac[MAC_STRLEN];
	json_t *warnings = json_array(), *o;

	port_warnings(c, i, false, warnings);
	traffic_read_port(&c->traffic, i, &now);
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:i}", "port", (int)i, "name",
		      p->config.name, "device", p->config.device, "driver", p->driver, "mac",
		      mac_format(&p->mac, mac, sizeof(mac)), "link_up",
		      __atomic_load_n(&p->carrier, __ATOMIC_RELAXED) != 0, "speed_mbps",
		      (json_int_t)port_speed_mbps(p), "mtu",
		      (int)__atomic_load_n(&p->mtu, __ATOMIC_RELAXED), "socket", p->socket);
	json_object_update_new(o, json_pack("{s:i, s:i, s:i, s:s, s:s}", "queues_asked",
					    (int)p->n_asked, "rx_queues", (int)p->n_rx, "tx_queues",
					    (int)p->n_tx, "rss_asked", port_rss_name(p->rss_asked),
					    "rss", port_rss_name(p->rss)));
	json_object_set_new(o, "state", json_string(port_state_names[port_device_state(p)]));
	json_object_set_new(o, "state_s", json_integer((json_int_t)port_state_s(p, clock_us())));
	json_object_set_new(
		o, "stalls",
		json_integer((json_int_t)__atomic_load_n(&p->device.stalls, __ATOMIC_RELAXED)));
	json_object_set_new(
		o, "restarts",
		json_integer((json_int_t)__atomic_load_n(&p->device.restarts, __ATOMIC_RELAXED)));
	json_object_set_new(o, "tap",
			    i < c->boot->node.n_ports && c->boot->node.ports[i].tap
				    ? json_string(c->boot->node.ports[i].tap)
				    : json_null());
	json_object_set_new(o, "counters", port_counters_json(&now));
	json_object_set_new(o, "warnings", warnings);
	port_view_device(c, i, o);
	if (c->link)
		json_object_set_new(o, "tap_counters", tap_counters_json(c, i));
	return o;
}
