/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/sync/ledger_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error_text.h"
#include "base/own_user.h"
#include "ha/sync/sync_record.h"
#include "model/service.h"

#define TERM_MAX     (UINT64_C(1) << 62 >> DUTY_TERM_SHIFT)
#define CAPACITY_MAX ((1U << 26) - 1)
#define OPS_STEP     64
#define READ_ROWS    1024
#define WAIT_STEP_MS 20
#define NOT_KNOWN    UINT32_MAX

struct reader {
	struct ledger_file_read *r;
	struct ledger_parts parts;
	uint32_t n_workers, n_rows;
	uint64_t worker;   /* where the part of the worker at hand begins in the file */
	uint32_t *servers; /* [MAX_SERVERS + 1]: our id, 0: not configured, NOT_KNOWN */
	struct sync_event ops[OPS_STEP];
	uint32_t n;
	/* Rows of one kind. Their sizes are multiples of 8. */
	uint8_t rows[READ_ROWS * sizeof(struct ledger_ftp_row)] __attribute__((aligned(8)));
};

static int fail(char error[ERROR_TEXT], int ret, const char *path, const char *what)
{
	return error_text(error, ret, "%.120s: %.120s", path, what ? what : strerror(-ret));
}

/* Bytes read, up to the end of the file. */
static size_t read_at(int fd, void *buf, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		const ssize_t n = pread(fd, (uint8_t *)buf + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* ---- what a ledger says of itself ---- */

static int lock(int fd, uint32_t wait_ms)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};

	for (uint32_t waited = 0;; waited += WAIT_STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (waited >= wait_ms)
			return -EBUSY;
		nanosleep(&step, NULL);
	}
}

static int look_age(const struct ledger_header *h, const char *path, struct ledger_file_read *r,
		    char *error)
{
	static const uint8_t unknown[LEDGER_BOOT_BYTES];

	if (memcmp(h->boot, r->boot, sizeof(h->boot)) != 0 ||
	    memcmp(h->boot, unknown, sizeof(h->boot)) == 0)
		return fail(error, -ESTALE, path, "of another boot of this machine");
	if (h->alive_us > r->now_us)
		return fail(error, -ESTALE, path, "of a time to come");
	r->age_ms = (r->now_us - h->alive_us) / 1000;
	return 0;
}

static int look_duty(const struct ledger_header *h, const char *path, struct ledger_file_read *r,
		     char *error)
{
	char text[120];

	r->term = h->duty >> DUTY_TERM_SHIFT;
	if (!(h->duty & DUTY_SERVES))
		return fail(error, -EHOSTUNREACH, path, "its router was not active");
	if (h->duty & DUTY_PEER_ALIVE)
		return fail(error, -EHOSTUNREACH, path,
			    "the peer was heard, and may have been active since");
	if (r->term > TERM_MAX)
		return fail(error, -EBADMSG, path, "its term cannot be");
	if (r->age_ms > r->max_age_ms) {
		snprintf(text, sizeof(text),
			 "its router ran %" PRIu64 " ms ago, and %u ms are allowed", r->age_ms,
			 r->max_age_ms);
		return fail(error, -ESTALE, path, text);
	}
	return 0;
}

