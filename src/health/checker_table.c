/* SPDX-License-Identifier: BSD-3-Clause */
/* The checkers by type. The table names each checker, so no checker looks at the table. */
#include <stddef.h>

#include "health/checkers.h"

const struct checker_ops *const checkers[CHECK_TYPE_MAX] = {
#define X(NAME, name) &check_##name##_ops,
	CHECK_TYPES(X)
#undef X
		NULL,
};
