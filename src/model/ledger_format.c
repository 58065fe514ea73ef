/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/ledger_format.h"

#include <string.h>

#include "base/hash_table.h"
#include "model/conn_state.h"
#include "model/service.h"

static uint64_t pages(uint64_t bytes)
{
	return (bytes + LEDGER_PAGE - 1) / LEDGER_PAGE * LEDGER_PAGE;
}

void ledger_parts(uint32_t n_workers, uint32_t capacity, struct ledger_parts *out)
{
	const uint64_t rows = LEDGER_ROWS(capacity);

	*out = (struct ledger_parts){.servers = LEDGER_PAGE};
	out->workers =
		out->servers + pages(sizeof(struct ledger_server) * ((uint64_t)MAX_SERVERS + 1));
	out->rows6 = pages(sizeof(struct ledger_row4) * rows);
	out->ftp = out->rows6 + pages(sizeof(struct ledger_row6) * rows);
	out->worker_bytes =
		out->ftp + pages(sizeof(struct ledger_ftp_row) * (uint64_t)LEDGER_FTP_ROWS);
	out->bytes = out->workers + out->worker_bytes * n_workers;
}

/* A hash of the numbers and names on which the meaning of a row depends. */
uint64_t ledger_layout(void)
{
	const uint32_t numbers[] = {
		sizeof(struct ledger_header),
		offsetof(struct ledger_header, layout),
		offsetof(struct ledger_header, boot),
		offsetof(struct ledger_header, n_workers),
		offsetof(struct ledger_header, capacity),
		offsetof(struct ledger_header, alive_us),
		offsetof(struct ledger_header, duty),
		offsetof(struct ledger_header, starts),
		sizeof(struct ledger_row4),
		offsetof(struct ledger_row4, daddr),
		offsetof(struct ledger_row4, caddr),
		offsetof(struct ledger_row4, vaddr),
		offsetof(struct ledger_row4, server),
		offsetof(struct ledger_row4, dport),
		offsetof(struct ledger_row4, cport),
		offsetof(struct ledger_row4, vport),
		offsetof(struct ledger_row4, proto),
		offsetof(struct ledger_row4, method),
		offsetof(struct ledger_row4, tail),
		sizeof(struct ledger_row6),
		offsetof(struct ledger_row6, daddr),
		offsetof(struct ledger_row6, caddr),
		offsetof(struct ledger_row6, vaddr),
		offsetof(struct ledger_row6, server),
		offsetof(struct ledger_row6, dport),
		offsetof(struct ledger_row6, cport),
		offsetof(struct ledger_row6, vport),
		offsetof(struct ledger_row6, proto),
		offsetof(struct ledger_row6, method),
		offsetof(struct ledger_row6, tail),
		offsetof(union ledger_tail, check),
		offsetof(union ledger_tail, state),
		offsetof(union ledger_tail, flags),
		offsetof(union ledger_tail, proxy),
		sizeof(struct ledger_server),
		sizeof(struct sync_server),
		offsetof(struct sync_server, service.proto),
		offsetof(struct sync_server, service.port),
		offsetof(struct sync_server, service.mark),
		offsetof(struct sync_server, service.addr),
		offsetof(struct sync_server, addr),
		offsetof(struct sync_server, port),
		sizeof(struct addr),
		offsetof(struct addr, family),
		offsetof(struct addr, v6),
		sizeof(struct ledger_ftp_row),
		sizeof(struct sync_event),
		offsetof(struct sync_event, caddr6),
		offsetof(struct sync_event, vaddr6),
		offsetof(struct sync_event, lport),
		offsetof(struct sync_event, pos),
		offsetof(struct sync_event, before),
		offsetof(struct sync_event, after),
		offsetof(struct sync_event, left_s),
		offsetof(struct sync_event, data_cport),
		offsetof(struct sync_event, data_port),
		offsetof(struct sync_event, data_lport),
		offsetof(struct sync_event, cport),
		offsetof(struct sync_event, vport),
		offsetof(struct sync_event, proto),
		offsetof(struct sync_event, kind),
		offsetof(struct sync_event, flags),
		SYNC_KIND_MAX,
		SYNC_FTP_SEQ,
		SYNC_FTP_EXPECT,
		SYNC_F_FTP,
		SYNC_F_ASSURED,
		SYNC_F_V6,
		SYNC_F_CLIENT,
		LEDGER_F_THROUGH,
		LEDGER_F_LOCAL,
		LEDGER_F_OTHER,
		PROXY_VERSION,
		PROXY_DONE,
		LEDGER_FTP_ROWS,
		LEDGER_ROWS(1000),
		MAX_SERVERS,
	};
	uint64_t h = hash_bytes(HASH_START, numbers, sizeof(numbers));

	for (unsigned int i = 0; i < CONN_STATE_MAX; i++)
		h = hash_bytes(h, conn_state_names[i], strlen(conn_state_names[i]) + 1);
	for (unsigned int i = 0; i < FWD_MAX; i++)
		h = hash_bytes(h, forward_names[i], strlen(forward_names[i]) + 1);
	return h;
}

uint32_t ledger_server_check(const struct sync_server *s, uint32_t id)
{
	const uint64_t h = hash_bytes(hash_bytes(HASH_START, &id, sizeof(id)), s, sizeof(*s));

	return (uint32_t)(h ^ h >> 32) | 1;
}

uint64_t ledger_ftp_check(const struct ledger_ftp_row *row, uint32_t index)
{
	return hash_bytes(hash_bytes(HASH_START, &index, sizeof(index)), row,
			  offsetof(struct ledger_ftp_row, check)) |
	       1;
}
