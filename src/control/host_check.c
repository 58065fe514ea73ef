/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/host_check.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error_text.h"
#include "control/telnet_program.h"
#include "ha/wire/keys.h"

#define DEFAULT_USER "nobody" /* of programs of checks */
#define PATH_LEN     512

struct host_checking {
	struct config_errors *errors;
	int key_reason, program_reason; /* 0: a warning */
	const struct permit *permit;	/* NULL: any user */
};

/* ---- users ---- */

/* A name service that cannot answer says nothing about the user: *uid is 0. */
static bool user_find(const char *name, uid_t *uid)
{
	struct passwd pw, *found = NULL;
	char buf[16384], *end;
	unsigned long number;
	int rc;

	number = strtoul(name, &end, 10);
	if (name[0] >= '0' && name[0] <= '9' && *end == '\0')
		rc = getpwuid_r((uid_t)number, &pw, buf, sizeof(buf), &found);
	else
		rc = getpwnam_r(name, &pw, buf, sizeof(buf), &found);
	*uid = found ? found->pw_uid : 0;
	return found || (rc != 0 && rc != ENOENT && rc != ESRCH);
}

static void user_check(const struct host_checking *c, const char *path, const char *name)
{
	uid_t uid;

	if (!user_find(name, &uid))
		config_errors_add(c->errors, c->program_reason, path,
				  "the user \"%s\" does not exist on this machine", name);
	else if (uid != 0 && c->permit && !permit_has(c->permit, uid))
		config_errors_add(
			c->errors, 0, path,
			"the configuration did not name the user \"%s\" when plvs was started: "
			"programs of that user do not run before plvs is started again",
			name);
}

/* ---- programs ---- */

/* 0 and st, or why not. As the spawner looks for it. */
static int program_find(const char *name, struct stat *st)
{
	const char *at = getenv("PATH");
	char file[PATH_LEN];

	if (strchr(name, '/'))
		return stat(name, st) != 0 || access(name, X_OK) != 0 ? errno : 0;
	for (at = at && *at ? at : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	     *at;) {
		size_t len = strcspn(at, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, at, name);
		if (len > 0 && stat(file, st) == 0 && S_ISREG(st->st_mode) &&
		    access(file, X_OK) == 0)
			return 0;
		at += len + (at[len] == ':');
	}
	return ENOENT;
}

static void program_check(const struct host_checking *c, const char *path, const char *name)
{
	struct stat st;
	int rc = program_find(name, &st);

	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = EACCES;
	if (rc != 0)
		config_errors_add(c->errors, c->program_reason, path,
				  "\"%.200s\" cannot be executed: %s", name, strerror(rc));
	else if (st.st_mode & S_IWOTH)
		config_errors_add(
			c->errors, 0, path,
			"\"%.200s\" can be changed by every user of this machine: chmod o-w", name);
}

/* ---- the whole ---- */

static void key_check(const struct host_checking *c, const struct config_ha_node *ha)
{
	char error[ERROR_TEXT];
	struct ha_keys keys = {0};

	if (ha->n_paths == 0 || !ha->key_file)
		return;
	if (ha_keys_load(&keys, ha->key_file, error) < 0)
		config_errors_add(c->errors, c->key_reason, "node.ha.key_file", "%s", error);
	ha_keys_fini(&keys);
}

static void notify_check(const struct host_checking *c, const struct config_notify *n)
{
	if (n->n_ha)
		program_check(c, "node.notify.ha[0]", n->ha[0]);
	if (n->n_health)
		program_check(c, "node.notify.health[0]", n->health[0]);
	if (n->user && (n->n_ha || n->n_health))
		user_check(c, "node.notify.user", n->user);
}

static void checks_check(const struct host_checking *c, const struct config_shared *shared)
{
	char path[64];

	for (uint32_t i = 0; i < shared->n_checks; i++) {
		const struct check_spec *check = &shared->checks[i];

		if (check->type != CHECK_EXEC || check->exec.n_argv == 0)
			continue;
		snprintf(path, sizeof(path), "shared.checks[%u].exec.argv[0]", i);
		program_check(c, path, check->exec.argv[0]);
		snprintf(path, sizeof(path), "shared.checks[%u].exec.user", i);
		user_check(c, path, check->exec.user ? check->exec.user : DEFAULT_USER);
	}
}

/* Without a permit the user is looked for by whoever starts plvs-telnetd. */
static void telnet_check(const struct host_checking *c, const struct config_telnet *telnet)
{
	if (!telnet->start || telnet->listen.addr.family == ADDR_NONE)
		return;
	program_check(c, "node.telnet.program", telnet_program_path(telnet));
	if (c->permit)
		user_check(c, "node.telnet.user", config_telnet_account(telnet));
}

static int user_add(struct permit *permit, const char *name)
{
	uid_t uid;

	return name && user_find(name, &uid) && uid != 0 ? permit_add(permit, uid) : 0;
}

int host_users(const struct config *config, struct permit *permit)
{
	const struct config_node *node = &config->node;
	const char *const names[] = {DEFAULT_USER, node->programs.user, node->notify.user,
				     config_telnet_account(&node->telnet)};
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++)
		rc = user_add(permit, names[i]);
	for (uint32_t i = 0; i < config->shared.n_checks && rc == 0; i++)
		if (config->shared.checks[i].type == CHECK_EXEC)
			rc = user_add(permit, config->shared.checks[i].exec.user);
	return rc;
}

void host_check(const struct config *config, enum host_check_when when, const struct permit *permit,
		struct config_errors *errors)
{
	const struct host_checking c = {
		.errors = errors,
		.permit = permit,
		.key_reason = when == HOST_CHECK_LIVE ? 0 : -EINVAL,
		.program_reason = when == HOST_CHECK_TEST ? -EINVAL : 0,
	};

	key_check(&c, &config->node.ha);
	notify_check(&c, &config->node.notify);
	telnet_check(&c, &config->node.telnet);
	checks_check(&c, &config->shared);
}
