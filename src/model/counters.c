/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/counters.h"

#define X(NAME, name, help) #name,
const char *const drop_names[DROP_MAX] = {DROP_REASONS(X)};
#undef X

#define X(NAME, name, help) help,
const char *const drop_helps[DROP_MAX] = {DROP_REASONS(X)};
#undef X

#define X(NAME, name, rate, help) #name,
const char *const punt_names[PUNT_MAX] = {PUNT_CLASSES(X)};
#undef X

#define X(NAME, name, rate, help) help,
const char *const punt_helps[PUNT_MAX] = {PUNT_CLASSES(X)};
#undef X

#define X(NAME, name, rate, help) rate,
const uint32_t punt_rates[PUNT_MAX] = {PUNT_CLASSES(X)};
#undef X
