/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_RUNTIME_HOSTS_H
#define PLVS_MODEL_RUNTIME_HOSTS_H

/*
 * Real servers by address, whatever their service and port: chains of ids. A change of one server
 * has to look only at the servers with the same address. Context: control.
 */

#include "model/runtime.h"

/* 0 or -ENOMEM. */
int runtime_hosts_init(struct runtime_hosts *h);
void runtime_hosts_fini(struct runtime_hosts *h);
void runtime_hosts_add(struct runtime_hosts *h, const struct server_rt *srv);
void runtime_hosts_del(struct runtime_hosts *h, const struct server_rt *srv);
/* The next server with this address that is not forgotten, after last (NULL: the first); or
 * NULL. */
const struct server_rt *runtime_host_next(const struct runtime *rt, const struct addr *addr,
					  const struct server_rt *last);

#endif
