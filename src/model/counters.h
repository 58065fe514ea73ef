/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_COUNTERS_H
#define PLVS_MODEL_COUNTERS_H

/*
 * The counters of workers, each from one list, so that enum, name and help cannot drift. Written by
 * one worker with plain stores, read by control with relaxed loads. Bytes count from the IP header,
 * as IPVS does.
 *
 * The doors: over one worker, at any quiet moment,
 *	received + ring_in + injected + generated =
 *		sent + handed_off + punted + answered + dropped + parked
 * where dropped is the sum over reasons, punted the sum over classes and parked a gauge.
 * sent counts frames. Of a packet that leaves as n fragments, n - 1 count as generated.
 */

#include <stddef.h>
#include <stdint.h>

/* X(NAME, name, help) */
#define DROP_REASONS(X)                                                                            \
	X(MALFORMED, malformed, "frame or header too short, or lengths that contradict")           \
	X(BAD_VERSION, bad_version, "IP version or header length is not valid")                    \
	X(IP_CHECKSUM, ip_checksum, "wrong IPv4 header checksum")                                  \
	X(NOT_FOR_US, not_for_us, "unicast frame to another station's MAC")                        \
	X(UNKNOWN_LINK, unknown_link, "VLAN that no interface of the port stands for")             \
	X(BAD_SOURCE, bad_source,                                                                  \
	  "source is a multicast, broadcast, loopback, VIP or own address")                        \
	X(WRONG_LINK, wrong_link,                                                                  \
	  "from a NAT server on a link by which no route leads to that server")                    \
	X(FRAGMENT, fragment,                                                                      \
	  "IP fragment whose first fragment did not come or has no connection")                    \
	X(FRAGMENT_BAD, fragment_bad,                                                              \
	  "IP fragment that overlaps, or hides a part of its L4 header")                           \
	X(FRAGMENT_FULL, fragment_full, "too many IP fragments of unfinished datagrams")           \
	X(BAD_TCP, bad_tcp, "TCP header or flags that no stack sends, for a virtual service")      \
	X(NOT_ACTIVE, not_active, "address is a VIP that is not active on this router")            \
	X(NO_ENTRY_GRACE, no_entry_grace,                                                          \
	  "without a connection, shortly after a start or takeover: the connection may still "     \
	  "become known")                                                                          \
	X(EXT_HEADER, ext_header,                                                                  \
	  "IPv6 extension headers: too many, out of order, an option or route not to be passed")   \
	X(ND_BAD, nd_bad,                                                                          \
	  "neighbour discovery that is malformed, is from beyond the link, or claims a VIP")       \
	X(FROZEN, frozen, "would open a connection while the peer takes over")                     \
	X(NO_SERVER, no_server, "no real server available: ICMP port unreachable sent")            \
	X(SERVER_GONE, server_gone, "the connection's real server was removed")                    \
	X(NO_CONNECTION, no_connection, "TCP without a connection to a service's port")            \
	X(NO_REPLY, no_reply, "from a service's port of a NAT server, without a connection")       \
	X(SERVICE_GONE, service_gone, "the connection's virtual service was removed")              \
	X(ENDED, ended, "the connection was ended by an operator: RST sent")                       \
	X(TABLE_FULL, table_full, "connection table full of assured connections")                  \
	X(NETWORK_FULL, network_full,                                                              \
	  "the client's network has its share of connections that are not assured")                \
	X(ICMP_UNRELATED, icmp_unrelated,                                                          \
	  "ICMP error to a VIP or about a tunnel, but about no connection")                        \
	X(ICMP_RATE, icmp_rate,                                                                    \
	  "ICMP error about a tunnel, over the rate at which clients are told")                    \
	X(KEY_COLLISION, key_collision, "no real server left a free NAT key for this client")      \
	X(NO_LOCAL_ADDRESS, no_local_address,                                                      \
	  "by full NAT: no pool has an address of the link by which the real server is reached")   \
	X(NO_LOCAL_PORT, no_local_port,                                                            \
	  "by full NAT: all ports of the pool are in use or in quarantine for the real server")    \
	X(NO_CALL_ID, no_call_id,                                                                  \
	  "without a connection and a Call-ID, to a service whose persistence goes by it")         \
	X(POOL_UNKNOWN, pool_unknown, "to an address of a pool, without a connection")             \
	X(OWN_CLIENT, own_client,                                                                  \
	  "of a program of this router, to a service that is not by full NAT alone")               \
	X(TTL_EXCEEDED, ttl_exceeded, "TTL ran out: ICMP time exceeded sent")                      \
	X(TOO_BIG, too_big, "larger than the next link's MTU and may not be fragmented")           \
	X(UNTRANSLATABLE, untranslatable,                                                          \
	  "between IPv4 and IPv6: a source route, extension header or error without counterpart")  \
	X(NO_CHECKSUM, no_checksum,                                                                \
	  "from IPv4 to IPv6: fragment of a datagram without a checksum")                          \
	X(NO_BUFFER, no_buffer, "no packet buffer left for its fragments or headers")              \
	X(NO_ROUTE, no_route, "no route to the next hop")                                          \
	X(NH_UNRESOLVED, nh_unresolved, "next hop does not answer ARP")                            \
	X(PARK_FULL, park_full, "too many packets wait for unresolved next hops")                  \
	X(VIP_ARP, vip_arp, "ARP from Linux that claims a VIP not active here")                    \
	X(ARP_OTHER, arp_other, "ARP request for no address of this router")                       \
	X(UNSUPPORTED, unsupported, "protocol to a VIP that is not forwarded yet")                 \
	X(LINEARISE, linearise, "headers span segments and could not be made linear")              \
	X(SEGMENTS, segments,                                                                      \
	  "frame of several segments that has to be cut: too many segments, or no buffers")        \
	X(RING_FULL, ring_full, "hand-off ring to the owning worker is full")                      \
	X(TX_FULL, tx_full, "the port's transmit queue was full")                                  \
	X(PORT_CLOSED, port_closed, "the port's device is lost, or being opened again")            \
	X(PUNT_RATE, punt_rate, "punt class over its rate")                                        \
	X(PUNT_FULL, punt_full, "punt ring to Linux is full")                                      \
	X(BAD_ECHO, bad_echo, "echo request to a VIP with a wrong checksum or length")             \
	X(STALE_HANDOFF, stale_handoff, "handed off twice: the owner changed on the way")

