/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections in a file between two runs of a router; and what is refused. */
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
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/sync/conn_sync.h"
#include "dataplane/conn/tcp_state.h"
#include "ha/sync/sync_file.h"
#include "lib/eal_run.h"
#include "lib/pair.h"

#define CLIENT 0xc0a80700U
#define NOW    1000000ULL

static struct pair p;
static struct identity *ident_a, *ident_b;
static char dir[64], path[96], error[ERROR_TEXT];

static int setup(void **state)
{
	(void)state;
	if (pair_open(&p, 3, 1, 3000) < 0)
		return -1;
	ident_a = identity_create();
	ident_b = identity_create();
	identity_learn(ident_a, p.a.dp->pub.snapshot);
	identity_learn(ident_b, p.b.dp->pub.snapshot);
	snprintf(dir, sizeof(dir), "/tmp/plvs-sync-file.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/connections", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	rmdir(dir);
	identity_destroy(ident_a);
	identity_destroy(ident_b);
	return pair_close(&p);
}

static int each(void *arg, int (*fn)(void *arg, const struct sync_event *e), void *fn_arg)
{
	return dataplane_sync_each(arg, fn, fn_arg);
}

static int64_t write_at(const struct sync_file_time *t)
{
	return sync_file_write(path, t, 7, ident_a, each, p.a.dp, error);
}

static int64_t write_a(void)
{
	const struct sync_file_time t = {.now_s = NOW};

	return write_at(&t);
}

static void take(void *arg, const struct sync_event *ops, uint32_t n)
{
	dataplane_sync_load(arg, ops, n, p.b.now_tick, p.b.now_s);
}

static int load_at(const struct sync_file_time *t, uint64_t *taken)
{
	struct sync_file_read r = {
		.identity = ident_b, .now = *t, .max_age_s = 60, .take = take, .arg = p.b.dp};
	int ret = sync_file_load(path, &r, error);

	if (taken)
		*taken = r.taken;
	if (ret == 0)
		assert_int_equal(r.term, 7);
	return ret;
}

static int load_b(uint64_t now_s, uint64_t *taken)
{
	const struct sync_file_time t = {.now_s = now_s};

	return load_at(&t, taken);
}

static void a_router_that_starts_again_has_its_connections(void **state)
{
	struct packet sent;
	uint64_t taken;
	be32 server;
	struct stat st;

	(void)state;
	for (uint16_t i = 0; i < 200; i++) {
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 443);
		pair_connect(&p.a, CLIENT + i, 4001, IPPROTO_UDP, 53);
		pair_put(&p.a, 0, pair_from_client(CLIENT + i, 4002, IPPROTO_TCP, 81, TCP_SYN));
	}
	pair_sent(&p.a, 1, &sent);
	server = pair_connect(&p.a, CLIENT + 777, 4000, IPPROTO_TCP, 80);
	assert_int_equal(write_a(), 200 + 200 + 1 + 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(load_b(NOW + 10, &taken), 0);
	assert_int_equal(taken, 402);
	assert_true(pair_equal(&p));
	assert_int_equal(access(path, F_OK), -1); /* once */
	pair_put(&p.b, 0, pair_from_client(CLIENT + 777, 4000, IPPROTO_TCP, 80, TCP_ACK));
	assert_true(pair_sent(&p.b, 1, &sent));
	assert_int_equal(sent.daddr, server);
	/* The connections age, as any. */
	harness_advance_ms(&p.b, 1000000);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void a_file_of_long_ago_or_of_tomorrow_is_refused(void **state)
{
	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(write_a(), 1);
	assert_int_equal(load_b(NOW + 61, NULL), -ESTALE);
	assert_int_equal(load_b(NOW, NULL), -ENOENT);
	assert_int_equal(write_a(), 1);
	assert_int_equal(load_b(NOW - 1, NULL), -ESTALE);
	assert_int_equal(pair_entries(&p.b), 0);
}

static void within_one_boot_a_wall_clock_that_is_set_does_no_harm(void **state)
{
	const struct sync_file_time written = {.now_s = NOW, .up_s = 500, .boot = {1, 2}};
	struct sync_file_time t = {.boot = {1, 2}};

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(write_at(&written), 1);
	t.now_s = NOW - 100000;
	t.up_s = 560;
	assert_int_equal(load_at(&t, NULL), 0);
	assert_int_equal(write_at(&written), 1);
	t.now_s = NOW;
	t.up_s = 561;
	assert_int_equal(load_at(&t, NULL), -ESTALE);
	assert_int_equal(write_at(&written), 1);
	t.up_s = 499;
	assert_int_equal(load_at(&t, NULL), -ESTALE);
	/* Another boot: only the wall clock can tell. */
	t.boot[0] = 9;
	t.up_s = 3;
	assert_int_equal(write_at(&written), 1);
	assert_int_equal(load_at(&t, NULL), 0);
	t.now_s = NOW + 61;
	assert_int_equal(write_at(&written), 1);
	assert_int_equal(load_at(&t, NULL), -ESTALE);
}

static void a_file_that_others_could_have_written_is_refused(void **state)
{
	char other[128];

	(void)state;
	pair_connect(&p.a, CLIENT, 4000, IPPROTO_TCP, 80);
	assert_int_equal(write_a(), 1);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(load_b(NOW, NULL), -EPERM);
	assert_int_equal(write_a(), 1);
	snprintf(other, sizeof(other), "%s.real", path);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(load_b(NOW, NULL), -ELOOP);
	unlink(other);
	assert_int_equal(pair_entries(&p.b), 0);
}

static size_t slurp(uint8_t *bytes, size_t max)
{
	FILE *f = fopen(path, "r");
	size_t n = fread(bytes, 1, max, f);

	fclose(f);
	return n;
}

static void spill(const uint8_t *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static void a_changed_or_cut_file_is_refused_whole(void **state)
{
	static uint8_t good[65536], bad[65536];
	size_t n;

	(void)state;
	for (uint16_t i = 0; i < 20; i++)
		pair_connect(&p.a, CLIENT + i, 4000, IPPROTO_TCP, i % 2 ? 80 : 443);
	write_a();
	n = slurp(good, sizeof(good));
	for (size_t i = 0; i < n; i++) {
		memcpy(bad, good, n);
		bad[i] ^= (uint8_t)(1 + i % 255);
		spill(bad, n);
		if (i < 24 || i >= 32) /* its time may be another */
			assert_int_equal(load_b(NOW, NULL), -EBADMSG);
		spill(good, i);
		assert_int_equal(load_b(NOW, NULL), -EBADMSG);
	}
	spill(good, n);
	assert_int_equal(load_b(NOW, NULL), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_router_that_starts_again_has_its_connections),
		T(a_file_of_long_ago_or_of_tomorrow_is_refused),
		T(within_one_boot_a_wall_clock_that_is_set_does_no_harm),
		T(a_file_that_others_could_have_written_is_refused),
		T(a_changed_or_cut_file_is_refused_whole),
	};

	return eal_run(0, 400, tests);
}
