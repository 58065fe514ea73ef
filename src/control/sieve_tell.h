/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_SIEVE_TELL_H
#define PLVS_CONTROL_SIEVE_TELL_H

struct control;

/* After a publication: tells the XDP programs of ports whose interface Linux keeps which frames the
 * router balances (dataplane/sieve/sieve.h). Nothing where there is no such port. */
void sieve_tell(struct control *c);

#endif
