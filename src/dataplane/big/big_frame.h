/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_BIG_FRAME_H
#define PLVS_DATAPLANE_BIG_BIG_FRAME_H

/*
 * Frames as Linux passes them between its own devices: with an unfinished checksum, and with up to
 * 64 KiB of TCP or UDP payload that a later device cuts into segments. The kernel describes such a
 * frame by a struct virtio_net_hdr in front of it.
 *
 * In an mbuf BIG_MARK stands for both, and tso_segsz is the payload of a segment, or 0 for a frame
 * that is one segment. The IP length is that of the whole frame.
 *
 * The checksum field of a marked frame is the checksum of the pseudo header and the ports alone. So
 * the stages change addresses and ports of marked frames and of others by the same update, without
 * regard to the mark. Linux has only the sum of the pseudo header in the field: big_arrive() adds
 * the ports, and big_leave() subtracts them.
 *
 * A frame whose way has no device to finish it (Linux's TAP, a tunnel, FTP that is read) passes
 * big_cut.h first.
 *
 * Context: any, one mbuf at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>
#include <rte_mbuf.h>

/* DPDK's mark of a frame that a device made of several segments. plvs requests this of no
 * driver. */
#define BIG_MARK RTE_MBUF_F_RX_LRO

/* The headers of a TCP or UDP packet that is no fragment, all in the first segment of the mbuf. */
struct big_head {
	uint16_t l2_len, l3_len, l4_len; /* bytes; l3_len of the IP header */
	uint8_t proto;
	bool v6;
};

static inline bool big_is_marked(const struct rte_mbuf *m)
{
	return m->ol_flags & BIG_MARK;
}

/* True: marked, and of several segments. */
static inline bool big_has_segments(const struct rte_mbuf *m)
{
	return big_is_marked(m) && m->tso_segsz;
}

/* False: a frame of another kind, or with a header that does not fit. */
bool big_head_find(const struct rte_mbuf *m, struct big_head *h);

/* The address of the checksum of the L4 header. */
uint8_t *big_sum_at(const struct rte_mbuf *m, const struct big_head *h);

/* Bytes of IP of the longest segment of a marked frame. 0: the frame has other headers. */
uint32_t big_segment_len(const struct rte_mbuf *m);

/* Takes in a frame with the description that it arrived with: marks the frame if needed, and
 * finishes the checksum of other protocols than TCP and UDP. False: a description that contradicts
 * the frame, or of an unknown kind. */
bool big_arrive(struct rte_mbuf *m, const struct virtio_net_hdr *arrived);

/* Describes a frame that leaves, and gives its checksum field the form of Linux. False: the frame
 * is marked and has other headers, or wrong lengths. */
bool big_leave(struct rte_mbuf *m, struct virtio_net_hdr *out);

/* Undoes big_leave() for a frame that does not leave. */
void big_stay(struct rte_mbuf *m);

#endif