static int look(int fd, const char *path, struct ledger_file_read *r, struct reader *in,
		char *error)
{
	struct ledger_header h;
	struct stat st;
	int ret;

	if (fstat(fd, &st) != 0)
		return fail(error, -errno, path, NULL);
	if (!S_ISREG(st.st_mode) || !own_user_is(st.st_uid) || (st.st_mode & 0077))
		return fail(error, -EPERM, path, "not a file that only this user can have written");
	ret = lock(fd, r->wait_ms);
	if (ret != 0)
		return fail(error, ret, path, ret == -EBUSY ? "another router has it" : NULL);
	if (read_at(fd, &h, sizeof(h), 0) != sizeof(h) ||
	    memcmp(h.magic, LEDGER_MAGIC, sizeof(h.magic)) != 0)
		return fail(error, -EBADMSG, path, "not a ledger of connections");
	if (h.layout != ledger_layout())
		return fail(error, -EBADMSG, path, "of a plvs with another layout of its rows");
	if (h.n_workers == 0 || h.n_workers > MAX_WORKERS || h.capacity == 0 ||
	    h.capacity > CAPACITY_MAX)
		return fail(error, -EBADMSG, path, "its sizes cannot be");
	ledger_parts(h.n_workers, h.capacity, &in->parts);
	in->n_workers = h.n_workers;
	in->n_rows = (uint32_t)LEDGER_ROWS(h.capacity);
	if ((uint64_t)st.st_size != in->parts.bytes)
		return fail(error, -EBADMSG, path, "not as long as it says");
	ret = look_age(&h, path, r, error);
	if (ret == 0)
		ret = look_duty(&h, path, r, error);
	if (ret != 0)
		return ret;
	/* Counted before the first row is looked at: what ends this process ends it here. */
	r->starts = h.starts + 1;
	if (h.starts >= LEDGER_STARTS_MAX)
		return fail(error, -ELOOP, path,
			    "five starts in a row did not last with its connections");
	if (pwrite(fd, &r->starts, sizeof(r->starts), offsetof(struct ledger_header, starts)) !=
	    sizeof(r->starts))
		return fail(error, -EIO, path, NULL);
	return 0;
}

/* ---- rows ---- */

static void op_give(struct reader *in, const struct sync_event *op)
{
	in->ops[in->n++] = *op;
	if (in->n < OPS_STEP)
		return;
	in->r->take(in->r->arg, in->ops, in->n);
	in->n = 0;
}

/* The server that an id of the old process means, by our id; 0: none. */
static uint32_t server_of(int fd, struct reader *in, uint32_t id, bool *sound)
{
	struct ledger_server row;

	*sound = id != 0 && id <= MAX_SERVERS;
	if (!*sound)
		return 0;
	if (in->servers[id] != NOT_KNOWN)
		return in->servers[id];
	*sound = read_at(fd, &row, sizeof(row), in->parts.servers + sizeof(row) * (uint64_t)id) ==
			 sizeof(row) &&
		 row.check == ledger_server_check(&row.server, id);
	if (*sound)
		in->servers[id] = identity_find(in->r->identity, &row.server);
	return *sound ? in->servers[id] : 0;
}

static void count_row(struct reader *in, enum ledger_row_kind kind)
{
	in->r->half += kind == LEDGER_ROW_HALF;
	in->r->damaged += kind == LEDGER_ROW_DAMAGED;
}

static void put_take(int fd, struct reader *in, enum ledger_row_kind kind, struct sync_event *e,
		     uint8_t flags)
{
	bool sound;

	if (kind == LEDGER_ROW_SOUND && !sync_event_sound(e))
		kind = LEDGER_ROW_DAMAGED;
	if (kind != LEDGER_ROW_SOUND) {
		count_row(in, kind);
		return;
	}
	/* No client got through under it: it is worth no more than a SYN. */
	if ((e->proto & RECORD_TEMPLATE) && !(flags & LEDGER_F_THROUGH))
		return;
	e->server = server_of(fd, in, e->server, &sound);
	in->r->damaged += !sound;
	in->r->unknown += sound && e->server == 0;
	if (e->server == 0)
		return;
	in->r->taken++;
	op_give(in, e);
}

/* Full NAT: the row of the local end names the row of the connection. *e, as the former says,
 * becomes the connection with its local port. The connection may have ended since: no row. */
static enum ledger_row_kind local_join(struct sync_event *e, enum ledger_row_kind kind,
				       const struct sync_event *conn)
{
	struct sync_event whole = *conn;

	if (kind != LEDGER_ROW_SOUND)
		return kind;
	if (!sync_event_same(e, conn) || conn->method != e->method)
		return LEDGER_ROW_EMPTY;
	whole.laddr6 = e->daddr6;
	whole.lport = e->dport;
	*e = whole;
	return kind;
}

/* Asked before the row's values are checked: the method may be any byte. */
static bool is_local(const struct sync_event *e)
{
	return e->method < FWD_MAX && forward_has(e->method, FORWARD_BY_LOCAL) &&
	       !(e->proto & RECORD_TEMPLATE);
}

