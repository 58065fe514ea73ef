/* SPDX-License-Identifier: BSD-3-Clause */
#include "ha/wire/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/error_text.h"
#include "base/own_user.h"

#define FILE_MAX   4096
#define LINE_CHARS 256
#define SEPARATORS " \t\r"
#define KEY_REMEDY                                                                                 \
	": copy the peer's file, or make one for both: openssl rand -hex 32 | sed 's/^/1 hex:/'"

/* A line being read, and where its errors go. */
struct key_line {
	const char *name;
	unsigned int line;
	char *error;
};

static int complain(const struct key_line *at, const char *what)
{
	snprintf(at->error, ERROR_TEXT, "%.120s:%u: %s", at->name, at->line, what);
	return -EINVAL;
}

/* ---- text of a key to bytes; both return how many, or -1 ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hex_decode(const char *text, size_t len, uint8_t out[HA_KEY_BYTES_MAX])
{
	if (len % 2 || len / 2 > HA_KEY_BYTES_MAX)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Padding may be left out. */
static int base64_decode(const char *text, size_t len, uint8_t out[HA_KEY_BYTES_MAX])
{
	uint32_t bits = 0;
	unsigned int n_bits = 0;
	int n = 0;

	while (len && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		int digit = base64_digit(text[i]);

		if (digit < 0 || (n_bits >= 2 && n == HA_KEY_BYTES_MAX))
			return -1;
		bits = bits << 6 | (uint32_t)digit;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		out[n++] = (uint8_t)(bits >> n_bits);
	}
	OPENSSL_cleanse(&bits, sizeof(bits));
	return n;
}

static int key_decode(const char *text, size_t len, uint8_t out[HA_KEY_BYTES_MAX])
{
	int n;

	if (len > 4 && memcmp(text, "hex:", 4) == 0)
		return hex_decode(text + 4, len - 4, out);
	if (len > 7 && memcmp(text, "base64:", 7) == 0)
		return base64_decode(text + 7, len - 7, out);
	n = hex_decode(text, len, out);
	return n >= 0 ? n : base64_decode(text, len, out);
}

/* ---- keys ---- */

