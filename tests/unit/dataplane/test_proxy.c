/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's address in front of its stream, one segment at a time: what the router makes of
 * options, windows, acknowledgements, lengths, and of datagrams.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "base/csum.h"
#include "dataplane/sync/conn_sync.h"
#include "model/ledger_format.h"
#include "unit/dataplane/proxy_lab.h"

#define MTU 1500

static uint8_t header[PROXY_HEADER_MAX];
static uint32_t len; /* of the header */

static struct seg client_says(uint8_t flags, uint32_t seq, const char *text)
{
	const struct seg s = seg_of(flags, seq, S_FIRST, text);

	client_puts(CPORT, &s);
	return at_server();
}

static void has_header(const struct seg *s, const char *then)
{
	assert_int_equal(s->seq, FIRST);
	assert_int_equal(s->n, len + strlen(then));
	assert_memory_equal(s->data, header, len);
	assert_memory_equal(s->data + len, then, strlen(then));
}

/* The handshake, without its ACK. */
static void answered(void)
{
	len = way_header(CPORT, header);
	client_says(TCP_SYN, FIRST - 1, NULL);
	server_says(TCP_SYN | TCP_ACK, S_FIRST - 1, FIRST, NULL);
}

static void done(void)
{
	struct seg s;

	answered();
	s = client_says(TCP_ACK, FIRST, NULL);
	has_header(&s, "");
	s = server_says(TCP_ACK, S_FIRST, FIRST + len, NULL);
	assert_int_equal(s.ack, FIRST);
}

static void each_way(void **state, void (*test)(void))
{
	for (unsigned int i = 0; i < n_ways; i++) {
		way = ways[i];
		assert_int_equal(lab_close(state), 0);
		*state = (void *)(uintptr_t)1;
		assert_int_equal(way_open(state), 0);
		test();
		lab_nothing();
	}
}

#define EACH_WAY(name)                                                                             \
	static void name##_once(void);                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		each_way(state, name##_once);                                                      \
	}                                                                                          \
	static void name##_once(void)

/* --- to the server ------------------------------------------------------------------- */

EACH_WAY(the_header_comes_with_each_segment_at_the_beginning_until_it_is_acknowledged)
{
	struct seg s;

	answered();
	s = client_says(TCP_ACK, FIRST, NULL);
	has_header(&s, "");
	assert_int_equal(s.flags, TCP_ACK | TCP_PSH);
	s = client_says(TCP_ACK, FIRST, "GET");
	has_header(&s, "GET");
	s = client_says(TCP_ACK, FIRST + 3, " / ");
	assert_int_equal(s.seq, FIRST + 3 + len);
	assert_int_equal(s.n, 3);
	s = client_says(TCP_ACK, FIRST, "GET / ");
	has_header(&s, "GET / ");
	assert_int_equal(lab_counters().proxy_headers, 3);
	s = server_says(TCP_ACK, S_FIRST, FIRST + len + 6, NULL);
	assert_int_equal(s.ack, FIRST + 6);
	/* A late copy of what is acknowledged is data like any other. */
	s = client_says(TCP_ACK, FIRST, "GET");
	assert_int_equal(s.seq, FIRST + len);
	assert_int_equal(s.n, 3);
	assert_int_equal(lab_counters().proxy_headers, 3);
}

EACH_WAY(a_syn_brings_no_data_and_asks_for_no_cookie)
{
	static const uint8_t options[] = {2, 4, 5, 180, 34, 2, 254, 4, 0xf9, 0x89, 1, 1};
	struct seg s = seg_of(TCP_SYN, FIRST - 1, 0, "early");

	memcpy(s.options, options, sizeof(options));
	s.n_options = sizeof(options);
	client_puts(CPORT, &s);
	s = at_server();
	assert_int_equal(s.n, 0);
	assert_int_equal(s.seq, FIRST - 1);
	assert_int_equal(s.n_options, sizeof(options));
	assert_memory_equal(s.options, options, 4);
	for (unsigned int i = 4; i < sizeof(options); i++)
		assert_int_equal(s.options[i], 1);
	assert_int_equal(lab_counters().proxy_stripped, 1);
	/* The client sends its data again, where the server expects the header. */
	len = way_header(CPORT, header);
	server_says(TCP_SYN | TCP_ACK, S_FIRST - 1, FIRST, NULL);
	s = client_says(TCP_ACK, FIRST, "early");
	has_header(&s, "early");
}

