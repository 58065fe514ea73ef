/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of a snapshot. Compiled for each family: base/family.h. */
#include "model/mark.h"
#include "model/snapshot.h"

void FAM(snapshot_set_addrs)(struct snapshot *s, struct FAM(addr_table) *t)
{
	struct FAM(addr_table) *old = s->FAM(addrs);

	s->FAM(addrs) = t;
	FAM_FN(addr_table, put)(old);
}

void FAM(snapshot_set_listeners)(struct snapshot *s, struct FAM(listener_table) *t)
{
	struct FAM(listener_table) *old = s->FAM(listeners);

	s->FAM(listeners) = t;
	FAM_FN(listener_table, put)(old);
}

void FAM(snapshot_set_owned)(struct snapshot *s, struct FAM(listener_table) *t)
{
	struct FAM(listener_table) *old = s->FAM(owned);

	s->FAM(owned) = t;
	FAM_FN(listener_table, put)(old);
}

void FAM(snapshot_set_pool)(struct snapshot *s, struct FAM(local_pool) *pool)
{
	struct FAM(local_pool) *old = s->FAM(pool);

	s->FAM(pool) = pool;
	FAM_FN(local_pool, put)(old);
}

void FAM(snapshot_set_cover)(struct snapshot *s, struct FAM(mark_cover) *cover)
{
	struct FAM(mark_cover) *old = s->FAM(cover);

	s->FAM(cover) = cover;
	FAM_FN(mark_cover, put)(old);
}

void FAM_FN(snapshot, share)(struct snapshot *copy, const struct snapshot *s)
{
	copy->FAM(addrs) = s->FAM(addrs);
	copy->FAM(listeners) = s->FAM(listeners);
	copy->FAM(owned) = s->FAM(owned);
	copy->FAM(cover) = s->FAM(cover);
	copy->FAM(pool) = s->FAM(pool);
	if (copy->FAM(pool) != NULL)
		copy->FAM(pool)->refs++;
	if (copy->FAM(addrs) != NULL)
		copy->FAM(addrs)->refs++;
	if (copy->FAM(listeners) != NULL)
		copy->FAM(listeners)->refs++;
	if (copy->FAM(owned) != NULL)
		copy->FAM(owned)->refs++;
	if (copy->FAM(cover) != NULL)
		copy->FAM(cover)->refs++;
}

void FAM_FN(snapshot, put)(struct snapshot *s)
{
	FAM_FN(addr_table, put)(s->FAM(addrs));
	FAM_FN(listener_table, put)(s->FAM(listeners));
	FAM_FN(listener_table, put)(s->FAM(owned));
	FAM_FN(mark_cover, put)(s->FAM(cover));
	FAM_FN(local_pool, put)(s->FAM(pool));
}
