/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client's address in front of its stream, between two small TCPs that lose packets: whatever
 * is lost, the server reads the header once and then what the client sent, and the client what the
 * server sent. Some servers speak first, but not before they have read the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "unit/dataplane/proxy_lab.h"

#define FLIGHT	 64
#define TIMEOUTS 12
#define N_CABLES 12 /* cables on which packets are lost: the first six packets */

struct end {
	uint32_t iss, una, nxt, rcv;
	bool opened, agreed;  /* a SYN was sent or came; the handshake is over */
	bool fin, fin_wanted; /* fin: the other side's came */
	const char *out;      /* all that is to be said; out_len of it may be said by now */
	uint32_t out_len;
	uint32_t segment; /* bytes of a segment */
	uint8_t in[512];
	uint32_t in_len;
};

static uint16_t cport; /* another one for each conversation */
static struct end client, server;
static struct {
	bool to_server;
	struct seg s;
} flight[FLIGHT];
static unsigned int n_flight, n_sent, lost[2];

/* A packet on a cable, unless it is lost: each cable is one packet. */
static void cable(bool to_server, bool at_router, const struct seg *s)
{
	const unsigned int i = n_sent++;

	if (i == lost[0] || i == lost[1])
		return;
	if (!at_router) {
		assert_true(n_flight < FLIGHT);
		flight[n_flight].to_server = to_server;
		flight[n_flight++].s = *s;
		return;
	}
	if (to_server)
		client_puts(cport, s);
	else
		server_puts(s);
}

/* Packets of the router go on by the next cable. */
static void router_out(void)
{
	struct seg s;

	while (server_gets(&s))
		cable(true, false, &s);
	while (client_gets(&s))
		cable(false, false, &s);
}

static void sends(struct end *e, uint8_t flags, uint32_t seq, const char *text, uint32_t n)
{
	struct seg s = seg_of(flags, seq, flags == TCP_SYN ? 0 : e->rcv, NULL);

	s.n = (uint16_t)n;
	if (n)
		memcpy(s.data, text, n);
	cable(e == &client, true, &s);
	router_out();
}

static uint32_t fin_at(const struct end *e)
{
	return e->iss + 1 + e->out_len;
}

/* All that may be sent from `from` on. */
static void sends_from(struct end *e, uint32_t from)
{
	while ((int32_t)(fin_at(e) - from) > 0) {
		const uint32_t left = fin_at(e) - from, n = left < e->segment ? left : e->segment;

		sends(e, TCP_ACK, from, e->out + (from - e->iss - 1), n);
		from += n;
	}
	if (e->fin_wanted) {
		sends(e, TCP_ACK | TCP_FIN, from, NULL, 0);
		from++;
	}
	if ((int32_t)(from - e->nxt) > 0)
		e->nxt = from;
}

static void sends_ack(struct end *e)
{
	sends(e, TCP_ACK, e->nxt, NULL, 0);
}

static void timeout(struct end *e)
{
	if (!e->opened)
		return;
	if (!e->agreed)
		sends(e, e == &client ? TCP_SYN : TCP_SYN | TCP_ACK, e->iss, NULL, 0);
	else if (e->una != e->nxt || e->nxt != fin_at(e) + e->fin_wanted)
		sends_from(e, e->una);
}

static bool takes_handshake(struct end *e, const struct seg *s)
{
	if (s->flags & TCP_SYN) {
		assert_int_equal(s->n, 0);
		if (e == &server) {
			assert_int_equal(s->flags, TCP_SYN);
			e->opened = true;
			e->rcv = s->seq + 1;
			sends(e, TCP_SYN | TCP_ACK, e->iss, NULL, 0);
			return false;
		}
		assert_int_equal(s->ack, e->iss + 1);
		e->rcv = e->agreed ? e->rcv : s->seq + 1;
		if (!e->agreed)
			e->una = e->nxt = e->iss + 1;
		e->agreed = true;
		sends_ack(e);
		if (e->una == e->nxt)
			sends_from(e, e->nxt);
		return false;
	}
	if (e == &server && !e->agreed && s->ack == e->iss + 1) {
		e->agreed = true;
		e->una = e->nxt = e->iss + 1;
	}
	return e->agreed;
}

static void takes_data(struct end *e, const struct seg *s)
{
	const uint32_t known = e->rcv - s->seq, end = s->seq + s->n;

	if (known <= s->n && s->n) {
		memcpy(e->in + e->in_len, s->data + known, s->n - known);
		e->in_len += s->n - known;
		e->rcv = end;
	}
	if ((s->flags & TCP_FIN) && end == e->rcv && !e->fin) {
		e->fin = true;
		e->rcv++;
	}
}