/* A segment of n bytes, of which the first are `text`. */
static struct seg long_seg(uint32_t seq, uint16_t n)
{
	struct seg s = seg_of(TCP_ACK | TCP_PSH, seq, S_FIRST, NULL);

	memset(s.data, 'y', n);
	s.n = n;
	return s;
}

EACH_WAY(a_segment_that_would_be_too_long_becomes_two)
{
	const uint16_t most = (uint16_t)(MTU - (way.v6 ? 60 : 40));
	struct seg s, first, second;

	answered();
	s = long_seg(FIRST, (uint16_t)(most - len));
	client_puts(CPORT, &s);
	first = at_server();
	assert_int_equal(first.n, most);
	assert_int_equal(lab_counters().proxy_split, 0);
	s = long_seg(FIRST, (uint16_t)(most - len + 1));
	client_puts(CPORT, &s);
	first = at_server();
	has_header(&first, "");
	second = at_server();
	assert_int_equal(second.seq, FIRST + len);
	assert_int_equal(second.n, most - len + 1);
	assert_int_equal(second.flags, TCP_ACK | TCP_PSH);
	assert_memory_equal(second.data, s.data, second.n);
	assert_int_equal(first.ack, second.ack);
	assert_int_equal(lab_counters().proxy_split, 1);
}

EACH_WAY(a_keepalive_brings_the_header_or_is_moved)
{
	struct seg s;

	answered();
	s = client_says(TCP_ACK, FIRST - 1, NULL);
	has_header(&s, "");
	/* Old systems send a byte of garbage with it. */
	s = client_says(TCP_ACK, FIRST - 1, "?");
	has_header(&s, "");
	server_says(TCP_ACK, S_FIRST, FIRST + len, NULL);
	s = client_says(TCP_ACK, FIRST - 1, NULL);
	assert_int_equal(s.seq, FIRST - 1 + len);
	assert_int_equal(s.n, 0);
	/* The server's own. */
	s = server_says(TCP_ACK, S_FIRST - 1, FIRST + len, NULL);
	assert_int_equal(s.seq, S_FIRST - 1);
	assert_int_equal(s.ack, FIRST);
}

EACH_WAY(a_reset_goes_behind_a_header_that_was_not_acknowledged)
{
	struct seg s;

	answered();
	s = client_says(TCP_RST | TCP_ACK, FIRST, NULL);
	has_header(&s, "");
	assert_int_equal(s.flags, TCP_ACK | TCP_PSH);
	s = at_server();
	assert_int_equal(s.flags, TCP_RST | TCP_ACK);
	assert_int_equal(s.seq, FIRST + len);
	assert_int_equal(s.n, 0);
	/* Without an acknowledgement there is none for the header's segment. */
	s = client_says(TCP_RST, FIRST, NULL);
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, FIRST + len);
}

EACH_WAY(urgent_data_stays_where_it_is)
{
	struct seg s = seg_of(TCP_ACK | TCP_URG, FIRST, S_FIRST, "!");

	answered();
	s.urgent = 1;
	client_puts(CPORT, &s);
	s = at_server();
	has_header(&s, "!");
	assert_int_equal(s.urgent, len + 1);
}

