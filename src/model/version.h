/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_VERSION_H
#define PLVS_MODEL_VERSION_H

/*
 * Versions of the shared configuration. A version is a random id, the digest of the configuration,
 * and the ids of its last ancestors. Two routers compare versions to find out which of their
 * configurations is derived from the other. No clock, no counter and no node's name takes part, so
 * that a node restored from a backup and a cloned node do no harm.
 *
 * A version decides no role, no term and no lease.
 *
 * Pure. Context: any.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VERSION_ANCESTORS    256
#define VERSION_DIGEST_BYTES 32
#define VERSION_ID_BYTES     16
#define VERSION_ID_STRLEN    (2 * VERSION_ID_BYTES + 1)

/* Random. All zero: none. */
struct version_id {
	uint8_t byte[VERSION_ID_BYTES];
};

struct version {
	struct version_id id;
	uint8_t digest[VERSION_DIGEST_BYTES];
	uint32_t n_ancestors;
	struct version_id ancestor[VERSION_ANCESTORS]; /* the youngest first */
};

/* The judgement of the sender of a heartbeat on the receiver's version. */
enum version_judgement {
	VERSION_NOT_JUDGED = 0,
	VERSION_IS_ANCESTOR = 1, /* of the sender's */
	VERSION_IS_FOREIGN = 2,
};

/* The versions in a heartbeat. */
struct version_word {
	struct version_id id; /* of the sender's configuration; none: the sender has no versions */
	uint8_t digest[VERSION_DIGEST_BYTES];
	struct version_id judged; /* the receiver's version, as the sender heard it last */
	enum version_judgement judgement;
};

enum version_relation {
	VERSION_NONE,	    /* one of the two routers has no versions */
	VERSION_PENDING,    /* the peer has not judged the version here yet */
	VERSION_EQUAL,	    /* the same version, or the same digest */
	VERSION_PEER_OLDER, /* the peer's is an ancestor of the one here: the peer takes this one */
	VERSION_PEER_NEWER, /* the one here is an ancestor of the peer's: taken from the peer */
	VERSION_DIVERGED,   /* neither is derived from the other: a person decides */
};

static inline bool version_id_equal(const struct version_id *a, const struct version_id *b)
{
	return memcmp(a->byte, b->byte, sizeof(a->byte)) == 0;
}

static inline bool version_id_is_none(const struct version_id *id)
{
	static const struct version_id none;

	return version_id_equal(id, &none);
}

/* "equal" */
const char *version_relation_name(enum version_relation relation);

/* True: id is an ancestor of v. */
bool version_has(const struct version *v, const struct version_id *id);
/* The relation of the peer's version in *word to *mine. */
enum version_relation version_relate(const struct version *mine, const struct version_word *word);
/* The judgement of a router that has *mine on the peer's version id. */
enum version_judgement version_judge(const struct version *mine, const struct version_id *id);
/* *child comes after *parent. also: NULL, or another ancestor, so that the child takes the place
 * of both. The oldest ancestors are forgotten. child may be parent. */
void version_child(const struct version *parent, const struct version_id *id,
		   const uint8_t digest[VERSION_DIGEST_BYTES], const struct version_id *also,
		   struct version *child);
/* Adds an ancestor, unless id is one already or is the id of v. True: v changed. */
bool version_add_ancestor(struct version *v, const struct version_id *id);
/* True: a router may replace *mine by *other without a loss. Versions of equal digest replace each
 * other, unless *other is an ancestor: a version on trial never replaces its confirmation. */
bool version_may_replace(const struct version *mine, const struct version *other);

char *version_id_format(const struct version_id *id, char buf[VERSION_ID_STRLEN]);
/* False: not 32 hex digits, or all zero. */
bool version_id_parse(const char *text, struct version_id *id);

#endif
