/* SPDX-License-Identifier: BSD-3-Clause */
/* The keywords that DPVS adds to keepalived. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/keepalived.h"

static const struct {
	const char *keyword;
	enum note_kind kind;
	const char *why;
} keywords[] = {
	{"syn_proxy", NOTE_UNSAID,
	 "SYN proxy: plvs has none; half-open connections give way when the "
	 "table is full"},
	{"laddr_group_name", NOTE_DROPPED,
	 "local addresses are not of one service: those of a link serve all servers that are "
	 "reached by the link"},
	{"bps", NOTE_UNSAID, "a limit of bandwidth: plvs has none"},
	{"limit_proportion", NOTE_UNSAID, "a limit of bandwidth: plvs has none"},
	{"quic", NOTE_UNSAID,
	 "connections by QUIC's connection id: plvs knows clients by address and port"},
	{"vip_bind_dev", NOTE_DROPPED, "the link of a VIP stands in shared.addresses"},
	{"expire_quiescent_conn", NOTE_DROPPED, "the nearest is persistence.expire_quiescent"},
	{"src-range", NOTE_DROPPED, "of virtual_server match"},
	{"dst-range", NOTE_DROPPED, "of virtual_server match"},
	{"iif", NOTE_DROPPED, "of virtual_server match"},
	{"oif", NOTE_DROPPED, "of virtual_server match"},
};

bool ka_dpvs_recognise(const struct kw *root)
{
	static const char *const top[] = {"local_address_group", "deny_address_group",
					  "allow_address_group", "tunnel_group", NULL};
	static const char *const inner[] = {"syn_proxy",
					    "laddr_group_name",
					    "daddr_group_name",
					    "waddr_group_name",
					    "proxy_protocol",
					    "hash_target",
					    "establish_timeout",
					    "est_timeout",
					    "vip_bind_dev",
					    "limit_proportion",
					    "bps",
					    "quic",
					    "dpdk_interface",
					    NULL};

	for (const struct kw *k = root->children; k; k = k->next) {
		for (size_t i = 0; top[i]; i++)
			if (kw_is(k, top[i]))
				return true;
		if (!kw_is(k, "virtual_server") && !kw_is(k, "vrrp_instance"))
			continue;
		for (const struct kw *c = k->children; c; c = c->next) {
			for (size_t i = 0; inner[i]; i++)
				if (kw_is(c, inner[i]))
					return true;
			if ((kw_is(c, "lb_kind") || kw_is(c, "lvs_method")) && c->n > 1 &&
			    (strcasecmp(c->raw[1], "FNAT") == 0 ||
			     strcasecmp(c->raw[1], "SNAT") == 0))
				return true;
		}
	}
	return false;
}

/* The last address of "A.B.C.D-E" in its last byte, as DPVS writes ranges; or -1. */
static int range_last(const char *text, char *first, size_t len)
{
	const char *dash = strchr(text, '-');
	char *end;
	long last;

	if (!dash || (size_t)(dash - text) >= len)
		return -1;
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	last = strtol(dash + 1, &end, 10);
	return *end == '\0' && last >= 0 && last <= 255 ? (int)last : -1;
}

static void pool_line(struct keepalived *ka, const struct kw *k)
{
	struct importer *im = ka->im;
	char first[ADDR_STRLEN];
	const char *text = kw_word(im, k, 0);
	const int last = range_last(text, first, sizeof(first));
	struct addr a;

	if (addr_parse(last < 0 ? text : first, &a) < 0 ||
	    (last >= 0 && (a.family != ADDR_V4 || last < ((const uint8_t *)&a.v4)[3]))) {
		note(im, k->at, NOTE_ERROR, "\"%.64s\" is no local address", k->raw[0]);
		return;
	}
	if (k->n < 2) {
		note(im, k->at, NOTE_ERROR,
		     "a local address without a device: expected \"ADDRESS IF\"");
		return;
	}
	for (int i = last < 0 ? 0 : last - ((const uint8_t *)&a.v4)[3]; i >= 0; i--) {
		address_add(im, k->at, &a, a.family == ADDR_V6 ? 128 : 32, ADDRESS_POOL,
			    kw_word(im, k, 1));
		((uint8_t *)&a.v4)[3]++;
	}
}

