/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_METRICS_PAGE_H
#define PLVS_METRICS_PAGE_H

/* page.html, which the build turns into a C file by embed_page.py. */

#include "rpc/scrape.h"

extern const struct scrape_page metrics_page;

#endif
