// SPDX-License-Identifier: GPL-2.0
/*
 * Memory as engines see it, without breakpoints: what they write where one is goes
 * to the byte that is kept for it, and the breakpoint stays.
 */
#include <linux/rculist.h>
#include <linux/slab.h>

#include "break.h"
#include "ntrace.h"

/* Was the byte there, at some time since the reading began? Then it may have been read. Where a
 * site is disarmed the byte goes first, then the disarming is counted, then it is told.
 */
static bool was_there(const struct nt_site *s, unsigned long begun)
{
	/* told last, so what was counted before is seen */
	return smp_load_acquire(&s->armed) || READ_ONCE(s->disarmed) > begun;
}

/* Could there be any in [addr, addr + len)? */
static bool near_sites(const struct nt_mm *m, unsigned long addr, size_t len)
{
	return len && addr <= READ_ONCE(m->site_hi) && addr + len - 1 >= READ_ONCE(m->site_lo);
}

void nt_shadow_rcu(struct nt_mm *m, unsigned long addr, void *buf, size_t len, unsigned long begun)
{
	unsigned long from = max(addr, READ_ONCE(m->site_lo));
	unsigned long to = min(addr + len - 1, READ_ONCE(m->site_hi));
	u8 *bytes = buf;
	struct nt_site *s;
	unsigned int bucket;

	if (!len || from > to)
		return;
	if (to - from < HASH_SIZE(m->sites)) {
		for (; from <= to; from++) {
			s = bytes[from - addr] == NT_BREAK_BYTE ? nt_site_find(m, from) : NULL;
			if (s && was_there(s, begun))
				bytes[from - addr] = READ_ONCE(s->original);
		}
		return;
	}
	hash_for_each_rcu(m->sites, bucket, s, link)
		if (s->addr - addr < len && bytes[s->addr - addr] == NT_BREAK_BYTE &&
		    was_there(s, begun))
			bytes[s->addr - addr] = READ_ONCE(s->original);
}

unsigned long nt_break_shadow_begin(struct mm_struct *mm)
{
	unsigned long begun;

	rcu_read_lock();
	begun = nt_shadow_begin(nt_mm_get_rcu(mm));
	rcu_read_unlock();
	return begun;
}

void nt_break_shadow_read(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
			  unsigned long begun)
{
	struct nt_mm *m;

	rcu_read_lock();
	m = nt_mm_get_rcu(mm);
	if (m)
		nt_shadow_rcu(m, addr, buf, len, begun);
	rcu_read_unlock();
}

int nt_break_hidden(struct mm_struct *mm, unsigned long addr, size_t len, unsigned long begun,
		    struct nt_hidden *hidden)
{
	unsigned int bucket;
	struct nt_site *s;
	struct nt_mm *m;
	int n = 0;

	rcu_read_lock();
	m = nt_mm_get_rcu(mm);
	if (m && near_sites(m, addr, len))
		hash_for_each_rcu(m->sites, bucket, s, link)
			if (s->addr - addr < len && was_there(s, begun)) {
				if (n == NT_HIDDEN) {
					n = -E2BIG;
					goto out;
				}
				hidden[n++] = (struct nt_hidden){s->addr, READ_ONCE(s->original)};
			}
out:
	rcu_read_unlock();
	return n;
}

/* By way of a copy, which has the breakpoints: m->mutex. */
static size_t write_piece(struct nt_mm *m, unsigned long addr, u8 *piece, const u8 *from,
			  size_t len)
{
	struct nt_site *s;
	unsigned int bucket;
	size_t done;

	memcpy(piece, from, len);
	hash_for_each(m->sites, bucket, s, link)
		if (s->addr - addr < len && nt_site_armed(m, s))
			piece[s->addr - addr] = NT_BREAK_BYTE;
	done = nt_mem_write(m->mm, addr, piece, len);
	hash_for_each(m->sites, bucket, s, link)
		if (s->addr - addr < done && s->armed)
			WRITE_ONCE(s->original, from[s->addr - addr]);
	return done;
}

/* m->mutex. */
static bool any_armed(struct nt_mm *m, unsigned long addr, size_t len)
{
	struct nt_site *s;
	unsigned int bucket;

	if (!near_sites(m, addr, len))
		return false;
	hash_for_each(m->sites, bucket, s, link)
		if (s->addr - addr < len && s->armed)
			return true;
	return false;
}

/* What keeps a write and a breakpoint that is being inserted there apart: even the first one. */
static struct nt_mm *record_of(struct mm_struct *mm, bool mode64)
{
	struct nt_mm *m = nt_mm_find(mm);

	return m ? m : nt_mm_make(mm, mode64);
}

size_t nt_break_write_user(struct mm_struct *mm, bool mode64, unsigned long addr,
			   const char __user *in, size_t len)
{
	struct nt_mm *m = record_of(mm, mode64);
	size_t done = 0;

	if (!m)
		return 0;
	mutex_lock(&m->mutex);
	if (!any_armed(m, addr, len)) {
		done = nt_mem_write_user(mm, addr, in, len);
		nt_break_replan(m, addr, done);
	}
	mutex_unlock(&m->mutex);
	nt_mm_put(m);
	return done;
}

size_t nt_break_shadow_write(struct mm_struct *mm, bool mode64, unsigned long addr, const void *buf,
			     size_t len)
{
	struct nt_mm *m = record_of(mm, mode64);
	size_t done = 0;
	u8 *piece;

	if (!m)
		return 0;
	piece = kmalloc(len, GFP_KERNEL);
	if (!piece)
		goto out;
	mutex_lock(&m->mutex);
	done = write_piece(m, addr, piece, buf, len);
	nt_break_replan(m, addr, done);
	mutex_unlock(&m->mutex);
	kfree(piece);
out:
	nt_mm_put(m);
	return done;
}
