/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_BASE_TEXT_BUFFER_H
#define PLVS_BASE_TEXT_BUFFER_H

/*
 * Text that grows by doubling. An empty buffer is all zero; free(v) releases it. After the first
 * byte a NUL stands behind the text. Context: any thread but workers, one at a time.
 */

#include <stddef.h>
#include <stdio.h>

struct text_buffer {
	char *v;
	size_t n, max; /* bytes of text; of memory */
};

/* Room for more bytes and a NUL behind the text. 0, or -ENOMEM with the buffer as it was. */
int text_buffer_reserve(struct text_buffer *b, size_t more);
/* Appends n bytes; arg is the buffer, so that json_write() takes this function. 0 or -ENOMEM. */
int text_buffer_put(const char *text, size_t n, void *arg);
/* Appends a file up to its end. 0, -EFBIG (more than max bytes), -ENOMEM, or -errno of reading. */
int text_buffer_read(struct text_buffer *b, FILE *f, size_t max);

#endif