EACH_WAY(a_segment_with_a_wrong_checksum_is_moved_and_stays_wrong)
{
	struct packet p = {.v6 = way.v6,
			   .saddr = ipv4(CLIENT),
			   .daddr = ipv4(VIP),
			   .saddr6 = ipv6(CLIENT6),
			   .daddr6 = ipv6(VIP6),
			   .sport = be16_from(CPORT),
			   .dport = be16_from(80),
			   .proto = IPPROTO_TCP,
			   .tcp_flags = TCP_ACK,
			   .seq = FIRST,
			   .ack = S_FIRST,
			   .payload = 3,
			   .bad_l4 = 1};

	answered();
	lab_put(0, p);
	assert_true(lab_got(1, &p));
	assert_true(p.bad_l4);
	assert_int_equal(p.payload, 3);
	assert_int_equal(p.seq, FIRST + len);
	p = (struct packet){0};
}

EACH_WAY(a_segment_before_the_server_agreed_passes_as_it_is)
{
	struct seg s;

	len = way_header(CPORT, header);
	client_says(TCP_SYN, FIRST - 1, NULL);
	s = client_says(TCP_ACK, FIRST, "guess");
	assert_int_equal(s.seq, FIRST);
	assert_int_equal(s.n, 5);
}

/* --- to the client ------------------------------------------------------------------- */

EACH_WAY(the_client_leaves_room_for_the_header)
{
	static const uint8_t options[] = {2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, 7};
	struct seg s = seg_of(TCP_SYN | TCP_ACK, S_FIRST - 1, FIRST, NULL);

	len = way_header(CPORT, header);
	client_says(TCP_SYN, FIRST - 1, NULL);
	memcpy(s.options, options, sizeof(options));
	s.n_options = sizeof(options);
	s.window = 64000;
	for (unsigned int i = 0; i < 2; i++) { /* also when the server says so again */
		server_puts(&s);
		const struct seg got = at_client();

		assert_int_equal(got.ack, FIRST);
		assert_int_equal(lab_get16(got.options + 2), 1460 - len);
		assert_memory_equal(got.options + 4, options + 4, 4);
		assert_int_equal(got.window, 64000 - len);
	}
	/* An acknowledgement without the header: as much less, in units of 128 bytes. */
	s = seg_of(TCP_ACK, S_FIRST, FIRST, NULL);
	s.window = 500;
	server_puts(&s);
	assert_int_equal(at_client().window, 499);
	s.window = 0;
	s.ack = FIRST + 1;
	s.n = 0;
	s.window = 1;
	server_puts(&s);
	assert_int_equal(at_client().window, 0);
	/* The window is the server's own once the header is there. */
	s = seg_of(TCP_ACK, S_FIRST, FIRST + len, NULL);
	s.window = 500;
	server_puts(&s);
	assert_int_equal(at_client().window, 500);
}

EACH_WAY(a_partial_acknowledgement_of_the_header_is_the_beginning)
{
	struct seg s;

	answered();
	client_says(TCP_ACK, FIRST, NULL);
	for (uint32_t i = 0; i < len; i++) {
		s = server_says(TCP_ACK, S_FIRST, FIRST + i, "hello");
		assert_int_equal(s.ack, FIRST);
		assert_int_equal(s.n, 5);
	}
	s = client_says(TCP_ACK, FIRST, "again");
	has_header(&s, "again");
	s = server_says(TCP_ACK, S_FIRST, FIRST + len, NULL);
	assert_int_equal(s.ack, FIRST);
	s = client_says(TCP_ACK, FIRST, "again");
	assert_int_equal(s.seq, FIRST + len);
}

static void word_put(uint8_t *p, uint32_t v)
{
	lab_put16(p, (uint16_t)(v >> 16));
	lab_put16(p + 2, (uint16_t)v);
}

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)lab_get16(p) << 16 | lab_get16(p + 2);
}

/* SACK with n blocks behind so many no-operations. */
static struct seg with_sack(uint32_t ack, const uint32_t *edges, unsigned int n,
			    unsigned int before)
{
	struct seg s = seg_of(TCP_ACK, S_FIRST, ack, NULL);

	memset(s.options, 1, sizeof(s.options));
	s.options[before] = 5;
	s.options[before + 1] = (uint8_t)(2 + 8 * n);
	for (unsigned int i = 0; i < 2 * n; i++)
		word_put(s.options + before + 2 + 4 * i, edges[i]);
	s.n_options = (uint8_t)((before + 2 + 8 * n + 3) & ~3U);
	return s;
}

