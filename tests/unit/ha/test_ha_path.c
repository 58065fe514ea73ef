/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths over the loopback interface, on a clock of the test's own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "ha/net/path.h"

#define CLUSTER 9

struct side {
	struct path *path;
	struct path_config config;
	unsigned int received;
	struct ha_envelope last;
	char payload[64];
	bool present; /* what received() answers */
};

static struct event_base *base;
static struct ha_keys keys;
static uint64_t now;
static struct side a, b;
static unsigned int lines;

static uint64_t clock_us(void *arg)
{
	(void)arg;
	return now;
}

static bool on_received(void *arg, struct path *p, const struct ha_envelope *e,
			const uint8_t *payload, uint64_t now_us)
{
	struct side *s = arg;

	assert_ptr_equal(p, s->path);
	assert_int_equal(now_us, now);
	s->received++;
	s->last = *e;
	memcpy(s->payload, payload, e->payload_len < 63 ? e->payload_len : 63);
	return s->present;
}

static void count_line(enum log_level level, const char *area, const char *line)
{
	(void)level;
	(void)area;
	(void)line;
	lines++;
}

static void side_open(struct side *s)
{
	const struct path_ops ops = {on_received, clock_us, s};

	assert_int_equal(path_create(&s->config, base, &keys, &ops, &s->path), 0);
}

static int setup(void **state)
{
	static const char text[] = "3 000102030405060708090a0b0c0d0e0f";
	uint16_t port = (uint16_t)(20000 + getpid() % 20000);
	char error[ERROR_TEXT];

	(void)state;
	log_set_sink(count_line);
	lines = 0;
	now = 1000000;
	base = event_base_new();
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.present = b.present = true;
	if (ha_keys_parse(&keys, "keys", text, strlen(text), error) != 0)
		return -1;
	a.config = (struct path_config){.name = "a", .cluster_id = CLUSTER};
	addr_parse("127.0.10.1", &a.config.own.addr);
	addr_parse("127.0.10.2", &a.config.peer.addr);
	a.config.own.port = a.config.peer.port = be16_from(port);
	b.config = a.config;
	strcpy(b.config.name, "b");
	b.config.own = a.config.peer;
	b.config.peer = a.config.own;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	path_destroy(a.path);
	path_destroy(b.path);
	event_base_free(base);
	ha_keys_fini(&keys);
	log_set_sink(NULL);
	return 0;
}

static void loop(void)
{
	/* Loopback delivers within send(); ICMP errors as well. */
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static int say(struct side *s, const char *text)
{
	struct ha_envelope e = {.type = HA_TYPE_SYNC, .cluster_id = CLUSTER, .sequence = 1};

	return path_send(s->path, &e, text, strlen(text), now);
}

static void datagrams_cross_and_tell_the_round_trip(void **state)
{
	(void)state;
	side_open(&a);
	side_open(&b);
	assert_int_equal(say(&a, "hello"), 0);
	loop();
	assert_int_equal(b.received, 1);
	assert_string_equal(b.payload, "hello");
	assert_int_equal(b.last.path_sequence, 1);
	assert_int_equal(b.last.path_echo, 0);
	assert_int_equal(b.last.path_hold_us, HA_HOLD_UNKNOWN);
	now += 5000; /* b holds it for 5 ms, the way back takes 300 us */
	assert_int_equal(say(&b, "yes"), 0);
	now += 300;
	loop();
	assert_int_equal(a.last.path_echo, 1);
	assert_int_equal(a.last.path_hold_us, 5000);
	assert_int_equal(path_state(a.path)->rtt_us, 300);
	assert_int_equal(path_state(a.path)->heard_us, now);
	assert_int_equal(path_state(b.path)->rtt_us, 0);
	assert_int_equal(path_state(a.path)->counters.sent, 1);
	assert_int_equal(path_state(a.path)->counters.received, 1);
}

/* A socket in the peer's place that says what it wants. */
static int raw_peer(const struct path_config *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = c->peer.port,
				 .sin_addr.s_addr = c->peer.addr.v4};
	struct sockaddr_in from = {
		.sin_family = AF_INET, .sin_port = c->own.port, .sin_addr.s_addr = c->own.addr.v4};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void raw_send(int fd, uint32_t path_sequence)
{
	const struct ha_envelope e = {.type = HA_TYPE_SYNC,
				      .cluster_id = CLUSTER,
				      .sequence = 1,
				      .path_sequence = path_sequence};
	uint8_t out[HA_DATAGRAM_MAX];
	int n = ha_envelope_seal(&keys, &e, "x", 1, out, sizeof(out));

	assert_int_equal(send(fd, out, (size_t)n, 0), n);
	loop();
}

static void loss_follows_from_the_sequence_and_late_ones_make_it_good(void **state)
{
	const struct path_state *s;
	int fd;

	(void)state;
	side_open(&a);
	s = path_state(a.path);
	fd = raw_peer(&b.config);
	raw_send(fd, 100); /* the first one tells of no loss */
	assert_int_equal(s->counters.lost, 0);
	raw_send(fd, 104);
	assert_int_equal(s->counters.lost, 3);
	now += 77;
	raw_send(fd, 102);
	assert_int_equal(s->counters.lost, 2);
	assert_int_equal(s->out_of_order, 1);
	raw_send(fd, 104); /* again: replayed, or doubled */
	assert_int_equal(s->counters.lost, 2);
	assert_int_equal(s->out_of_order, 2);
	assert_int_equal(s->heard_us, now - 77); /* old ones are not hearing */
	a.present = false;			 /* of a session that is gone */
	raw_send(fd, 200);
	assert_int_equal(s->counters.lost, 2);
	assert_int_equal(s->heard_us, now - 77);
	a.present = true;
	path_forget(a.path);
	raw_send(fd, 1);
	assert_int_equal(s->counters.lost, 2);
	assert_int_equal(s->heard_us, now);
	raw_send(fd, UINT32_MAX); /* from before: not four billion lost */
	assert_int_equal(s->counters.lost, 1);
	assert_int_equal(s->counters.received, 7);
	close(fd);
}

static void garbage_is_counted_by_its_fault_and_reaches_nobody(void **state)
{
	uint8_t bytes[2100] = {'p', 'l', 'v', 's', 9};
	const struct path_state *s;
	int fd;

	(void)state;
	side_open(&a);
	s = path_state(a.path);
	fd = raw_peer(&b.config);
	send(fd, bytes, 200, 0);
	send(fd, bytes, 0, 0);
	send(fd, "GET / HTTP/1.0", 14, 0);
	bytes[4] = HA_PROTOCOL;
	send(fd, bytes, sizeof(bytes), 0);
	loop();
	assert_int_equal(s->bad[HA_WIRE_VERSION], 1);
	assert_int_equal(s->bad[HA_WIRE_TRUNCATED], 1);
	assert_int_equal(s->bad[HA_WIRE_NOT_OURS], 1);
	assert_int_equal(s->bad[HA_WIRE_OVERLONG], 1);
	assert_int_equal(a.received, 0);
	close(fd);
}

static void another_station_is_not_heard_at_all(void **state)
{
	struct path_config other = b.config;
	int fd;

	(void)state;
	side_open(&a);
	addr_parse("127.0.10.3", &other.own.addr);
	fd = raw_peer(&other);
	raw_send(fd, 1);
	assert_int_equal(path_state(a.path)->counters.received, 0);
	close(fd);
}

static void a_peer_that_does_not_listen_is_counted_and_no_error(void **state)
{
	(void)state;
	side_open(&a);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(say(&a, "anybody?"), 0);
		loop();
	}
	assert_int_equal(path_state(a.path)->counters.sent, 10);
	assert_int_equal(path_state(a.path)->refused, 10);
	side_open(&b);
	assert_int_equal(say(&a, "there"), 0);
	loop();
	assert_string_equal(b.payload, "there");
	assert_int_equal(lines, 0);
}

