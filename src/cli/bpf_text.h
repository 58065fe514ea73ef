/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_BPF_TEXT_H
#define PLVS_CLI_BPF_TEXT_H

#include <stddef.h>

/* A filter in libpcap's language as the router takes it: the program as `tcpdump -ddd` prints it,
 * malloced. NULL: error says why it does not compile. */
char *bpf_text(const char *filter, char *error, size_t error_len);

#endif
