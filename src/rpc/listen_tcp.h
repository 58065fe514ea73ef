/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_RPC_LISTEN_TCP_H
#define PLVS_RPC_LISTEN_TCP_H

#include "base/addr.h"
#include "base/error_text.h"

/* Listens in the calling thread's namespace; *out: a descriptor that does not block. 0, or -errno
 * with a sentence in error. Context: any. */
int listen_tcp(const struct endpoint *ep, int backlog, int *out, char error[ERROR_TEXT]);

#endif