EACH_WAY(blocks_of_sack_are_moved_and_those_of_the_header_go)
{
	for (unsigned int before = 1; before <= 2; before++) { /* odd, even */
		struct seg s;

		answered();
		client_says(TCP_ACK, FIRST, NULL);
		const uint32_t edges[] = {FIRST + len + 10, FIRST + len + 20, FIRST,
					  FIRST + len,	    FIRST + 5,	      FIRST + len + 30};

		s = with_sack(FIRST, edges, 3, before);
		server_puts(&s);
		s = at_client();
		assert_int_equal(s.options[before], 5);
		assert_int_equal(s.options[before + 1], 18);
		assert_int_equal(word_at(s.options + before + 2), FIRST + 10);
		assert_int_equal(word_at(s.options + before + 6), FIRST + 20);
		assert_int_equal(word_at(s.options + before + 10), FIRST);
		assert_int_equal(word_at(s.options + before + 14), FIRST + 30);
		for (unsigned int i = before + 18; i < s.n_options; i++)
			assert_int_equal(s.options[i], 1);
		/* The server read the header twice: the client knows of none. */
		s = with_sack(FIRST + len + 4, edges + 2, 1, before);
		server_puts(&s);
		s = at_client();
		assert_int_equal(s.ack, FIRST + 4);
		for (unsigned int i = 0; i < s.n_options; i++)
			assert_int_equal(s.options[i], 1);
		client_says(TCP_RST | TCP_ACK, FIRST + 4, NULL);
		harness_advance_ms(&h, 20000);
	}
}

EACH_WAY(a_header_that_the_server_sends_is_data)
{
	struct seg s, got;

	done();
	s = seg_of(TCP_ACK, S_FIRST, FIRST + len, NULL);
	memcpy(s.data, header, len);
	s.n = (uint16_t)len;
	server_puts(&s);
	got = at_client();
	assert_int_equal(got.n, len);
	assert_memory_equal(got.data, header, len);
	got = client_says(TCP_ACK, FIRST, (const char[]){'P', 'R', 'O', 'X', 'Y', ' ', 0});
	assert_int_equal(got.n, 6);
	assert_int_equal(got.seq, FIRST + len);
}

EACH_WAY(numbers_go_round_long_after_the_header)
{
	struct seg s;

	done();
	for (uint32_t at = FIRST; at - FIRST < 0xf0000000; at += 0x100000) {
		s = client_says(TCP_ACK, at, "x");
		assert_int_equal(s.seq, at + len);
		s = server_says(TCP_ACK, S_FIRST, at + len + 1, NULL);
		assert_int_equal(s.ack, at + 1);
		at += 0x1000000;
	}
}

/* --- connections without a header ---------------------------------------------------- */

static void a_stream_that_has_begun_gets_no_header(void **state)
{
	const struct world_policy policy = {.client_address = CLIENT_ADDRESS_PROXY_V2,
					    .sloppy_tcp = true};
	const struct world_server server = {SERVER ":8080", 1, FWD_NAT};
	struct seg s;

	(void)state;
	world_policy(&h, &policy);
	world_service(&h, "tcp", VIP ":80", NULL, &server, 1);
	s = client_says(TCP_ACK, FIRST, "middle");
	assert_int_equal(s.seq, FIRST);
	assert_int_equal(s.n, 6);
	s = server_says(TCP_ACK, S_FIRST, FIRST + 6, NULL);
	assert_int_equal(s.ack, FIRST + 6);
	assert_int_equal(lab_counters().proxy_headers, 0);
}

/* --- of a peer ----------------------------------------------------------------------- */

static struct sync_event told;

static void take_told(struct worker *w, const struct sync_event *e, void *arg)
{
	(void)w;
	(void)arg;
	if (e->kind == SYNC_PUT)
		told = *e;
}

