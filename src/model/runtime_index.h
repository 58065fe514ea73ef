/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_RUNTIME_INDEX_H
#define PLVS_MODEL_RUNTIME_INDEX_H

/* Ids of run-time objects: ids that are free, and ids by the hash of an object's identity (open
 * addressing). Context: control. */

#include "model/runtime.h"

/* The hash of the identity of the object with this id. */
typedef uint32_t runtime_hash(const struct runtime *rt, uint32_t id);

/* Needs a free slot: runtime_index_reserve(). */
void runtime_index_put(struct runtime_index *ix, uint32_t hash, uint32_t id);
/* Room for one more, with half of the slots left free. 0 or -ENOMEM. */
int runtime_index_reserve(const struct runtime *rt, struct runtime_index *ix,
			  runtime_hash *hash_of);
/* Removes id, which is in the index, and closes the gap, so that no search ends early. */
void runtime_index_del(const struct runtime *rt, struct runtime_index *ix, runtime_hash *hash_of,
		       uint32_t id);

/* A free id from 1 to max, or 0. The bit is set. */
uint32_t runtime_id_take(uint64_t *used, uint32_t *hint, uint32_t max);
void runtime_id_release(uint64_t *used, uint32_t id);

#endif
