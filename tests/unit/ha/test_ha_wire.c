/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ha/wire/ha_wire.h"

/* --- test vectors -------------------------------------------------------------------- */

struct vector {
	char name[80], expect[32];
	char keys[512];
	uint32_t cluster;
	uint8_t datagram[2048];
	size_t len;
	struct {
		char name[32], value[80];
	} field[40];
	unsigned int n_fields;
};

static size_t unhex(const char *text, uint8_t *out, size_t room)
{
	size_t n = strlen(text) / 2;

	assert_true(n <= room);
	for (size_t i = 0; i < n; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return n;
}

/* False at the end of the file. */
static bool vector_read(FILE *f, struct vector *v)
{
	char line[512], word[32], rest[480];

	memset(v, 0, sizeof(*v));
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || (line[0] == '\n' && !v->name[0]))
			continue;
		if (line[0] == '\n')
			break;
		assert_int_equal(sscanf(line, "%31s %479[^\n]", word, rest), 2);
		if (strcmp(word, "vector") == 0) {
			snprintf(v->name, sizeof(v->name), "%.79s", rest);
		} else if (strcmp(word, "key") == 0) {
			size_t at = strlen(v->keys);

			snprintf(v->keys + at, sizeof(v->keys) - at, "%.200s\n", rest);
		} else if (strcmp(word, "cluster") == 0) {
			v->cluster = (uint32_t)strtoul(rest, NULL, 10);
		} else if (strcmp(word, "datagram") == 0) {
			v->len += unhex(rest, v->datagram + v->len, sizeof(v->datagram) - v->len);
		} else if (strcmp(word, "expect") == 0) {
			snprintf(v->expect, sizeof(v->expect), "%.31s", rest);
		} else {
			assert_true(v->n_fields < 40);
			snprintf(v->field[v->n_fields].name, 32, "%s", word);
			snprintf(v->field[v->n_fields++].value, 80, "%.79s", rest);
		}
	}
	return v->name[0] != '\0';
}

static const char *hex(const uint8_t *bytes, size_t n)
{
	static char text[4][128];
	static unsigned int next;
	char *t = text[next++ % 4];

	for (size_t i = 0; i < n; i++)
		snprintf(t + 2 * i, 3, "%02x", bytes[i]);
	return t;
}

static const char *number(uint64_t v)
{
	static char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	return text;
}

/* The value of a field by its name in the vectors. */
static const char *value_of(const char *name, const struct ha_envelope *e,
			    const struct ha_message *m)
{
#define IS(text, v)                                                                                \
	if (strcmp(name, text) == 0)                                                               \
	return number(v)
	IS("type", e->type);
	IS("key_id", e->key_id);
	IS("sequence", e->sequence);
	IS("heard_sequence", e->heard_sequence);
	IS("path_sequence", e->path_sequence);
	IS("path_echo", e->path_echo);
	IS("path_hold_us", e->path_hold_us);
	IS("role", m->role);
	IS("state", m->state);
	IS("flags", m->flags);
	IS("reason", m->reason);
	IS("priority", m->priority);
	IS("witnesses", m->witnesses);
	IS("term", m->term);
	IS("handover", m->handover);
	IS("failback_failures", m->failback_failures);
	IS("n_port_roles", m->n_port_roles);
	IS("sync_sent", m->sync.sent);
	IS("sync_received", m->sync.received);
	IS("sync_complete", m->sync.complete);
	IS("sync_behind", m->sync.behind);
	IS("version_judgement", m->version.judgement);
	IS("unbound", m->unbound);
	IS("hears_second", m->hears_second);
	IS("asks_frames", m->asks_frames);
	IS("timers_wish", m->timers.wish_ms);
	IS("timers_agreed", m->timers.agreed_ms);
	IS("timers_number", m->timers.number);
	IS("timers_echo", m->timers.echo);
	IS("timers_lease_base", m->timers.lease_base_ms);
	IS("timers_keepalive", m->timers.keepalive_ms);
#undef IS
	if (strcmp(name, "session") == 0)
		return hex(e->session.byte, 16);
	if (strcmp(name, "heard") == 0)
		return hex(e->heard.byte, 16);
	if (strcmp(name, "config_digest") == 0)
		return hex(m->config_digest, 32);
	if (strcmp(name, "verdict_digest") == 0)
		return hex(m->verdict_digest, 32);
	if (strcmp(name, "version_id") == 0)
		return hex(m->version.id.byte, 16);
	if (strcmp(name, "version_judged") == 0)
		return hex(m->version.judged.byte, 16);
	if (strcmp(name, "mac_0") == 0)
		return hex((const uint8_t *)&m->ports[0].mac, 6);
	if (strcmp(name, "mac_1") == 0)
		return hex((const uint8_t *)&m->ports[1].mac, 6);
	fail_msg("the vectors have an unknown field %s", name);
	return "";
}