static int each_told(void *arg, const struct sync_event *e)
{
	take_told(NULL, e, arg);
	return 0;
}

/* The router's connection goes to another router. */
static void moves(void **state)
{
	struct sync_event e;

	memset(&told, 0, sizeof(told));
	assert_int_equal(dataplane_sync_each(h.dp, each_told, NULL), 0);
	e = told;
	assert_int_equal(e.kind, SYNC_PUT);
	assert_int_equal(lab_close(state), 0);
	*state = (void *)(uintptr_t)1;
	assert_int_equal(way_open(state), 0);
	e.flags &= (uint8_t)~SYNC_F_TRANSFER;
	e.server = world_server(&h, "tcp", way.v6 ? "[" VIP6 "]:80" : VIP ":80",
				way.v6 ? "[" SERVER6 "]:8080" : SERVER ":8080")
			   ->id;
	h.dp->pub.sync |= SYNC_HOLD;
	harness_run(&h);
	sync_mode(h.dp->workers[0], SYNC_HOLD);
	dataplane_sync_load(h.dp, &e, 1, h.now_tick, h.now_s);
}

static void a_takeover_before_and_after_the_acknowledgement_goes_on(void **state)
{
	struct seg s;

	for (unsigned int i = 0; i < n_ways; i++) {
		for (unsigned int acknowledged = 0; acknowledged < 2; acknowledged++) {
			way = ways[i];
			assert_int_equal(lab_close(state), 0);
			*state = (void *)(uintptr_t)1;
			assert_int_equal(way_open(state), 0);
			answered();
			client_says(TCP_ACK, FIRST, NULL);
			if (acknowledged)
				server_says(TCP_ACK, S_FIRST, FIRST + len, NULL);
			moves(state);
			assert_int_equal(told.proxy,
					 way.version | (acknowledged ? PROXY_DONE : PROXY_SENDING));
			s = client_says(TCP_ACK, FIRST, "on");
			if (acknowledged)
				assert_int_equal(s.seq, FIRST + len);
			else
				has_header(&s, "on");
			s = server_says(TCP_ACK, S_FIRST, FIRST + len + 2, "and on");
			assert_int_equal(s.ack, FIRST + 2);
			s = client_says(TCP_ACK, FIRST + 2, "and on");
			assert_int_equal(s.seq, FIRST + 2 + len);
		}
	}
}

/* --- datagrams ----------------------------------------------------------------------- */

static uint32_t datagram_header(uint16_t cport, uint8_t out[PROXY_HEADER_MAX])
{
	const uint32_t n = way_header(cport, out);

	out[13]++; /* datagrams */
	lab_put16(out + 14, (uint16_t)(lab_get16(out + 14) + 4));
	lab_put16(out + n - 2, 53);
	memcpy(out + n, "\x04\x00\x01\x00", 4); /* NOOP: to a multiple of 8 */
	return n + 4;
}

static struct packet datagram(uint16_t bytes)
{
	return (struct packet){.v6 = way.v6,
			       .saddr = ipv4(CLIENT),
			       .daddr = ipv4(VIP),
			       .saddr6 = ipv6(CLIENT6),
			       .daddr6 = ipv6(VIP6),
			       .sport = be16_from(CPORT),
			       .dport = be16_from(53),
			       .proto = IPPROTO_UDP,
			       .payload = bytes};
}

static size_t got_datagram(uint8_t frame[FRAME_MAX], struct packet *p)
{
	const size_t n = lab_got_frame(1, frame);

	memset(p, 0, sizeof(*p));
	if (n)
		assert_int_equal(packet_describe(frame, n, p), 0);
	return n;
}

