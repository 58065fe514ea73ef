/* SPDX-License-Identifier: BSD-3-Clause */

/* The row of a connection or template of one family: ledger_format.h. */

#define LEDGER_WORDS (FAMILY == 6 ? 8 : 3)

/* Ends in the order of struct conn4, conn6, so that a row of IPv4 is made of whole words of conn4.
 */
struct FAM(ledger_row) {
	union {
		struct {
			FAM_ADDR daddr, caddr, vaddr;
			be16 dport, cport, vport;
			uint8_t proto;
			uint8_t method;
			uint32_t server;
#if FAMILY == 6
			uint32_t zero;
#endif
		};
		uint64_t word[LEDGER_WORDS];
	};
	union ledger_tail tail;
};
_Static_assert(sizeof(struct FAM(ledger_row)) == (FAMILY == 4 ? 32 : 72), "words and tail");

/* The check over words and index; never 0. State and flags are not covered, since they change
 * alone. */
static inline uint32_t FAM_FN(ledger, check)(const uint64_t *word, uint32_t index)
{
	uint64_t h = index + 1;

	for (unsigned int i = 0; i < LEDGER_WORDS; i++)
		h = ledger_check_add(h, word[i]);
	return ledger_check_end(h);
}

/* Reads a row. *out: an event with the server's id in the process that wrote the row. */
static inline enum ledger_row_kind FAM_FN(ledger_row, read)(const struct FAM(ledger_row) *row,
							    uint32_t index, struct sync_event *out)
{
	if (row->tail.check == 0)
		return row->tail.state == LEDGER_BEING_WRITTEN ? LEDGER_ROW_HALF : LEDGER_ROW_EMPTY;
	if (row->tail.check != FAM_FN(ledger, check)(row->word, index))
		return LEDGER_ROW_DAMAGED;
	*out = (struct sync_event){
		.kind = SYNC_PUT,
		.server = row->server,
		.cport = row->cport,
		.vport = row->vport,
		.dport = row->dport,
		.proto = row->proto,
		.method = row->method,
		.state = row->tail.state,
		.proxy = row->tail.proxy,
		.flags = (uint8_t)((row->tail.flags & LEDGER_F_FTP && !row->tail.proxy ? SYNC_F_FTP
										       : 0) |
				   (row->tail.flags & LEDGER_F_ASSURED ? SYNC_F_ASSURED : 0) |
				   (FAMILY == 6 ? SYNC_F_V6 : 0)),
	};
	out->FAM(caddr) = row->caddr;
	out->FAM(vaddr) = row->vaddr;
	out->FAM(daddr) = row->daddr;
	return LEDGER_ROW_SOUND;
}

/* An address of the other family in a row with LEDGER_F_OTHER: 32 bits of it. */
static inline FAM_ADDR FAM_FN(ledger, hashed)(uint32_t hash)
{
#if FAMILY == 4
	return hash;
#else
	return (struct addr6){.word = {hash, 0}};
#endif
}

#undef LEDGER_WORDS
