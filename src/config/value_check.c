/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that rows of the schema name: each looks at the value of its key alone. */
#include "config/config_internal.h"

#include <errno.h>
#include <string.h>

#include "health/dns.h"

#define CONNECTIONS_MIN 1024U

int config_check_mode(struct config_context *ctx, const void *value)
{
	const uint32_t mode = *(const uint32_t *)value;

	if ((mode & 0007) == 0)
		return 0;
	config_report(ctx, -EINVAL, NULL,
		      "%04o lets every user of this machine control the router: expected nothing "
		      "for others, as \"0660\"",
		      mode);
	return -EINVAL;
}

int config_check_connections(struct config_context *ctx, const void *value)
{
	const uint32_t n = *(const uint32_t *)value;

	if (n == 0 || n >= CONNECTIONS_MIN)
		return 0;
	config_report(ctx, -EINVAL, NULL, "%u is neither 0 nor at least %u", n, CONNECTIONS_MIN);
	return -EINVAL;
}

int config_check_no_negation(struct config_context *ctx, const void *value)
{
	const struct mark_prefix *p = value;

	if (!p->negate)
		return 0;
	config_report(ctx, -EINVAL, NULL, "expected a prefix, not all but one");
	return -EINVAL;
}

int config_check_interface_addr(struct config_context *ctx, const void *value)
{
	const struct addr *a = &((const struct config_addr *)value)->addr;

	if (!addr_is_zero(a) && (a->family == ADDR_V4 || !config_addr_unusable(a)))
		return 0;
	config_report(ctx, -EINVAL, NULL, "an interface cannot have this address");
	return -EINVAL;
}

int config_check_no_link_local(struct config_context *ctx, const void *value)
{
	if (!addr_is_link_local(&((const struct config_addr *)value)->addr))
		return 0;
	config_report(ctx, -EINVAL, NULL,
		      "is a link-local address: expected one that is not of a single link");
	return -EINVAL;
}

/* Letters, digits, - and _ as names of services have it. Labels are 1 to 63 long. */
static const char *dns_name_fault(const char *name)
{
	static const char good[] =
		"-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct dns_query query;

	for (const char *label = name; *label && strcmp(name, ".") != 0;) {
		size_t len = strcspn(label, ".");

		if (len == 0)
			return "has an empty label: expected a name as \"www.example.org\"";
		if (len > 63)
			return "has a label of more than 63 characters";
		if (strspn(label, good) < len)
			return "has a character that names do not have: expected letters, digits, "
			       "- and _ (IDN as xn--...)";
		label += len + (label[len] == '.');
	}
	return dns_query_make(name, DNS_A, 0, &query) < 0 ? "is longer than 253 characters" : NULL;
}

int config_check_dns_name(struct config_context *ctx, const void *value)
{
	const char *name = *(char *const *)value, *fault = name ? dns_name_fault(name) : NULL;

	if (!fault)
		return 0;
	config_report(ctx, -EINVAL, NULL, "\"%.40s\" %s", name, fault);
	return -EINVAL;
}