static EVP_MAC_CTX *mac_create(const uint8_t *bytes, size_t n)
{
	static char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac); /* the context has a reference */
	if (ctx && EVP_MAC_init(ctx, bytes, n, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

int ha_key_mac(const struct ha_key *key, const void *bytes, size_t n, uint8_t mac[HA_MAC_BYTES])
{
	size_t len = 0;

	if (EVP_MAC_init(key->ctx, NULL, 0, NULL) != 1 || EVP_MAC_update(key->ctx, bytes, n) != 1 ||
	    EVP_MAC_final(key->ctx, mac, &len, HA_MAC_BYTES) != 1 || len != HA_MAC_BYTES)
		return -EIO;
	return 0;
}

const struct ha_key *ha_keys_find(const struct ha_keys *k, uint32_t id)
{
	for (unsigned int i = 0; i < k->n; i++)
		if (k->key[i].id == id)
			return &k->key[i];
	return NULL;
}

void ha_keys_fini(struct ha_keys *k)
{
	for (unsigned int i = 0; i < k->n; i++)
		EVP_MAC_CTX_free(k->key[i].ctx); /* wipes the key */
	memset(k, 0, sizeof(*k));
}

/* ---- the file ---- */

static int key_add(struct ha_keys *k, uint32_t id, const char *text, size_t len,
		   const struct key_line *at)
{
	uint8_t bytes[HA_KEY_BYTES_MAX];
	int n = key_decode(text, len, bytes);
	uint8_t bits = 0;
	EVP_MAC_CTX *ctx;

	if (n < 0)
		return complain(at, "the key is not hex or base64 of at most 64 bytes");
	if (n < HA_KEY_BYTES_MIN) {
		OPENSSL_cleanse(bytes, sizeof(bytes));
		return complain(at, "the key is shorter than 16 bytes");
	}
	for (int i = 0; i < n; i++)
		bits |= bytes[i];
	if (bits == 0)
		return complain(at, "the key is all zeros");
	ctx = mac_create(bytes, (size_t)n);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (!ctx)
		return -ENOMEM;
	k->key[k->n].id = id;
	k->key[k->n++].ctx = ctx;
	return 0;
}

/* A line without comment and spaces round it; empty ones are skipped. */
static int line_parse(struct ha_keys *k, char *line, const struct key_line *at)
{
	char *id_text, *key_text, *end = NULL, *save = NULL;
	unsigned long long id;

	line[strcspn(line, "#")] = '\0';
	id_text = strtok_r(line, SEPARATORS, &save);
	if (!id_text)
		return 0;
	key_text = strtok_r(NULL, SEPARATORS, &save);
	if (!key_text || strtok_r(NULL, SEPARATORS, &save))
		return complain(at, "expected \"ID KEY\"");
	id = strtoull(id_text, &end, 10);
	if (*end || id_text[0] < '0' || id_text[0] > '9' || id == 0 || id > UINT32_MAX)
		return complain(at, "expected a key id from 1 to 4294967295");
	if (ha_keys_find(k, (uint32_t)id))
		return complain(at, "this id stands above already");
	if (k->n == HA_KEYS_MAX)
		return complain(at, "there are two keys already, more are not possible");
	return key_add(k, (uint32_t)id, key_text, strlen(key_text), at);
}

int ha_keys_parse(struct ha_keys *k, const char *name, const char *text, size_t len,
		  char error[ERROR_TEXT])
{
	struct key_line at = {.name = name, .error = error};
	struct ha_keys new = {0};
	char line[LINE_CHARS];
	int ret = 0;

	error[0] = '\0';
	while (len && ret == 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;

		at.line++;
		if (n >= sizeof(line) || memchr(text, '\0', n)) {
			ret = complain(&at, "the line is too long, or no text");
			break;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		ret = line_parse(&new, line, &at);
		n += end != NULL;
		text += n;
		len -= n;
	}
	OPENSSL_cleanse(line, sizeof(line));
	if (ret == 0 && new.n == 0) {
		error_text(error, 0, "%.120s: there is no key in it", name);
		ret = -EINVAL;
	}
	if (ret != 0) {
		if (!error[0])
			error_text(error, 0, "%.120s: %s", name, strerror(-ret));
		ha_keys_fini(&new);
		return ret;
	}
	ha_keys_fini(k);
	*k = new;
	return 0;
}

/* Bytes read, or -errno with error. */
static ssize_t file_read(const char *path, char *buf, size_t room, char error[ERROR_TEXT])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	const char *why = NULL;
	struct stat st;
	size_t n = 0;
	ssize_t got = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		got = -errno;
	else if (!S_ISREG(st.st_mode))
		why = "is not a file";
	else if (st.st_mode & S_IRWXO)
		why = "holds secret keys and is open to everyone: chmod o-rwx";
	else if (!own_user_is(st.st_uid))
		why = "holds secret keys and belongs to another user: chown root";
	else if (st.st_mode & (S_IWGRP | S_IXGRP) ||
		 (st.st_mode & S_IRGRP && !own_group_is(st.st_gid)))
		why = "holds secret keys and is open to a group that is not the router's: chmod "
		      "600";
	else if ((size_t)st.st_size > room)
		why = "is larger than 4096 bytes";
	while (!why && got > 0 && n < room) {
		got = read(fd, buf + n, room - n);
		if (got < 0)
			got = -errno;
		else
			n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (why || got < 0)
		error_text(error, 0, "%.90s%s %s%s", path, why ? "" : ":",
			   why ? why : strerror((int)-got), got == -ENOENT ? KEY_REMEDY : "");
	return why ? -EACCES : got < 0 ? got : (ssize_t)n;
}

int ha_keys_load(struct ha_keys *k, const char *path, char error[ERROR_TEXT])
{
	char text[FILE_MAX];
	ssize_t n = file_read(path, text, sizeof(text), error);
	int ret;

	if (n < 0)
		return (int)n;
	ret = ha_keys_parse(k, path, text, (size_t)n, error);
	OPENSSL_cleanse(text, sizeof(text));
	return ret;
}
