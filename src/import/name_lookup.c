/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "import/importer.h"
#include "model/schedulers.h"

/* Names that did not resolve may have cost seconds each. */
#define LOOKUPS_FAILED_MAX 8U
#define HOST_NAME_MAX_LEN  253U

/* For machines without /etc/services. */
static const struct {
	const char *name;
	uint16_t port;
} well_known[] = {
	{"ftp", 21},	{"ssh", 22},	 {"telnet", 23}, {"smtp", 25},	       {"domain", 53},
	{"http", 80},	{"www", 80},	 {"pop3", 110},	 {"nntp", 119},	       {"imap", 143},
	{"imap2", 143}, {"ldap", 389},	 {"https", 443}, {"ldaps", 636},       {"imaps", 993},
	{"pop3s", 995}, {"mysql", 3306}, {"sip", 5060},	 {"postgresql", 5432},
};

struct name_cache {
	struct name_cache *next;
	const char *name;
	bool v6;
	struct addr addr; /* family NONE: it did not resolve */
	const char *why;
};

static void resolve(struct importer *im, struct name_cache *c)
{
	struct addrinfo hints = {.ai_family = c->v6 ? AF_INET6 : AF_INET,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int ret;

	for (size_t i = 0; i < im->options->n_hosts; i++)
		if (strcasecmp(im->options->hosts[i].name, c->name) == 0 &&
		    addr_parse(im->options->hosts[i].address, &c->addr) == 0)
			return;
	if (im->options->closed || im->n_lookups_failed >= LOOKUPS_FAILED_MAX) {
		c->why = "is not looked up: too many names did not resolve";
		return;
	}
	ret = getaddrinfo(c->name, NULL, &hints, &found);
	if (ret || !found) {
		im->n_lookups_failed++;
		c->why = "does not resolve";
		return;
	}
	c->addr.family = c->v6 ? ADDR_V6 : ADDR_V4;
	if (c->v6)
		memcpy(c->addr.v6, &((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr, 16);
	else
		memcpy(&c->addr.v4, &((struct sockaddr_in *)(void *)found->ai_addr)->sin_addr, 4);
	freeaddrinfo(found);
}

static bool is_host_name(const char *text)
{
	static const char good[] =
		"-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(text);

	/* Digits and dots alone are a mistyped address. */
	return len && len <= HOST_NAME_MAX_LEN && strspn(text, good) == len &&
	       strspn(text, "0123456789.") < len && *text != '-' && *text != '.';
}

int host_lookup(struct importer *im, const char *text, bool v6, struct addr *addr,
		const char **host, const char **why)
{
	struct name_cache *c;

	*host = NULL;
	if (addr_parse(text, addr) == 0)
		return 0;
	if (!is_host_name(text)) {
		*why = arena_printf(im, "\"%.64s\" is no address", text);
		return -ENOENT;
	}
	for (c = im->names; c; c = c->next)
		if (c->v6 == v6 && strcmp(c->name, text) == 0)
			break;
	if (!c) {
		c = arena_alloc(im, sizeof(*c));
		c->name = arena_copy(im, text, strlen(text));
		c->v6 = v6;
		resolve(im, c);
		if (c->addr.family != ADDR_NONE || im->n_names_failed++ < LOOKUPS_FAILED_MAX) {
			c->next = im->names;
			im->names = c;
		}
	}
	if (c->addr.family == ADDR_NONE) {
		*why = arena_printf(im,
				    "the name \"%.64s\" %s: expected an address, or --host "
				    "NAME=ADDRESS",
				    text, c->why);
		return -ENOENT;
	}
	*addr = c->addr;
	*host = c->name;
	return 0;
}

int port_lookup(const char *text, const char *protocol, uint32_t *port)
{
	struct servent *s;
	uint64_t number;

	if (number_parse(text, UINT16_MAX, &number)) {
		*port = (uint32_t)number;
		return 0;
	}
	if (!*text || strlen(text) > 32 || strspn(text, "0123456789") == strlen(text))
		return -ENOENT;
	s = getservbyname(text, protocol);
	if (s) {
		*port = ntohs((uint16_t)s->s_port);
		return 0;
	}
	for (size_t i = 0; i < sizeof(well_known) / sizeof(well_known[0]); i++) {
		if (strcmp(well_known[i].name, text) != 0)
			continue;
		*port = well_known[i].port;
		return 0;
	}
	return -ENOENT;
}

bool number_parse(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	const char *p = text;

	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return false;
	}
	if (p == text || *p)
		return false;
	*out = n;
	return true;
}

bool seconds_ms_parse(const char *text, uint32_t *ms)
{
	uint64_t whole = 0, scale = 100, part = 0;
	const char *dot = strchr(text, '.');
	char head[24];
	size_t len = dot ? (size_t)(dot - text) : strlen(text);

	if (len >= sizeof(head) || (len == 0 && !dot))
		return false;
	memcpy(head, text, len);
	head[len] = '\0';
	if (len && !number_parse(head, 4000000, &whole))
		return false;
	if (dot && !dot[1] && !len)
		return false;
	for (const char *p = dot ? dot + 1 : ""; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		part += scale * (uint64_t)(*p - '0');
		scale /= 10;
	}
	*ms = (uint32_t)(whole * 1000 + part);
	return true;
}

bool netmask_parse(const char *text, uint32_t *netmask)
{
	struct addr a;
	uint32_t v;

	if (addr_parse(text, &a) < 0 || a.family != ADDR_V4)
		return false;
	v = be32_to(a.v4);
	if (v == 0)
		*netmask = LVS_MASK_ALL;
	else if (!(~v & (~v + 1)))
		*netmask = (uint32_t)__builtin_popcount(v);
	else if (v > 128)
		*netmask = v;
	else
		return false;
	return true;
}

const char *const import_schedulers[] = {
#define X(name) #name,
	SCHEDULERS(X)
#undef X
		NULL,
};

const char *scheduler_find(const char *name)
{
	for (size_t i = 0; import_schedulers[i]; i++)
		if (strcmp(import_schedulers[i], name) == 0)
			return import_schedulers[i];
	return NULL;
}

bool yes_parse(const char *text, bool *out)
{
	static const char *const yes[] = {"yes", "on", "true", NULL};
	static const char *const no[] = {"no", "off", "false", NULL};

	for (size_t i = 0; yes[i]; i++) {
		if (strcasecmp(text, yes[i]) == 0)
			return *out = true;
		if (strcasecmp(text, no[i]) == 0) {
			*out = false;
			return true;
		}
	}
	return false;
}

const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}
