/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_SIEVE_BPF_FILES_H
#define PLVS_DATAPLANE_SIEVE_BPF_FILES_H

/*
 * The descriptors of an XDP program: the program, its maps and its types. net_af_xdp (DPDK 22.11)
 * opens them with the device and leaves them open when the device is closed. plvs finds them like
 * the sockets (kernel_socket.h): descriptors that exist after a device was opened and did not exist
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
/* Removes descriptors from *now that are in *before. */
void bpf_files_since(struct bpf_files *now, const struct bpf_files *before);
/* Closes descriptors that are still of this kind, and empties the list. */
void bpf_files_close(struct bpf_files *files);

#endif