/* Sent messages equal the vectors byte by byte: for those that plvs would send. */
static void check_seal(const struct vector *v, const struct ha_keys *keys,
		       const struct ha_envelope *e, const struct ha_message *m)
{
	uint8_t payload[HA_MESSAGE_BYTES], out[HA_DATAGRAM_MAX];
	struct ha_envelope again = {.path_sequence = e->path_sequence,
				    .path_echo = e->path_echo,
				    .path_hold_us = e->path_hold_us};
	int len;

	if (e->payload_len != HA_MESSAGE_BYTES || e->key_id != keys->key[0].id)
		return;
	assert_int_equal(ha_message_encode(m, &again, payload), 0);
	len = ha_envelope_seal(keys, &again, payload, sizeof(payload), out, sizeof(out));
	assert_int_equal(len, v->len);
	assert_memory_equal(out, v->datagram, v->len);
}

static void check_vector(const struct vector *v)
{
	struct ha_keys keys = {0};
	struct ha_message m = {0};
	struct ha_envelope e;
	enum ha_wire_error got;
	char error[ERROR_TEXT];
	const uint8_t *payload;
	const char *name;

	assert_int_equal(ha_keys_parse(&keys, v->name, v->keys, strlen(v->keys), error), 0);
	got = ha_envelope_open(&keys, v->cluster, v->datagram, v->len, &e, &payload);
	if (got == HA_WIRE_OK && e.type == HA_TYPE_SYNC)
		name = "sync";
	else if (got == HA_WIRE_OK)
		name = ha_wire_names[got = ha_message_decode(&e, payload, &m)];
	else
		name = ha_wire_names[got];
	if (strcmp(name, v->expect) != 0)
		fail_msg("%s: is \"%s\", should be \"%s\"", v->name, name, v->expect);
	for (unsigned int i = 0; i < v->n_fields; i++) {
		const char *value = value_of(v->field[i].name, &e, &m);

		if (strcmp(value, v->field[i].value) != 0)
			fail_msg("%s: %s is %s, should be %s", v->name, v->field[i].name, value,
				 v->field[i].value);
	}
	if (got == HA_WIRE_OK && e.type != HA_TYPE_SYNC)
		check_seal(v, &keys, &e, &m);
	ha_keys_fini(&keys);
}

static void the_test_vectors_of_the_docs_hold(void **state)
{
	char path[512];
	unsigned int n = 0;
	struct vector v;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/ha-protocol-vectors.txt", getenv("PLVS_SOURCE"));
	f = fopen(path, "r");
	assert_non_null(f);
	for (; vector_read(f, &v); n++)
		check_vector(&v);
	fclose(f);
	assert_true(n >= 20);
}

/* --- envelope ------------------------------------------------------------------------- */

#define KEYS "1 000102030405060708090a0b0c0d0e0f\n7 hex:ffffffffffffffffffffffffffffffffff\n"

static void keys_of(struct ha_keys *k, const char *text)
{
	char error[ERROR_TEXT];

	if (ha_keys_parse(k, "keys", text, strlen(text), error) != 0)
		fail_msg("%s", error);
}

