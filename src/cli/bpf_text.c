/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/bpf_text.h"

#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#define SNAP 65535

static char *program_text(const struct bpf_program *program)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "%u", program->bf_len);
	for (u_int i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *in = &program->bf_insns[i];

		fprintf(f, "\n%u %u %u %u", in->code, in->jt, in->jf, in->k);
	}
	fclose(f);
	return text;
}

char *bpf_text(const char *filter, char *error, size_t error_len)
{
	pcap_t *none = pcap_open_dead(DLT_EN10MB, SNAP);
	struct bpf_program program;
	char *text;

	if (!none) {
		snprintf(error, error_len, "out of memory");
		return NULL;
	}
	if (pcap_compile(none, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		snprintf(error, error_len, "%s", pcap_geterr(none));
		pcap_close(none);
		return NULL;
	}
	text = program_text(&program);
	pcap_freecode(&program);
	pcap_close(none);
	if (!text)
		snprintf(error, error_len, "out of memory");
	return text;
}
