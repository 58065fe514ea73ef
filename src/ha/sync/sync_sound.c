/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/sync_sound.h"

#include <netinet/in.h>

#include "model/conn_state.h"
#include "model/service.h"

#define SEQ_SHIFT_MAX	65536 /* of the rewritten answers of a connection together */
#define EXPECT_MAX_S	3600
#define EXPECT_PORT_MIN 1024
#define LOCAL_PORT_MIN	1024

bool sync_addr_is_unicast(struct addr a)
{
	return addr_is_unicast(&a) && !addr_is_link_local(&a);
}

static bool proto_sound(uint8_t proto)
{
	const uint8_t l4 = (uint8_t)(proto & ~RECORD_TEMPLATE);

	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || proto == RECORD_TEMPLATE;
}

/* Never half-open: such connections are not synchronised. */
static bool state_sound(uint8_t proto, uint8_t state)
{
	if (proto & RECORD_TEMPLATE)
		return state == CONN_NONE;
	if (proto == IPPROTO_UDP)
		return state == CONN_UDP;
	return state < CONN_STATE_MAX && state != CONN_NONE && state != CONN_SYN_RECV &&
	       state != CONN_UDP;
}

bool sync_key_sound(const struct sync_event *e)
{
	if (!proto_sound(e->proto))
		return false;
	if (e->proto & RECORD_TEMPLATE)
		/* A network, perhaps all; a mark for the virtual address; of UDP a Call-ID's hash
		 * for the port. */
		return e->cport == 0 || e->proto != (RECORD_TEMPLATE | IPPROTO_TCP);
	return sync_addr_is_unicast(SYNC_EVENT_ADDR(e, caddr)) &&
	       sync_addr_is_unicast(SYNC_EVENT_ADDR(e, vaddr));
}

/* The connection of a tunnel or of full NAT to a server of the other family has no address of the
 * server. */
static bool server_is_elsewhere(const struct sync_event *e)
{
	const struct addr server = SYNC_EVENT_ADDR(e, daddr);

	return addr_is_zero(&server) &&
	       (forward_has(e->method, FORWARD_OUTER_HEADER) ||
		(forward_has(e->method, FORWARD_BY_LOCAL) &&
		 ((e->flags & SYNC_F_OTHER) || (e->proto & RECORD_TEMPLATE))));
}

static struct addr local_of(const struct sync_event *e)
{
	const bool v6 = e->flags & SYNC_F_V6, other = e->flags & SYNC_F_OTHER;

	return v6 != other ? addr_from_addr6(e->laddr6) : addr_from_addr4(e->laddr4);
}

/* A local address and port belong to full NAT, and full NAT to these. A template has none. */
static bool local_sound(const struct sync_event *e)
{
	if (!forward_has(e->method, FORWARD_BY_LOCAL) || (e->proto & RECORD_TEMPLATE))
		return e->lport == 0 && addr6_is_zero(e->laddr6) && !(e->flags & SYNC_F_OTHER);
	return be16_to(e->lport) >= LOCAL_PORT_MIN && sync_addr_is_unicast(local_of(e)) &&
	       !(e->flags & SYNC_F_OTHER) != !sync_addr_is_unicast(SYNC_EVENT_ADDR(e, daddr));
}

/* A header of the PROXY protocol belongs to a connection whose packets are rewritten. */
static bool proxy_sound(const struct sync_event *e)
{
	if (!e->proxy)
		return e->first == 0;
	return !(e->flags & (SYNC_F_FTP | SYNC_F_OTHER)) &&
	       forward_has(e->method, FORWARD_REWRITES) && proxy_state_sound(e->proxy, e->proto) &&
	       (e->first == 0 || (e->proxy & PROXY_SENDING));
}

bool sync_put_sound(const struct sync_event *e)
{
	return state_sound(e->proto, e->state) && e->method < FWD_MAX &&
	       (sync_addr_is_unicast(SYNC_EVENT_ADDR(e, daddr)) || server_is_elsewhere(e)) &&
	       local_sound(e) && proxy_sound(e) &&
	       (!(e->flags & SYNC_F_FTP) || e->proto == IPPROTO_TCP);
}

bool sync_seq_sound(const struct sync_event *e)
{
	return e->proto == IPPROTO_TCP && e->before >= -SEQ_SHIFT_MAX &&
	       e->before <= SEQ_SHIFT_MAX && e->after >= -SEQ_SHIFT_MAX &&
	       e->after <= SEQ_SHIFT_MAX;
}

bool sync_expect_sound(const struct sync_event *e)
{
	const uint16_t active = be16_to(e->data_cport), passive = be16_to(e->data_port),
		       local = be16_to(e->data_lport);

	if (local && (local < LOCAL_PORT_MIN || !active))
		return false;
	return e->proto == IPPROTO_TCP && e->left_s >= 1 && e->left_s <= EXPECT_MAX_S &&
	       (active ? active >= EXPECT_PORT_MIN && passive == 0 : passive >= EXPECT_PORT_MIN);
}

bool sync_event_sound(const struct sync_event *e)
{
	const uint8_t flags = e->kind == SYNC_PUT	? SYNC_F_FTP | SYNC_F_ASSURED | SYNC_F_OTHER
			      : e->kind == SYNC_FTP_SEQ ? SYNC_F_CLIENT
							: 0;

	if (!sync_key_sound(e) || (e->flags & ~(flags | SYNC_F_V6)) || e->gen != 0)
		return false;
	switch (e->kind) {
	case SYNC_PUT:
		return sync_put_sound(e);
	case SYNC_FTP_SEQ:
		return sync_seq_sound(e);
	case SYNC_FTP_EXPECT:
		return sync_expect_sound(e);
	default:
		return false;
	}
}
