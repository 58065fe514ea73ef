/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
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
static unsigned int source_note(struct in6_addr *seen, unsigned int n,
				const struct in6_addr *source)
{
	for (unsigned int i = 0; i < n; i++)
		if (memcmp(&seen[i], source, sizeof(*source)) == 0)
			return n;
	if (n < SOURCES_MAX)
		seen[n++] = *source;
	return n;
}

/* Receives an inner packet at *inner; of IPv4 the socket gives the outer header as well. */
static ssize_t inner_receive(int raw, uint8_t *buf, size_t len, uint8_t **inner,
			     struct in6_addr *source)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(raw, buf, len, 0, (struct sockaddr *)&from, &from_len);
	size_t outer = 0;

	memset(source, 0, sizeof(*source));
	if (n < (ssize_t)(2 * sizeof(struct iphdr)))
		return -1;
	if (from.ss_family == AF_INET6) {
		*source = ((struct sockaddr_in6 *)&from)->sin6_addr;
	} else {
		memcpy(source, &((struct sockaddr_in *)&from)->sin_addr, 4);
		outer = ((const struct iphdr *)buf)->ihl * 4U;
	}
	*inner = buf + outer;
	return n - (ssize_t)outer;
}

int ipip_open(const char *interface, bool v6)
{
	static struct in6_addr seen[SOURCES_MAX];
	unsigned int sources = 0;
	uint64_t packets = 0;
	uint8_t buf[65536];
	int tun = tun_open(interface);
	int raw = v6 ? socket(AF_INET6, SOCK_RAW, IPPROTO_IPV6)
		     : socket(AF_INET, SOCK_RAW, IPPROTO_IPIP);

	if (raw < 0)
		die("raw socket");
	printf("{\"ready\": true}\n");
	while (!probe_stopped()) {
		struct pollfd p = {.fd = raw, .events = POLLIN};
		struct in6_addr source;
		uint8_t *inner;
		ssize_t n;

		if (poll(&p, 1, -1) < 0)
			continue;
		n = inner_receive(raw, buf, sizeof(buf), &inner, &source);
		if (n < 0)
			continue;
		packets++;
		sources = source_note(seen, sources, &source);
		/* EIO: nobody has set it up yet. */
		if (write(tun, inner, (size_t)n) != n && errno != EIO)
			die("write to the tun");
	}
	printf("{\"packets\": %" PRIu64 ", \"sources\": %u}\n", packets, sources);
	return 0;
}
