/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "import/import.h"
#include "sched/sched.h"

/*
 * Each tests/import/FORMAT/NAME.conf has a NAME.expect; a line of that is
 *
 *	rc N				the exit code
 *	nothing				no configuration was written
 *	option KEYWORD VALUE		of plvsctl import: id, role, host; force
 *	PATH = JSON			a value of the configuration, by the router's own parser
 *	PATH absent			there is no such value
 *	LINE: KIND: TEXT		a note of that kind and line with that text in it; LINE may
 *					be FILE:LINE of an included file, 0: of the whole file
 */

#define MAX_HOSTS 8

struct sample {
	char path[512], name[128];
	struct import_options options;
	struct import_host hosts[MAX_HOSTS];
	char *out, *report;
	size_t out_len, report_len;
	int rc;
	json_t *document; /* as the router reads it, or NULL */
	unsigned int bad;
};

static void complain(struct sample *s, const char *line, const char *what)
{
	print_error("%s: \"%s\": %s\n", s->name, line, what);
	s->bad++;
}

static char *file_read(const char *path)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = fopen(path, "r");

	if (f && getdelim(&text, &n, '\0', f) < 0)
		text = strdup("");
	if (f)
		fclose(f);
	return text;
}

/* ---- the import and what the router makes of it ---- */

static void sample_run(struct sample *s)
{
	FILE *out = open_memstream(&s->out, &s->out_len);
	FILE *report = open_memstream(&s->report, &s->report_len);
	struct config_errors errors;
	struct config *config = NULL;

	s->options.path = s->path;
	s->options.hosts = s->hosts;
	s->rc = import_file(&s->options, out, report);
	fclose(out);
	fclose(report);
	if (!s->out_len)
		return;
	config_errors_init(&errors);
	if (config_parse(s->out, s->out_len, NULL, sched_names(), &config, &errors) < 0)
		complain(s, errors.errors.v[0].message, "the router refuses the configuration");
	if (config)
		s->document = config_to_json(config, CONFIG_ALL);
	config_destroy(config);
	config_errors_fini(&errors);
}

/* "shared.services[0].servers" */
static const json_t *value_at(const json_t *json, const char *path)
{
	while (json && *path) {
		char key[64];
		size_t n = strcspn(path, ".[");

		if (*path == '[') {
			json = json_array_get(json, strtoul(path + 1, NULL, 10));
			path = strchr(path, ']') + 1;
		} else {
			snprintf(key, sizeof(key), "%.*s", (int)n, path);
			json = json_object_get(json, key);
			path += n;
		}
		path += *path == '.';
	}
	return json;
}

static void value_expect(struct sample *s, const char *line, const char *path, const char *want)
{
	json_t *expected = json_loads(want, JSON_DECODE_ANY, NULL);
	const json_t *found = value_at(s->document, path);
	char *text = found ? json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

	if (!expected)
		complain(s, line, "is no JSON");
	else if (!found || !json_equal(found, expected))
		complain(s, line, text ? text : "is not there");
	free(text);
	json_decref(expected);
}

/* "17: differs: text", "part.inc:3: error: text" */
static void note_expect(struct sample *s, const char *line)
{
	const char *colon = strstr(line, ": "), *text = colon ? strstr(colon + 2, ": ") : NULL;
	char position[160], kind[64];

	if (!text) {
		complain(s, line, "is no expectation");
		return;
	}
	snprintf(position, sizeof(position),
		 "%s%.*s: ", strchr(line, ':') < colon ? "/" : ".conf:", (int)(colon - line), line);
	if (strncmp(line, "0:", 2) == 0)
		snprintf(position, sizeof(position), ": ");
	snprintf(kind, sizeof(kind), "%.*s: ", (int)(text - colon - 2), colon + 2);
	for (const char *p = s->report; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		char found[2048];
		const char *at;

		snprintf(found, sizeof(found), "%.*s", (int)strcspn(p, "\n"), p);
		at = strncmp(line, "0:", 2) == 0 ? found : strstr(found, position);
		at = at ? strstr(at, kind) : NULL;
		if (at && strstr(at, text + 2))
			return;
	}
	complain(s, line, "is not in the report");
}

static void line_expect(struct sample *s, char *line)
{
	char *equals = strstr(line, " = ");

	if (strncmp(line, "rc ", 3) == 0) {
		if (s->rc != atoi(line + 3))
			complain(s, line, "is not the exit code");
	} else if (strcmp(line, "nothing") == 0) {
		if (s->out_len)
			complain(s, line, "a configuration was written");
	} else if (strncmp(line, "option ", 7) == 0 || !*line || *line == '#') {
		return;
	} else if (strstr(line, " absent")) {
		*strstr(line, " absent") = '\0';
		if (value_at(s->document, line))
			complain(s, line, "is there");
	} else if (equals && strncmp(line, "shared", 6) == 0) {
		*equals = '\0';
		value_expect(s, line, line, equals + 3);
	} else if (equals && strncmp(line, "node", 4) == 0) {
		*equals = '\0';
		value_expect(s, line, line, equals + 3);
	} else {
		note_expect(s, line);
	}
}

