/* SPDX-License-Identifier: BSD-3-Clause */
/* global_defs, static_ipaddress and static_routes of keepalived. */
#include <string.h>

#include "import/keepalived.h"

#define MONTH (31U * 86400)

/* lvs_timeouts tcp N tcpfin N udp N */
static void timeouts_take(struct keepalived *ka, const struct kw *k)
{
	struct lvs *lvs = &ka->im->lvs;

	for (uint32_t i = 1; i < k->n; i += 2) {
		uint32_t *out = strcmp(k->raw[i], "tcp") == 0	   ? &lvs->established_s
				: strcmp(k->raw[i], "tcpfin") == 0 ? &lvs->fin_wait_s
				: strcmp(k->raw[i], "udp") == 0	   ? &lvs->udp_s
								   : NULL;

		if (out)
			kw_number(ka->im, k, i + 1, MONTH, out);
		else
			note(ka->im, k->at, NOTE_ERROR,
			     "lvs_timeouts \"%.16s\": expected tcp, tcpfin or udp", k->raw[i]);
	}
}

static const char *why_of(const struct kw *k)
{
	const char *w = k->raw[0];

	if (strncmp(w, "notification_email", 18) == 0 || strncmp(w, "smtp_", 5) == 0)
		return "mail is sent by a program of node.notify";
	if (strcmp(w, "lvs_sync_daemon") == 0)
		return "plvs synchronises by itself, over node.ha.paths";
	if (strcmp(w, "script_user") == 0)
		return "the user stands in exec.user of a check and in node.notify.user";
	if (strncmp(w, "vrrp_garp", 9) == 0)
		return "see shared.ha.announce";
	if (strncmp(w, "vrrp_", 5) == 0)
		return "plvs's pair speaks no VRRP";
	if (strncmp(w, "lvs_flush", 9) == 0)
		return "plvs has its own table of services";
	return "says nothing of balancing";
}

void ka_globals_map(struct keepalived *ka, const struct kw *k)
{
	for (const struct kw *c = k->children; c; c = c->next) {
		if (kw_is(c, "lvs_timeouts")) {
			timeouts_take(ka, c);
			continue;
		}
		if (kw_is(c, "default_interface")) {
			ka->default_device = kw_word(ka->im, c, 1);
			note(ka->im, c->at, NOTE_DROPPED,
			     "default_interface: counts for addresses of static_ipaddress without "
			     "a \"dev\" alone");
			continue;
		}
		if (kw_is(c, "script_user"))
			ka->script_user = c;
		note(ka->im, c->at, NOTE_DROPPED, "%.48s: %s", c->raw[0], why_of(c));
		for (const struct kw *inner = c->children; inner; inner = inner->next)
			note(ka->im, inner->at, NOTE_DROPPED, "of %.48s", c->raw[0]);
	}
}

/* The word behind a keyword, or NULL. */
static const char *behind(struct importer *im, const struct kw *k, uint32_t from,
			  const char *keyword)
{
	for (uint32_t i = from; i + 1 < k->n; i++)
		if (strcmp(k->raw[i], keyword) == 0)
			return kw_word(im, k, i + 1);
	return NULL;
}

static struct lvs_vlan *link_of(struct importer *im, const struct kw *k, const char *device)
{
	struct lvs_vlan *vlan;

	if (device) {
		port_of(im, k->at, device, &vlan);
		return vlan;
	}
	note(im, k->at, NOTE_UNSAID, "no \"dev\": which port it is of cannot be known");
	return NULL;
}

/* The device of an address without one. */
static const char *default_device(const struct keepalived *ka, const struct kw *k)
{
	const char *device = ka->default_device ? ka->default_device : "eth0";

	note(ka->im, k->at, NOTE_NOTICE, "no \"dev\": keepalived takes %.32s", device);
	return device;
}

void ka_static_addresses(struct keepalived *ka, const struct kw *k)
{
	char text[PREFIX_STRLEN];

	for (const struct kw *c = k->children; c; c = c->next) {
		const char *device = behind(ka->im, c, 1, "dev");
		struct lvs_vlan *vlan;
		struct addr a;
		uint8_t len;

		if (addr_with_len_parse(kw_word(ka->im, c, 0), &a, &len) < 0) {
			note(ka->im, c->at, NOTE_ERROR, "\"%.64s\" is no address", c->raw[0]);
			continue;
		}
		vlan = link_of(ka->im, c, device ? device : default_device(ka, c));
		snprintf(text, sizeof(text), "%s", kw_word(ka->im, c, 0));
		word_add(ka->im, &vlan->addresses, arena_printf(ka->im, "%s", text));
		note(ka->im, c->at, NOTE_IMPORTED, "address %s of the router itself", text);
	}
}

/* Words behind a route that are not taken over. */
static void route_options_note(struct importer *im, const struct kw *k, uint32_t from)
{
	static const char *const taken[] = {"via", "gw", "dev", "src", "metric", "table", NULL};

	for (uint32_t i = from; i < k->n; i += 2) {
		size_t t = 0;

		while (taken[t] && strcmp(taken[t], k->raw[i]) != 0)
			t++;
		if (!taken[t])
			note(im, k->at, NOTE_DROPPED, "%.32s %.32s: of a route of Linux", k->raw[i],
			     kw_word(im, k, i + 1));
	}
}

/* "[src S] [to] DEST via G dev IF metric N" */
void ka_static_routes(struct keepalived *ka, const struct kw *k)
{
	struct importer *im = ka->im;

	for (const struct kw *c = k->children; c; c = c->next) {
		uint32_t at = strcmp(c->raw[0], "src") == 0 ? 2 : 0;
		const char *dest, *via = behind(im, c, 0, "via"),
				  *metric = behind(im, c, 0, "metric"),
				  *table = behind(im, c, 0, "table");
		const char *device = behind(im, c, 0, "dev"), *source = behind(im, c, 0, "src");
		struct lvs_vlan *vlan;
		struct prefix p;

		at += at < c->n && strcmp(c->raw[at], "to") == 0;
		dest = kw_word(im, c, at);
		if (strcmp(dest, "default") != 0 && prefix_parse(dest, &p) < 0) {
			note(im, c->at, NOTE_UNSAID, "route \"%.64s\": not taken over", dest);
			continue;
		}
		if (table && strcmp(table, "main") != 0 && strcmp(table, "254") != 0) {
			note(im, c->at, NOTE_UNSAID,
			     "route \"%.64s\" of table %.32s: routes of plvs are of the main "
			     "table: not taken over",
			     dest, table);
			continue;
		}
		if (!via)
			via = behind(im, c, 0, "gw");
		route_options_note(im, c, at + 1);
		if (strcmp(dest, "0.0.0.0/0") == 0)
			dest = "default";
		vlan = link_of(im, c, device);
		if (!vlan)
			continue;
		word_add(im, &vlan->routes,
			 arena_printf(im, "%s%s%s%s%s%s%s", dest, via ? " via " : "",
				      via ? via : "", source ? " src " : "", source ? source : "",
				      metric ? " metric " : "", metric ? metric : ""));
		note(im, c->at, NOTE_IMPORTED, "route %s of the router itself", dest);
	}
}
