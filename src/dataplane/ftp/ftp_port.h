/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_FTP_FTP_PORT_H
#define PLVS_DATAPLANE_FTP_FTP_PORT_H

/*
 * Local ports of active data connections by full NAT. The port that a server reads in PORT or EPRT
 * is chosen when the command passes, by the worker of the control connection. The data connection
 * belongs to the owner of the client's data port, and so does the local port (local_port.h), which
 * the owner takes when the server's SYN comes. In between, and while the port is in use and in
 * quarantine, a word in the owner's memory has the time until which no worker may choose the port.
 * Any worker reads and writes these words, by atomics. A word is found by a hash; a port whose word
 * is in use for another port is passed over. A word that was lost in a race costs one data
 * connection: its SYN finds the connection that has the port, and its client tries again.
 *
 * Worker context.
 */

#include <stdint.h>

#include "base/be.h"
#include "base/family.h"

#define FTP_PORTS 16384U /* words of a worker */

struct worker;
struct local_end4;
struct local_end6;

#define FAM_TEMPLATE "dataplane/ftp/ftp_port.fam.h"
#include "base/both_families.h"

#endif
