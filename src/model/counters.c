/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/counters.h"

#define X(NAME, name, help) #name,
const char *const drop_names[DROP_MAX] = {DROP_REASONS(X)};
const char *const punt_names[PUNT_MAX] = {PUNT_CLASSES(X)};
#undef X

#define X(NAME, name, help) help,
const char *const drop_helps[DROP_MAX] = {DROP_REASONS(X)};
const char *const punt_helps[PUNT_MAX] = {PUNT_CLASSES(X)};
#undef X
