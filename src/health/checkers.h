/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_CHECKERS_H
#define PLVS_HEALTH_CHECKERS_H

/* One line for each kind of check: its file is check_KIND.c, its place is in check.c. */

#include "health/check.h"

extern const struct checker_ops check_tcp_ops;
extern const struct checker_ops check_script_ops;
extern const struct checker_ops check_http_ops;
extern const struct checker_ops check_udp_ops;
extern const struct checker_ops check_dns_ops;
extern const struct checker_ops check_icmp_ops;
extern const struct checker_ops check_exec_ops;
extern const struct checker_ops check_agent_ops;

#endif