static void an_address_that_is_not_there_yet_is_tried_again(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = a.config.own.port,
				 .sin_addr.s_addr = a.config.own.addr.v4};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	side_open(&a);
	side_open(&b);
	assert_false(path_state(a.path)->open);
	assert_int_equal(say(&a, "x"), -ENOTCONN);
	assert_int_equal(path_state(a.path)->counters.send_errors, 1);
	path_tick(a.path, now);
	path_tick(a.path, now);
	assert_int_equal(lines, 1); /* once, not at every try */
	close(fd);
	path_tick(a.path, now);
	assert_true(path_state(a.path)->open);
	assert_int_equal(lines, 2);
	assert_int_equal(say(&a, "x"), 0);
	loop();
	assert_int_equal(b.received, 1);
}

static void a_flood_is_taken_in_rounds_and_a_drain_takes_all(void **state)
{
	unsigned int n;
	int fd;

	(void)state;
	side_open(&a);
	fd = raw_peer(&b.config);
	for (n = 0; n < 200; n++)
		assert_int_equal(send(fd, "junk", 4, 0), 4);
	assert_true(path_drain(a.path, 128, now));
	assert_int_equal(path_state(a.path)->bad[HA_WIRE_NOT_OURS], 128);
	assert_false(path_drain(a.path, 1000, now));
	assert_int_equal(path_state(a.path)->bad[HA_WIRE_NOT_OURS], 200);
	close(fd);
}

static void what_cannot_be_a_path_is_refused(void **state)
{
	const struct path_ops ops = {on_received, clock_us, &a};
	struct path_config c = a.config;

	(void)state;
	c.peer.port = 0;
	assert_int_equal(path_create(&c, base, &keys, &ops, &a.path), -EINVAL);
	c = a.config;
	addr_parse("::1", &c.peer.addr);
	assert_int_equal(path_create(&c, base, &keys, &ops, &a.path), -EINVAL);
	assert_null(a.path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(datagrams_cross_and_tell_the_round_trip),
		T(loss_follows_from_the_sequence_and_late_ones_make_it_good),
		T(garbage_is_counted_by_its_fault_and_reaches_nobody),
		T(another_station_is_not_heard_at_all),
		T(a_peer_that_does_not_listen_is_counted_and_no_error),
		T(an_address_that_is_not_there_yet_is_tried_again),
		T(a_flood_is_taken_in_rounds_and_a_drain_takes_all),
		T(what_cannot_be_a_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
