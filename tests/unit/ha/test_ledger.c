/* SPDX-License-Identifier: BSD-3-Clause */
/* The connections that a killed router leaves, and what the next router makes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataplane/conn/conn_life.h"
#include "dataplane/conn/tcp_state.h"
#include "dataplane/ftp/ftp.h"
#include "dataplane/sync/conn_sync.h"
#include "dataplane/sync/ledger.h"
#include "ha/sync/ledger_file.h"
#include "lib/eal_run.h"
#include "lib/pair.h"
#include "model/snapshot.h"

#define CLIENT 0xc0a80700U

static const uint8_t boot[LEDGER_BOOT_BYTES] = {1, 2, 3};
static struct pair p;
static struct identity *ident_b;
static char dir[64], path[96], copy[96], error[ERROR_TEXT];
static struct ledger_file_read last;

static void servers_tell(struct dataplane *dp)
{
	const struct snapshot *s = dp->pub.snapshot;

	for (uint32_t id = 0; id <= s->max_service_id; id++) {
		const struct service *svc = s->services[id];

		for (uint32_t i = 0; svc && i < svc->n_servers; i++) {
			const struct sync_server server = {.service = sync_service_of(svc),
							   .addr = svc->servers[i].addr,
							   .port = svc->servers[i].port};

			ledger_server(dp, svc->servers[i].rt->id, &server);
		}
	}
}

static int ledger_of(struct harness *h, const char *at)
{
	struct ledger_config config = {.path = at};

	memcpy(config.boot, boot, sizeof(boot));
	if (ledger_create(h->dp, &config, error) < 0) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	servers_tell(h->dp);
	h->dp->pub.duty = DUTY_SERVES | 9 << DUTY_TERM_SHIFT;
	return 0;
}

static int setup_n(unsigned int workers_a, unsigned int workers_b, uint64_t max)
{
	if (pair_open(&p, workers_a, workers_b, max) < 0)
		return -1;
	ident_b = identity_create();
	identity_learn(ident_b, p.b.dp->pub.snapshot);
	snprintf(dir, sizeof(dir), "/dev/shm/plvs-ledger.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/ledger", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	return ledger_of(&p.a, path);
}

static int setup(void **state)
{
	(void)state;
	return setup_n(3, 1, 3000);
}

static int setup_fewer(void **state)
{
	(void)state;
	return setup_n(1, 3, 3000);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	ledger_destroy(p.a.dp, true);
	ledger_destroy(p.b.dp, true);
	identity_destroy(ident_b);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 ? pair_close(&p) : -1;
}

/* The moment of a kill: the file as it is, without the lock of a process that is gone. */
static void kill_a(void)
{
	char command[256];

	harness_run(&p.a);
	ledger_round(p.a.dp);
	snprintf(command, sizeof(command), "cp --sparse=always %s.new %s", path, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(chmod(copy, 0600), 0);
}

static void take(void *arg, const struct sync_event *ops, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		assert_true(ops[i].kind != SYNC_PUT || ops[i].server != 0);
	dataplane_sync_load(arg, ops, n, p.b.now_tick, p.b.now_s);
}

static int load_at(uint64_t now_us)
{
	int ret;

	last = (struct ledger_file_read){.identity = ident_b,
					 .now_us = now_us,
					 .max_age_ms = 5000,
					 .take = take,
					 .arg = p.b.dp};
	memcpy(last.boot, boot, sizeof(boot));
	ret = ledger_file_load(copy, &last, error);
	if (last.fd >= 0)
		close(last.fd);
	return ret;
}

static int load_b(void)
{
	return load_at(clock_boot_us());
}

static void change(uint64_t at, const void *bytes, size_t n)
{
	int fd = open(copy, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
	close(fd);
}

static void connect_all(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 443);
		pair_connect(&p.a, CLIENT + i, 4001, IPPROTO_UDP, 53);
		pair_connect(&p.a, CLIENT + i, 4002, IPPROTO_TCP, 81);
	}
}

