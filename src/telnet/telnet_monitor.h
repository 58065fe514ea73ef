/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_TELNET_TELNET_MONITOR_H
#define PLVS_TELNET_TELNET_MONITOR_H

/* Messages between the two processes of a connection: telnet_monitor.c. */

#include "telnet/telnetd.h"

#define TELNET_PASSWORD_MAX 128

/* From the session: a name and a password, both empty where no login is asked for. */
struct telnet_ask {
	char name[TELNET_NAME_MAX + 1];
	char password[TELNET_PASSWORD_MAX + 1];
};

/* To the session: a byte; with TELNET_IN a descriptor, plvsctl's socket to the monitor. */
enum telnet_answer {
	TELNET_IN = 'y',
	TELNET_WRONG = 'w',
	TELNET_FULL = 'f',
};

#endif