enum drop_reason {
#define X(NAME, name, help) DROP_##NAME,
	DROP_REASONS(X)
#undef X
		DROP_MAX
};

/* X(NAME, name, rate, help), in order of priority: shed from the last. rate: packets a second and
 * worker; a second's worth may come at once. ARP, HA and checks are small and must never wait
 * behind the rest. */
#define PUNT_CLASSES(X)                                                                            \
	X(ARP, arp, 20000, "ARP and neighbour discovery")                                          \
	X(HA, ha, 50000, "heartbeats and synchronisation")                                         \
	X(PEER, peer, 1000, "heartbeats of the peer in Ethernet frames")                           \
	X(ROUTING, routing, 50000, "BGP and BFD of routing daemons")                               \
	X(CHECK, check, 100000, "replies to health checks")                                        \
	X(OWN, own, 200000, "the router's own addresses, and what no service claims of a VIP")     \
	X(ICMP, icmp, 5000, "ICMP to the router")                                                  \
	X(TRANSIT, transit, 100000, "everything else, for Linux to route or ignore")

enum punt_class {
#define X(NAME, name, rate, help) PUNT_##NAME,
	PUNT_CLASSES(X)
#undef X
		PUNT_MAX
};

/* X(name, help): one uint64_t of struct worker_counters each. */
#define WORKER_COUNTERS(X)                                                                         \
	X(received, "packets from ports")                                                          \
	X(ring_in, "packets handed over by other workers")                                         \
	X(injected, "packets that Linux sends, from the TAPs")                                     \
	X(generated,                                                                               \
	  "packets that the router makes: ARP and echo replies, ICMP errors, fragments")           \
	X(sent, "packets given to ports")                                                          \
	X(handed_off, "packets handed to other workers")                                           \
	X(answered, "packets that the router answered itself: ARP, echo")                          \
	X(lookups, "connection look-ups")                                                          \
	X(hits, "look-ups that found a connection")                                                \
	X(created, "connections created")                                                          \
	X(expired, "connections that timed out")                                                   \
	X(evicted, "half-open connections that gave way: no room, or over a share")                \
	X(evicted_ending, "ending connections that gave way: no room")                             \
	X(evicted_not_assured, "connections not assured that gave way: no room, or over a share")  \
	X(evicted_idle, "assured connections that gave way: no room, and idle for too long")       \
	X(unproven, "RSTs and FINs that changed nothing: their numbers prove nothing")             \
	X(reused, "connections replaced by a SYN in a closing state")                              \
	X(adopted, "connections taken up that another router of a fleet began")                    \
	X(adopted_once, "RSTs and ICMP errors passed on, of connections of another router")        \
	X(icmp_suppressed, "ICMP errors not sent: over their rate, or no buffer")                  \
	X(tunnel_errors, "ICMP errors about tunnels that clients were told")                       \
	X(resets, "RSTs sent: real server removed, or no connection")                              \
	X(resets_suppressed, "RSTs not sent: over their rate, or no buffer")                       \
	X(ftp_expected, "FTP data connections that were announced")                                \
	X(ftp_refused,                                                                             \
	  "FTP announcements refused: malformed, unasked for, or with a foreign address or port")  \
	X(ftp_full,                                                                                \
	  "FTP connections not followed: no room for their state, or the state gave way")          \
	X(proxy_headers, "headers of the PROXY protocol put before clients' data")                 \
	X(proxy_split, "segments before which such a header went as one of its own")               \
	X(proxy_stripped, "SYNs without their data or TCP Fast Open, for such a header")           \
	X(relayed, "packets for VIPs passed on to the router that took over")                      \
	X(sync_events, "changes of connections told to the ha thread, for the peer")               \
	X(sync_lost, "changes not told: the ring to the ha thread was full")                       \
	X(sync_installed, "connections of the peer taken in")                                      \
	X(sync_ended, "connections that the peer ended, or no longer had")                         \
	X(sync_collided, "connections that gave way to one of the peer with their NAT key")        \
	X(sync_full, "connections of the peer not taken in: the table is full")                    \
	X(sync_refused,                                                                            \
	  "connections of the peer not taken in: not possible with the configuration here")        \
	X(resolved, "times a connection was resolved again after a change")                        \
	X(loops, "polling rounds")                                                                 \
	X(busy_loops, "polling rounds with work")                                                  \
	X(busy_tsc, "TSC cycles in rounds with work")                                              \
	X(sleeps, "idle sleeps")                                                                   \
	X(stalls,                                                                                  \
	  "times that the worker made no round for 125 ms or more: its CPU was taken away")        \
	X(snapshots, "snapshots taken up")

