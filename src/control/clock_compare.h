/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CLOCK_COMPARE_H
#define PLVS_CONTROL_CLOCK_COMPARE_H

/* The wall clocks of a pair, side by side. The pair decides nothing by them; people and programs
 * compare times of both routers. Methods of ha_methods. */

#include "control/method.h"

control_method clock_tell, clock_compare;

#endif
