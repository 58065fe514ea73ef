/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_PCAPNG_H
#define PLVS_CLI_PCAPNG_H

/*
 * Writes a capture file: pcapng 1.0, Ethernet, an interface for each port of the router, a comment
 * with each packet. All functions return 0, or -errno of the file.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCAPNG_PORTS 32

struct pcapng {
	FILE *file;
	uint32_t snap;
	uint64_t bytes; /* written */
	uint32_t n_ports;
	char ports[PCAPNG_PORTS][64];
};

struct pcapng_packet {
	const char *port, *comment;
	uint64_t at_us; /* since 1970 */
	const uint8_t *bytes;
	size_t caplen, len;
	int direction; /* 1: in, 2: out, 0: not known */
};

int pcapng_begin(struct pcapng *p, FILE *file, uint32_t snap, const char *application);
int pcapng_packet(struct pcapng *p, const struct pcapng_packet *packet);

#endif