static void any_turned_bit_and_any_other_length_is_refused(void **state)
{
	const struct ha_envelope e = {.type = HA_TYPE_SYNC, .cluster_id = 5, .sequence = 1};
	uint8_t out[HA_DATAGRAM_MAX + 1] = {0};
	struct ha_envelope got;
	struct ha_keys keys = {0};
	const uint8_t *payload;
	int len;

	(void)state;
	keys_of(&keys, KEYS);
	len = ha_envelope_seal(&keys, &e, "connections", 11, out, sizeof(out));
	assert_int_equal(len, HA_HEADER_BYTES + 11 + HA_MAC_BYTES);
	for (int bit = 0; bit < len * 8; bit++) {
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(ha_envelope_open(&keys, 5, out, (size_t)len, &got, &payload),
				     HA_WIRE_OK);
		out[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (int n = 0; n <= len + 1; n++)
		assert_int_equal(ha_envelope_open(&keys, 5, out, (size_t)n, &got, &payload),
				 n < len   ? HA_WIRE_TRUNCATED
				 : n > len ? HA_WIRE_OVERLONG
					   : HA_WIRE_OK);
	ha_keys_fini(&keys);
}

static void a_payload_fills_a_datagram_and_not_more(void **state)
{
	const struct ha_envelope e = {.type = HA_TYPE_SYNC, .cluster_id = 5, .sequence = 1};
	uint8_t out[HA_DATAGRAM_MAX], bytes[HA_PAYLOAD_MAX + 1];
	struct ha_keys keys = {0}, none = {0};
	struct ha_envelope got;
	const uint8_t *payload;

	(void)state;
	keys_of(&keys, KEYS);
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(ha_envelope_seal(&keys, &e, bytes, HA_PAYLOAD_MAX, out, sizeof(out)),
			 HA_DATAGRAM_MAX);
	assert_int_equal(ha_envelope_open(&keys, 5, out, sizeof(out), &got, &payload), HA_WIRE_OK);
	assert_int_equal(got.payload_len, HA_PAYLOAD_MAX);
	assert_memory_equal(payload, bytes, HA_PAYLOAD_MAX);
	assert_int_equal(ha_envelope_seal(&keys, &e, bytes, HA_PAYLOAD_MAX + 1, out, sizeof(out)),
			 -EMSGSIZE);
	assert_int_equal(ha_envelope_seal(&keys, &e, bytes, 100, out, 100), -EMSGSIZE);
	assert_int_equal(ha_envelope_seal(&none, &e, bytes, 100, out, sizeof(out)), -ENOKEY);
	assert_int_equal(ha_envelope_open(&none, 5, out, sizeof(out), &got, &payload), HA_WIRE_KEY);
	ha_keys_fini(&keys);
}

static void a_message_out_of_range_is_not_sent(void **state)
{
	struct ha_message m = {.type = HA_MSG_HEARTBEAT, .role = HA_ROLE_BACKUP, .sequence = 1};
	uint8_t payload[HA_MESSAGE_BYTES];
	struct ha_envelope e;

	(void)state;
	assert_int_equal(ha_message_encode(&m, &e, payload), 0);
	m.state = HA_STATE_MAX + 1;
	assert_int_equal(ha_message_encode(&m, &e, payload), -EINVAL);
	m.state = HA_BACKUP;
	m.n_port_roles = HA_MAX_PORT_ROLES + 1;
	assert_int_equal(ha_message_encode(&m, &e, payload), -EINVAL);
	m.n_port_roles = 0;
	m.type = 0;
	assert_int_equal(ha_message_encode(&m, &e, payload), -EINVAL);
}

static void a_message_tells_how_many_servers_its_sender_sees_up(void **state)
{
	struct ha_message m = {.type = HA_MSG_HEARTBEAT,
			       .role = HA_ROLE_BACKUP,
			       .sequence = 1,
			       .session = {{1}},
			       .servers_up = 70000},
			  got;
	uint8_t payload[HA_MESSAGE_BYTES];
	struct ha_envelope e;

	(void)state;
	assert_int_equal(ha_message_encode(&m, &e, payload), 0);
	assert_int_equal(ha_message_decode(&e, payload, &got), HA_WIRE_OK);
	assert_int_equal(got.servers_up, 70000);
}

/* --- keys ----------------------------------------------------------------------------- */

static void the_first_key_signs_and_both_open(void **state)
{
	const struct ha_envelope e = {.type = HA_TYPE_SYNC, .cluster_id = 5, .sequence = 1};
	struct ha_keys old = {0}, both = {0}, new = {0};
	uint8_t by_old[HA_DATAGRAM_MAX], by_both[HA_DATAGRAM_MAX];
	struct ha_envelope got;
	const uint8_t *payload;
	int n_old, n_both;

	(void)state;
	keys_of(&old, "1 000102030405060708090a0b0c0d0e0f");
	keys_of(&both, "2 base64:AAECAwQFBgcICQoLDA0ODxAREhM= # new\n\n"
		       "# old\n 1\t000102030405060708090A0B0C0D0E0F \r\n");
	keys_of(&new, "2 AAECAwQFBgcICQoLDA0ODxAREhM");
	assert_int_equal(both.key[0].id, 2);
	n_old = ha_envelope_seal(&old, &e, "x", 1, by_old, sizeof(by_old));
	n_both = ha_envelope_seal(&both, &e, "x", 1, by_both, sizeof(by_both));
	assert_int_equal(ha_envelope_open(&both, 5, by_old, (size_t)n_old, &got, &payload),
			 HA_WIRE_OK);
	assert_int_equal(got.key_id, 1);
	assert_int_equal(ha_envelope_open(&new, 5, by_both, (size_t)n_both, &got, &payload),
			 HA_WIRE_OK);
	assert_int_equal(got.key_id, 2);
	assert_int_equal(ha_envelope_open(&new, 5, by_old, (size_t)n_old, &got, &payload),
			 HA_WIRE_KEY);
	ha_keys_fini(&old);
	ha_keys_fini(&both);
	ha_keys_fini(&new);
}

static void what_is_no_key_file_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *error;
	} bad[] = {
		{"", "keys: there is no key in it"},
		{"# nothing\n\n", "keys: there is no key in it"},
		{"1\n", "keys:1: expected \"ID KEY\""},
		{"1 000102030405060708090a0b0c0d0e0f more\n", "keys:1: expected \"ID KEY\""},
		{"0 000102030405060708090a0b0c0d0e0f\n",
		 "keys:1: expected a key id from 1 to 4294967295"},
		{"-1 000102030405060708090a0b0c0d0e0f\n",
		 "keys:1: expected a key id from 1 to 4294967295"},
		{"4294967296 000102030405060708090a0b0c0d0e0f\n",
		 "keys:1: expected a key id from 1 to 4294967295"},
		{"\n1 000102030405060708090a0b0c0d0e\n",
		 "keys:2: the key is shorter than 16 bytes"},
		{"1 not/base64!\n", "keys:1: the key is not hex or base64 of at most 64 bytes"},
		{"1 hex:0001020304050607AAECAwQFBgcICQoL\n",
		 "keys:1: the key is not hex or base64 of at most 64 bytes"},
		{"1 000102030405060708090a0b0c0d0e0f\n1 000102030405060708090a0b0c0d0e00\n",
		 "keys:2: this id stands above already"},
		{KEYS "9 000102030405060708090a0b0c0d0e0f\n",
		 "keys:3: there are two keys already, more are not possible"},
	};
	struct ha_keys keys = {0};
	char error[ERROR_TEXT];

	(void)state;
	keys_of(&keys, KEYS);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			ha_keys_parse(&keys, "keys", bad[i].text, strlen(bad[i].text), error),
			-EINVAL);
		assert_string_equal(error, bad[i].error);
		assert_int_equal(keys.n, 2); /* what was there is still there */
	}
	ha_keys_fini(&keys);
}

