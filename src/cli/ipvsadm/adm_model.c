/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual services as they stand in the router's configuration, read with the defaults that
 * apply to them.
 */
#include <netinet/in.h>
#include <string.h>

#include "base/text.h"
#include "cli/ipvsadm/adm_internal.h"

json_t *adm_services(const struct adm *a)
{
	json_t *shared = json_object_get(a->doc, "shared"), *list;

	if (!json_is_object(shared)) {
		shared = json_object();
		json_object_set_new(a->doc, "shared", shared);
	}
	list = json_object_get(shared, "services");
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(shared, "services", list);
	}
	return list;
}

static const json_t *member_of(const json_t *object, const char *key, const char *member)
{
	const json_t *value = json_object_get(object, key);

	return member && value ? json_object_get(value, member) : value;
}

const json_t *adm_policy(const struct adm *a, const json_t *service, const char *key,
			 const char *member)
{
	const json_t *value = member_of(service, key, member);

	if (value)
		return value;
	return member_of(json_object_get(json_object_get(a->doc, "shared"), "defaults"), key,
			 member);
}

json_int_t adm_member(const json_t *object, const char *key, json_int_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

uint32_t adm_seconds(const json_t *value)
{
	uint32_t ms;

	if (json_is_string(value))
		return duration_parse(json_string_value(value), &ms) == 0 ? ms / 1000 : 0;
	return json_is_number(value) ? (uint32_t)json_number_value(value) : 0;
}

/* --- identities --- */

/* "192.0.2.1:80", or an address alone: port 0. */
static bool endpoint_read(const char *text, struct endpoint *ep)
{
	memset(ep, 0, sizeof(*ep));
	return text && (endpoint_parse(text, ep) == 0 || addr_parse(text, &ep->addr) == 0);
}

static const char *listener_text(const json_t *service, size_t i)
{
	const json_t *listen = json_object_get(service, "listen");

	return json_string_value(json_is_array(listen) ? json_array_get(listen, i) : listen);
}

size_t adm_service_listeners(const json_t *service)
{
	const json_t *listen = json_object_get(service, "listen");

	return json_is_array(listen) ? json_array_size(listen) : 1;
}

bool adm_service_read(const json_t *service, size_t listener, struct adm_service *s)
{
	const char *proto = json_string_value(json_object_get(service, "protocol"));

	memset(s, 0, sizeof(*s));
	s->mark = (uint32_t)adm_member(service, "mark", 0);
	if (s->mark) {
		const char *family = json_string_value(json_object_get(service, "family"));

		s->ep.addr.family = family && strcmp(family, "ipv6") == 0 ? ADDR_V6 : ADDR_V4;
		return true;
	}
	s->proto = proto && strcmp(proto, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	return endpoint_read(listener_text(service, listener), &s->ep);
}

static bool service_same(const struct adm_service *x, const struct adm_service *y)
{
	if (x->mark || y->mark)
		return x->mark == y->mark && adm_is_ipv6(x) == adm_is_ipv6(y);
	return x->proto == y->proto && endpoint_equal(&x->ep, &y->ep);
}

json_t *adm_service_find(const struct adm *a, const struct adm_service *s, size_t *place)
{
	json_t *list = adm_services(a), *service;
	struct adm_service other;
	size_t i;

	json_array_foreach (list, i, service) {
		for (size_t k = 0; k < adm_service_listeners(service); k++) {
			if (!adm_service_read(service, k, &other) || !service_same(s, &other))
				continue;
			if (place)
				*place = i;
			return service;
		}
	}
	return NULL;
}

const char *adm_service_key(const struct adm_service *s, char buf[ENDPOINT_STRLEN + 16])
{
	char text[ENDPOINT_STRLEN];

	if (s->mark)
		snprintf(buf, ENDPOINT_STRLEN + 16, "fwmark:%u%s", s->mark,
			 adm_is_ipv6(s) ? "/ipv6" : "");
	else
		snprintf(buf, ENDPOINT_STRLEN + 16, "%s:%s",
			 s->proto == IPPROTO_UDP ? "udp" : "tcp",
			 endpoint_format(&s->ep, text, sizeof(text)));
	return buf;
}

bool adm_server_endpoint(const json_t *server, struct endpoint *ep)
{
	return endpoint_read(json_string_value(json_object_get(server, "address")), ep);
}

json_t *adm_server_find(const json_t *service, const struct endpoint *ep, size_t *place)
{
	json_t *list = json_object_get(service, "servers"), *server;
	struct endpoint other;
	size_t i;

	json_array_foreach (list, i, server) {
		if (!adm_server_endpoint(server, &other) || !endpoint_equal(ep, &other))
			continue;
		if (place)
			*place = i;
		return server;
	}
	return NULL;
}

/* --- what they say --- */

const char *adm_scheduler(const struct adm *a, const json_t *service)
{
	const char *name = json_string_value(adm_policy(a, service, "scheduler", NULL));

	return name ? name : "wlc";
}

uint32_t adm_flags(const struct adm *a, const json_t *service)
{
	const json_t *list = adm_policy(a, service, "scheduler_flags", NULL), *each;
	uint32_t flags = 0;
	size_t i;

	json_array_foreach (list, i, each) {
		const char *name = json_string_value(each);

		flags |= !name				 ? 0
			 : strcmp(name, "fallback") == 0 ? 1
			 : strcmp(name, "port") == 0	 ? 2
							 : 4;
	}
	return flags;
}

const char *adm_flags_text(const char *scheduler, uint32_t flags, char buf[64])
{
	bool hash = strcmp(scheduler, "sh") == 0 || strcmp(scheduler, "mh") == 0;
	static const char *const names[2][3] = {{"flag-1", "flag-2", "flag-3"},
						{"fallback", "port", NULL}};
	size_t at = 0;

	buf[0] = '\0';
	for (int i = 0; i < 3; i++)
		if (flags & 1U << i && names[hash][i])
			at += (size_t)snprintf(buf + at, 64 - at, "%s%s%s%s", at ? "," : "",
					       hash ? scheduler : "", hash ? "-" : "",
					       names[hash][i]);
	return buf;
}

/* The value for an address of IPv4: a length, or a mask. */
static uint32_t mask_of(const json_t *value)
{
	const char *text = json_string_value(value);
	json_int_t bits = json_is_integer(value) ? json_integer_value(value) : 32;
	struct addr addr;

	if (text && addr_parse(text, &addr) == 0 && addr.family == ADDR_V4)
		return be32_to(addr.v4);
	if (text)
		bits = adm_number(text, 0, 32);
	/* `defaults` hold for the family that they are written for. */
	if (bits < 0 || bits > 32)
		bits = 32;
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

/* The bits that count of an address of IPv6. */
static json_int_t prefix_of(const json_t *value, bool own)
{
	const char *text = json_string_value(value);
	json_int_t bits = text			   ? adm_number(text, 0, 128)
			  : json_is_integer(value) ? json_integer_value(value)
						   : 128;

	return bits < 0 || bits > 128 || (!own && bits <= 32) ? 128 : bits;
}

uint32_t adm_persist(const struct adm *a, const struct adm_service *s, const json_t *service,
		     char mask[ADM_MASK_LEN])
{
	const json_t *own = member_of(service, "persistence", "netmask");
	const json_t *value = own ? own : adm_policy(a, service, "persistence", "netmask");
	const uint32_t bits = mask_of(value);
	const struct addr m = {.family = ADDR_V4, .v4 = be32_from(bits)};

	mask[0] = '\0';
	if (adm_is_ipv6(s)) {
		if (prefix_of(value, own) < 128)
			snprintf(mask, ADM_MASK_LEN, "%d", (int)prefix_of(value, own));
	} else if (bits != UINT32_MAX) {
		addr_format(&m, mask, ADM_MASK_LEN);
	}
	return adm_seconds(adm_policy(a, service, "persistence", "timeout"));
}

const char *adm_engine(const struct adm *a, const json_t *service)
{
	const char *name = json_string_value(adm_policy(a, service, "persistence", "engine"));

	return name && strcmp(name, ADM_ENGINE_NONE) != 0 ? name : NULL;
}

bool adm_ops(const struct adm *a, const json_t *service)
{
	return json_is_true(adm_policy(a, service, "one_packet", NULL));
}

const char *adm_forward(const struct adm *a, const json_t *service, const json_t *server)
{
	const char *word = json_string_value(json_object_get(server, "forward"));

	if (!word)
		word = json_string_value(adm_policy(a, service, "forward", NULL));
	return word ? word : "nat";
}
