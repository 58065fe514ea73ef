/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOURCES_MAX 4096

static int tun_open(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		die("tun");
	return fd;
}

/* How many there are with this one. */
static unsigned int source_note(uint32_t *seen, unsigned int n, uint32_t source)
{
	for (unsigned int i = 0; i < n; i++)
		if (seen[i] == source)
			return n;
	if (n < SOURCES_MAX)
		seen[n++] = source;
	return n;
}

int ipip_open(const char *interface)
{
	static uint32_t seen[SOURCES_MAX];
	unsigned int sources = 0;
	uint64_t packets = 0;
	uint8_t buf[65536];
	int tun = tun_open(interface), raw = socket(AF_INET, SOCK_RAW, IPPROTO_IPIP);

	if (raw < 0)
		die("raw socket");
	printf("{\"ready\": true}\n");
	while (!probe_stopped()) {
		struct pollfd p = {.fd = raw, .events = POLLIN};
		const struct iphdr *outer = (const struct iphdr *)buf;
		ssize_t n;

		if (poll(&p, 1, -1) < 0)
			continue;
		n = recv(raw, buf, sizeof(buf), 0);
		if (n < (ssize_t)(2 * sizeof(*outer)))
			continue;
		packets++;
		sources = source_note(seen, sources, outer->saddr);
		n -= outer->ihl * 4;
		/* EIO: nobody has set it up yet. */
		if (write(tun, buf + outer->ihl * 4, (size_t)n) != n && errno != EIO)
			die("write to the tun");
	}
	printf("{\"packets\": %" PRIu64 ", \"sources\": %u}\n", packets, sources);
	return 0;
}
