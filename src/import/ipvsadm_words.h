/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_IMPORT_IPVSADM_WORDS_H
#define PLVS_IMPORT_IPVSADM_WORDS_H

#include "import/importer.h"

#define IPVSADM_FLAG_3 4U /* beside LVS_FALLBACK and LVS_PORT */

/* A command line of ipvsadm, with its defaults filled in. */
struct ipvsadm_command {
	char verb; /* its short letter; 'S': --set, 'Y': daemons, 'L': list, save and the like */
	const char *verb_text;
	uint8_t protocol;
	uint32_t mark;
	bool v6;
	struct addr vip;
	uint32_t vip_port;
	const char *scheduler, *pe;
	uint32_t persistent; /* seconds, 0: off */
	uint32_t netmask;    /* 0: not given */
	bool ops;
	uint32_t flags;
	struct addr server;
	const char *server_host;
	uint32_t server_port;
	bool server_port_said;
	enum lvs_method method;
	struct encap tunnel;
	uint32_t weight, upper, lower;
	uint32_t set[3];
};

/* false: the line is empty, or its error is noted. */
bool ipvsadm_line_parse(struct importer *im, struct origin at, const char *line, size_t len,
			struct ipvsadm_command *out);

#endif
