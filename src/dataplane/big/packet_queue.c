/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/big/packet_queue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/if_packet.h>

#include "dataplane/big/big_frame.h"

#define BURST_BYTES (256U << 10) /* of long frames in a burst: they stay in the CPU's cache */
#define SEND_MAX    32		 /* frames of one system call */
#define SEND_PIECES 256		 /* segments of them, and a description each */

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* ---- receive ---- */

void packet_rx_init(struct packet_rx *q, const struct packet_sockets *s, struct rte_mempool *pool,
		    struct rte_mempool *big)
{
	q->fd = s->rx;
	q->ring = s->ring;
	q->slots = s->slots;
	q->next = 0;
	q->pool = pool;
	q->big = big;
	q->counters = (struct packet_rx_counters){0};
}

static struct tpacket2_hdr *slot_at(const struct packet_rx *q)
{
	return (struct tpacket2_hdr *)(void *)(q->ring + (uint64_t)q->next * PACKET_SLOT);
}

/* The kernel takes the tag out of the frame. */
static void vlan_put(struct rte_mbuf *m, const struct tpacket2_hdr *slot, uint32_t status)
{
	if (likely(!(status & TP_STATUS_VLAN_VALID)))
		return;
	m->vlan_tci = slot->tp_vlan_tci;
	m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
}

/* The frame in the slot. */
static bool short_read(const struct tpacket2_hdr *slot, struct rte_mbuf *m,
		       struct virtio_net_hdr *hdr)
{
	const uint8_t *frame = (const uint8_t *)slot + slot->tp_mac;

	if (unlikely(slot->tp_snaplen < slot->tp_len || slot->tp_len > rte_pktmbuf_tailroom(m)))
		return false;
	memcpy(hdr, frame - sizeof(*hdr), sizeof(*hdr));
	memcpy(rte_pktmbuf_mtod(m, void *), frame, slot->tp_len);
	m->data_len = (uint16_t)slot->tp_len;
	m->pkt_len = slot->tp_len;
	return true;
}

/* The next frame of the socket. An error that the socket kept is read away: the interface went
 * down in between. */