static void a_key_of_zeros_is_refused(void **state)
{
	static const char text[] = "1 hex:00000000000000000000000000000000\n";
	struct ha_keys keys = {0};
	char error[ERROR_TEXT];

	(void)state;
	assert_int_equal(ha_keys_parse(&keys, "f", text, sizeof(text) - 1, error), -EINVAL);
	assert_non_null(strstr(error, "all zeros"));
}

static void a_file_that_everyone_may_read_is_refused_and_costs_no_key(void **state)
{
	char path[] = "/tmp/test_ha_keys.XXXXXX", error[ERROR_TEXT];
	struct ha_keys keys = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, KEYS, sizeof(KEYS) - 1), sizeof(KEYS) - 1);
	assert_int_equal(ha_keys_load(&keys, path, error), 0);
	assert_int_equal(keys.n, 2);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(ha_keys_load(&keys, path, error), -EACCES);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "open to everyone"));
	/* The router's own group may read, and nothing else. */
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(ha_keys_load(&keys, path, error), 0);
	assert_int_equal(fchmod(fd, 0660), 0);
	assert_int_equal(ha_keys_load(&keys, path, error), -EACCES);
	assert_non_null(strstr(error, "open to a group"));
	if (geteuid() == 0) {
		assert_int_equal(fchmod(fd, 0640), 0);
		assert_int_equal(fchown(fd, 0, 65534), 0);
		assert_int_equal(ha_keys_load(&keys, path, error), -EACCES);
		assert_non_null(strstr(error, "open to a group"));
		assert_int_equal(fchown(fd, 65534, 0), 0);
		assert_int_equal(ha_keys_load(&keys, path, error), -EACCES);
		assert_non_null(strstr(error, "belongs to another user"));
		assert_int_equal(fchown(fd, 0, 0), 0);
	}
	close(fd);
	unlink(path);
	assert_int_equal(ha_keys_load(&keys, path, error), -ENOENT);
	assert_non_null(
		strstr(error, "No such file or directory: copy the peer's file, or make one"));
	assert_int_equal(ha_keys_load(&keys, "/", error), -EACCES);
	assert_int_equal(keys.n, 2);
	assert_int_equal(keys.key[0].id, 1);
	ha_keys_fini(&keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_test_vectors_of_the_docs_hold),
		cmocka_unit_test(any_turned_bit_and_any_other_length_is_refused),
		cmocka_unit_test(a_payload_fills_a_datagram_and_not_more),
		cmocka_unit_test(a_message_tells_how_many_servers_its_sender_sees_up),
		cmocka_unit_test(a_message_out_of_range_is_not_sent),
		cmocka_unit_test(the_first_key_signs_and_both_open),
		cmocka_unit_test(what_is_no_key_file_is_refused_with_its_line),
		cmocka_unit_test(a_key_of_zeros_is_refused),
		cmocka_unit_test(a_file_that_everyone_may_read_is_refused_and_costs_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
