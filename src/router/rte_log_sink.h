/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_RTE_LOG_SINK_H
#define PLVS_ROUTER_RTE_LOG_SINK_H

/* Registers a log type of DPDK for each folder and sends lines there. Call after EAL has started
 * and before threads start; log_set_sink(NULL) ends it. */
void rte_log_start(void);

#endif
