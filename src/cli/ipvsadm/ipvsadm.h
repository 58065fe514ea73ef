/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CLI_IPVSADM_H
#define PLVS_CLI_IPVSADM_H

/*
 * The command line of ipvsadm 1.31 for this router (docs/ipvsadm.md): the same options,
 * columns, messages and exit codes, by requests of the control socket.
 *
 * A command line becomes an adm_command (adm_args.c), which is carried out on a copy of the
 * router's configuration as a JSON document (adm_change.c). The answer of IPVS (no such service,
 * exists already) follows from the copy; then the request that makes the same change in the router
 * is sent. A restore carries out all its lines on the copy and sends the copy once.
 */

#include <stdint.h>
#include <stdio.h>

/* The program's name without folders is one of ipvsadm, ipvsadm-save, ipvsadm-restore. */
int ipvsadm_is_name(const char *argv0);

/* argv[0] is the name that decides between the three; socket may be NULL (environment, then
 * default). The exit code of ipvsadm: 0, 1, 2 or 255. */
int ipvsadm_main(int argc, char **argv, const char *socket, uint32_t timeout_ms, FILE *in,
		 FILE *out, FILE *errors);

#endif
