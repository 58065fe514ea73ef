/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/conn_state.h"

const char *const conn_state_names[CONN_STATE_MAX] = {
#define X(NAME, timeout, active) [CONN_##NAME] = #NAME,
	CONN_STATES(X)
#undef X
};

const uint32_t conn_state_timeouts_s[CONN_STATE_MAX] = {
#define X(NAME, timeout, active) [CONN_##NAME] = timeout,
	CONN_STATES(X)
#undef X
};

const uint8_t conn_state_active[CONN_STATE_MAX] = {
#define X(NAME, timeout, active) [CONN_##NAME] = active,
	CONN_STATES(X)
#undef X
};
