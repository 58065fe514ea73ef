/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SIEVE_BPF_FILES_H
#define PLVS_DATAPLANE_SIEVE_BPF_FILES_H

/*
 * The descriptors of an XDP program: the program, its maps and its types. net_af_xdp (DPDK 22.11)
 * opens them with the device and leaves them open when the device is closed. They are found as the
 * sockets are (kernel_socket.h): those that are there after a device was opened and were not
 * before. Control context.
 */

#include <stdbool.h>
#include <stdint.h>

#define BPF_FILES_MAX 256 /* of all ports together */

struct bpf_files {
	uint16_t n;
	int fd[BPF_FILES_MAX];
};

/* Descriptors of BPF programs, maps and types of the process. */
void bpf_files_list(struct bpf_files *out);
/* Leaves those that are not in before. */
void bpf_files_since(struct bpf_files *now, const struct bpf_files *before);
/* Closes those that still are such descriptors, and empties the list. */
void bpf_files_close(struct bpf_files *files);

#endif