static ssize_t socket_read(int fd, struct msghdr *msg)
{
	ssize_t n = recvmsg(fd, msg, MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		n = recvmsg(fd, msg, MSG_DONTWAIT);
	return n;
}

/* The frame that waits in the socket: into m, and its rest into `rest`, which may be NULL. Read in
 * any case: the next slot's frame is behind it. */
static bool long_read(const struct packet_rx *q, struct rte_mbuf *m, struct rte_mbuf *rest,
		      struct virtio_net_hdr *hdr)
{
	const uint32_t first = rte_pktmbuf_tailroom(m);
	struct iovec iov[3] = {{hdr, sizeof(*hdr)}, {rte_pktmbuf_mtod(m, void *), first}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = rest ? 3 : 2};
	ssize_t n;

	if (rest) {
		rest->data_off = 0;
		iov[2] = (struct iovec){rte_pktmbuf_mtod(rest, void *), PACKET_BIG_ROOM};
	}
	n = socket_read(q->fd, &msg) - (ssize_t)sizeof(*hdr);
	if (n <= 0 || (msg.msg_flags & MSG_TRUNC))
		return false;
	m->pkt_len = (uint32_t)n;
	m->data_len = (uint16_t)RTE_MIN((uint32_t)n, first);
	if (!rest)
		return true;
	rest->data_len = (uint16_t)(m->pkt_len - m->data_len);
	m->next = rest;
	m->nb_segs = 2;
	return true;
}

/* A frame of the socket, with a buffer for its rest where it needs one. */
static bool waiting_read(struct packet_rx *q, const struct tpacket2_hdr *slot, struct rte_mbuf *m,
			 struct virtio_net_hdr *hdr)
{
	const bool longer = slot->tp_len > rte_pktmbuf_tailroom(m);
	struct rte_mbuf *rest = longer ? rte_pktmbuf_alloc(q->big) : NULL;

	if (long_read(q, m, rest, hdr))
		return true;
	count(longer && !rest ? &q->counters.no_buffer : &q->counters.cut);
	rte_pktmbuf_free(rest);
	return false;
}

/* Fills m by the slot's frame. False: the frame is lost, and counted. */
static bool frame_read(struct packet_rx *q, const struct tpacket2_hdr *slot, uint32_t status,
		       struct rte_mbuf *m)
{
	struct virtio_net_hdr hdr;

	if (unlikely(status & TP_STATUS_COPY)) {
		if (!waiting_read(q, slot, m, &hdr))
			return false;
	} else if (unlikely(!short_read(slot, m, &hdr))) {
		count(&q->counters.cut);
		return false;
	}
	vlan_put(m, slot, status);
	if (likely(big_arrive(m, &hdr)))
		return true;
	count(&q->counters.unknown);
	return false;
}

uint16_t packet_rx_burst(void *queue, struct rte_mbuf **out, uint16_t max)
{
	struct packet_rx *q = queue;
	uint32_t bytes = 0;
	uint16_t n = 0;

	while (n < max && bytes < BURST_BYTES) {
		struct tpacket2_hdr *slot = slot_at(q);
		uint32_t status = __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
		struct rte_mbuf *m;

		if (!(status & TP_STATUS_USER))
			break;
		m = rte_pktmbuf_alloc(q->pool);
		if (unlikely(!m)) { /* the frame stays where it is */
			count(&q->counters.no_buffer);
			break;
		}
		if (likely(frame_read(q, slot, status, m))) {
			bytes += m->pkt_len;
			out[n++] = m;
		} else {
			rte_pktmbuf_free(m);
		}
		__atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		q->next = q->next + 1 == q->slots ? 0 : q->next + 1;
	}
	return n;
}

/* ---- send ---- */

/* Frames of one system call. */
struct batch {
	struct mmsghdr msg[SEND_MAX];
	struct virtio_net_hdr hdr[SEND_MAX];
	struct iovec iov[SEND_PIECES];
	bool bad[SEND_MAX]; /* cannot leave: not among the messages */
	uint16_t n;	    /* frames */
	uint16_t n_iov;
};

/* False: the batch is full. */
static bool batch_add(struct batch *b, struct rte_mbuf *m)
{
	const uint16_t i = b->n;

	if (i == SEND_MAX || (i && b->n_iov + 1U + m->nb_segs > SEND_PIECES))
		return false;
	b->n++;
	b->bad[i] = m->nb_segs >= SEND_PIECES || !big_leave(m, &b->hdr[i]);
	b->msg[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &b->iov[b->n_iov]}};
	if (unlikely(b->bad[i]))
		return true;
	b->iov[b->n_iov++] = (struct iovec){&b->hdr[i], sizeof(b->hdr[i])};
	for (const struct rte_mbuf *s = m; s; s = s->next)
		b->iov[b->n_iov++] = (struct iovec){rte_pktmbuf_mtod(s, void *), s->data_len};
	b->msg[i].msg_hdr.msg_iovlen = 1U + m->nb_segs;
	return true;
}

/* Sends the frames from i on, up to one that cannot leave. The number, 0: the first was refused, or
 * -EAGAIN. */
static int batch_send(const struct packet_tx *q, struct batch *b, uint16_t i)
{
	uint16_t end = i;
	int rc;

	while (end < b->n && !b->bad[end])
		end++;
	if (end == i)
		return 0;
	do
		rc = sendmmsg(q->fd, b->msg + i, (unsigned int)(end - i), MSG_DONTWAIT);
	while (rc < 0 && errno == EINTR);
	if (rc < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? -EAGAIN : 0;
	return rc;
}

/* The frames that are gone, whether the kernel took or refused them. */
static uint16_t batch_flush(struct packet_tx *q, struct batch *b)
{
	uint16_t done = 0;

	while (done < b->n) {
		int rc = batch_send(q, b, done);

		if (rc < 0)
			break;
		if (rc == 0) {
			count(&q->refused);
			rc = 1;
		}
		done = (uint16_t)(done + rc);
	}
	return done;
}

uint16_t packet_tx_burst(void *queue, struct rte_mbuf **frames, uint16_t n)
{
	struct packet_tx *q = queue;
	uint16_t done = 0;

	while (done < n) {
		struct batch b;
		uint16_t n_sent;

		b.n = b.n_iov = 0;
		for (uint16_t i = done; i < n && batch_add(&b, frames[i]); i++)
			;
		n_sent = batch_flush(q, &b);
		rte_pktmbuf_free_bulk(frames + done, n_sent);
		for (uint16_t i = n_sent; i < b.n; i++)
			if (!b.bad[i])
				big_stay(frames[done + i]);
		done = (uint16_t)(done + n_sent);
		if (n_sent < b.n)
			break;
	}
	return done;
}
