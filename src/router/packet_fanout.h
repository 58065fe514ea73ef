/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_ROUTER_PACKET_FANOUT_H
#define PLVS_ROUTER_PACKET_FANOUT_H

/* Fanout groups of the sockets of net_af_packet. Context: main, before EAL starts. */

/* With EAL's arguments: no socket joins a group unless a device has several queues (qpairs). */
void packet_fanout_start(int argc, char **argv);

#endif