static bool row_at(int fd, const struct reader *in, uint64_t rows, uint32_t index, void *row,
		   size_t size)
{
	return index && index < in->n_rows &&
	       read_at(fd, row, size, in->worker + rows + (uint64_t)index * size) == size;
}

static bool row4_at(int fd, const struct reader *in, uint32_t index, struct ledger_row4 *row)
{
	return row_at(fd, in, in->parts.rows4, index, row, sizeof(*row));
}

static bool row6_at(int fd, const struct reader *in, uint32_t index, struct ledger_row6 *row)
{
	return row_at(fd, in, in->parts.rows6, index, row, sizeof(*row));
}

/* As local_join(), for a connection of the other family than that of the local end: hashes of its
 * addresses are as the row says. */
static enum ledger_row_kind other_join(struct sync_event *e, enum ledger_row_kind kind,
				       const struct sync_event *conn, bool same_addresses)
{
	struct sync_event whole = *conn;

	if (kind != LEDGER_ROW_SOUND)
		return kind;
	if (!same_addresses || e->cport != conn->cport || e->vport != conn->vport ||
	    e->proto != conn->proto || e->method != conn->method)
		return LEDGER_ROW_EMPTY;
	whole.laddr6 = e->daddr6;
	whole.lport = e->dport;
	whole.flags |= SYNC_F_OTHER;
	*e = whole;
	return kind;
}

/* An IPv4 server of an IPv6 client. */
static void cross4_take(int fd, struct reader *in, const struct ledger_row4 *row,
			struct sync_event *e)
{
	enum ledger_row_kind kind;
	struct ledger_row6 other;
	struct sync_event conn;

	if (!row6_at(fd, in, row->server, &other))
		return;
	kind = ledger_row6_read(&other, row->server, &conn);
	kind = other_join(e, kind, &conn,
			  row->caddr == ledger4_hashed(addr6_hash(other.caddr)) &&
				  row->vaddr == ledger4_hashed(addr6_hash(other.vaddr)));
	put_take(fd, in, kind, e, other.tail.flags);
}

/* An IPv6 server of an IPv4 client. */
static void cross6_take(int fd, struct reader *in, const struct ledger_row6 *row,
			struct sync_event *e)
{
	enum ledger_row_kind kind;
	struct ledger_row4 other;
	struct sync_event conn;

	if (!row4_at(fd, in, row->server, &other))
		return;
	kind = ledger_row4_read(&other, row->server, &conn);
	kind = other_join(e, kind, &conn,
			  addr6_equal(row->caddr, ledger6_hashed(addr4_hash(other.caddr))) &&
				  addr6_equal(row->vaddr, ledger6_hashed(addr4_hash(other.vaddr))));
	put_take(fd, in, kind, e, other.tail.flags);
}

static void row4_take(int fd, struct reader *in, const void *bytes, uint32_t index)
{
	const struct ledger_row4 *row = bytes;
	enum ledger_row_kind kind;
	struct ledger_row4 other;
	struct sync_event e, conn;

	kind = ledger_row4_read(row, index, &e);
	if (kind != LEDGER_ROW_SOUND || !is_local(&e)) {
		put_take(fd, in, kind, &e, row->tail.flags);
	} else if (row->tail.flags & LEDGER_F_OTHER) {
		cross4_take(fd, in, row, &e);
	} else if ((row->tail.flags & LEDGER_F_LOCAL) && row4_at(fd, in, row->server, &other)) {
		kind = ledger_row4_read(&other, row->server, &conn);
		put_take(fd, in, local_join(&e, kind, &conn), &e, other.tail.flags);
	}
}

static void row6_take(int fd, struct reader *in, const void *bytes, uint32_t index)
{
	const struct ledger_row6 *row = bytes;
	enum ledger_row_kind kind;
	struct ledger_row6 other;
	struct sync_event e, conn;

	kind = ledger_row6_read(row, index, &e);
	if (kind != LEDGER_ROW_SOUND || !is_local(&e)) {
		put_take(fd, in, kind, &e, row->tail.flags);
	} else if (row->tail.flags & LEDGER_F_OTHER) {
		cross6_take(fd, in, row, &e);
	} else if ((row->tail.flags & LEDGER_F_LOCAL) && row6_at(fd, in, row->server, &other)) {
		kind = ledger_row6_read(&other, row->server, &conn);
		put_take(fd, in, local_join(&e, kind, &conn), &e, other.tail.flags);
	}
}