static void a_killed_routers_connections_go_on_at_the_next(void **state)
{
	struct packet sent;
	be32 server;

	(void)state;
	connect_all(200);
	for (uint16_t i = 0; i < 300; i++) /* half-open: worth nothing */
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4009, IPPROTO_TCP, 81, TCP_SYN));
	pair_sent(&p.a, 1, &sent);
	server = pair_connect(&p.a, CLIENT + 777, 4000, IPPROTO_TCP, 80);
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 600 + 1 + 1); /* and the template of 443 */
	assert_int_equal(last.damaged + last.half + last.unknown, 0);
	assert_int_equal(last.term, 9);
	assert_int_equal(last.starts, 1);
	assert_true(pair_equal(&p));
	pair_put(&p.b, 0, pair_from_client(CLIENT + 777, 4000, IPPROTO_TCP, 80, TCP_ACK));
	assert_true(pair_sent(&p.b, 1, &sent));
	assert_int_equal(sent.daddr, server);
	harness_advance_ms(&p.b, 1000000);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void connections_by_full_nat_keep_their_local_ports(void **state)
{
	struct packet sent;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		assert_int_not_equal(
			pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 4 ? 82 : 80), 0);
	/* A connection that ended leaves neither of its rows. */
	pair_put(&p.a, 0, pair_from_client(CLIENT + 1, 4000, IPPROTO_TCP, 82, TCP_SYN));
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 200);
	assert_int_equal(last.damaged + last.half + last.unknown, 0);
	assert_true(pair_equal(&p));
	for (uint32_t i = 1; i < 200; i += 4) {
		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 82, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_int_equal(sent.saddr, ipv4("10.10.0.200"));
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.daddr, be32_from(CLIENT + i));
	}
	harness_advance_ms(&p.b, 1000000);
	assert_int_equal(pair_entries(&p.b), 0);
}

/* A header that the server did not acknowledge has no place in a row: such a connection is half
 * open to the ledger. */
static void servers_that_were_told_of_their_clients_are_not_told_again(void **state)
{
	struct packet sent, answer;

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_not_equal(pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, 83), 0);
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 83, TCP_ACK));
		assert_true(pair_sent(&p.a, 1, &sent));
		answer = pair_answer(&sent, TCP_ACK);
		answer.ack = i % 4 ? 28 : 27;
		pair_put(&p.a, 1, answer);
		assert_true(pair_sent(&p.a, 0, &sent));
	}
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 75);
	assert_int_equal(last.damaged + last.half + last.unknown, 0);
	for (uint32_t i = 0; i < 100; i++) {
		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 83, TCP_ACK));
		if (i % 4 == 0) {
			assert_false(pair_sent(&p.b, 1, &sent));
			continue;
		}
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_int_equal(sent.seq, 28);
		assert_int_equal(sent.payload, 0);
	}
}

/* Two rows in two tables. */
static void connections_with_servers_of_the_other_family_keep_their_local_ports(void **state)
{
	struct packet sent;

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		assert_int_not_equal(
			pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 4 ? 84 : 82), 0);
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 200);
	assert_int_equal(last.damaged + last.half + last.unknown, 0);
	assert_true(pair_equal(&p));
	for (uint32_t i = 1; i < 200; i += 4) {
		pair_put(&p.b, 0, pair_from_client(CLIENT + i, 4000, IPPROTO_TCP, 84, TCP_ACK));
		assert_true(pair_sent(&p.b, 1, &sent));
		assert_true(addr6_equal(sent.saddr6, ipv6(PAIR_LOCAL6)));
		pair_put(&p.b, 1, pair_answer(&sent, TCP_ACK));
		assert_true(pair_sent(&p.b, 0, &sent));
		assert_int_equal(sent.daddr, be32_from(CLIENT + i));
	}
	harness_advance_ms(&p.b, 1000000);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void what_ended_or_closed_is_not_brought_back_as_it_was(void **state)
{
	struct conn4 *c;

	(void)state;
	connect_all(40);
	c = pair_find(&p.a, be32_from(CLIENT + 1), 4000, IPPROTO_TCP, ipv4(PAIR_VIP), 80);
	assert_non_null(c);
	pair_put(&p.a, 0, pair_from_client(CLIENT + 3, 4002, IPPROTO_TCP, 81, TCP_FIN | TCP_ACK));
	harness_advance_ms(&p.a, 310000); /* UDP ends, FIN_WAIT ends; ESTABLISHED stays */
	pair_connect(&p.a, CLIENT + 90, 4002, IPPROTO_TCP, 81);
	pair_put(&p.a, 0, pair_from_client(CLIENT + 90, 4002, IPPROTO_TCP, 81, TCP_FIN | TCP_ACK));
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_true(pair_equal(&p));
	assert_null(pair_find(&p.b, be32_from(CLIENT), 4001, IPPROTO_UDP, ipv4(PAIR_VIP), 53));
	c = pair_find(&p.b, be32_from(CLIENT + 90), 4002, IPPROTO_TCP, ipv4(PAIR_VIP), 81);
	assert_non_null(c);
	assert_int_not_equal(c->c.state, CONN_ESTABLISHED);
}

