/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_SIEVE_TELL_H
#define PLVS_CONTROL_SIEVE_TELL_H

struct control;

/* After a publication: gives the XDP programs of shared ports the addresses that the router
 * balances (dataplane/sieve/sieve.h). Without shared ports the function does nothing. */
void sieve_tell(struct control *c);

#endif
