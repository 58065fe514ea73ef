/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct addr addr_from_v4(be32 v4)
{
	struct addr a = {.family = ADDR_V4};

	a.v4 = v4;
	return a;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_is_zero(const struct addr *a)
{
	return (a->word[0] | a->word[1] | a->word[2] | a->word[3]) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	if (a->family == ADDR_V6)
		return (a->word[0] | a->word[1] | a->word[2]) == 0 && be32_to(a->word[3]) == 1;
	return a->family == ADDR_V4 && a->v6[0] == 127;
}

static size_t addr_bytes(const struct addr *a)
{
	return a->family == ADDR_V6 ? 16 : 4;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->v6, b->v6, addr_bytes(a));
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, &a.v4) == 1)
		a.family = ADDR_V4;
	else if (inet_pton(AF_INET6, text, a.v6) == 1)
		a.family = ADDR_V6;
	else
		return -EINVAL;
	*out = a;
	return 0;
}

/* Decimal digits only: strtol() would take blanks and signs. */
static int number_parse(const char *text, unsigned int max, unsigned int *out)
{
	unsigned int v = 0;

	if (*text == '\0')
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		v = v * 10 + (unsigned int)(*text - '0');
		if (v > max)
			return -EINVAL;
	}
	*out = v;
	return 0;
}

static uint8_t prefix_byte_mask(unsigned int len, unsigned int byte)
{
	unsigned int bits = len > byte * 8 ? len - byte * 8 : 0;

	return bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
}

struct addr addr_masked(const struct addr *a, unsigned int len)
{
	struct addr out = *a;
	size_t i;

	for (i = 0; i < addr_bytes(a); i++)
		out.v6[i] &= prefix_byte_mask(len, (unsigned int)i);
	return out;
}

int addr_with_len_parse(const char *text, struct addr *addr, uint8_t *len)
{
	char host[ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	struct addr a;
	unsigned int bits;

	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &a) < 0)
		return -EINVAL;
	bits = (unsigned int)addr_bytes(&a) * 8;
	if (slash && number_parse(slash + 1, bits, &bits) < 0)
		return -EINVAL;
	*addr = a;
	*len = (uint8_t)bits;
	return 0;
}

int prefix_parse(const char *text, struct prefix *out)
{
	struct prefix p;
	size_t i;

	memset(&p, 0, sizeof(p));
	if (addr_with_len_parse(text, &p.addr, &p.len) < 0)
		return -EINVAL;
	for (i = 0; i < addr_bytes(&p.addr); i++)
		if (p.addr.v6[i] & ~prefix_byte_mask(p.len, (unsigned int)i))
			return -EINVAL;
	*out = p;
	return 0;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	size_t i;

	if (p->addr.family != a->family)
		return false;
	for (i = 0; i < addr_bytes(a) && i * 8 < p->len; i++)
		if ((a->v6[i] ^ p->addr.v6[i]) & prefix_byte_mask(p->len, (unsigned int)i))
			return false;
	return true;
}

bool addr_is_link_local(const struct addr *a)
{
	return a->family == ADDR_V6 && a->v6[0] == 0xfe && (a->v6[1] & 0xc0) == 0x80;
}

static bool is_unicast6(const uint8_t v6[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, zero[15];

	if (v6[0] == 0xff || memcmp(v6, mapped, sizeof(mapped)) == 0)
		return false;
	return memcmp(v6, zero, sizeof(zero)) != 0 || v6[15] > 1;
}

bool addr_is_unicast(const struct addr *a)
{
	uint32_t v = be32_to(a->v4);

	if (a->family == ADDR_V6)
		return is_unicast6(a->v6);
	return a->family == ADDR_V4 && v >> 24 != 0 && v >> 24 != 127 && v >> 28 < 0xe;
}

int endpoint_parse(const char *text, struct endpoint *out)
{
	char host[ADDR_STRLEN];
	const char *colon, *start = text;
	struct endpoint e = {0};
	unsigned int port;
	size_t n;

	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (!close || close[1] != ':')
			return -EINVAL;
		start = text + 1;
		n = (size_t)(close - start);
		colon = close + 1;
	} else {
		colon = strchr(text, ':');
		if (!colon)
			return -EINVAL;
		n = (size_t)(colon - text);
	}
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, start, n);
	host[n] = '\0';
	if (addr_parse(host, &e.addr) < 0 || number_parse(colon + 1, 65535, &port) < 0)
		return -EINVAL;
	if ((e.addr.family == ADDR_V6) != (text[0] == '['))
		return -EINVAL;
	e.port = be16_from((uint16_t)port);
	*out = e;
	return 0;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

