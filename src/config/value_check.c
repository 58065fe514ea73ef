/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks that rows of the schema name: each looks at the value of its key alone. */
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int config_check_prime(struct config_context *ctx, const void *value)
{
	const uint32_t n = *(const uint32_t *)value;
	uint32_t prime = n;

	for (;; prime--) {
		uint32_t d = 2;

		while ((uint64_t)d * d <= prime && prime % d)
			d++;
		if ((uint64_t)d * d > prime)
			break;
	}
	if (prime == n)
		return 0;
	config_report(ctx, -EINVAL, NULL, "%u is not a prime: expected one, as %u", n, prime);
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
	const struct addr *a = &((const struct net_addr *)value)->addr;

	if (!addr_is_zero(a) && (a->family == ADDR_V4 || !config_addr_unusable(a)))
		return 0;
	config_report(ctx, -EINVAL, NULL, "an interface cannot have this address");
	return -EINVAL;
}

static int station_check(struct config_context *ctx, const struct addr *a)
{
	const char *why = config_addr_unusable(a);
	char text[ADDR_STRLEN];

	if (!why && addr_is_link_local(a))
		why = "a link-local address, which does not say by which link";
	if (!why)
		return 0;
	config_report(ctx, -EINVAL, NULL, "%s is %s", addr_format(a, text, sizeof(text)), why);
	return -EINVAL;
}

int config_check_station(struct config_context *ctx, const void *value)
{
	return station_check(ctx, &((const struct net_addr *)value)->addr);
}

int config_check_station_port(struct config_context *ctx, const void *value)
{
	return station_check(ctx, &((const struct endpoint *)value)->addr);
}

int config_check_open_to_all(struct config_context *ctx, const void *value)
{
	const struct endpoint *ep = value;
	char text[ENDPOINT_STRLEN];

	if (!addr_is_loopback(&ep->addr))
		config_report(ctx, 0, NULL, "%s is not of loopback: whoever reaches it may read",
			      endpoint_format(ep, text, sizeof(text)));
	return 0;
}

int config_check_no_link_local(struct config_context *ctx, const void *value)
{
	if (!addr_is_link_local(value))
		return 0;
	config_report(ctx, -EINVAL, NULL,
		      "is a link-local address: expected one that is not of a single link");
	return -EINVAL;
}

int config_check_md5(struct config_context *ctx, const void *value)
{
	const struct match *m = value;

	if (m->len == 32 && strspn(m->bytes, "0123456789abcdefABCDEF") == 32)
		return 0;
	config_report(ctx, -EINVAL, NULL, "is no MD5 digest: expected 32 hexadecimal digits");
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

int config_check_http_path(struct config_context *ctx, const void *value)
{
	const char *path = *(char *const *)value;

	if (path[0] == '/' && !strchr(path, ' '))
		return 0;
	config_report(ctx, -EINVAL, NULL, "expected a path that begins with / and has no blanks");
	return -EINVAL;
}

int config_check_http_host(struct config_context *ctx, const void *value)
{
	if (!strpbrk(*(char *const *)value, " /"))
		return 0;
	config_report(ctx, -EINVAL, NULL, "expected a host name, perhaps with :port");
	return -EINVAL;
}

int config_check_http_header(struct config_context *ctx, const void *value)
{
	static const char bad[] = " \t()<>@,;:\\\"/[]?={}";
	const char *text = *(char *const *)value, *colon = strchr(text, ':');

	if (colon && colon > text && strcspn(text, bad) == (size_t)(colon - text))
		return 0;
	config_report(ctx, -EINVAL, NULL, "expected a header as \"Accept: text/html\"");
	return -EINVAL;
}

/* A file that can be read now. Whether TLS can use the file shows with the first probe. */
int config_check_readable(struct config_context *ctx, const void *value)
{
	const char *path = *(char *const *)value;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int ret = 0;

	if (fd < 0) {
		config_report(ctx, -EINVAL, NULL, "cannot read %.200s: %s", path, strerror(errno));
		return -EINVAL;
	}
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		config_report(ctx, -EINVAL, NULL, "%.200s is no file", path);
		ret = -EINVAL;
	}
	close(fd);
	return ret;
}

int config_check_password_hash(struct config_context *ctx, const void *value)
{
	const char *hash = *(char *const *)value;

	if (hash[0] == '$' && strlen(hash) >= 20)
		return 0;
	config_report(ctx, -EINVAL, NULL,
		      "is no hash: expected what \"plvs-telnetd --hash\" prints");
	return -EINVAL;
}
