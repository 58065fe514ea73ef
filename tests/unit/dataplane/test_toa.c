/* SPDX-License-Identifier: BSD-3-Clause */
/* The client's address in a TCP option (TOA), one segment at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "dataplane/conn/tcp_state.h"
#include "unit/dataplane/proxy_lab.h"

static void with_options(struct seg *s, const uint8_t *options, uint8_t n)
{
	memcpy(s->options, options, n);
	s->n_options = n;
}

static struct seg client_says(struct seg s)
{
	client_puts(CPORT, &s);
	return at_server();
}

static uint8_t length(void)
{
	return way.v6 ? 20 : 8;
}

/* The first option is the client's address, as `struct toa_data` of the modules has it. */
static void tells(const struct seg *s)
{
	const struct addr6 v6 = ipv6(CLIENT6);
	const be32 v4 = ipv4(CLIENT);

	assert_true(s->n_options >= length());
	assert_int_equal(s->options[0], 254);
	assert_int_equal(s->options[1], length());
	assert_int_equal(lab_get16(s->options + 2), CPORT);
	assert_memory_equal(s->options + 4, way.v6 ? (const void *)&v6 : (const void *)&v4,
			    length() - 4U);
}

static void shakes_hands(void)
{
	struct seg s = seg_of(TCP_SYN | TCP_ACK, S_FIRST - 1, FIRST, NULL), got;
	static const uint8_t options[] = {2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, 7};

	client_says(seg_of(TCP_SYN, FIRST - 1, 0, NULL));
	with_options(&s, options, sizeof(options));
	server_puts(&s);
	got = at_client();
	assert_int_equal(got.n_options, sizeof(options));
	assert_int_equal(lab_get16(got.options + 2), 1460 - length());
	assert_memory_equal(got.options + 4, options + 4, 4);
	assert_int_equal(got.ack, FIRST);
}

static void each_segment_tells_until_the_server_has_answered(void **state)
{
	static const uint8_t stamp[] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
	struct seg s;

	(void)state;
	shakes_hands();
	s = client_says(seg_of(TCP_ACK, FIRST, S_FIRST, NULL));
	tells(&s);
	assert_int_equal(s.n, 0);
	assert_int_equal(s.seq, FIRST);
	/* Data, with options of the client's own behind. */
	s = seg_of(TCP_ACK, FIRST, S_FIRST, "hello");
	with_options(&s, stamp, sizeof(stamp));
	s = client_says(s);
	tells(&s);
	assert_int_equal(s.n_options, length() + sizeof(stamp));
	assert_memory_equal(s.options + length(), stamp, sizeof(stamp));
	assert_int_equal(s.n, 5);
	assert_memory_equal(s.data, "hello", 5);
	s = server_says(TCP_ACK, S_FIRST, FIRST + 5, NULL);
	assert_int_equal(s.ack, FIRST + 5);
	/* The handshake is over: the connection is as any other. */
	s = client_says(seg_of(TCP_ACK, FIRST + 5, S_FIRST, "more"));
	assert_int_equal(s.n_options, 0);
	assert_int_equal(s.seq, FIRST + 5);
	s = server_says(TCP_ACK, S_FIRST, FIRST + 9, "yes");
	assert_int_equal(s.seq, S_FIRST);
	assert_int_equal(s.ack, FIRST + 9);
	assert_int_equal(lab_counters().proxy_headers, 2);
}

/* Else a client could tell another address than its own. */
static void an_option_of_the_clients_own_is_overwritten(void **state)
{
	static const uint8_t forged[] = {254, 8, 1, 2, 9, 9, 9, 9};
	struct seg s = seg_of(TCP_SYN, FIRST - 1, 0, NULL);

	(void)state;
	with_options(&s, forged, sizeof(forged));
	s = client_says(s);
	for (unsigned int i = 0; i < sizeof(forged); i++)
		assert_int_equal(s.options[i], 1);
	server_says(TCP_SYN | TCP_ACK, S_FIRST - 1, FIRST, NULL);
	s = seg_of(TCP_ACK, FIRST, S_FIRST, "hello");
	with_options(&s, forged, sizeof(forged));
	s = client_says(s);
	tells(&s);
	for (unsigned int i = length(); i < s.n_options; i++)
		assert_int_equal(s.options[i], 1);
}

static void a_segment_without_room_goes_without(void **state)
{
	struct seg s;

	(void)state;
	shakes_hands();
	s = seg_of(TCP_ACK, FIRST, S_FIRST, "x");
	memset(s.options, 1, 36);
	s.n_options = 36;
	s = client_says(s);
	assert_int_equal(s.n_options, 36);
	s = seg_of(TCP_ACK, FIRST, S_FIRST, NULL);
	memset(s.data, 'x', sizeof(s.data));
	s.n = (uint16_t)(1500 - (way.v6 ? 60 : 40));
	s = client_says(s);
	assert_int_equal(s.n_options, 0);
	s = client_says(seg_of(TCP_ACK, FIRST, S_FIRST, "x"));
	tells(&s);
}

static int open_as(void **state, bool v6, uint8_t method)
{
	way = (struct way){v6, method, CLIENT_ADDRESS_TOA};
	return way_open(state);
}

static int open_nat(void **state)
{
	return open_as(state, false, FWD_NAT);
}

static int open_fullnat(void **state)
{
	return open_as(state, false, FWD_FULLNAT);
}

static int open_fullnat6(void **state)
{
	return open_as(state, true, FWD_FULLNAT);
}

#define T(name)                                                                                    \
	LAB_TEST(name, open_nat, 1), LAB_TEST(name, open_fullnat, 3),                              \
		LAB_TEST(name, open_fullnat6, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_segment_tells_until_the_server_has_answered),
		T(an_option_of_the_clients_own_is_overwritten),
		T(a_segment_without_room_goes_without),
	};

	return lab_run(128, tests);
}