int mac_parse(const char *text, struct mac *out)
{
	struct mac m;
	unsigned int v[6];
	int end = 0, i;

	if (strlen(text) != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5],
		   &end) != 6 ||
	    end != 17)
		return -EINVAL;
	for (i = 0; i < 6; i++)
		m.byte[i] = (uint8_t)v[i];
	*out = m;
	return 0;
}

/* Up to five digits. */
static char *number_put(char *p, unsigned int v)
{
	unsigned int unit = 1;

	while (v / unit >= 10)
		unit *= 10;
	for (; unit > 0; unit /= 10)
		*p++ = (char)('0' + v / unit % 10);
	return p;
}

/* "10.1.0.100", and ":80" with a port: printf takes ten times as long, and a listing of a hundred
 * thousand servers has as many addresses. */
static const char *v4_format(const struct addr *a, int port, char *buf, size_t len)
{
	char text[ENDPOINT_STRLEN], *p = text;
	size_t n;

	for (unsigned int i = 0; i < 4; i++) {
		p = number_put(p, a->v6[i]);
		if (i < 3)
			*p++ = '.';
	}
	if (port >= 0) {
		*p++ = ':';
		p = number_put(p, (unsigned int)port);
	}
	n = (size_t)(p - text);
	if (len == 0)
		return buf;
	if (n >= len)
		n = len - 1;
	memcpy(buf, text, n);
	buf[n] = '\0';
	return buf;
}

const char *addr_format(const struct addr *a, char *buf, size_t len)
{
	if (a->family == ADDR_V4)
		return v4_format(a, -1, buf, len);
	if (a->family == ADDR_NONE || !inet_ntop(AF_INET6, a->v6, buf, (socklen_t)len))
		snprintf(buf, len, "-");
	return buf;
}

const char *prefix_format(const struct prefix *p, char *buf, size_t len)
{
	char host[ADDR_STRLEN];

	snprintf(buf, len, "%s/%u", addr_format(&p->addr, host, sizeof(host)), p->len);
	return buf;
}

const char *endpoint_format(const struct endpoint *e, char *buf, size_t len)
{
	char host[ADDR_STRLEN];

	if (e->addr.family == ADDR_V4)
		return v4_format(&e->addr, be16_to(e->port), buf, len);
	snprintf(buf, len, e->addr.family == ADDR_V6 ? "[%s]:%u" : "%s:%u",
		 addr_format(&e->addr, host, sizeof(host)), be16_to(e->port));
	return buf;
}

const char *mac_format(const struct mac *m, char *buf, size_t len)
{
	snprintf(buf, len, "%02x:%02x:%02x:%02x:%02x:%02x", m->byte[0], m->byte[1], m->byte[2],
		 m->byte[3], m->byte[4], m->byte[5]);
	return buf;
}

uint32_t addr_hash(const struct addr *a)
{
	uint64_t h = (uint64_t)a->word[0] << 32 | a->word[1];

	h = (h ^ ((uint64_t)a->word[2] << 32 | a->word[3])) * 0x9e3779b97f4a7c15ULL;
	/* Twice: neighbours in IPv4 differ in the top byte, which one product leaves there. */
	h = (h ^ h >> 32 ^ a->family) * 0x9e3779b97f4a7c15ULL;
	return (uint32_t)(h >> 32);
}
