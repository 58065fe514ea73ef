/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_SOCKADDR_H
#define PLVS_BASE_SOCKADDR_H

/* An endpoint as a socket address. Context: any. */

#include <sys/socket.h>

#include "base/addr.h"

/* The length of the address in *out; 0: the endpoint has no family. */
socklen_t endpoint_sockaddr(const struct endpoint *ep, struct sockaddr_storage *out);

#endif
