/* SPDX-License-Identifier: BSD-3-Clause */
#include "packets_compare.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/csum.h"
#include "lib/packet.h"

#define ETH 14U

static void ipv4_level(uint8_t *ip)
{
	const uint16_t field = (uint16_t)(ip[6] << 8 | ip[7]);

	if ((field & 0x3fff) == 0 && (ip[2] << 8 | ip[3]) <= 1260)
		memset(ip + 4, 0, 4);
	memset(ip + 10, 0, 2); /* right or wrong is told by packet_describe() */
}

static void level(uint8_t *l3, size_t len)
{
	if (l3[0] >> 4 != 4)
		return;
	ipv4_level(l3);
	if (l3[9] == IPPROTO_ICMP && len >= 48 && l3[28] >> 4 == 4) {
		ipv4_level(l3 + 28);
		memset(l3 + 22, 0, 2); /* the same */
	}
}

static bool sums_good(const uint8_t *l3, size_t len)
{
	uint8_t frame[FRAME_MAX] = {0};
	struct packet p;
	const bool fragment = l3[0] >> 4 == 6 ? l3[6] == 44 : (l3[6] & 0x3f) || l3[7];

	frame[12] = l3[0] >> 4 == 6 ? 0x86 : 0x08;
	frame[13] = l3[0] >> 4 == 6 ? 0xdd : 0x00;
	memcpy(frame + ETH, l3, len);
	if (l3[0] >> 4 == 4 && csum_fold(csum_add(0, l3, 20)) != 0xffff)
		return false;
	return fragment || (packet_describe(frame, len + ETH, &p) == 0 && !p.bad_l4 && !p.bad_ip);
}

__attribute__((format(printf, 3, 4))) static void differs(struct comparison *sum, const char *what,
							  const char *fmt, ...)
{
	va_list args;

	sum->n_differ++;
	printf("DIFFERS %s: ", what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

void packets_compare(struct comparison *sum, const char *what, const uint8_t *ours, size_t n,
		     const uint8_t *theirs, size_t m, bool lacks)
{
	uint8_t a[FRAME_MAX], b[FRAME_MAX];
	size_t i = 0;

	sum->n_compared++;
	sum->n_dropped += n == 0;
	if (!n && !m)
		return;
	if (n && !m && lacks && sums_good(ours, n)) {
		sum->n_lacking++;
		return;
	}
	if (!n || !m) {
		differs(sum, what, "dropped by %s alone", n ? "tayga" : "plvs");
		return;
	}
	if (!sums_good(ours, n))
		differs(sum, what, "a checksum of plvs is wrong");
	memcpy(a, ours, n);
	memcpy(b, theirs, m);
	level(a, n);
	level(b, m);
	while (i < n && i < m && a[i] == b[i])
		i++;
	if (i < n && i < m)
		differs(sum, what, "byte %zu is %02x, of tayga %02x (%zu and %zu bytes)", i, a[i],
			b[i], n, m);
	else if (n != m)
		differs(sum, what, "%zu bytes, of tayga %zu", n, m);
}
