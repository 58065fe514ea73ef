/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_BPF_TEXT_H
#define PLVS_CLI_BPF_TEXT_H

#include <stddef.h>

/* Compiles a filter in libpcap's language for the router: the program as `tcpdump -ddd` prints it,
 * malloced. NULL: the filter does not compile, and error has the reason. */
char *bpf_text(const char *filter, char *error, size_t error_len);

#endif