/* Local addresses of FNAT: a pool. */
static void pool_take(struct keepalived *ka, const struct kw *k)
{
	for (const struct kw *c = k->children; c; c = c->next)
		pool_line(ka, c);
}

bool ka_dpvs_top(struct keepalived *ka, const struct kw *k)
{
	if (!ka->dpvs)
		return false;
	if (kw_is(k, "local_address_group"))
		pool_take(ka, k);
	else if (kw_is(k, "tunnel_group"))
		note(ka->im, k->at, NOTE_DROPPED, "tunnel_group: tunnels of this host are Linux's");
	else if (kw_is(k, "deny_address_group") || kw_is(k, "allow_address_group"))
		note(ka->im, k->at, NOTE_UNSAID,
		     "%s: plvs has no lists of clients, and nftables does not see this traffic",
		     k->raw[0]);
	else
		return false;
	return true;
}

static void kind_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	if (k->n < 2 || strcasecmp(k->raw[1], "FNAT") != 0) {
		v->method_said = kw_method(ka->im, k, &v->method, &v->tunnel);
		return;
	}
	v->method = METHOD_FULLNAT;
	v->method_said = true;
	note(ka->im, k->at, NOTE_DIFFERS,
	     "FNAT: servers see addresses of kind pool; TCP tells the client's by the option toa "
	     "(`client_address`), as DPVS does, and uoa, of UDP, is not sent");
}

static void proxy_take(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	const char *version = k->n > 1 ? kw_word(ka->im, k, 1) : "";

	v->client_address = NULL;
	v->client_address_at = k->at;
	if (strcasecmp(version, "v1") == 0)
		v->client_address = "proxy-v1";
	else if (strcasecmp(version, "v2") == 0)
		v->client_address = "proxy-v2";
	else if (strcasecmp(version, "disable") != 0)
		note(ka->im, k->at, NOTE_ERROR, "proxy_protocol: expected v1, v2 or disable");
}

void ka_dpvs_fill(const struct keepalived *ka, struct lvs_service *svc)
{
	if (!ka->dpvs || svc->method != METHOD_FULLNAT || svc->protocol != IPPROTO_TCP ||
	    svc->client_address)
		return;
	svc->client_address = CLIENT_ADDRESS_OPTION;
	svc->client_address_at = svc->at;
}

bool ka_dpvs_virtual(struct keepalived *ka, const struct kw *k, struct ka_virtual *v)
{
	if (!ka->dpvs)
		return false;
	if (kw_is(k, "lb_kind") || kw_is(k, "lvs_method")) {
		kind_take(ka, k, v);
		return true;
	}
	if (kw_is(k, "establish_timeout") || kw_is(k, "est_timeout")) {
		kw_number(ka->im, k, 1, 31 * 86400, &v->established_s);
		return true;
	}
	if (kw_is(k, "proxy_protocol")) {
		proxy_take(ka, k, v);
		return true;
	}
	if (kw_is(k, "hash_target")) {
		bool sip = k->n > 1 && strcmp(k->raw[1], "sip") == 0;

		note(ka->im, k->at, sip ? NOTE_DROPPED : NOTE_UNSAID, "hash_target %.16s: %s",
		     kw_word(ka->im, k, 1),
		     sip ? "mh goes by the client's address"
			 : "plvs does not read QUIC's connection id: mh by the client's address");
		return true;
	}
	if (kw_is(k, "daddr_group_name") || kw_is(k, "waddr_group_name")) {
		v->opens_at = k->at;
		v->opens = kw_is(k, "daddr_group_name")
				   ? "its list of denied clients has no equal"
				   : "its list of allowed clients has no equal";
		return true;
	}
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (!kw_is(k, keywords[i].keyword))
			continue;
		note(ka->im, k->at, keywords[i].kind, "%s: %s", k->raw[0], keywords[i].why);
		return true;
	}
	return false;
}
