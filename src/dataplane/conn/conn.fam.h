/* SPDX-License-Identifier: BSD-3-Clause */

/* A connection of one family: conn.h. */

/* The in key has the ends (client, VIP), the out key (server, client). The ends of a key are
 * neighbours in addr[] and port[], from end_first() on. By full NAT the out key is (server, local):
 * FAM_FN(conn, has_key)(). */
struct FAM(conn) {
	struct conn c;
#if FAMILY == 6
	union {
		struct {
			be16 dport, cport, vport;
		};
		be16 port[END_MAX];
	};
	uint8_t proxy;	   /* enum client_address, and PROXY_*: proxy.h */
	uint8_t proxy_len; /* of the header, with proxy */
	uint32_t control;  /* CONTROL() of its template, or 0; see crossing.h */
	uint64_t room;	   /* the rest of the first cache line */
#endif
	union {
		struct {
			FAM_ADDR daddr, caddr, vaddr;
		};
		FAM_ADDR addr[END_MAX];
	};
#if FAMILY == 4
	union {
		struct {
			be16 dport, cport, vport;
		};
		be16 port[END_MAX];
	};
	uint8_t proxy;	   /* enum client_address, and PROXY_*: proxy.h */
	uint8_t proxy_len; /* of the header, with proxy */
	uint32_t control;  /* CONTROL() of its template, or 0 */
#else
	struct addr6 laddr; /* full NAT, with a server of the same family: the local address */
#endif
};
_Static_assert(sizeof(struct FAM(conn)) == (FAMILY == 4 ? 64 : 128),
	       "a connection is one cache line of IPv4, two of IPv6");

/* An FTP control connection: ftp.h. */
static inline bool FAM_FN(conn, is_ftp)(const struct FAM(conn) *c)
{
	return (c->c.flags & CONN_F_PAYLOAD) && !c->proxy;
}
