/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TESTS_FAKE_ROUTER_H
#define PLVS_TESTS_FAKE_ROUTER_H

/* A control socket that says what a test tells it to, in this process. */

#include <stddef.h>

struct fake_router;

/* answer: text with "$ID" where the request's id belongs, sent for each request as it is
 * (newlines included); then the connection is closed if close_after. NULL: stays silent. */
struct fake_router *fake_router_start(const char *answer, int close_after);
const char *fake_router_path(const struct fake_router *r);
/* The last request, without its newline. */
const char *fake_router_request(struct fake_router *r);
void fake_router_stop(struct fake_router *r);

#endif
