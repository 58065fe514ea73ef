/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_TELNET_PROGRAM_H
#define PLVS_CONTROL_TELNET_PROGRAM_H

/*
 * plvs-telnetd as a program of the spawner: started if node.telnet has `start`, and started again
 * when the program ends or node.telnet changes. The program listens in the router's own network
 * namespace. Context: the control thread, or the one that starts and stops it.
 */

#include <jansson.h>

#include "config/operator_config.h"

struct control;

/* node.telnet.program, or the installed program. */
const char *telnet_program_path(const struct config_telnet *telnet);
/* 0 or -ENOMEM. */
int telnet_program_start(struct control *c);
void telnet_program_stop(struct control *c);
/* The configuration changed. */
void telnet_program_changed(struct control *c);
/* Adds faults to list. */
void telnet_program_warn(const struct control *c, json_t *list);

#endif