static const char *server_text;
static uint32_t header_len;

static void takes(struct end *e, const struct seg *s)
{
	if (!takes_handshake(e, s))
		return;
	/* No side acknowledges bytes that were not sent. */
	assert_true((int32_t)(e->nxt - s->ack) >= 0);
	assert_true((int32_t)(s->ack - (e->iss + 1)) >= 0);
	if ((int32_t)(s->ack - e->una) > 0)
		e->una = s->ack;
	takes_data(e, s);
	if (e == &server && e->in_len >= header_len && e->out_len < strlen(server_text)) {
		e->out_len = (uint32_t)strlen(server_text);
		sends_from(e, e->nxt);
	} else if (s->n || (s->flags & TCP_FIN) || (int32_t)(s->seq - e->rcv) < 0) {
		sends_ack(e);
	}
}

static void fly(void)
{
	while (n_flight) {
		const struct seg s = flight[0].s;
		struct end *to = flight[0].to_server ? &server : &client;

		memmove(flight, flight + 1, --n_flight * sizeof(flight[0]));
		takes(to, &s);
	}
}

static bool over(const char *says, const char *answers, bool fin)
{
	return server.in_len == header_len + strlen(says) && client.in_len == strlen(answers) &&
	       server.fin == fin && client.una == fin_at(&client) + fin &&
	       server.una == fin_at(&server);
}

/* A whole conversation with packets a and b lost (numbered as they begin a cable). Returns how
 * many packets there were. */
static unsigned int converse(unsigned int a, unsigned int b, const char *says, const char *answers,
			     uint32_t segment, bool fin)
{
	uint8_t want[PROXY_HEADER_MAX + 256];

	cport++;
	lost[0] = a;
	lost[1] = b;
	n_flight = n_sent = 0;
	client = (struct end){.iss = 0xfffffff0,
			      .out = says,
			      .out_len = (uint32_t)strlen(says),
			      .segment = segment,
			      .fin_wanted = fin};
	server = (struct end){.iss = 5000, .out = answers, .segment = 100};
	server_text = answers;
	header_len = way_header(cport, want);
	memcpy(want + header_len, says, strlen(says));
	client.opened = true;
	sends(&client, TCP_SYN, client.iss, NULL, 0);
	fly();
	for (unsigned int i = 0; i < TIMEOUTS && !over(says, answers, fin); i++) {
		timeout(&client);
		fly();
		timeout(&server);
		fly();
	}
	assert_int_equal(server.in_len, header_len + strlen(says));
	assert_memory_equal(server.in, want, server.in_len);
	assert_int_equal(client.in_len, strlen(answers));
	assert_memory_equal(client.in, answers, client.in_len);
	assert_int_equal(server.fin, fin);
	assert_int_equal(client.una, fin_at(&client) + fin);
	assert_int_equal(server.una, fin_at(&server));
	return n_sent;
}

static void every_loss(void **state, const char *says, const char *answers, uint32_t segment,
		       bool fin)
{
	for (unsigned int i = 0; i < n_ways; i++) {
		way = ways[i];
		assert_int_equal(lab_close(state), 0);
		*state = (void *)(uintptr_t)1;
		assert_int_equal(way_open(state), 0);
		cport = 9900; /* texts of ports become longer on the way */
		converse(-1U, -1U, says, answers, segment, fin);
		for (unsigned int a = 0; a < N_CABLES; a++)
			for (unsigned int b = a; b < N_CABLES; b++)
				converse(a, b, says, answers, segment, fin);
	}
}

static void a_client_that_speaks_first_is_told_of_whatever_is_lost(void **state)
{
	every_loss(state, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", 100, false);
}

static void a_server_that_speaks_first_reads_the_header_whatever_is_lost(void **state)
{
	every_loss(state, "", "220 ready\r\n", 100, false);
}

static void small_segments_come_in_order_behind_the_header(void **state)
{
	every_loss(state, "abcdefghi", "ok", 4, false);
}

static void an_end_right_behind_the_handshake_has_the_header_before_it(void **state)
{
	every_loss(state, "", "", 100, true);
	every_loss(state, "one", "two", 100, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_client_that_speaks_first_is_told_of_whatever_is_lost, way_open, 1),
		LAB_TEST(a_server_that_speaks_first_reads_the_header_whatever_is_lost, way_open, 1),
		LAB_TEST(small_segments_come_in_order_behind_the_header, way_open, 1),
		LAB_TEST(an_end_right_behind_the_handshake_has_the_header_before_it, way_open, 1),
	};

	way = ways[0];
	return lab_run(128, tests);
}
