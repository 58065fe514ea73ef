/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONTROL_CLOCK_COMPARE_H
#define PLVS_CONTROL_CLOCK_COMPARE_H

/* The wall clocks of a pair, side by side, for people and programs that compare times of both
 * routers. The pair itself does not use wall clocks. Methods of ha_methods. */

#include "control/method.h"

control_method clock_tell, clock_compare;

#endif
