/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/fleet_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ha/wire/keys.h"

/* The label that tells these secrets from everything else made of the same keys. */
static const char purpose[] = "plvs control connections between the members of a fleet, 1";

struct fleet_keys {
	struct tls_psk psk;
	SSL_CTX *server, *client;
};

int fleet_keys_create(const char *path, struct fleet_keys **out, char error[ERROR_TEXT])
{
	struct fleet_keys *k = calloc(1, sizeof(*k));
	struct ha_keys keys = {0};
	int ret =
		k ? ha_keys_load(&keys, path, error) : error_text(error, -ENOMEM, "out of memory");

	for (uint8_t i = 0; ret == 0 && i < keys.n && i < TLS_PSK_KEYS; i++) {
		k->psk.key[i].id = keys.key[i].id;
		k->psk.n++;
		ret = ha_key_mac(&keys.key[i], purpose, sizeof(purpose) - 1, k->psk.key[i].secret);
		if (ret < 0)
			error_text(error, ret, "%s: the library makes no secret", path);
	}
	ha_keys_fini(&keys);
	if (ret == 0) {
		k->server = tls_psk_create(&k->psk, true);
		k->client = tls_psk_create(&k->psk, false);
		if (!k->server || !k->client)
			ret = error_text(error, -ENOMEM, "TLS: out of memory");
	}
	if (ret < 0) {
		fleet_keys_destroy(k);
		return ret;
	}
	*out = k;
	return 0;
}

void fleet_keys_destroy(struct fleet_keys *k)
{
	if (!k)
		return;
	SSL_CTX_free(k->server);
	SSL_CTX_free(k->client);
	OPENSSL_cleanse(&k->psk, sizeof(k->psk));
	free(k);
}

SSL_CTX *fleet_keys_server(const struct fleet_keys *k)
{
	return k->server;
}

SSL_CTX *fleet_keys_client(const struct fleet_keys *k)
{
	return k->client;
}
