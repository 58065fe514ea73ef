/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_PORT_PULSE_H
#define PLVS_DATAPLANE_PORT_PULSE_H

/*
 * Detection of a port that stalls: its device counts drops, and no frames are received, or none are
 * sent, although workers poll. The functions use only counters: no clock, no driver.
 */

#include <stdbool.h>
#include <stdint.h>

#define PULSE_MS     250
#define PULSE_STALLS 5 /* pulses without a frame: 1.25 s */

/* Sums since the start. */
struct port_sample {
	uint64_t rx;	     /* frames that workers received from the port */
	uint64_t rx_lost;    /* frames that the device dropped since no worker took them */
	uint64_t tx;	     /* frames that its transmit queues took */
	uint64_t tx_full;    /* frames that the queues did not take */
	uint64_t tx_refused; /* frames that the queues took and the kernel refused */
};

struct port_pulse {
	struct port_sample last;
	uint64_t rx_lost_then; /* rx_lost when the last frame was received */
	unsigned int rx_silent;
	unsigned int tx_silent, tx_bad; /* pulses since the first bad one; bad ones of them */
	bool started;
};

enum port_verdict { PULSE_FINE, PULSE_RX_STALLS, PULSE_TX_STALLS };

/* Every PULSE_MS. polled: all workers with a receive queue of the port have made a round since the
 * last pulse; otherwise silence is not the port's fault. */
enum port_verdict port_pulse_judge(struct port_pulse *p, const struct port_sample *now,
				   bool polled);

/* Starts anew: the link is down, or the port was opened again. */
void port_pulse_reset(struct port_pulse *p);

#endif
