/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *config_addr_format(const struct net_addr *a, char *buf, size_t len)
{
	char host[ADDR_STRLEN];
	uint8_t whole = a->addr.family == ADDR_V6 ? 128 : 32;

	addr_format(&a->addr, host, sizeof(host));
	if (a->len == whole)
		snprintf(buf, len, "%s", host);
	else
		snprintf(buf, len, "%s/%u", host, a->len);
	return buf;
}

const char *config_route_format(const struct net_route *r, char *buf, size_t len)
{
	char dest[PREFIX_STRLEN], via[ADDR_STRLEN], source[ADDR_STRLEN], metric[16] = "";

	if (r->dest.len == 0)
		snprintf(dest, sizeof(dest), "%s",
			 r->dest.addr.family == ADDR_V6 && !r->via.family ? "::/0" : "default");
	else
		prefix_format(&r->dest, dest, sizeof(dest));
	if (r->metric)
		snprintf(metric, sizeof(metric), "%u", r->metric);
	snprintf(buf, len, "%s%s%s%s%s%s%s", dest, r->via.family ? " via " : "",
		 r->via.family ? addr_format(&r->via, via, sizeof(via)) : "",
		 r->source.family ? " src " : "",
		 r->source.family ? addr_format(&r->source, source, sizeof(source)) : "",
		 r->metric ? " metric " : "", metric);
	return buf;
}

static json_t *flags_to_json(const struct config_field *f, uint32_t flags)
{
	json_t *list = json_array();

	for (uint32_t i = 0; list && f->names[i]; i++) {
		if (!(flags & 1U << i))
			continue;
		if (json_array_append_new(list, json_string(f->names[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *enum_to_json(const struct config_field *f, uint8_t value)
{
	for (uint8_t i = 0; f->names[i]; i++)
		if ((f->values ? f->values[i] : i) == value)
			return json_string(f->names[i]);
	return json_null();
}

static json_t *netmask_to_json(uint64_t netmask)
{
	const struct addr a = {.family = ADDR_V4, .v4 = be32_from((uint32_t)netmask)};
	char buf[ADDR_STRLEN];

	return netmask & NETMASK_BITS ? json_string(addr_format(&a, buf, sizeof(buf)))
				      : json_integer((json_int_t)netmask);
}

json_t *config_scalar_to_json(const struct config_field *f, const void *value)
{
	const uint32_t *u32 = value;
	const struct endpoint *ep = value;
	const char *const *text = value;
	char buf[CONFIG_ROUTE_STRLEN];

	switch ((enum config_type)f->type) {
	case TYPE_BOOL:
		return json_boolean(*(const bool *)value);
	case TYPE_UINT:
		return json_integer(*u32);
	case TYPE_PORT:
		return json_integer(be16_to(*(const be16 *)value));
	case TYPE_NETMASK:
		return netmask_to_json(*(const uint64_t *)value);
	case TYPE_SECONDS:
		return json_string(duration_format(*u32 * 1000, buf, sizeof(buf)));
	case TYPE_MS:
		if (f->zero && *u32 == 0)
			return json_string(f->zero);
		return json_string(duration_format(*u32, buf, sizeof(buf)));
	case TYPE_MODE:
		snprintf(buf, sizeof(buf), "0%03o", *u32);
		return json_string(buf);
	case TYPE_FLAGS:
		return flags_to_json(f, *u32);
	case TYPE_ENUM:
		return enum_to_json(f, *(const uint8_t *)value);
	case TYPE_SCHEDULER:
	case TYPE_STRING:
		return *text ? json_string(*text) : json_null();
	case TYPE_MATCH:
		return json_string(config_match_format(value, buf, sizeof(buf)));
	case TYPE_PORTS:
		return config_ports_to_json(value);
	case TYPE_CHECKS:
		return config_names_to_json(value);
	case TYPE_STATUS:
		return config_status_to_json(value);
	case TYPE_BYTES:
		return json_string(((const struct match *)value)->text);
	case TYPE_HOST:
		return json_string(addr_format(value, buf, sizeof(buf)));
	case TYPE_ADDRESS:
		return json_string(config_addr_format(value, buf, sizeof(buf)));
	case TYPE_ROUTE:
		return json_string(config_route_format(value, buf, sizeof(buf)));
	case TYPE_SERVER:
		if (ep->port == 0)
			return json_string(addr_format(&ep->addr, buf, sizeof(buf)));
		/* fallthrough */
	case TYPE_ENDPOINT:
		return json_string(endpoint_format(ep, buf, sizeof(buf)));
	case TYPE_OBJECT:
	case TYPE_INLINE:
		break;
	}
	return NULL;
}

/* Without a call for the sizes of most values. */
static bool bytes_equal(const void *a, const void *b, size_t size)
{
	switch (size) {
	case 1:
		return memcmp(a, b, 1) == 0;
	case 2:
		return memcmp(a, b, 2) == 0;
	case 4:
		return memcmp(a, b, 4) == 0;
	case 8:
		return memcmp(a, b, 8) == 0;
	default:
		return memcmp(a, b, size) == 0;
	}
}

bool config_scalar_equal(const struct config_field *f, const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	if (f->type == TYPE_SCHEDULER)
		return *x == *y || (*x && *y && strcmp(*x, *y) == 0);
	if (f->type == TYPE_BYTES)
		return config_bytes_equal(a, b);
	if (f->type != TYPE_STRING)
		return bytes_equal(a, b, config_scalar_size(f));
	if (*x && *y)
		return strcmp(*x, *y) == 0;
	/* A string that was left out holds its default. */
	return *x == *y || (f->def_text && strcmp(*x ? *x : *y, f->def_text) == 0);
}

void config_scalar_default(const struct config_field *f, const char *const *schedulers, void *out)
{
	uint32_t u32 = (uint32_t)f->def;
	uint8_t u8 = (uint8_t)f->def;
	be16 port = be16_from((uint16_t)f->def);
	bool flag = f->def != 0;

	switch ((enum config_type)f->type) {
	case TYPE_BOOL:
		memcpy(out, &flag, sizeof(flag));
		break;
	case TYPE_UINT:
	case TYPE_SECONDS:
	case TYPE_MS:
	case TYPE_MODE:
	case TYPE_FLAGS:
		memcpy(out, &u32, sizeof(u32));
		break;
	case TYPE_NETMASK:
		memcpy(out, &f->def, sizeof(uint64_t));
		break;
	case TYPE_ENUM:
		memcpy(out, &u8, sizeof(u8));
		break;
	case TYPE_PORT:
		memcpy(out, &port, sizeof(port));
		break;
	case TYPE_SCHEDULER: {
		const char *name = schedulers[0];

		for (size_t i = 0; schedulers[i]; i++)
			if (strcmp(schedulers[i], f->def_text) == 0)
				name = schedulers[i];
		memcpy(out, &name, sizeof(name));
		break;
	}
	default:
		break;
	}
}
