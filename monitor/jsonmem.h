/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether jansson was refused memory: it answers with less then, and most of its callers have nobody to tell.  Loop thread. */
#ifndef GV_MONITOR_JSONMEM_H
#define GV_MONITOR_JSONMEM_H

#include <stdbool.h>

/* From now on it is seen; the whole program's.  May be called again. */
void jsonmem_watch(void);
/* Somebody who renders results had no memory for what jansson had some for. */
void jsonmem_miss(void);
/* Whether that was so since this was asked last. */
bool jsonmem_failed(void);

#endif
