/* SPDX-License-Identifier: BSD-3-Clause */
/* Passwords, kept as hashes of crypt(5). The hash is of a kind that takes a while: each login is
 * checked in a process of its connection. */
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

#include "telnet/telnetd.h"

/* Compares whole texts whatever they hold. */
static bool equal(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned char diff = la != lb;

	for (size_t i = 0; i < la; i++)
		diff |= (unsigned char)(a[i] ^ b[lb ? i % lb : 0]);
	return diff == 0;
}

const struct telnet_user *telnet_user_check(const struct telnet_config *c, const char *name,
					    const char *password)
{
	/* Of nobody; with this a name that does not exist takes as long as one that does. */
	static const char nobody[] = "$6$0000000000000000$";
	const struct telnet_user *user = NULL;
	struct crypt_data *data = calloc(1, sizeof(*data));
	const char *hash, *got;

	for (size_t i = 0; i < c->n_users; i++)
		if (strcmp(c->users[i].name, name) == 0)
			user = &c->users[i];
	hash = user ? user->hash : c->n_users ? c->users[0].hash : nobody;
	got = data ? crypt_r(password, hash, data) : NULL;
	/* crypt_r() says "*0" or "*1" where the hash is not one. */
	if (!got || got[0] == '*' || !equal(got, hash))
		user = NULL;
	if (data)
		explicit_bzero(data, sizeof(*data));
	free(data);
	return user;
}