/* X(name, help): the same for gauges. */
#define WORKER_GAUGES(X)                                                                           \
	X(parked, "packets that wait for a next hop, a fragment or a home")                        \
	X(connections, "connections that the worker owns")                                         \
	X(embryonic, "of these: half open")                                                        \
	X(not_assured, "of these: established, but by no evidence")                                \
	X(ending, "of these: TIME_WAIT, CLOSE and the like; these give way first")                 \
	X(templates, "templates of persistence that the worker owns, not among connections")       \
	X(local_ports, "local ports of full NAT in use")

struct worker_counters {
#define X(name, help) uint64_t name;
	WORKER_COUNTERS(X)
#undef X
	uint64_t dropped[DROP_MAX];
	uint64_t punted[PUNT_MAX];
#define X(name, help) uint64_t name;
	WORKER_GAUGES(X)
#undef X
};

/* X(name, metric, unit, help): one uint64_t of struct server_counters each. in = client to
 * server. */
#define SERVER_COUNTERS(X)                                                                         \
	X(conns, "connections", NULL, "connections scheduled")                                     \
	X(in_pkts, "in_packets", NULL, "packets from clients")                                     \
	X(out_pkts, "out_packets", NULL, "packets of real servers to clients")                     \
	X(in_bytes, "in_bytes", "bytes", "bytes from clients, from the IP header on")              \
	X(out_bytes, "out_bytes", "bytes",                                                         \
	  "bytes of real servers to clients, from the IP header on")