static void option_take(struct sample *s, const char *key, char *value)
{
	char *equals = strchr(value, '=');

	if (strcmp(key, "force") == 0)
		s->options.force = true;
	else if (strcmp(key, "id") == 0)
		s->options.id = strdup(value);
	else if (strcmp(key, "role") == 0)
		s->options.role = strdup(value);
	if (strcmp(key, "host") != 0 || !equals || s->options.n_hosts == MAX_HOSTS)
		return;
	*equals = '\0';
	s->hosts[s->options.n_hosts].name = strdup(value);
	s->hosts[s->options.n_hosts++].address = strdup(equals + 1);
}

static void options_take(struct sample *s, const char *text)
{
	char *copy = strdup(text), *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char key[32] = "", value[128] = "";

		if (sscanf(line, "option %31s %127[^\n]", key, value) >= 1)
			option_take(s, key, value);
	}
	free(copy);
}

static void sample_fini(struct sample *s)
{
	for (size_t i = 0; i < s->options.n_hosts; i++) {
		free((char *)(uintptr_t)s->hosts[i].name);
		free((char *)(uintptr_t)s->hosts[i].address);
	}
	free((char *)(uintptr_t)s->options.id);
	free((char *)(uintptr_t)s->options.role);
	free(s->out);
	free(s->report);
	json_decref(s->document);
}

static unsigned int sample_test(const char *dir, const char *name)
{
	struct sample s = {.bad = 0};
	char path[600], *text, *save = NULL;
	unsigned int bad;

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.path, sizeof(s.path), "%s/%s", dir, name);
	snprintf(path, sizeof(path), "%.*s.expect", (int)strlen(s.path) - 5, s.path);
	text = file_read(path);
	if (!text) {
		print_error("%s: no expectations\n", path);
		return 1;
	}
	options_take(&s, text);
	sample_run(&s);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		line_expect(&s, line);
	if (s.bad)
		print_error("%s\n%s", s.out ? s.out : "", s.report ? s.report : "");
	bad = s.bad;
	free(text);
	sample_fini(&s);
	return bad;
}

static void format_test(const char *format)
{
	const char *source = getenv("PLVS_SOURCE");
	unsigned int bad = 0, n = 0;
	struct dirent *e;
	char dir[400];
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/import/%s", source ? source : ".", format);
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d))) {
		size_t len = strlen(e->d_name);

		if (len < 6 || strcmp(e->d_name + len - 5, ".conf") != 0)
			continue;
		bad += sample_test(dir, e->d_name);
		n++;
	}
	closedir(d);
	assert_true(n > 0);
	assert_int_equal(bad, 0);
}

static void saved_tables_become_services(void **state)
{
	(void)state;
	format_test("ipvsadm-save");
}

static void piranha_files_become_services(void **state)
{
	(void)state;
	format_test("lvs.cf");
}

static void ldirectord_files_become_services(void **state)
{
	(void)state;
	format_test("ldirectord");
}

static void keepalived_files_become_services(void **state)
{
	(void)state;
	format_test("keepalived");
}

static void schedulers_are_those_of_the_router(void **state)
{
	const char *const *names = sched_names();
	char text[256], report[1024];
	unsigned int n = 0;

	(void)state;
	for (; names[n]; n++) {
		const struct import_options options = {.path = "x", .closed = true};
		FILE *out = fopen("/dev/null", "w"), *f = fmemopen(report, sizeof(report), "w");

		snprintf(text, sizeof(text),
			 "-A -t 192.0.2.1:80 -s %s\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m\n",
			 names[n]);
		assert_int_equal(import_text(&options, text, strlen(text), out, f), IMPORT_OK);
		fclose(out);
		fclose(f);
	}
	assert_true(n > 10);
}

/* ---- what is no configuration ---- */

struct hostile {
	const char *what, *text;
	size_t len;
	const char *message;
};

static void hostile_test(const struct hostile *h)
{
	const struct import_options options = {.path = "h", .closed = true};
	char *out = NULL, *report = NULL;
	size_t out_len = 0, report_len = 0;
	FILE *o = open_memstream(&out, &out_len), *r = open_memstream(&report, &report_len);
	int rc = import_text(&options, h->text, h->len ? h->len : strlen(h->text), o, r);

	fclose(o);
	fclose(r);
	if (rc != IMPORT_REFUSED || out_len || !strstr(report, h->message))
		print_error("%s: rc %d, %zu bytes, report:\n%s", h->what, rc, out_len, report);
	assert_int_equal(rc, IMPORT_REFUSED);
	assert_int_equal(out_len, 0);
	assert_non_null(strstr(report, h->message));
	assert_null(strchr(report, '\033'));
	free(out);
	free(report);
}

