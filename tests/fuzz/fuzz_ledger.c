/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ha/sync/ledger_file.h"
#include "ha/sync/sync_record.h"

/*
 * Any bytes as a ledger. The first byte says what they are: 0 the whole file, else rows behind a
 * sound header, of IPv4 (1), of IPv6 (2), of FTP (3) or of servers (4). With 16 added, the checks
 * of these rows are put right, so that every field is looked at. Whatever the bytes are, what is
 * taken in is a connection that can be, of a server that is configured.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "fuzz_ledger: not true: %s\n", #what);                     \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define CAPACITY 600
#define OUR_ID	 77

static const uint8_t boot[LEDGER_BOOT_BYTES] = {7};
static struct identity *ident;
static char path[] = "/tmp/plvs-fuzz-ledger.XXXXXX";
static struct ledger_parts parts;
static const struct sync_server server = {
	.service = {.proto = 6, .addr = {.family = ADDR_V4}},
	.addr = {.family = ADDR_V4},
};

static void take(void *arg, const struct sync_event *ops, uint32_t n)
{
	(void)arg;
	for (uint32_t i = 0; i < n; i++) {
		struct sync_event e = ops[i];

		MUST(e.kind != SYNC_PUT || e.server == OUR_ID);
		MUST(sync_event_sound(&e));
	}
}

static struct sync_server server_make(void)
{
	struct sync_server s = server;

	s.service.port = be16_from(80);
	s.service.addr = addr_from_v4(be32_from(0x0a010064));
	s.addr = addr_from_v4(be32_from(0x0a0a0001));
	s.port = be16_from(8080);
	return s;
}

static void finish(void)
{
	unlink(path);
}

static void start(void)
{
	const struct sync_server s = server_make();
	struct identity_update *u = calloc(1, sizeof(*u) + sizeof(u->servers[0]));
	int fd = mkstemp(path);

	MUST(fd >= 0 && u);
	close(fd);
	atexit(finish);
	ident = identity_create();
	u->service_id = 1;
	u->service = s.service;
	u->n = 1;
	u->servers[0] = (struct identity_entry){.id = OUR_ID, .addr = s.addr, .port = s.port};
	MUST(identity_apply(ident, u) == 0);
	free(u);
	ledger_parts(1, CAPACITY, &parts);
}

static void put_at(int fd, const void *bytes, size_t n, uint64_t at)
{
	MUST(pwrite(fd, bytes, n, (off_t)at) == (ssize_t)n);
}

static void header_put(int fd)
{
	struct ledger_header h = {.layout = ledger_layout(),
				  .n_workers = 1,
				  .capacity = CAPACITY,
				  .alive_us = 1000000,
				  .duty = DUTY_SERVES | 3 << DUTY_TERM_SHIFT};
	struct ledger_server row = {.server = server_make()};

	memcpy(h.magic, LEDGER_MAGIC, sizeof(h.magic));
	memcpy(h.boot, boot, sizeof(boot));
	put_at(fd, &h, sizeof(h), 0);
	row.check = ledger_server_check(&row.server, 5);
	put_at(fd, &row, sizeof(row), parts.servers + 5 * sizeof(row));
	MUST(ftruncate(fd, (off_t)parts.bytes) == 0);
}

/* Row i of a kind, from as many bytes as the row has. */
static void row_put(int fd, unsigned int kind, bool right, uint32_t i, const uint8_t *bytes,
		    size_t n)
{
	struct ledger_row4 r4 = {.server = 5};
	struct ledger_row6 r6 = {.server = 5};
	struct ledger_ftp_row ftp = {.check = 0};
	struct ledger_server srv = {.check = 0};

	if (kind == 1) {
		memcpy(&r4, bytes, n < sizeof(r4) ? n : sizeof(r4));
		if (right)
			r4.tail.check = ledger4_check(r4.word, i);
		put_at(fd, &r4, sizeof(r4), parts.workers + parts.rows4 + i * sizeof(r4));
	} else if (kind == 2) {
		memcpy(&r6, bytes, n < sizeof(r6) ? n : sizeof(r6));
		if (right)
			r6.tail.check = ledger6_check(r6.word, i);
		put_at(fd, &r6, sizeof(r6), parts.workers + parts.rows6 + i * sizeof(r6));
	} else if (kind == 3) {
		memcpy(&ftp, bytes, n < sizeof(ftp) ? n : sizeof(ftp));
		if (right)
			ftp.check = ledger_ftp_check(&ftp, i);
		put_at(fd, &ftp, sizeof(ftp), parts.workers + parts.ftp + i * sizeof(ftp));
	} else {
		memcpy(&srv, bytes, n < sizeof(srv) ? n : sizeof(srv));
		if (right)
			srv.check = ledger_server_check(&srv.server, i);
		put_at(fd, &srv, sizeof(srv), parts.servers + i * sizeof(srv));
	}
}

static size_t row_bytes(unsigned int kind)
{
	return kind == 1   ? sizeof(struct ledger_row4)
	       : kind == 2 ? sizeof(struct ledger_row6)
	       : kind == 3 ? sizeof(struct ledger_ftp_row)
			   : sizeof(struct ledger_server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ledger_file_read r = {
		.now_us = 2000000, .max_age_ms = 5000, .take = take, .identity = NULL};
	const unsigned int kind = size ? data[0] & 15 : 0;
	const bool right = size && data[0] & 16;
	char error[ERROR_TEXT];
	int fd, ret;

	if (!ident)
		start();
	r.identity = ident;
	memcpy(r.boot, boot, sizeof(boot));
	fd = open(path, O_RDWR | O_TRUNC);
	MUST(fd >= 0);
	if (kind >= 1 && kind <= 4) {
		const size_t row = row_bytes(kind);

		header_put(fd);
		for (uint32_t i = 1; i <= CAPACITY && 1 + (i - 1) * row < size; i++) {
			const size_t left = size - 1 - (i - 1) * row;

			row_put(fd, kind, right, i, data + 1 + (i - 1) * row,
				left < row ? left : row);
		}
	} else if (size > 1) {
		put_at(fd, data + 1, size - 1, 0);
	}
	ret = ledger_file_load(path, &r, error);
	MUST(ret <= 0);
	MUST(ret == 0 || r.taken == 0);
	MUST(kind < 1 || kind > 4 || ret == 0);
	if (r.fd >= 0)
		close(r.fd);
	close(fd);
	return 0;
}