static void each_datagram_begins_with_a_header(void **state)
{
	uint8_t frame[FRAME_MAX];
	struct packet p;

	for (unsigned int i = 0; i < 4; i++) { /* version 2 */
		way = ways[i];
		assert_int_equal(lab_close(state), 0);
		*state = (void *)(uintptr_t)1;
		assert_int_equal(way_open(state), 0);
		len = datagram_header(CPORT, header);
		for (unsigned int k = 0; k < 6; k++) {
			struct packet d = datagram((uint16_t)(k * 7));

			d.no_l4 = k == 5 && !way.v6;
			lab_put(0, d);
			assert_true(got_datagram(frame, &p));
			assert_false(p.bad_ip || p.bad_l4);
			assert_int_equal(p.no_l4, d.no_l4);
			assert_int_equal(p.payload, len + k * 7);
			assert_memory_equal(p.data, header, len);
		}
		/* Replies pass as they are. */
		p = (struct packet){.v6 = way.v6,
				    .saddr = p.daddr,
				    .daddr = p.saddr,
				    .saddr6 = p.daddr6,
				    .daddr6 = p.saddr6,
				    .sport = p.dport,
				    .dport = p.sport,
				    .proto = IPPROTO_UDP,
				    .payload = 9};
		lab_put_from(1,
			     way.v6 ? (struct mac){{2, 6, 0, 0, 0, 2}}
				    : (struct mac){{2, 1, 10, 10, 0, 1}},
			     p);
		assert_true(lab_got(0, &p));
		assert_int_equal(p.payload, 9);
		assert_int_equal(lab_counters().proxy_headers, 6);
	}
}

static void a_datagram_too_long_with_its_header_is_refused_or_cut(void **state)
{
	const uint16_t most = MTU - 28 - 32;
	uint8_t frame[FRAME_MAX];
	struct packet p, d;

	(void)state;
	d = datagram(most);
	d.df = 1;
	lab_put(0, d);
	assert_true(lab_drain(1) == 1);
	d.payload++;
	lab_put(0, d);
	assert_int_equal(lab_dropped(DROP_TOO_BIG), 1);
	assert_true(lab_got_frame(0, frame) > 0);
	assert_int_equal(frame[14 + 20], 3);
	assert_int_equal(frame[14 + 21], 4);
	assert_int_equal(lab_get16(frame + 14 + 26), MTU - 32);
	d.df = 0;
	lab_put(0, d);
	assert_true(got_datagram(frame, &p));
	assert_int_equal(lab_drain(1), 1);
	lab_nothing();
}

/* A datagram of 3000 bytes that comes in fragments: what the server puts together. */
static void fragments_of_a_datagram_follow_its_header(void **state)
{
	static uint8_t ip[20 + 8 + 1600], frame[FRAME_MAX], whole[4000];
	const uint16_t cut = 1208, total = 8 + 1600;
	size_t end = 0;
	uint16_t sum;

	(void)state;
	len = datagram_header(CPORT, header);
	ip[0] = 0x45;
	ip[5] = 77;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &(be32){ipv4(CLIENT)}, 4);
	memcpy(ip + 16, &(be32){ipv4(VIP)}, 4);
	lab_put16(ip + 20, CPORT);
	lab_put16(ip + 22, 53);
	lab_put16(ip + 24, total);
	for (unsigned int i = 0; i < 1600; i++)
		ip[28 + i] = (uint8_t)(i * 7);
	sum = (uint16_t)~csum_fold(
		csum_add(csum_add(0, ip + 12, 8) + be16_from(total) + be16_from(IPPROTO_UDP),
			 ip + 20, total));
	memcpy(ip + 26, &sum, 2);
	for (unsigned int k = 0; k < 2; k++) {
		const uint16_t at = k ? cut : 0, n = k ? (uint16_t)(total - cut) : cut;

		memcpy(frame, &lab_router[0], 6);
		memcpy(frame + 6, &lab_station, 6);
		lab_put16(frame + 12, 0x0800);
		memcpy(frame + 14, ip, 20);
		memcpy(frame + 34, ip + 20 + at, n);
		lab_put16(frame + 16, (uint16_t)(20 + n));
		lab_put16(frame + 20, (uint16_t)(at / 8 | (k ? 0 : 0x2000)));
		memset(frame + 24, 0, 2);
		sum = csum_of(frame + 14, 20);
		memcpy(frame + 24, &sum, 2);
		lab_put_frame(0, frame, 34U + n);
	}
	for (size_t n = lab_got_frame(1, frame); n; n = lab_got_frame(1, frame)) {
		const size_t at = (lab_get16(frame + 20) & 0x1fffU) * 8;

		assert_int_equal(csum_fold(csum_add(0, frame + 14, 20)), 0xffff);
		assert_true(at + n - 34 <= sizeof(whole));
		memcpy(whole + at, frame + 34, n - 34);
		if (!(lab_get16(frame + 20) & 0x2000))
			end = at + n - 34;
		memcpy(ip + 12, frame + 26, 8);
	}
	assert_int_equal(end, total + len);
	assert_int_equal(lab_get16(whole + 4), total + len);
	assert_memory_equal(whole + 8, header, len);
	assert_memory_equal(whole + 8 + len, ip + 28, 1600);
	assert_int_equal(
		csum_fold(csum_add(csum_add(0, ip + 12, 8) + be16_from((uint16_t)(total + len)) +
					   be16_from(IPPROTO_UDP),
				   whole, total + len)),
		0xffff);
}

