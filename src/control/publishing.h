/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_PUBLISHING_H
#define PLVS_CONTROL_PUBLISHING_H

/* The publisher of a control object: started before the first snapshot is built. Context: the
 * control thread, and main before the thread starts and after it ended. */

struct control;

/* 0 or -errno of publisher_init(). */
int publishing_init(struct control *c);
void publishing_fini(struct control *c);

#endif
