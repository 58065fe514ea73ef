/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_MODEL_SCHEDULERS_H
#define PLVS_MODEL_SCHEDULERS_H

/* The schedulers, by name, in order: the file of each is sched/NAME.c. */
#define SCHEDULERS(X)                                                                              \
	X(dh)                                                                                      \
	X(fo)                                                                                      \
	X(lblc)                                                                                    \
	X(lblcr)                                                                                   \
	X(lc)                                                                                      \
	X(mh)                                                                                      \
	X(nq)                                                                                      \
	X(ovf)                                                                                     \
	X(rr)                                                                                      \
	X(sed)                                                                                     \
	X(sh)                                                                                      \
	X(twos)                                                                                    \
	X(wlc)                                                                                     \
	X(wrr)

#endif
