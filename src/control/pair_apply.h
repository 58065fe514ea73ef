/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PAIR_APPLY_H
#define PLVS_CONTROL_PAIR_APPLY_H

/*
 * A configuration as a whole, applied in a pair. While this router stands by and hears the active
 * one, whose configuration is the same, the active router carries out the shared part, as it does
 * other changes (push_request()), and sends its version here. The node part is each router's own.
 *
 * Context: the control thread.
 */

struct apply_order;
struct control;
struct rpc_request;

/* As apply_start(), at the router that has to apply. order: APPLY_SWAP, from a text, a file or an
 * earlier version. */
void pair_apply(struct control *c, struct rpc_request *req, const struct apply_order *order);

#endif
