/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_DATAPLANE_OBSERVE_OBSERVER_H
#define PLVS_DATAPLANE_OBSERVE_OBSERVER_H

/*
 * Records of live packets, for trace and capture: a worker writes a record at each point on an
 * observed packet's way, through a ring to control. A filter in classic BPF selects packets at
 * their arrival. A selected packet stays observed when it is rewritten or handed off
 * (pkt_tag.observed).
 *
 * Each worker has an observer of its own. Control makes the observer, the worker takes it up and
 * gives it back by a command (CMD_OBSERVE). Without one (worker.observer is NULL) a burst costs
 * three branches.
 *
 * Bounds: records of a tick, slots of the ring, packets as a whole. A packet over a bound is
 * counted and forwarded like any other packet.
 */

/* The types that bpf.h uses. */
#include <sys/types.h>

#include <pcap/bpf.h>

#include "dataplane/worker.h"

#define OBSERVE_PROGRAM_MAX 512	 /* instructions */
#define OBSERVE_SNAP_MAX    9216 /* bytes of a frame */
#define OBSERVE_RING_BYTES  (4U << 20)

enum observe_point {
	OBSERVE_IN,	    /* arrived, unchanged */
	OBSERVE_OUT,	    /* leaves, as sent */
	OBSERVE_DROPPED,    /* detail: enum drop_reason */
	OBSERVE_PUNTED,	    /* detail: enum punt_class */
	OBSERVE_HANDED_OFF, /* detail: the worker */
	OBSERVE_ANSWERED,
	OBSERVE_PARKED,
	OBSERVE_STAGE, /* went through a stage. detail: enum observe_stage */
	OBSERVE_POINTS
};

enum observe_stage {
	OBSERVE_STEER,
	OBSERVE_LOOKUP,
	OBSERVE_SCHEDULE,
	OBSERVE_RESOLVE,
	OBSERVE_TRACK,
	OBSERVE_REWRITE,
	OBSERVE_STAGES
};

extern const char *const observe_point_names[OBSERVE_POINTS];
extern const char *const observe_stage_names[OBSERVE_STAGES];

struct observe_record {
	uint64_t tsc;	 /* of the round */
	uint64_t packet; /* names the packet among those under way */
	uint16_t port, vlan;
	uint16_t len, caplen;
	uint8_t point, detail;
	/* OBSERVE_STAGE, as far as the stage knows. */
	uint8_t dir; /* enum pkt_dir */
	uint8_t state;
	bool found, made;
	uint8_t method;
	uint32_t server; /* server_rt id, or 0 */
	uint16_t nh_port;
	uint8_t nh_mac[6];
	uint8_t bytes[]; /* [caplen] */
};

struct observer {
	/* --- control: wo, before the worker has it --- */
	struct bpf_insn program[OBSERVE_PROGRAM_MAX];
	uint32_t n_program;   /* 0: every packet */
	bool stages;	      /* trace: stages and all doors; else in, out, dropped */
	uint16_t snap;	      /* bytes copied of a frame */
	uint32_t per_tick;    /* records */
	uint64_t packets_max; /* the most packets to observe */
	uint32_t slot_bytes, n_slots;
	uint8_t *slots;

	/* --- worker --- */
	uint32_t tick; /* + 1: of the last record */
	uint32_t left; /* records that may be made in that tick */

	/* --- worker: wo, control: ro --- */
	uint64_t packets;   /* observed so far */
	uint64_t over_rate; /* records that were over the rate */
	uint64_t lost;	    /* records without room in the ring */
	uint32_t head;	    /* release: slots written */

	/* --- control: wo, worker: ro --- */
	uint32_t tail; /* release: slots read */
};

/* Control. The filter is a program as bpf_validate() accepts it; n 0: none. NULL: no memory. */
struct observer *observer_create(const struct bpf_insn *program, uint32_t n, bool stages,
				 uint16_t snap, uint32_t per_s, uint64_t packets_max);
void observer_destroy(struct observer *observer);
/* Control. The oldest record, or NULL; observer_took() frees its slot. */
const struct observe_record *observer_next(const struct observer *observer);
void observer_took(struct observer *observer);

/* --- worker, where w->observer is set --- */

/* Frames that arrived, before stage parse. */
void observer_arrived(struct worker *w, struct rte_mbuf **frames, uint16_t n);
/* Frames that are about to leave by a port. */
void observer_leaving(struct worker *w, uint16_t port, struct rte_mbuf **frames, uint16_t n);
/* A packet leaves the stages by another door. */
void observer_door(struct worker *w, struct rte_mbuf *m, enum observe_point point,
		   unsigned int detail);
/* Begins a record of a packet, with its bytes if `bytes`; observer_put() ends the record. NULL: a
 * bound is reached.
 */
struct observe_record *observer_begin(struct worker *w, struct rte_mbuf *m,
				      enum observe_point point, unsigned int detail, bool bytes);
void observer_put(struct observer *observer);

#define FAM_TEMPLATE "dataplane/observe/observer.fam.h"
#include "base/both_families.h"

#endif