static void a_killed_heir_leaves_what_it_took_up(void **state)
{
	char second[128];

	(void)state;
	snprintf(second, sizeof(second), "%s/second", dir);
	connect_all(50);
	kill_a();
	assert_int_equal(ledger_of(&p.b, second), 0);
	assert_int_equal(load_b(), 0);
	ledger_started_from(p.b.dp, last.starts);
	ledger_round(p.b.dp);
	/* The rows of b say what b has: they come in again as what is there already. */
	snprintf(error, sizeof(error), "cp --sparse=always %s.new %s", second, copy);
	assert_int_equal(system(error), 0);
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 151);
	assert_int_equal(last.starts, 2);
	assert_true(pair_equal(&p));
}

static void moved_ftp_numbers_and_announced_ports_are_kept(void **state)
{
	const struct sync_event seq = {.kind = SYNC_FTP_SEQ,
				       .caddr = be32_from(CLIENT),
				       .vaddr = ipv4(PAIR_VIP),
				       .cport = be16_from(4000),
				       .vport = be16_from(21),
				       .proto = IPPROTO_TCP,
				       .pos = 77777,
				       .before = 3,
				       .after = -4};
	struct sync_event expect = seq, client = seq;
	struct ftp_state got;
	struct conn4 *c;

	(void)state;
	expect.kind = SYNC_FTP_EXPECT;
	expect.left_s = 60;
	expect.data_cport = be16_from(5000);
	expect.data_port = expect.data_lport = 0;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 21);
	client.flags = SYNC_F_CLIENT;
	client.pos = 88888;
	sync_apply(p.a.dp->workers[0], &seq);
	sync_apply(p.a.dp->workers[0], &client);
	sync_apply(p.a.dp->workers[0], &expect);
	c = pair_find(&p.a, be32_from(CLIENT), 4000, IPPROTO_TCP, ipv4(PAIR_VIP), 21);
	assert_true(ftp4_state(p.a.dp->workers[0], c, &got));
	kill_a();
	assert_int_equal(load_b(), 0);
	c = pair_find(&p.b, be32_from(CLIENT), 4000, IPPROTO_TCP, ipv4(PAIR_VIP), 21);
	assert_non_null(c);
	for (unsigned int i = 0; i < p.b.dp->n_workers; i++)
		if (ftp4_state(p.b.dp->workers[i], c, &got))
			break;
	assert_true(got.shift[DIR_OUT].moved);
	assert_int_equal(got.shift[DIR_OUT].pos, 77777);
	assert_int_equal(got.shift[DIR_OUT].before, 3);
	assert_int_equal(got.shift[DIR_OUT].after, -4);
	assert_true(got.shift[DIR_IN].moved);
	assert_int_equal(got.shift[DIR_IN].pos, 88888);
	assert_true(got.left_s > 50 && got.left_s <= 60);
	assert_int_equal(got.data.cport, be16_from(5000));
}

/* ---- memory ---- */

static void rows_without_memory_are_written_when_there_is_some(void **state)
{
	struct ledger_view view;

	(void)state;
	p.a.dp->workers[0]->v4.rows_limit = 20;
	connect_all(40);
	assert_true(ledger_view(p.a.dp, &view));
	assert_true(view.missed > 0);
	kill_a(); /* with a round of the thread, which asks; the worker has not run since */
	harness_run(&p.a);
	kill_a();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 121);
	assert_true(pair_equal(&p));
}

