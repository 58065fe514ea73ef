/* SPDX-License-Identifier: BSD-3-Clause */
#include "probe.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX    2048
#define SOCK_BUF     (16 << 20)
#define ACCESS_MAX   16
#define MACS_LEN     (2 * ETH_ALEN)
#define TAG_LEN	     4
#define VLAN_ID(tci) ((tci)&0xfff)

static int packet_socket(const char *interface)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1, size = SOCK_BUF;
	struct packet_mreq promisc = {.mr_type = PACKET_MR_PROMISC};

	ll.sll_ifindex = (int)if_nametoindex(interface);
	promisc.mr_ifindex = ll.sll_ifindex;
	if (fd < 0 || !ll.sll_ifindex)
		die(interface);
	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&ll, sizeof(ll)))
		die(interface);
	return fd;
}

/* Hexadecimal digits, anything else between them ignored; up to '#'. */
static size_t hex_parse(const char *text, uint8_t *out, size_t max)
{
	size_t digits = 0;

	for (; *text && *text != '#' && digits < 2 * max; text++) {
		uint8_t value;

		if (!isxdigit((unsigned char)*text))
			continue;
		value = (uint8_t)(isdigit((unsigned char)*text) ? *text - '0'
								: (*text | 0x20) - 'a' + 10);
		if (digits % 2)
			out[digits / 2] |= value;
		else
			out[digits / 2] = (uint8_t)(value << 4);
		digits++;
	}
	return digits / 2;
}

/* By the clock, as sleeps are longer than asked for: short ones are made up for, after a long
 * one the rate goes on as if nothing had been missed. */
static void frame_pace(uint64_t *next_us, unsigned int rate, uint64_t sent)
{
	const uint64_t now = now_us();
	struct timespec pause = {0};

	if (!*next_us || now > *next_us + 5000)
		*next_us = now;
	/* The rest of the division is spread over the frames. */
	*next_us += 1000000 / rate + (sent * (1000000 % rate) % rate < 1000000 % rate);
	if (*next_us > now + 60) {
		pause.tv_sec = (time_t)((*next_us - now) / 1000000);
		pause.tv_nsec = (long)((*next_us - now) % 1000000) * 1000;
		nanosleep(&pause, NULL);
	}
}

int frame_send(const char *interface, const struct probe_options *o)
{
	char line[3 * FRAME_MAX];
	uint8_t frame[FRAME_MAX];
	uint64_t i, sent = 0, refused = 0, next_us = 0;
	int fd = packet_socket(interface);

	while (fgets(line, sizeof(line), stdin)) {
		size_t len = hex_parse(line, frame, sizeof(frame));

		for (i = 0; len && i < o->count && !probe_stopped(); i++) {
			if (send(fd, frame, len, 0) == (ssize_t)len)
				sent++;
			else
				refused++;
			frame_pace(&next_us, o->rate, sent);
		}
	}
	printf("{\"sent\": %" PRIu64 ", \"refused\": %" PRIu64 "}\n", sent, refused);
	close(fd);
	return 0;
}

/* --- A switch with one trunk and access ports, for kernels without 802.1Q ---------------- */

struct access_port {
	uint16_t vlan;
	int fd;
};

/* A frame into buf + TAG_LEN; its VLAN, 0 without a tag; length without tag, or -1. */
static ssize_t frame_read(int fd, uint8_t *buf, uint16_t *vlan)
{
	union {
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = buf + TAG_LEN, .iov_len = FRAME_MAX};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, 0);
	struct cmsghdr *c;
	struct tpacket_auxdata aux;
	uint16_t tag[2];

	*vlan = 0;
	if (n < (ssize_t)sizeof(struct ether_header))
		return -1;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		/* The kernel takes the tag out of the frame. */
		if (aux.tp_status & TP_STATUS_VLAN_VALID) {
			*vlan = VLAN_ID(aux.tp_vlan_tci);
			return n;
		}
	}
	memcpy(tag, buf + TAG_LEN + MACS_LEN, sizeof(tag));
	if (ntohs(tag[0]) == ETHERTYPE_VLAN &&
	    n >= (ssize_t)(sizeof(struct ether_header) + TAG_LEN)) {
		*vlan = VLAN_ID(ntohs(tag[1]));
		n -= TAG_LEN;
		memmove(buf + TAG_LEN + MACS_LEN, buf + 2 * TAG_LEN + MACS_LEN,
			(size_t)n - MACS_LEN);
	}
	return n;
}

/* Sends the frame at buf + TAG_LEN with a tag, for which the room before it is. */
static void frame_write_tagged(int fd, uint8_t *buf, size_t len, uint16_t vlan)
{
	uint16_t tag[2] = {htons(ETHERTYPE_VLAN), htons(vlan)};

	memmove(buf, buf + TAG_LEN, MACS_LEN);
	memcpy(buf + MACS_LEN, tag, sizeof(tag));
	if (send(fd, buf, len + TAG_LEN, 0) < 0 && errno == EMSGSIZE)
		fputs("probe: a tagged frame is too long for the trunk\n", stderr);
}

static void vlan_forward(int trunk, const struct access_port *ports, int count)
{
	uint8_t buf[FRAME_MAX + 2 * TAG_LEN];
	uint16_t vlan;
	ssize_t n;
	int i, budget;

	for (budget = 64; budget && (n = frame_read(trunk, buf, &vlan)) > 0; budget--)
		for (i = 0; i < count; i++)
			if (ports[i].vlan == vlan &&
			    send(ports[i].fd, buf + TAG_LEN, (size_t)n, 0) < 0)
				break;
	for (i = 0; i < count; i++)
		for (budget = 64; budget && (n = frame_read(ports[i].fd, buf, &vlan)) > 0; budget--)
			frame_write_tagged(trunk, buf, (size_t)n, ports[i].vlan);
}

int vlan_switch(int argc, char **argv)
{
	struct access_port ports[ACCESS_MAX];
	struct pollfd polls[ACCESS_MAX + 1];
	int count = argc - 1, i, trunk;

	if (count < 1 || count > ACCESS_MAX) {
		fputs("probe: vlan-switch takes a trunk and 1 to 16 access ports\n", stderr);
		return 2;
	}
	trunk = packet_socket(argv[0]);
	for (i = 0; i < count; i++) {
		char *name;

		ports[i].vlan = (uint16_t)strtoul(argv[i + 1], &name, 10);
		ports[i].fd = packet_socket(*name == ':' ? name + 1 : name);
		polls[i] = (struct pollfd){.fd = ports[i].fd, .events = POLLIN};
	}
	polls[count] = (struct pollfd){.fd = trunk, .events = POLLIN};
	puts("ready");
	while (!probe_stopped()) {
		if (poll(polls, (nfds_t)count + 1, -1) > 0)
			vlan_forward(trunk, ports, count);
	}
	return 0;
}
