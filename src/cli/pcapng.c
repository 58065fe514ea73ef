/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/pcapng.h"

#include <errno.h>
#include <string.h>

#define SECTION	     0x0a0d0d0aU
#define INTERFACE    1U
#define PACKET	     6U
#define BYTE_ORDER_1 0x1a2b3c4dU
#define ETHERNET     1U
#define OPT_END	     0
#define OPT_COMMENT  1
#define OPT_APP	     4 /* of a section: the program */
#define OPT_NAME     2 /* of an interface */
#define OPT_FLAGS    2 /* of a packet */
#define BLOCK_MAX    32768U

struct block {
	uint8_t bytes[BLOCK_MAX];
	uint32_t used;
};

static void put(struct block *b, const void *data, size_t len)
{
	static const uint8_t zeros[4];
	const size_t pad = (4 - len % 4) % 4;

	if (b->used + len + pad > sizeof(b->bytes) - 4)
		return;
	memcpy(b->bytes + b->used, data, len);
	memcpy(b->bytes + b->used + len, zeros, pad);
	b->used += (uint32_t)(len + pad);
}

static void put32(struct block *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

static void put16s(struct block *b, uint16_t first, uint16_t second)
{
	const uint16_t v[2] = {first, second};

	put(b, v, sizeof(v));
}

static void option(struct block *b, uint16_t code, const void *data, size_t len)
{
	put16s(b, code, (uint16_t)len);
	put(b, data, len);
}

static void begin(struct block *b, uint32_t type)
{
	b->used = 0;
	put32(b, type);
	put32(b, 0); /* the length, in end() */
}

static int end(struct pcapng *p, struct block *b)
{
	const uint32_t len = b->used + 4;

	memcpy(b->bytes + 4, &len, sizeof(len));
	put32(b, len);
	errno = 0;
	if (fwrite(b->bytes, 1, b->used, p->file) != b->used)
		return errno ? -errno : -EIO;
	p->bytes += b->used;
	return 0;
}

int pcapng_begin(struct pcapng *p, FILE *file, uint32_t snap, const char *application)
{
	struct block b;

	memset(p, 0, sizeof(*p));
	p->file = file;
	p->snap = snap;
	begin(&b, SECTION);
	put32(&b, BYTE_ORDER_1);
	put16s(&b, 1, 0);
	put32(&b, UINT32_MAX); /* the section's length is not known */
	put32(&b, UINT32_MAX);
	option(&b, OPT_APP, application, strlen(application));
	put16s(&b, OPT_END, 0);
	return end(p, &b);
}

/* The interface of a port; a new port gets one. */
static int interface_of(struct pcapng *p, const char *port, uint32_t *id)
{
	struct block b;

	for (*id = 0; *id < p->n_ports; (*id)++)
		if (strcmp(p->ports[*id], port) == 0)
			return 0;
	if (p->n_ports == PCAPNG_PORTS) {
		*id = PCAPNG_PORTS - 1;
		return 0;
	}
	p->n_ports++;
	snprintf(p->ports[*id], sizeof(p->ports[*id]), "%s", port);
	begin(&b, INTERFACE);
	put16s(&b, ETHERNET, 0);
	put32(&b, p->snap);
	option(&b, OPT_NAME, p->ports[*id], strlen(p->ports[*id]));
	put16s(&b, OPT_END, 0);
	return end(p, &b);
}

int pcapng_packet(struct pcapng *p, const struct pcapng_packet *packet)
{
	const uint32_t flags = (uint32_t)packet->direction;
	struct block b;
	uint32_t id;
	int ret = interface_of(p, packet->port, &id);

	if (ret < 0)
		return ret;
	begin(&b, PACKET);
	put32(&b, id);
	put32(&b, (uint32_t)(packet->at_us >> 32));
	put32(&b, (uint32_t)packet->at_us);
	put32(&b, (uint32_t)packet->caplen);
	put32(&b, (uint32_t)packet->len);
	put(&b, packet->bytes, packet->caplen);
	option(&b, OPT_COMMENT, packet->comment, strlen(packet->comment));
	if (flags)
		option(&b, OPT_FLAGS, &flags, sizeof(flags));
	put16s(&b, OPT_END, 0);
	return end(p, &b);
}