static void a_table_without_connections_takes_little_memory(void **state)
{
	struct ledger_view view;
	struct stat st;
	char file[128];

	(void)state;
	ledger_round(p.a.dp);
	assert_true(ledger_view(p.a.dp, &view));
	assert_int_equal(view.fault[0], '\0');
	snprintf(file, sizeof(file), "%s.new", path);
	assert_int_equal(stat(file, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 <= (2U << 20));
	assert_true((uint64_t)st.st_size > (16U << 20));
}

/* ---- what is refused ---- */

static void a_row_that_was_being_written_is_dropped_alone(void **state)
{
	const union ledger_tail begun = {.state = LEDGER_BEING_WRITTEN};
	struct ledger_parts parts;
	uint64_t at;

	(void)state;
	connect_all(30);
	kill_a();
	ledger_parts(p.a.dp->n_workers, p.a.dp->workers[0]->v4.table.capacity, &parts);
	at = parts.workers + parts.rows4 + 5 * sizeof(struct ledger_row4) +
	     offsetof(struct ledger_row4, tail);
	change(at, &begun, sizeof(begun));
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.half, 1);
	assert_int_equal(last.damaged, 0);
	assert_int_equal(last.taken, 90);
}

/* Whatever byte of a row is changed: the row is dropped, or says the same with another state that
 * can be. */
static void a_changed_byte_costs_one_row_at_most(void **state)
{
	const uint32_t capacity = p.a.dp->workers[0]->v4.table.capacity;
	struct ledger_parts parts;
	uint64_t row;
	uint8_t byte;
	int fd;

	(void)state;
	connect_all(3);
	kill_a();
	ledger_parts(p.a.dp->n_workers, capacity, &parts);
	row = parts.workers + parts.rows4 + 2 * sizeof(struct ledger_row4);
	for (unsigned int i = 0; i < sizeof(struct ledger_row4); i++) {
		fd = open(copy, O_RDONLY);
		assert_int_equal(pread(fd, &byte, 1, (off_t)(row + i)), 1);
		close(fd);
		byte ^= 0x21;
		change(row + i, &byte, 1);
		byte = 0;
		change(offsetof(struct ledger_header, starts), &byte, 1);
		assert_int_equal(load_b(), 0);
		assert_int_equal(last.taken + last.damaged + last.half, 10);
		if (i < offsetof(struct ledger_row4, tail.state))
			assert_int_equal(last.damaged, 1);
		fd = open(copy, O_RDONLY);
		assert_int_equal(pread(fd, &byte, 1, (off_t)(row + i)), 1);
		close(fd);
		byte ^= 0x21;
		change(row + i, &byte, 1);
	}
	assert_int_equal(pair_entries(&p.b), 10);
}

#define REFUSED(what, expected)                                                                    \
	do {                                                                                       \
		assert_int_equal(what, expected);                                                  \
		assert_int_equal(pair_entries(&p.b), 0);                                           \
	} while (0)

static void another_boot_layout_time_or_size_is_refused(void **state)
{
	const uint8_t other[] = {9};
	const uint64_t layout = ledger_layout() + 1;
	const uint32_t workers[] = {0, MAX_WORKERS + 1, UINT32_MAX, 2};

	(void)state;
	connect_all(3);
	kill_a();
	REFUSED(load_at(clock_boot_us() + 6000000), -ESTALE);
	REFUSED(load_at(1), -ESTALE);
	change(offsetof(struct ledger_header, boot), other, 1);
	REFUSED(load_b(), -ESTALE);
	kill_a();
	change(offsetof(struct ledger_header, layout), &layout, sizeof(layout));
	REFUSED(load_b(), -EBADMSG);
	for (unsigned int i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		kill_a();
		change(offsetof(struct ledger_header, n_workers), &workers[i], 4);
		REFUSED(load_b(), -EBADMSG);
	}
	kill_a();
	assert_int_equal(truncate(copy, 100000), 0);
	REFUSED(load_b(), -EBADMSG);
	assert_int_equal(truncate(copy, 0), 0);
	REFUSED(load_b(), -EBADMSG);
	unlink(copy);
	REFUSED(load_b(), -ENOENT);
	kill_a();
	assert_int_equal(load_b(), 0);
}

