/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_FLEET_KEYS_H
#define PLVS_CONTROL_FLEET_KEYS_H

/* The secrets of control connections between members, from the keys of node.ha.key_file.
 * Context: control. */

#include "base/error_text.h"
#include "rpc/tls_psk.h"

struct fleet_keys;

/* Reads the file. 0, or -errno with a sentence. */
int fleet_keys_create(const char *path, struct fleet_keys **out, char error[ERROR_TEXT]);
void fleet_keys_destroy(struct fleet_keys *k); /* NULL is allowed */
SSL_CTX *fleet_keys_server(const struct fleet_keys *k);
SSL_CTX *fleet_keys_client(const struct fleet_keys *k);

#endif
