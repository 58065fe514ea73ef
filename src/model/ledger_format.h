/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_LEDGER_FORMAT_H
#define PLVS_MODEL_LEDGER_FORMAT_H

/*
 * The ledger: connections as a killed process leaves them. A file of a tmpfs, mapped by the router,
 * has a row for each entry of each connection table. Workers write a row where they would tell a
 * peer (dataplane/sync/ledger.h). The next process reads the file (ha/sync/ledger_file.h).
 *
 *	header		one page
 *	servers		struct ledger_server by server id: what the ids of rows mean
 *	for each worker: rows of IPv4, rows of IPv6, rows of FTP control connections
 *
 * Every part begins at a page. A row holds values, no pointers; the server's id is the only number
 * of the writing process, and the table of servers translates it. Numbers are in the order of the
 * machine: the file does not outlive its boot. ledger_layout() is a digest of all sizes, offsets
 * and enumerations: a program with another layout refuses the file.
 *
 * A row that is being written has a check of 0. A thread that is killed stops between two
 * instructions, and the stores before that point remain. So the check is cleared before the first
 * store and set by the last one, with barriers for the compiler between.
 *
 * Context: any; each function says what it writes.
 */

#include <stddef.h>

#include "model/limits.h"
#include "model/sync_event.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words of rows");

#define LEDGER_MAGIC	  "plvs ledger v002" /* 16 bytes */
#define LEDGER_PAGE	  4096U
#define LEDGER_BOOT_BYTES 16
#define LEDGER_FTP_ROWS	  4097U /* of one worker; 0 is not used */
/* Of a table: row 0 is not used, then a row for each entry, for the local end of each entry (full
 * NAT), and for that of each entry of the other family. */
#define LEDGER_ROWS(capacity) (3 * ((uint64_t)(capacity) + 1))
#define LEDGER_STARTS_MAX     5 /* starts in a row that took a ledger up and did not last */

struct ledger_header {
	char magic[16];
	uint64_t layout;		 /* ledger_layout() of the program that wrote it */
	uint8_t boot[LEDGER_BOOT_BYTES]; /* identity of the boot */
	uint32_t n_workers;
	uint32_t capacity; /* of each table of a worker: LEDGER_ROWS() */
	/* --- changed while the router runs --- */
	uint64_t alive_us; /* CLOCK_BOOTTIME: the process ran then */
	uint64_t duty;	   /* as published.duty was then */
	uint32_t starts;   /* starts in a row that took up these connections */
	uint32_t zero;
};

/* published.duty: whether this router serves, whether a peer was heard, and the term. */
#define DUTY_SERVES	1ULL
#define DUTY_PEER_ALIVE 2ULL
#define DUTY_TERM_SHIFT 2

/* Flags of a row. */
#define LEDGER_F_ASSURED 0x01U /* by evidence, as SYNC_F_ASSURED */
#define LEDGER_F_THROUGH 0x10U /* of a template: a client got through under it */
#define LEDGER_F_FTP	 0x80U /* without proxy: an FTP control connection, as SYNC_F_FTP */
/* The row of a local end (full NAT). The row has the connection's key and protocol, the local
 * address and port in daddr and dport, and the index of the connection's row in server. */
#define LEDGER_F_LOCAL 0x20U
/* With LEDGER_F_LOCAL: the connection and its row are in the table of the other family. Hashes of
 * its addresses stand in the places of the addresses. */
#define LEDGER_F_OTHER 0x40U

/* Row state while its worker writes it; no state of a connection. */
#define LEDGER_BEING_WRITTEN 0xffU

/* The end of every row: one store clears it. */
union ledger_tail {
	struct {
		uint32_t check;
		union {
			struct {
				uint8_t state, flags;
			};
			uint16_t change; /* both, in one store */
		};
		uint8_t proxy; /* as struct sync_event has it, never PROXY_SENDING */
		uint8_t zero;
	};
	uint64_t word;
};

/* The kind of a row, as a reader found the row. */
enum ledger_row_kind {
	LEDGER_ROW_EMPTY,
	LEDGER_ROW_SOUND,
	LEDGER_ROW_HALF,    /* its worker was killed while it wrote the row */
	LEDGER_ROW_DAMAGED, /* the check is wrong */
};

struct ledger_server {
	struct sync_server server;
	uint32_t check; /* 0: none */
	uint64_t zero;
};
_Static_assert(sizeof(struct ledger_server) == 64, "whole ones in a page");

/* Of an FTP control connection; kinds are SYNC_NONE where there is nothing. */
struct ledger_ftp_row {
	struct sync_event seq[2]; /* by enum pkt_dir: the client's numbers, the server's */
	struct sync_event expect;
	uint64_t check; /* 0: empty */
	uint64_t zero[6];
};

/* Offsets of the parts in a file. */
struct ledger_parts {
	uint64_t servers, workers;
	uint64_t rows4, rows6, ftp; /* from the beginning of a worker's part */
	uint64_t worker_bytes;
	uint64_t bytes; /* of the file */
};

void ledger_parts(uint32_t n_workers, uint32_t capacity, struct ledger_parts *out);
uint64_t ledger_layout(void);
/* Steps of ledger4_check(), ledger6_check(). */
static inline uint64_t ledger_check_add(uint64_t h, uint64_t word)
{
	return (h ^ word) * 0xd6e8feb86659fd93ULL;
}

static inline uint32_t ledger_check_end(uint64_t h)
{
	return (uint32_t)(h >> 32) | 1;
}

/* Never 0. */
uint32_t ledger_server_check(const struct sync_server *s, uint32_t id);
uint64_t ledger_ftp_check(const struct ledger_ftp_row *row, uint32_t index);

#define FAM_TEMPLATE "model/ledger_format.fam.h"
#include "base/both_families.h"

#endif
