/* SPDX-License-Identifier: BSD-3-Clause */
/* -S: the services as command lines for -R. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ipvsadm/adm_internal.h"

/* "-t 192.0.2.1:80", "-f 7"; marks as ipvsadm has them, signed. */
static void service_text(const struct adm_entry *e, bool numeric, char buf[ADM_NAME_LEN + 8])
{
	char text[ADM_NAME_LEN];

	if (e->s.mark)
		snprintf(buf, ADM_NAME_LEN + 8, "-f %d%s", (int32_t)e->s.mark,
			 adm_is_ipv6(&e->s) ? " -6" : "");
	else
		snprintf(buf, ADM_NAME_LEN + 8, "-%c %s", e->s.proto == IPPROTO_UDP ? 'u' : 't',
			 adm_endpoint_text(&e->s.ep, e->s.proto, numeric, text, sizeof(text)));
}

static void save_service(const struct adm *a, const struct adm_entry *e, const char *name)
{
	const char *scheduler = adm_scheduler(a, e->service), *engine = adm_engine(a, e->service);
	uint32_t flags = adm_flags(a, e->service), persist;
	char text[64], mask[ADM_MASK_LEN];

	fprintf(a->out, "-A %s -s %s", name, scheduler);
	persist = adm_persist(a, &e->s, e->service, mask);
	if (persist)
		fprintf(a->out, " -p %u", persist);
	if (persist && mask[0])
		fprintf(a->out, " -M %s", mask);
	if (engine)
		fprintf(a->out, " --pe %s", engine);
	if (adm_ops(a, e->service))
		fprintf(a->out, " -o");
	if (flags)
		fprintf(a->out, " -b %s", adm_flags_text(scheduler, flags, text));
	fputc('\n', a->out);
}

static void save_tunnel(FILE *out, const json_t *server)
{
	const char *type = json_string_value(json_object_get(server, "tunnel_type"));
	const char *sum = json_string_value(json_object_get(server, "tunnel_checksum"));
	const long long port = (long long)adm_member(server, "tunnel_port", 0);

	fprintf(out, " --tun-type %s", type ? type : adm_tunnel_names[ADM_IPIP]);
	if (!type || strcmp(type, adm_tunnel_names[ADM_IPIP]) == 0)
		return;
	if (port)
		fprintf(out, " --tun-port %lld", port);
	fprintf(out, " --tun-%s",
		!sum || strcmp(sum, "none") == 0 ? "nocsum"
		: strcmp(sum, "full") == 0	 ? "csum"
						 : "remcsum");
}

static void save_server(const struct adm *a, const struct adm_entry *e, const char *name,
			bool numeric)
{
	const char *forward = adm_forward(a, e->service, e->server);
	bool tunnel = strcmp(forward, "tunnel") == 0;
	char text[ADM_NAME_LEN];

	fprintf(a->out, "-a %s -r %s -%c -w %lld", name,
		adm_endpoint_text(&e->ep, e->s.proto, numeric, text, sizeof(text)),
		tunnel						 ? 'i'
		: strcmp(adm_forward_text(forward), "Masq") == 0 ? 'm'
								 : 'g',
		(long long)adm_member(e->server, "weight", 1));
	if (tunnel)
		save_tunnel(a->out, e->server);
	fputc('\n', a->out);
}

int adm_save(struct adm *a, const struct adm_command *cmd)
{
	bool numeric = ADM_HAS(cmd, NUMERIC);
	size_t n_services, n_servers;
	struct adm_entry *services = adm_sorted_services(a, true, &n_services);
	char name[ADM_NAME_LEN + 8];

	for (size_t i = 0; services && i < n_services; i++) {
		struct adm_entry *servers = adm_sorted_servers(&services[i], true, &n_servers);

		service_text(&services[i], numeric, name);
		save_service(a, &services[i], name);
		for (size_t k = 0; servers && k < n_servers; k++)
			save_server(a, &servers[k], name, numeric);
		free(servers);
	}
	free(services);
	return ADM_OK;
}
