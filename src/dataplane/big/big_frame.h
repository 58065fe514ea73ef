/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_BIG_BIG_FRAME_H
#define PLVS_DATAPLANE_BIG_BIG_FRAME_H

/*
 * Frames as Linux hands them between its own devices: with a checksum that is not finished yet, and
 * with up to 64 KiB of TCP or UDP payload that some device further on cuts into segments. The
 * kernel describes such a frame by a struct virtio_net_hdr in front of it.
 *
 * In an mbuf BIG_MARK stands for both, and tso_segsz is the payload of a segment, or 0 for a frame
 * that is one segment. The IP length is that of the whole frame.
 *
 * The checksum field of a marked frame is the checksum of the pseudo header and the ports alone. So
 * the stages change addresses and ports of marked frames and of others by the same update, and know
 * nothing of the mark. Linux wants the sum of the pseudo header in the field: big_arrive() adds the
 * ports, and big_leave() takes them away.
 *
 * A frame that goes where nobody finishes it (Linux's TAP, a tunnel, FTP that is read) passes
 * big_cut.h before.
 *
 * Context: any, one mbuf at a time.
 */

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>
#include <rte_mbuf.h>

/* DPDK's mark of a frame that a device made of several segments. plvs asks no driver to do so. */
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

/* Marked, and of several segments. */
static inline bool big_has_segments(const struct rte_mbuf *m)
{
	return big_is_marked(m) && m->tso_segsz;
}

/* False: a frame of another kind, or with a header that does not fit. */
bool big_head_find(const struct rte_mbuf *m, struct big_head *h);

/* Where the checksum of the L4 header lies. */
uint8_t *big_sum_at(const struct rte_mbuf *m, const struct big_head *h);

/* Bytes of IP of the longest segment of a marked frame. 0: the frame has other headers. */
uint32_t big_segment_len(const struct rte_mbuf *m);

/* A frame that arrived with this description. Marks the frame where one is needed; finishes the
 * checksum of what is neither TCP nor UDP. False: a description that contradicts the frame, or of
 * a kind that is not known. */
bool big_arrive(struct rte_mbuf *m, const struct virtio_net_hdr *arrived);

/* Describes a frame that leaves, and gives its checksum field the form of Linux. False: the frame
 * is marked and has other headers, or wrong lengths. */
bool big_leave(struct rte_mbuf *m, struct virtio_net_hdr *out);

/* The frame does not leave after all: undoes big_leave(). */
void big_stay(struct rte_mbuf *m);

#endif