static void an_error_of_a_smaller_mtu_leaves_room_for_the_header(void **state)
{
	uint8_t frame[FRAME_MAX], quote[64];
	struct packet p, error;
	uint16_t sum;
	size_t n;

	(void)state;
	lab_put(0, datagram(40));
	assert_true(got_datagram(frame, &p));
	memcpy(quote, frame + 14, 40);
	error = (struct packet){.saddr = ipv4(SERVER),
				.daddr = p.saddr,
				.proto = IPPROTO_ICMP,
				.sport = 3 << 8 | 4,
				.payload = 40,
				.data = quote};
	packet_to_port(&error, 1, &(struct mac){{2, 1, 10, 10, 0, 1}});
	n = packet_build(&error, frame);
	lab_put16(frame + 14 + 26, 1400);
	memset(frame + 14 + 22, 0, 2);
	sum = csum_of(frame + 34, n - 34);
	memcpy(frame + 14 + 22, &sum, 2);
	lab_put_frame(1, frame, n);
	assert_true(lab_got_frame(0, frame) > 0);
	assert_int_equal(lab_get16(frame + 14 + 26), 1400 - 32);
	assert_int_equal(csum_fold(csum_add(0, frame + 34, 48)), 0xffff);
}

static int open_first(void **state)
{
	way = ways[0];
	return way_open(state);
}

#define TEST(name) LAB_TEST(name, open_first, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_header_comes_with_each_segment_at_the_beginning_until_it_is_acknowledged),
		TEST(a_syn_brings_no_data_and_asks_for_no_cookie),
		TEST(a_segment_that_would_be_too_long_becomes_two),
		TEST(a_keepalive_brings_the_header_or_is_moved),
		TEST(a_reset_goes_behind_a_header_that_was_not_acknowledged),
		TEST(urgent_data_stays_where_it_is),
		TEST(a_segment_with_a_wrong_checksum_is_moved_and_stays_wrong),
		TEST(a_segment_before_the_server_agreed_passes_as_it_is),
		TEST(the_client_leaves_room_for_the_header),
		TEST(a_partial_acknowledgement_of_the_header_is_the_beginning),
		TEST(blocks_of_sack_are_moved_and_those_of_the_header_go),
		TEST(a_header_that_the_server_sends_is_data),
		TEST(numbers_go_round_long_after_the_header),
		TEST(a_stream_that_has_begun_gets_no_header),
		TEST(a_takeover_before_and_after_the_acknowledgement_goes_on),
		TEST(each_datagram_begins_with_a_header),
		TEST(a_datagram_too_long_with_its_header_is_refused_or_cut),
		TEST(fragments_of_a_datagram_follow_its_header),
		TEST(an_error_of_a_smaller_mtu_leaves_room_for_the_header),
	};

	return lab_run(128, tests);
}
