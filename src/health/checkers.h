/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_HEALTH_CHECKERS_H
#define PLVS_HEALTH_CHECKERS_H

/* The checkers of CHECK_TYPES. */

#include "health/check.h"

#define X(NAME, name) extern const struct checker_ops check_##name##_ops;
CHECK_TYPES(X)
#undef X

#endif