static void a_ledger_is_refused_if_a_peer_may_have_served_since(void **state)
{
	(void)state;
	connect_all(3);
	p.a.dp->pub.duty = DUTY_SERVES | DUTY_PEER_ALIVE;
	kill_a();
	REFUSED(load_b(), -EHOSTUNREACH);
	assert_non_null(strstr(error, "peer"));
	p.a.dp->pub.duty = 0; /* a backup's */
	kill_a();
	REFUSED(load_b(), -EHOSTUNREACH);
	p.a.dp->pub.duty = DUTY_SERVES;
	kill_a();
	assert_int_equal(load_b(), 0);
}

static void connections_that_end_every_start_are_given_up(void **state)
{
	(void)state;
	connect_all(3);
	kill_a();
	for (unsigned int i = 1; i <= LEDGER_STARTS_MAX; i++) {
		assert_int_equal(load_b(), 0);
		assert_int_equal(last.starts, i);
	}
	assert_int_equal(load_b(), -ELOOP);
}

static void a_ledger_of_others_or_of_a_running_router_is_refused(void **state)
{
	char other[128];
	int fd;

	(void)state;
	connect_all(3);
	kill_a();
	assert_int_equal(chmod(copy, 0640), 0);
	REFUSED(load_b(), -EPERM);
	assert_int_equal(chmod(copy, 0600), 0);
	snprintf(other, sizeof(other), "%s.real", copy);
	assert_int_equal(rename(copy, other), 0);
	assert_int_equal(symlink(other, copy), 0);
	REFUSED(load_b(), -ELOOP);
	unlink(copy);
	assert_int_equal(mkdir(copy, 0700), 0);
	REFUSED(load_b(), -EISDIR);
	rmdir(copy);
	assert_int_equal(mkfifo(copy, 0600), 0);
	REFUSED(load_b(), -EPERM);
	unlink(copy);
	assert_int_equal(rename(other, copy), 0);
	fd = open(copy, O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	REFUSED(load_b(), -EBUSY);
	close(fd);
	assert_int_equal(load_b(), 0);
	/* The same of the file to be made. */
	assert_int_equal(ledger_of(&p.b, path), -1);
	assert_non_null(strstr(error, "another router has it"));
	assert_int_equal(ledger_of(&p.b, "/proc/ledger"), -1);
}

static void servers_that_are_not_configured_any_more_are_counted(void **state)
{
	(void)state;
	connect_all(10);
	kill_a();
	identity_destroy(ident_b);
	ident_b = identity_create();
	assert_int_equal(load_b(), 0);
	assert_int_equal(last.taken, 0);
	assert_int_equal(last.unknown, 31);
	assert_int_equal(pair_entries(&p.b), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define F(f) cmocka_unit_test_setup_teardown(f, setup_fewer, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_killed_routers_connections_go_on_at_the_next),
		T(connections_by_full_nat_keep_their_local_ports),
		T(servers_that_were_told_of_their_clients_are_not_told_again),
		T(connections_with_servers_of_the_other_family_keep_their_local_ports),
		F(what_ended_or_closed_is_not_brought_back_as_it_was),
		T(a_killed_heir_leaves_what_it_took_up),
		F(moved_ftp_numbers_and_announced_ports_are_kept),
		F(rows_without_memory_are_written_when_there_is_some),
		T(a_table_without_connections_takes_little_memory),
		F(a_row_that_was_being_written_is_dropped_alone),
		F(a_changed_byte_costs_one_row_at_most),
		T(another_boot_layout_time_or_size_is_refused),
		T(a_ledger_is_refused_if_a_peer_may_have_served_since),
		T(connections_that_end_every_start_are_given_up),
		T(a_ledger_of_others_or_of_a_running_router_is_refused),
		T(servers_that_are_not_configured_any_more_are_counted),
	};

	return eal_run(0, 400, tests);
}
