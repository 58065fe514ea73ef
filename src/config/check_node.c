/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define IFNAME_MAX 15 /* of Linux, without the NUL */

/* At most MAX_PORTS ports: pairs are compared. */
static void port_pair_check(struct config_context *ctx, const struct config_port *a, uint32_t ai,
			    const struct config_port *b)
{
	const struct {
		const char *key, *a, *b;
	} same[] = {{"name", a->name, b->name},
		    {"device", a->device, b->device},
		    {"tap", a->tap, b->tap}};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		if (strcmp(same[i].a, same[i].b) != 0)
			continue;
		/* A TAP that is named after its port says it once. */
		if (i == 2 && strcmp(a->name, b->name) == 0)
			continue;
		context_push_key(ctx, same[i].key);
		config_report(ctx, -EINVAL, NULL, "\"%s\" is that of node.ports[%u] already",
			      same[i].b, ai);
		context_pop(ctx);
	}
}

static void vlans_check(struct config_context *ctx, const struct config_port *port)
{
	context_push_key(ctx, "vlans");
	for (uint32_t i = 0; i < port->n_vlans; i++) {
		const struct config_vlan *v = &port->vlans[i];
		char name[64];
		int n = snprintf(name, sizeof(name), "%s.%u", port->tap, v->id);

		if (v->id == 0 || n <= IFNAME_MAX)
			continue; /* 0: reported where it was parsed */
		context_push_index(ctx, i);
		context_push_key(ctx, "id");
		config_report(ctx, -EINVAL, NULL,
			      "\"%s\" is too long for an interface: expected a \"tap\" of "
			      "at most %d characters",
			      name, IFNAME_MAX - (n - (int)strlen(port->tap)));
		context_pop(ctx);
		context_pop(ctx);
	}
	context_pop(ctx);
}

static void metrics_check(struct config_context *ctx, const struct config_node *node)
{
	if (!node->metrics_socket || !node->socket ||
	    strcmp(node->metrics_socket, node->socket) != 0)
		return;
	context_push_key(ctx, "metrics");
	context_push_key(ctx, "socket");
	config_report(ctx, -EINVAL, NULL, "is the control socket already: expected another path");
	context_pop(ctx);
	context_pop(ctx);
}

static void level_socket_check(struct config_context *ctx, const struct config_node *node,
			       const char *key, const struct config_level_socket *s,
			       const char *other)
{
	context_push_key(ctx, key);
	context_push_key(ctx, "socket");
	if (s->socket && ((node->socket && strcmp(s->socket, node->socket) == 0) ||
			  (other && strcmp(s->socket, other) == 0)))
		config_report(ctx, -EINVAL, NULL,
			      "is another socket already: expected another path");
	context_pop(ctx);
	context_pop(ctx);
}

static void control_check(struct config_context *ctx, const struct config_node *node)
{
	context_push_key(ctx, "control");
	level_socket_check(ctx, node, "read", &node->read, node->metrics_socket);
	level_socket_check(ctx, node, "change", &node->change, node->read.socket);
	context_pop(ctx);
}

#define SUFFIX_MAX 7 /* ".change" */

static void telnet_check(struct config_context *ctx, const struct config_node *node)
{
	if (node->telnet.listen.addr.family == ADDR_NONE || !node->socket ||
	    strlen(node->socket) + SUFFIX_MAX <= 107 || (node->read.socket && node->change.socket))
		return;
	context_push_key(ctx, "telnet");
	context_push_key(ctx, "listen");
	config_report(ctx, -EINVAL, NULL,
		      "the path of control.socket is too long for \".change\" behind it");
	context_pop(ctx);
	context_pop(ctx);
}

void config_check_node(struct config_context *ctx, const struct config_node *node)
{
	for (uint32_t i = 0; i < node->n_ports; i++) {
		const struct config_port *port = &node->ports[i];

		if (!port->name)
			continue; /* reported where it was parsed */
		context_push_key(ctx, "ports");
		context_push_index(ctx, i);
		for (uint32_t k = 0; k < i; k++)
			if (node->ports[k].name)
				port_pair_check(ctx, &node->ports[k], k, port);
		context_push_key(ctx, "linux");
		vlans_check(ctx, port);
		context_pop(ctx);
		context_pop(ctx);
		context_pop(ctx);
	}
	metrics_check(ctx, node);
	control_check(ctx, node);
	telnet_check(ctx, node);
}