static void ftp_take(int fd, struct reader *in, const void *bytes, uint32_t index)
{
	static const uint8_t kinds[] = {SYNC_FTP_SEQ, SYNC_FTP_SEQ, SYNC_FTP_EXPECT};
	const struct ledger_ftp_row *row = bytes;
	const struct sync_event *events[] = {&row->seq[0], &row->seq[1], &row->expect};
	bool sound = row->check == ledger_ftp_check(row, index);

	(void)fd;
	if (row->check == 0)
		return;
	for (unsigned int i = 0; i < 3; i++)
		sound = sound && (events[i]->kind == SYNC_NONE ||
				  (events[i]->kind == kinds[i] && sync_event_sound(events[i])));
	if (!sound) {
		in->r->damaged++;
		return;
	}
	for (unsigned int i = 0; i < 3; i++)
		if (events[i]->kind != SYNC_NONE)
			op_give(in, events[i]);
}

/* All rows of a part of the file that has memory; holes are nothing but empty rows. */
static void part_take(int fd, struct reader *in, uint64_t begin, uint32_t n, size_t size,
		      void (*row_take)(int fd, struct reader *in, const void *row, uint32_t index))
{
	const uint64_t end = begin + (uint64_t)n * size;

	for (uint64_t i = 1; i < n;) {
		const uint64_t at = begin + i * size;
		const off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		uint64_t got;

		if (data < 0 || (uint64_t)data >= end)
			return;
		if ((uint64_t)data > at) /* rows before it may reach into it */
			i = ((uint64_t)data - begin) / size > i ? ((uint64_t)data - begin) / size
								: i;
		got = read_at(fd, in->rows,
			      size * (n - i < READ_ROWS ? (size_t)(n - i) : READ_ROWS),
			      begin + i * size) /
		      size;
		if (got == 0)
			return;
		for (uint64_t k = 0; k < got; k++)
			row_take(fd, in, in->rows + k * size, (uint32_t)(i + k));
		i += got;
	}
}

static void rows_take(int fd, struct reader *in)
{
	/* An FTP row names a connection, which comes before it. */
	for (uint32_t w = 0; w < in->n_workers; w++) {
		const uint64_t part = in->parts.workers + in->parts.worker_bytes * w;

		in->worker = part;
		part_take(fd, in, part + in->parts.rows4, in->n_rows, sizeof(struct ledger_row4),
			  row4_take);
		part_take(fd, in, part + in->parts.rows6, in->n_rows, sizeof(struct ledger_row6),
			  row6_take);
		part_take(fd, in, part + in->parts.ftp, LEDGER_FTP_ROWS,
			  sizeof(struct ledger_ftp_row), ftp_take);
	}
	if (in->n)
		in->r->take(in->r->arg, in->ops, in->n);
}

static int load(int fd, const char *path, struct ledger_file_read *r, char *error)
{
	struct reader *in = malloc(sizeof(*in));
	int ret;

	if (!in)
		return fail(error, -ENOMEM, path, NULL);
	in->r = r;
	in->n = 0;
	in->servers = malloc(sizeof(*in->servers) * ((size_t)MAX_SERVERS + 1));
	if (in->servers)
		memset(in->servers, 0xff, sizeof(*in->servers) * ((size_t)MAX_SERVERS + 1));
	ret = in->servers ? look(fd, path, r, in, error) : fail(error, -ENOMEM, path, NULL);
	if (ret == 0)
		rows_take(fd, in);
	free(in->servers);
	free(in);
	return ret;
}

int ledger_file_load(const char *path, struct ledger_file_read *r, char error[ERROR_TEXT])
{
	int ret;

	r->taken = r->unknown = r->half = r->damaged = r->age_ms = r->term = 0;
	r->starts = 0;
	r->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (r->fd < 0)
		return fail(error, -errno, path, NULL);
	ret = load(r->fd, path, r, error);
	if (ret == -EBUSY || ret == -EPERM) {
		close(r->fd);
		r->fd = -1;
	}
	return ret;
}
