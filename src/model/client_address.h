/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_CLIENT_ADDRESS_H
#define PLVS_MODEL_CLIENT_ADDRESS_H

/* The means by which a real server learns its client's address, beside the source of packets:
 * dataplane/proxy/proxy.h. Any context. */

#include <stdbool.h>
#include <stdint.h>

#include <netinet/in.h>

enum client_address {
	CLIENT_ADDRESS_OFF,
	CLIENT_ADDRESS_PROXY_V1, /* PROXY protocol, text: TCP only */
	CLIENT_ADDRESS_PROXY_V2, /* PROXY protocol, binary */
	CLIENT_ADDRESS_TOA,	 /* an option of TCP: dataplane/proxy/toa.c */
	CLIENT_ADDRESS_MAX
};

/* "off", "proxy-v1", "proxy-v2", "toa", NULL. */
extern const char *const client_address_names[CLIENT_ADDRESS_MAX + 1];
/* The same without "toa". */
extern const char *const proxy_header_names[CLIENT_ADDRESS_TOA + 1];

/* The state of a connection whose server is told the client's address: an enum client_address and,
 * for TCP, the progress of the header or option. */
#define PROXY_VERSION 0x03U
#define PROXY_SENDING                                                                              \
	0x40U		 /* the server has answered, and has not acknowledged all of the header */
#define PROXY_DONE 0x80U /* the server has the header, or has ended the handshake */

static inline bool proxy_state_sound(uint8_t state, uint8_t proto)
{
	const uint8_t version = state & PROXY_VERSION, way = state & (uint8_t)~PROXY_VERSION;

	if (state == 0)
		return true;
	if (proto == IPPROTO_UDP)
		return version == CLIENT_ADDRESS_PROXY_V2 && way == 0;
	return proto == IPPROTO_TCP && version != CLIENT_ADDRESS_OFF &&
	       version < CLIENT_ADDRESS_MAX &&
	       (way == 0 || way == PROXY_SENDING || way == PROXY_DONE);
}

#endif
