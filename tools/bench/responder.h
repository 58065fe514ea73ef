/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BENCH_RESPONDER_H
#define PLVS_BENCH_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A process that answers checks on every address of loopback, as cheaply as it can:
 * connections are accepted; with talk an HTTP answer follows each request, with tls inside
 * TLS. Its port is in *port. The caller ends it by its id.
 */
pid_t responder_start(bool talk, bool tls, uint16_t *port);

#endif