/* Blocks in blocks, more than there is a use for. */
static void deep_nesting_is_refused(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct hostile h = {.what = "deep", .message = "nest deeper than"};

	(void)state;
	fputs("virtual_server 192.0.2.1 80 {\n", f);
	for (int i = 0; i < 100000; i++)
		fputs("a {\n", f);
	fclose(f);
	h.text = text;
	h.len = len;
	hostile_test(&h);
	free(text);
}

/* A file that includes itself, and one that is no file. */
static void includes_end(void **state)
{
	char path[] = "/tmp/plvs-import-XXXXXX", *report = NULL;
	struct import_options options = {.path = path};
	size_t report_len = 0;
	FILE *out = fopen("/dev/null", "w"), *f, *r = open_memstream(&report, &report_len);
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	fprintf(f, "virtual_server 192.0.2.1 80 {\n}\ninclude /dev/zero\ninclude %s\n", path);
	fclose(f);
	assert_int_equal(import_file(&options, out, r), IMPORT_REFUSED);
	fclose(r);
	fclose(out);
	assert_non_null(strstr(report, "include each other deeper than"));
	assert_non_null(strstr(report, "no regular file"));
	unlink(path);
	free(report);
}

static void secrets_stay_out_of_reports(void **state)
{
	static const struct {
		const char *format, *text;
	} rows[] = {
		{"keepalived",
		 "SSL {\n password TOPSECRET\n}\nvrrp_instance V {\n authentication {\n"
		 "auth_pass TOPSECRET\n auth_typo TOPSECRET\n }\n}\nvirtual_server "
		 "192.0.2.1 80 {\n real_server 10.0.0.1 80 {\n }\n}\n"},
		{"ldirectord",
		 "virtual=192.0.2.1:110\n\treal=10.0.0.1:110 masq\n\tlogin=\"u\"\n"
		 "\tpasswd=\"TOPSECRET\"\nvirtual=192.0.2.1:1812\n\treal=10.0.0.1:1812 "
		 "masq\n\tsecret=\"TOPSECRET\"\n\tpasswd=TOPSECRET\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct import_options options = {.format = rows[i].format, .closed = true};
		char *report = NULL;
		size_t len = 0;
		FILE *out = fopen("/dev/null", "w"), *r = open_memstream(&report, &len);

		import_text(&options, rows[i].text, strlen(rows[i].text), out, r);
		fclose(out);
		fclose(r);
		assert_null(strstr(report, "TOPSECRET"));
		free(report);
	}
}

static void hostile_files_get_a_clear_message(void **state)
{
	static const struct hostile rows[] = {
		{"empty", "", 0, "no line of it is known"},
		{"binary", "-A\n\0", 4, "h:2: error: there is a NUL byte"},
		{"another text", "hello\nworld\n", 0, "no line of it is known"},
		{"an escape sequence", "-A -t \033[31m:80\n", 0, "\\x1b[31m"},
		{"nothing but a removal", "-C\n", 0, "nothing to import"},
		{"a definition of itself", "$A=${A}\nvirtual_server ${A} 1 { }\n", 0,
		 "a definition refers to itself"},
		{"definitions that double",
		 "$A=xxxxxxxx\n$B=${A}${A}${A}${A}${A}${A}${A}${A}${A}${A}\n"
		 "$C=${B}${B}${B}${B}${B}${B}${B}${B}${B}${B}\n"
		 "$D=${C}${C}${C}${C}${C}${C}${C}${C}${C}${C}\nvirtual_server ${D}${D}${D} {\n}\n",
		 0, "error"},
		{"a sequence without an end",
		 "~SEQ(A, 1, 60000)~SEQ(B, 1, 60000) x\nvirtual_server\n", 0,
		 "more than 1000000 statements"},
		{"a list of lines", "$A= \\\nb \\\n$A\nvirtual_server x {\n$A\n}\n", 0,
		 "refers to itself"},
		{"no includes here", "virtual_server 192.0.2.1 1 {\ninclude x\n}\n", 0, "no files"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		hostile_test(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_tables_become_services),
		cmocka_unit_test(piranha_files_become_services),
		cmocka_unit_test(ldirectord_files_become_services),
		cmocka_unit_test(keepalived_files_become_services),
		cmocka_unit_test(schedulers_are_those_of_the_router),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(includes_end),
		cmocka_unit_test(secrets_stay_out_of_reports),
		cmocka_unit_test(hostile_files_get_a_clear_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
