/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLVS_CONFIG_RENDER_H
#define PLVS_CONFIG_RENDER_H

/*
 * Output of a configuration: one walk over the rows of the schema, and two kinds of output. JSON
 * objects are for answers, which add keys to them. Compact text is for the digest and for files of
 * versions: a hundred thousand servers as JSON objects take four times as long as the text itself.
 * Both have the same contents: json_write() of the objects gives the text.
 *
 * Context: any thread, one at a time for a sink.
 */

#include "base/text_buffer.h"
#include "config/config_internal.h"

#define CONFIG_SINK_DEPTH 16 /* nested brackets of the schema */

/* key: NULL for the element of a list and for the whole. Functions return 0 or -ENOMEM. */
struct config_sink {
	int (*scalar)(struct config_sink *s, const char *key, const struct config_field *f,
		      const void *value);
	int (*open)(struct config_sink *s, const char *key, bool list);
	/* even_empty: an empty object or list stays. */
	int (*close)(struct config_sink *s, bool even_empty);
};

struct config_json_sink {
	struct config_sink sink;
	json_t *open[CONFIG_SINK_DEPTH];
	const char *keys[CONFIG_SINK_DEPTH];
	uint32_t depth;
	json_t *whole; /* after the last close; or NULL */
};

struct config_text_sink {
	struct config_sink sink;
	struct text_buffer text; /* free(text.v) */
	struct {
		size_t start; /* with the comma and the key */
		uint32_t members;
		bool list;
	} open[CONFIG_SINK_DEPTH];
	uint32_t depth;
};

void config_json_sink_init(struct config_json_sink *s);
/* The whole value if ret is 0; else, or without memory, NULL. Releases the rest. */
json_t *config_json_sink_end(struct config_json_sink *s, int ret);
void config_text_sink_init(struct config_text_sink *s);

/* Writes the members of an object. other, or NULL: an object whose equal members are left out. */
int config_members_render(struct config_sink *s, const struct config_object *o, const void *base,
			  const void *other, const void *model, enum config_style style);
/* A service as the element of a list or the whole. */
int config_service_put(struct config_sink *s, const struct config *config,
		       const struct config_service *svc, enum config_style style, bool servers);
int config_shared_put(struct config_sink *s, const char *key, const struct config *config,
		      enum config_style style, bool services);

#endif
