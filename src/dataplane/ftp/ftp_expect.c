/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ftp/ftp_expect.h"

#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/ftp/ftp.h"

#define WORD_FULL     1ULL
#define WORD_VERSION  2ULL /* one step */
#define WORD_LOW_MASK 0xffffffffULL

/* Folded: whoever picks addresses that meet in one slot is told so by FTP_EXPECT_WAYS. */
static uint64_t fold(const struct addr *a)
{
	uint64_t word[2];

	if (a->family == ADDR_V4)
		return a->v4;
	memcpy(word, a->v6, sizeof(word));
	return (word[0] * 0xd6e8feb86659fd93ULL ^ word[1]) * 0x9e3779b97f4a7c15ULL >> 32;
}

static uint32_t hash_of(const struct addr *client, be16 cport, const struct addr *peer, be16 port)
{
	uint64_t h = (fold(client) << 32 | fold(peer)) * 0x9e3779b97f4a7c15ULL;

	h = (h ^ h >> 32 ^ ((uint32_t)cport << 16 | port)) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(h >> 32);
}

static uint32_t hash_expect(const struct ftp_expect *e)
{
	if (!e->cport)
		return hash_of(&e->caddr, 0, &e->vaddr, e->vport);
	return e->lport ? hash_of(&e->laddr, e->lport, &e->daddr, e->dport)
			: hash_of(&e->caddr, e->cport, &e->daddr, e->dport);
}

static struct ftp_slot *ways(struct ftp_expect_table *t, uint32_t hash)
{
	return &t->slot[hash % (FTP_EXPECT_MAX / FTP_EXPECT_WAYS) * FTP_EXPECT_WAYS];
}

static uint32_t field_read(const struct ftp_slot *s, size_t offset)
{
	return __atomic_load_n(&s->field[offset / 4], __ATOMIC_RELAXED);
}

/* s is full. */
static bool slot_assured(const struct ftp_slot *s)
{
	const size_t at = offsetof(struct ftp_expect, assured);
	const uint32_t field = field_read(s, at);
	uint16_t assured;

	memcpy(&assured, (const uint8_t *)&field + at % 4, sizeof(assured));
	return assured;
}

/* Only the worker that the table belongs to fills slots. */
static void slot_fill(struct ftp_slot *s, const struct ftp_expect *e, uint32_t hash,
		      struct ftp_ticket *out)
{
	uint64_t word = __atomic_load_n(&s->word, __ATOMIC_RELAXED);
	uint32_t field[sizeof(*e) / 4];

	word = (word + WORD_VERSION) & WORD_LOW_MASK & ~WORD_FULL;
	/* An exchange, because a reader may empty the slot at the same time. */
	__atomic_exchange_n(&s->word, word, __ATOMIC_ACQ_REL);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(field, e, sizeof(*e));
	for (size_t i = 0; i < sizeof(*e) / 4; i++)
		__atomic_store_n(&s->field[i], field[i], __ATOMIC_RELAXED);
	word = (uint64_t)hash << 32 | word | WORD_FULL;
	__atomic_store_n(&s->word, word, __ATOMIC_RELEASE);
	*out = (struct ftp_ticket){.word = word, .slot = s};
}

/* A free slot, else the oldest that gives way, else NULL. */
static struct ftp_slot *slot_for(struct worker *w, uint32_t hash)
{
	struct ftp_slot *s = ways(&w->ftp->expected, hash), *oldest = NULL;
	uint32_t oldest_until = 0;

	for (unsigned int i = 0; i < FTP_EXPECT_WAYS; i++, s++) {
		const uint64_t word = __atomic_load_n(&s->word, __ATOMIC_RELAXED);
		const uint32_t until = field_read(s, offsetof(struct ftp_expect, until));

		if (!(word & WORD_FULL) || (int32_t)(until - w->env.now_tick) <= 0)
			return s;
		if (!slot_assured(s) && (!oldest || (int32_t)(until - oldest_until) < 0)) {
			oldest = s;
			oldest_until = until;
		}
	}
	if (oldest)
		w->counters.ftp_full++;
	return oldest;
}

bool ftp_expect_add(struct worker *w, const struct ftp_expect *e, struct ftp_ticket *out)
{
	const uint32_t hash = hash_expect(e);
	struct ftp_slot *s = slot_for(w, hash);

	if (!s)
		return false;
	slot_fill(s, e, hash, out);
	if (!ftp_expecting(w) ||
	    (int32_t)(e->until - __atomic_load_n(&w->dp->ftp_until, __ATOMIC_RELAXED)) > 0)
		__atomic_store_n(&w->dp->ftp_until, e->until, __ATOMIC_RELEASE);
	return true;
}

void ftp_expect_end(struct ftp_ticket *t)
{
	uint64_t word = t->word;

	if (word)
		__atomic_compare_exchange_n(&t->slot->word, &word,
					    (word + WORD_VERSION) & WORD_LOW_MASK & ~WORD_FULL,
					    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	t->word = 0;
}

/* Copies the fields of a slot. False: the slot does not hold the expectation of `hash`, or changed
 * meanwhile. */
static bool slot_read(struct ftp_slot *s, uint32_t hash, struct ftp_expect *out, uint64_t *word)
{
	uint32_t field[sizeof(*out) / 4];

	*word = __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);
	if (!(*word & WORD_FULL) || *word >> 32 != hash)
		return false;
	for (size_t i = 0; i < sizeof(*out) / 4; i++)
		field[i] = __atomic_load_n(&s->field[i], __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&s->word, __ATOMIC_RELAXED) != *word)
		return false;
	memcpy(out, field, sizeof(*out));
	return true;
}

bool ftp_expect_read(const struct ftp_ticket *t, struct ftp_expect *out)
{
	uint64_t word;

	return t->word && slot_read(t->slot, (uint32_t)(t->word >> 32), out, &word) &&
	       word == t->word;
}

static bool is_for(const struct ftp_expect *e, const struct addr *client, be16 cport,
		   const struct addr *peer, be16 port)
{
	if (!cport)
		return e->cport == 0 && addr_equal(&e->caddr, client) &&
		       addr_equal(&e->vaddr, peer) && e->vport == port;
	return e->cport && cport == (e->lport ? e->lport : e->cport) &&
	       addr_equal(e->lport ? &e->laddr : &e->caddr, client) &&
	       addr_equal(&e->daddr, peer) && e->dport == port;
}

bool ftp_expect_find(struct worker *w, const struct addr *client, be16 cport,
		     const struct addr *peer, be16 port, struct ftp_expect *out,
		     struct ftp_ticket *ticket)
{
	const uint32_t hash = hash_of(client, cport, peer, port);
	bool found = false;

	for (unsigned int i = 0; i < w->n_workers; i++) {
		struct ftp_slot *s = ways(&w->dp->workers[i]->ftp->expected, hash);

		for (unsigned int k = 0; k < FTP_EXPECT_WAYS; k++, s++) {
			struct ftp_expect e;
			uint64_t word;

			if (!slot_read(s, hash, &e, &word) ||
			    !is_for(&e, client, cport, peer, port) ||
			    (int32_t)(e.until - w->env.now_tick) <= 0 ||
			    (found && (int32_t)(e.until - out->until) <= 0))
				continue;
			*out = e;
			*ticket = (struct ftp_ticket){.word = word, .slot = s};
			found = true;
		}
	}
	return found;
}
