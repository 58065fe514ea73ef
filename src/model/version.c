/* SPDX-License-Identifier: BSD-3-Clause */
#include "model/version.h"

#include <stdio.h>

const char *version_relation_name(enum version_relation relation)
{
	static const char *const names[] = {
		[VERSION_NONE] = "none",
		[VERSION_PENDING] = "pending",
		[VERSION_EQUAL] = "equal",
		[VERSION_PEER_OLDER] = "peer_older",
		[VERSION_PEER_NEWER] = "peer_newer",
		[VERSION_DIVERGED] = "diverged",
	};

	return (unsigned int)relation <= VERSION_DIVERGED ? names[relation] : "unknown";
}

bool version_has(const struct version *v, const struct version_id *id)
{
	for (uint32_t i = 0; i < v->n_ancestors; i++)
		if (version_id_equal(&v->ancestor[i], id))
			return true;
	return false;
}

enum version_judgement version_judge(const struct version *mine, const struct version_id *id)
{
	if (version_id_is_none(&mine->id) || version_id_is_none(id))
		return VERSION_NOT_JUDGED;
	return version_has(mine, id) ? VERSION_IS_ANCESTOR : VERSION_IS_FOREIGN;
}

enum version_relation version_relate(const struct version *mine, const struct version_word *word)
{
	if (version_id_is_none(&mine->id) || version_id_is_none(&word->id))
		return VERSION_NONE;
	if (version_id_equal(&mine->id, &word->id) ||
	    memcmp(mine->digest, word->digest, sizeof(mine->digest)) == 0)
		return VERSION_EQUAL;
	if (version_has(mine, &word->id))
		return VERSION_PEER_OLDER;
	/* The ancestors of the peer's version are known to the peer alone. */
	if (!version_id_equal(&word->judged, &mine->id) || word->judgement == VERSION_NOT_JUDGED)
		return VERSION_PENDING;
	return word->judgement == VERSION_IS_ANCESTOR ? VERSION_PEER_NEWER : VERSION_DIVERGED;
}

bool version_add_ancestor(struct version *v, const struct version_id *id)
{
	const uint32_t n_left =
		v->n_ancestors < VERSION_ANCESTORS ? v->n_ancestors : VERSION_ANCESTORS - 1;

	if (version_id_is_none(id) || version_id_equal(&v->id, id) || version_has(v, id))
		return false;
	memmove(v->ancestor + 1, v->ancestor, n_left * sizeof(v->ancestor[0]));
	v->ancestor[0] = *id;
	v->n_ancestors = n_left + 1;
	return true;
}

void version_child(const struct version *parent, const struct version_id *id,
		   const uint8_t digest[VERSION_DIGEST_BYTES], const struct version_id *also,
		   struct version *child)
{
	const struct version_id before = parent->id;

	if (child != parent)
		*child = *parent;
	child->id = *id;
	memcpy(child->digest, digest, VERSION_DIGEST_BYTES);
	if (also)
		version_add_ancestor(child, also);
	version_add_ancestor(child, &before);
}

bool version_may_replace(const struct version *mine, const struct version *other)
{
	return version_id_is_none(&mine->id) || version_id_equal(&mine->id, &other->id) ||
	       version_has(other, &mine->id) ||
	       (memcmp(mine->digest, other->digest, sizeof(mine->digest)) == 0 &&
		!version_has(mine, &other->id));
}

char *version_id_format(const struct version_id *id, char buf[VERSION_ID_STRLEN])
{
	for (size_t i = 0; i < sizeof(id->byte); i++)
		snprintf(buf + 2 * i, 3, "%02x", id->byte[i]);
	return buf;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool version_id_parse(const char *text, struct version_id *id)
{
	struct version_id out;

	if (!text || strlen(text) != VERSION_ID_STRLEN - 1)
		return false;
	for (size_t i = 0; i < sizeof(out.byte); i++) {
		const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out.byte[i] = (uint8_t)(high << 4 | low);
	}
	if (version_id_is_none(&out))
		return false;
	*id = out;
	return true;
}
