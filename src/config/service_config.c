/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/object_index.h"

/* Services as objects, and the names by which people call things. */

struct config_service *config_service_create(const struct config *config)
{
	struct config_service *svc = calloc(1, sizeof(*svc));

	if (svc)
		config_object_init(&config_object_service, config->schedulers, svc);
	return svc;
}

void config_service_destroy(struct config_service *svc)
{
	if (!svc || __atomic_fetch_sub(&svc->others, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	config_object_fini(&config_object_service, svc);
	free(svc);
}

struct config_service *config_service_clone(const struct config_service *svc)
{
	struct config_service *c = malloc(sizeof(*c));

	if (c && config_object_copy(&config_object_service, svc, c) < 0) {
		free(c);
		return NULL;
	}
	if (c) {
		c->digest_valid = false;
		c->others = 0;
	}
	return c;
}

struct config_service config_service_seen(const struct config_service *svc)
{
	const size_t at = offsetof(struct config_service, others);
	const size_t after = at + sizeof(svc->others);
	struct config_service seen = {0};

	memcpy(&seen, svc, at);
	memcpy((char *)&seen + after, (const char *)svc + after, sizeof(seen) - after);
	return seen;
}

bool config_netmask_is_long(uint64_t netmask)
{
	return netmask > 32 && !(netmask & NETMASK_BITS);
}

uint64_t config_netmask_inherited(uint64_t netmask, uint8_t family)
{
	const bool v6 = family == ADDR_V6;

	if (config_netmask_is_long(netmask) == v6)
		return netmask;
	return v6 ? 128 : 32;
}

static void netmask_inherit(struct config_service *svc)
{
	uint64_t *netmask = &svc->policy.service.netmask;

	if (!config_policy_states_netmask(&svc->policy))
		*netmask = config_netmask_inherited(*netmask, config_service_family(svc));
}

void config_service_inherit(struct config_service *svc, const struct config_policy *defaults)
{
	config_policy_inherit(&svc->policy, defaults);
	netmask_inherit(svc);
	for (uint32_t i = 0; i < svc->n_servers; i++) {
		struct config_server *s = &svc->servers[i];

		if (!(s->set & 1ULL << CONFIG_SERVER_FORWARD))
			s->forward = svc->policy.service.forward;
		if (!(s->set & 1ULL << CONFIG_SERVER_CHECK))
			s->check = svc->policy.check;
		if (!(s->set & 1ULL << CONFIG_SERVER_ON_DOWN))
			s->consequence = svc->policy.health.consequence;
	}
}

const char *config_service_key(const struct config_service *svc, char *buf, size_t len)
{
	return service_key_format(svc->proto, svc->listen, svc->mark, svc->family, buf, len);
}

const char *config_service_label(const struct config_service *svc, char *buf, size_t len)
{
	char key[CONFIG_KEY_STRLEN];

	config_service_key(svc, key, sizeof(key));
	if (svc->name)
		snprintf(buf, len, "service \"%s\" (%s)", svc->name, key);
	else
		snprintf(buf, len, "service %s", key);
	return buf;
}

static int index_key_parse(const char *text, struct config_index_key *key)
{
	uint8_t proto, family;
	struct endpoint ep;
	uint32_t mark;

	if (service_key_parse(text, &proto, &ep, &mark, &family) < 0)
		return -EINVAL;
	*key = proto ? index_key_listen(proto, &ep) : index_key_mark(mark, family);
	return 0;
}

struct config_service *config_service_find(const struct config *config, const char *text)
{
	struct config_service *svc = NULL;
	struct config_index_key key;

	/* Names have no colon. */
	if (strchr(text, ':') ? index_key_parse(text, &key) < 0 : text[0] == '\0')
		return NULL;
	if (!strchr(text, ':'))
		key = index_key_name(text);
	return config_index_get(config->index, &key, &svc) ? svc : NULL;
}

bool config_service_same_key(const struct config_service *a, const struct config_service *b)
{
	if (a->proto != b->proto || a->mark != b->mark ||
	    config_service_family(a) != config_service_family(b) || !a->n_listen != !b->n_listen)
		return false;
	return a->n_listen == 0 || endpoint_equal(&a->listen[0], &b->listen[0]);
}

struct config_service *config_service_twin(const struct config *config,
					   const struct config_service *svc)
{
	struct config_service *found = NULL;
	struct config_index_key key;

	if (!config)
		return NULL;
	key = svc->mark ? index_key_mark(svc->mark, config_service_family(svc))
			: index_key_listen(svc->proto, svc->listen);
	/* A listener that is not the first is not the identity. */
	if (!config_index_get(config->index, &key, &found) || !config_service_same_key(found, svc))
		return NULL;
	return found;
}

int config_server_find(const struct config_service *svc, const struct endpoint *ep)
{
	for (uint32_t i = 0; i < svc->n_servers; i++)
		if (endpoint_equal(&svc->servers[i].ep, ep))
			return (int)i;
	return -1;
}

int config_link_find(const struct config_node *node, const char *text, link_id *out)
{
	const char *dot = strchr(text, '.');
	size_t n = dot ? (size_t)(dot - text) : strlen(text);
	unsigned long vlan = 0;
	char *end;

	if (dot) {
		if (dot[1] < '1' || dot[1] > '9' || strlen(dot + 1) > 4)
			return -ENOENT;
		vlan = strtoul(dot + 1, &end, 10);
		if (*end || vlan > MAX_VLAN)
			return -ENOENT;
	}
	for (uint32_t i = 0; i < node->n_ports; i++) {
		const char *name = node->ports[i].name;

		if (name && strlen(name) == n && memcmp(name, text, n) == 0) {
			*out = link_id_of(i, (unsigned int)vlan);
			return 0;
		}
	}
	return -ENOENT;
}

const char *config_link_format(const struct config_node *node, link_id link, char *buf, size_t len)
{
	if (link == LINK_ANY || link_port(link) >= node->n_ports)
		snprintf(buf, len, "-");
	else if (link_vlan(link))
		snprintf(buf, len, "%s.%u", node->ports[link_port(link)].name, link_vlan(link));
	else
		snprintf(buf, len, "%s", node->ports[link_port(link)].name);
	return buf;
}