/* Per worker and real server: 40 bytes, in a line of its own. */
struct server_counters {
	union {
		struct {
#define X(name, metric, unit, help) uint64_t name;
			SERVER_COUNTERS(X)
#undef X
		};
		/* The same by direction: in, out. */
		struct {
			uint64_t conns_again;
			uint64_t pkts[2];
			uint64_t bytes[2];
		};
	};
};
_Static_assert(offsetof(struct server_counters, out_bytes) ==
		       offsetof(struct server_counters, bytes) + sizeof(uint64_t),
	       "new counters come last");

/* The results of clients' SYNs to a real server on the NAT path. answer_max_us is a maximum since
 * the start; all others are sums since the start, and readers go by their growth. */
struct passive_counters {
	uint64_t syns;	    /* first ones of connections, sent to the server */
	uint64_t no_answer; /* connections whose SYN was not answered */
	uint64_t refused;   /* RST on SYN */
	uint64_t answers;   /* SYN-ACK */
	uint64_t answer_us; /* sum over answers, from SYN to SYN-ACK */
	uint64_t answer_max_us;
};

/* X(name, metric, unit, help): one uint64_t of struct port_counters each. */
#define PORT_COUNTERS(X)                                                                           \
	X(rx_pkts, "rx_packets", NULL, "frames received")                                          \
	X(rx_bytes, "rx_bytes", "bytes", "bytes of frames received")                               \
	X(tx_pkts, "tx_packets", NULL, "frames sent")                                              \
	X(tx_bytes, "tx_bytes", "bytes", "bytes of frames sent")                                   \
	X(rx_handed_off, "rx_handed_off", NULL,                                                    \
	  "frames received by another worker than their owner")                                    \
	X(tx_handed_off, "tx_handed_off", NULL, "frames sent by another worker's queue")           \
	X(tx_full, "tx_full", NULL, "frames that the transmit queue did not take")

/* Per worker and port. Frames and frame bytes as DPDK saw them. */
struct port_counters {
#define X(name, metric, unit, help) uint64_t name;
	PORT_COUNTERS(X)
#undef X
};

/* X(name, loss, help): the counters of a port's device, with those of its driver and the kernel.
 * Each is a uint64_t of struct device_counters; port recovery writes them four times a second.
 * A counter that the driver does not know stays 0. loss: each count is a frame or a buffer that is
 * lost and stands in no other counter of the list. */
#define DEVICE_COUNTERS(X)                                                                         \
	X(rx_missed, true, "frames dropped by the device: no room in its receive queue")           \
	X(rx_errors, true, "frames received with errors")                                          \
	X(rx_no_buffer, true, "frames for which the driver found no packet buffer")                \
	X(tx_errors, true, "frames that the driver could not send")                                \
	X(socket_rx_dropped, true, "frames dropped by the kernel: af_packet's ring was full")      \
	X(socket_rx_cut, true, "frames that af_packet's socket had no room for, or over 64 KiB")   \
	X(socket_rx_unknown, true,                                                                 \
	  "frames with an offload that plvs does not know (ports.md, big frames)")                 \
	X(interface_rx_dropped, false,                                                             \
	  "frames dropped by the Linux interface under the device, for any reason")                \
	X(xdp_rx_dropped, false, "AF_XDP: frames without a buffer, or too long; also rx_missed")   \
	X(xdp_rx_invalid, true, "AF_XDP: receive buffers that the kernel refused")                 \
	X(xdp_tx_invalid, true, "AF_XDP: frames that the kernel refused to send")                  \
	X(xdp_rx_ring_full, true, "AF_XDP: frames dropped because the receive ring was full")      \
	X(xdp_rx_fill_empty, false, "AF_XDP: times the kernel found no receive buffer")            \
	X(xdp_tx_empty, false, "AF_XDP: times the kernel found nothing to send")

struct device_counters {
#define X(name, loss, help) uint64_t name;
	DEVICE_COUNTERS(X)
#undef X
};

extern const char *const drop_names[DROP_MAX];
extern const char *const drop_helps[DROP_MAX];
extern const char *const punt_names[PUNT_MAX];
extern const char *const punt_helps[PUNT_MAX];
extern const uint32_t punt_rates[PUNT_MAX];

#endif
