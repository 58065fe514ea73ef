/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From a configuration to JSON, text and file. */

/* ---- the parts that inherit ---- */

json_t *config_server_render(const struct config *config, const struct config_service *svc,
			     const struct config_server *server, enum config_style style)
{
	struct config_server model;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_server, config->schedulers, &model);
	model.forward = svc->policy.service.forward;
	model.check = svc->policy.check;
	return config_object_to_json(&config_object_server, server, &model, style);
}

json_t *config_service_render(const struct config *config, const struct config_service *svc,
			      enum config_style style, bool servers)
{
	struct config_service model, alone = *svc;
	json_t *out, *list;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_service, config->schedulers, &model);
	model.policy = config->shared.defaults;
	model.policy.service.netmask_len = config_netmask_inherited(
		model.policy.service.netmask_len, config_service_family(svc));
	alone.n_servers = 0;
	out = config_object_to_json(&config_object_service, &alone, &model, style);
	if (!out || !servers || svc->n_servers == 0)
		return out;
	list = json_array();
	if (!list || json_object_set_new(out, "servers", list) < 0)
		goto err;
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (json_array_append_new(
			    list, config_server_render(config, svc, &svc->servers[i], style)) < 0)
			goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_shared_render(const struct config *config, enum config_style style, bool services)
{
	struct config_shared model;
	json_t *out, *list;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_shared, config->schedulers, &model);
	config_policy_compat(&model.defaults, config->shared.compat);
	out = config_object_to_json(&config_object_shared, &config->shared, &model, style);
	if (!out || !services || config->shared.n_services == 0)
		return out;
	list = json_array();
	if (!list || json_object_set_new(out, "services", list) < 0)
		goto err;
	for (uint32_t i = 0; i < config->shared.n_services; i++)
		if (json_array_append_new(list,
					  config_service_render(config, config->shared.services[i],
								style, true)) < 0)
			goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_node_render(const struct config *config, enum config_style style)
{
	struct config_node model;
	json_t *out, *port;
	size_t i;

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_node, config->schedulers, &model);
	out = config_object_to_json(&config_object_node, &config->node, &model, style);
	if (!out || style == STYLE_FULL)
		return out;
	/* A TAP that is named after its port: a default that no model can hold. */
	json_array_foreach (json_object_get(out, "ports"), i, port)
		if (strcmp(config->node.ports[i].tap, config->node.ports[i].name) == 0)
			json_object_del(port, "tap");
	return out;
}

json_t *config_to_json(const struct config *config, enum config_part part)
{
	json_t *out = json_object();

	if (!out)
		return NULL;
	if (part != CONFIG_SHARED &&
	    json_object_set_new(out, "node", config_node_render(config, STYLE_FILE)) < 0)
		goto err;
	if (part != CONFIG_NODE &&
	    json_object_set_new(out, "shared", config_shared_render(config, STYLE_FILE, true)) < 0)
		goto err;
	return out;
err:
	json_decref(out);
	return NULL;
}

json_t *config_service_to_json(const struct config *config, const struct config_service *svc)
{
	return config_service_render(config, svc, STYLE_FILE, true);
}

json_t *config_server_to_json(const struct config *config, const struct config_service *svc,
			      const struct config_server *server)
{
	return config_server_render(config, svc, server, STYLE_FILE);
}

json_t *config_address_to_json(const struct config_address *address)
{
	struct config_address model;
	static const char *const none[] = {NULL};

	memset(&model, 0, sizeof(model));
	config_object_init(&config_object_address, none, &model);
	return config_object_to_json(&config_object_address, address, &model, STYLE_FILE);
}

/* ---- text ---- */

char *config_to_text(const struct config *config)
{
	json_t *json = config_to_json(config, CONFIG_ALL);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL, *out;
	size_t n;

	json_decref(json);
	if (!text)
		return NULL;
	/* jansson indents by blanks; a string cannot hold a line end. */
	for (char *p = text; p; p = strchr(p, '\n')) {
		for (p += *p == '\n'; *p == ' '; p++)
			*p = '\t';
	}
	n = strlen(text);
	out = realloc(text, n + 2);
	if (!out) {
		free(text);
		return NULL;
	}
	memcpy(out + n, "\n", 2);
	return out;
}

static int write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t did = write(fd, text, n);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0)
			return -errno;
		text += did;
		n -= (size_t)did;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The rename is only safe once the directory is on disk. */
static void directory_sync(const char *path)
{
	char dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%s", path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* path is no symbolic link. */
static int file_replace(const char *path, const char *text)
{
	char beside[PATH_MAX];
	struct stat st;
	bool exists = stat(path, &st) == 0;
	int fd, ret;

	if (exists && !S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, strlen(text));
	if (ret == 0 && exists && fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
		ret = -errno;
	if (ret == 0 && fchmod(fd, exists ? st.st_mode & 07777 : 0640) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(beside, path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(beside);
	else
		directory_sync(path);
	return ret;
}

int config_save(const struct config *config, const char *path, struct config_errors *errors)
{
	struct config_context ctx = {.errors = errors};
	char *text = config_to_text(config), *real, message[PATH_MAX + 128];
	int ret;

	if (!text) {
		config_report_memory(&ctx);
		return -ENOMEM;
	}
	/* A link stays a link; its target is replaced. */
	real = realpath(path, NULL);
	ret = file_replace(real ? real : path, text);
	free(real);
	free(text);
	if (ret < 0) {
		snprintf(message, sizeof(message), "%s cannot be written: %s", path,
			 ret == -EINVAL ? "not a regular file" : strerror(-ret));
		config_report_text(&ctx, ret, SIZE_MAX, message);
	}
	return ret;
}
