/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config_internal.h"

bool config_row_takes_part(const struct config_field *f, enum config_walk walk, unsigned int but)
{
	(void)walk;
	return !(f->flags & but);
}
