/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/session.h"

volatile sig_atomic_t cli_interrupted;
