// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of targets: pages are pinned and copied, whatever their protection, from
 * the memory the engine was let in to at attach or exec, never from what the
 * process has just become.
 */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "arch/x86.h"
#include "batch.h"
#include "break.h"
#include "ntrace.h"

#define PIN_PAGES 32 /* at a time */

/* Pins the pages from addr on: how many. mmap_lock is held. */
static long pin_locked(struct mm_struct *mm, unsigned long addr, size_t len, bool write,
		       struct page **pages)
{
	unsigned long first = addr & PAGE_MASK;
	unsigned long last = (addr + len - 1) & PAGE_MASK;
	unsigned long count = min_t(unsigned long, ((last - first) >> PAGE_SHIFT) + 1, PIN_PAGES);
	unsigned int flags = FOLL_FORCE | (write ? FOLL_WRITE : 0);

	return nt_get_user_pages_remote(mm, first, count, flags, pages);
}

static long pin(struct mm_struct *mm, unsigned long addr, size_t len, struct page **pages)
{
	long pinned;

	if (mmap_read_lock_killable(mm))
		return 0;
	pinned = pin_locked(mm, addr, len, false, pages);
	mmap_read_unlock(mm);
	return pinned;
}

static void unpin(struct page **pages, long count, bool dirty)
{
	long i;

	for (i = 0; i < count; i++) {
		if (dirty)
			set_page_dirty_lock(pages[i]);
		put_page(pages[i]);
	}
}

/* len, cut where the address space ends. */
static size_t bounded(unsigned long addr, size_t len)
{
	return addr >= TASK_SIZE_MAX ? 0 : min_t(size_t, len, TASK_SIZE_MAX - addr);
}

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_TEXT, ACCESS_USER };

/* Between a page of the target and ours; ACCESS_USER: the caller's, if it is there. */
static bool copy(struct page *page, size_t offset, void *buf, size_t len, enum access how)
{
	char *theirs = kmap_local_page(page);
	bool copied = true;

	if (how == ACCESS_READ)
		memcpy(buf, theirs + offset, len);
	else if (how == ACCESS_USER)
		copied = !copy_from_user_nofault(theirs + offset, (void __user *)buf, len);
	else
		memcpy(theirs + offset, buf, len);
	if (how == ACCESS_TEXT) {
		/* Once more: an emulator (QEMU's TCG) throws away what it has translated of the
		 * page, and then stores; a processor that translates it anew in between keeps
		 * the old bytes. The second store finds that translation.
		 */
		barrier();
		memcpy(theirs + offset, buf, len);
	}
	if (how != ACCESS_READ)
		flush_dcache_page(page);
	kunmap_local(theirs);
	return copied;
}

/* The lock is held until it is done: a page that is written must not become one that a
 * child shares in the meantime.
 */
static size_t access(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
		     enum access how)
{
	struct page *pages[PIN_PAGES];
	bool copied = true;
	size_t done = 0;

	len = bounded(addr, len);
	if (!len || mmap_read_lock_killable(mm))
		return 0;
	while (done < len && copied) {
		long count = pin_locked(mm, addr + done, len - done, how != ACCESS_READ, pages), i;

		for (i = 0; i < count && copied; i++) {
			size_t offset = offset_in_page(addr + done);
			size_t part = min(len - done, PAGE_SIZE - offset);

			copied = copy(pages[i], offset, buf + done, part, how);
			done += copied ? part : 0;
		}
		if (count <= 0)
			break;
		unpin(pages, count, how != ACCESS_READ);
	}
	mmap_read_unlock(mm);
	return done;
}

size_t nt_mem_read(struct mm_struct *mm, unsigned long addr, void *buf, size_t len)
{
	return access(mm, addr, buf, len, ACCESS_READ);
}

size_t nt_mem_write(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len)
{
	return access(mm, addr, (void *)buf, len, ACCESS_WRITE);
}

size_t nt_mem_write_user(struct mm_struct *mm, unsigned long addr, const char __user *in,
			 size_t len)
{
	return access(mm, addr, (void __force *)in, len, ACCESS_USER);
}

size_t nt_text_write(struct mm_struct *mm, unsigned long addr, const void *buf, size_t len)
{
	return access(mm, addr, (void *)buf, len, ACCESS_TEXT);
}

struct swap {
	struct work_struct work;
	struct mm_struct *mm;
	unsigned long addr;
	u8 from, to;
	bool done;
};

static bool swap_byte(struct swap *s)
{
	u8 byte;

	if (nt_mem_read(s->mm, s->addr, &byte, 1) != 1)
		return false;
	return byte != s->from || nt_text_write(s->mm, s->addr, &s->to, 1) == 1;
}

static void swap_work(struct work_struct *work)
{
	struct swap *s = container_of(work, struct swap, work);

	s->done = swap_byte(s);
}

bool nt_mem_swap(struct mm_struct *mm, unsigned long addr, u8 from, u8 to)
{
	struct swap s = {.mm = mm, .addr = addr, .from = from, .to = to};

	s.done = swap_byte(&s);
	if (s.done || !fatal_signal_pending(current))
		return s.done;
	/* whoever is being killed gets no pages any more */
	INIT_WORK_ONSTACK(&s.work, swap_work);
	queue_work(system_unbound_wq, &s.work);
	flush_work(&s.work);
	destroy_work_on_stack(&s.work);
	return s.done;
}

/* Straight into the caller's buffer. */
static size_t read_plain(struct mm_struct *mm, unsigned long addr, char __user *out, size_t len)
{
	struct page *pages[PIN_PAGES];
	bool fault = false;
	size_t done = 0;

	while (done < len && !fault && !fatal_signal_pending(current)) {
		long count = pin(mm, addr + done, len - done, pages), i;

		for (i = 0; i < count && !fault; i++) {
			size_t offset = offset_in_page(addr + done);
			size_t part = min(len - done, PAGE_SIZE - offset);
			void *from = kmap_local_page(pages[i]);
			size_t left = copy_to_user(out + done, from + offset, part);

			kunmap_local(from);
			fault = left;
			done += part - left;
		}
		if (count <= 0)
			break;
		unpin(pages, count, false);
		cond_resched();
	}
	return done;
}

/* The file whose text is at addr, where uprobes patch such: a reference, and where in it. */
static struct file *text_at(struct mm_struct *mm, unsigned long addr, loff_t *pos)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	if (mmap_read_lock_killable(mm))
		return NULL;
	vma = find_vma(mm, addr);
	if (vma && vma->vm_start <= addr && vma->vm_file &&
	    S_ISREG(file_inode(vma->vm_file)->i_mode) &&
	    (vma->vm_flags & (VM_MAYEXEC | VM_SHARED)) == VM_MAYEXEC) {
		file = get_file(vma->vm_file);
		*pos = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) + (addr - vma->vm_start);
	}
	mmap_read_unlock(mm);
	return file;
}

/*
 * What was read in one page, as it is without uprobes: a debugger that sees their
 * breakpoints takes them for the program's own, and goes on behind them.
 */
static void hide_probes(struct mm_struct *mm, unsigned long addr, u8 *bytes, size_t len)
{
	struct file *file;
	ssize_t got = 0, i;
	loff_t pos;
	u8 *text;

	if (!nt_mm_probed(mm) || !memchr(bytes, NT_BREAK_BYTE, len))
		return;
	file = text_at(mm, addr, &pos);
	if (!file)
		return;
	text = (u8 *)__get_free_page(GFP_KERNEL);
	if (text)
		got = kernel_read(file, text, len, &pos);
	for (i = 0; i < got; i++)
		if (bytes[i] == NT_BREAK_BYTE)
			bytes[i] = text[i];
	free_page((unsigned long)text);
	fput(file);
}

/* A page at a time, through a copy in which breakpoints are hidden. */
static size_t read_shadowed(struct mm_struct *mm, unsigned long addr, char __user *out, size_t len,
			    char *page)
{
	size_t done = 0;

	while (done < len && !fatal_signal_pending(current)) {
		size_t part = min(len - done, PAGE_SIZE - offset_in_page(addr + done));
		unsigned long begun = nt_break_shadow_begin(mm);
		size_t got = nt_mem_read(mm, addr + done, page, part), left;

		nt_break_shadow_read(mm, addr + done, page, got, begun);
		hide_probes(mm, addr + done, page, got);
		left = copy_to_user(out + done, page, got);
		done += got - left;
		if (left || got < part)
			break;
		cond_resched();
	}
	return done;
}

/* Straight into the caller's buffer, and the few breakpoints there taken out of it; false: they
 * are many.
 */
static bool read_hidden(struct mm_struct *mm, unsigned long addr, char __user *out, size_t len,
			u64 *done)
{
	unsigned long begun = nt_break_shadow_begin(mm);
	struct nt_hidden hidden[NT_HIDDEN];
	int n, i;
	u8 byte;

	*done = read_plain(mm, addr, out, len);
	n = nt_break_hidden(mm, addr, *done, begun, hidden);
	for (i = 0; i < n; i++) {
		u8 __user *at = (u8 __user *)out + (hidden[i].addr - addr);

		if (get_user(byte, at) ||
		    (byte == NT_BREAK_BYTE && put_user(hidden[i].original, at))) {
			*done = hidden[i].addr - addr;
			break;
		}
	}
	return n >= 0;
}

/* The page through which a call copies, where it has to. */
static char *bounce(char **page)
{
	if (!*page)
		*page = (char *)__get_free_page(GFP_KERNEL);
	return *page;
}

/* Straight from the caller's buffer, as far as it is in memory and no breakpoint is in the way;
 * else a page at a time, through a copy.
 */
static size_t write_shadowed(struct mm_struct *mm, bool mode64, unsigned long addr,
			     const char __user *in, size_t len, char **page)
{
	size_t done = 0;

	while (done < len && !fatal_signal_pending(current)) {
		size_t part = min_t(size_t, len - done, PIN_PAGES * PAGE_SIZE), got, left;

		cond_resched();
		fault_in_readable(in + done, part);
		got = nt_break_write_user(mm, mode64, addr + done, in + done, part);
		done += got;
		if (got)
			continue;
		part = min(len - done, PAGE_SIZE - offset_in_page(addr + done));
		if (!bounce(page))
			break;
		left = copy_from_user(*page, in + done, part);
		got = nt_break_shadow_write(mm, mode64, addr + done, *page, part - left);
		done += got;
		if (left || got < part)
			break;
	}
	return done;
}

static int read_vector(struct mm_struct *mm, struct ntrace_memvec *v, bool raw, char **page)
{
	char __user *buf = u64_to_user_ptr(v->buf);
	size_t len = bounded(v->addr, v->len);

	if (raw)
		v->done = read_plain(mm, v->addr, buf, len);
	else if (nt_mm_probed(mm) || !read_hidden(mm, v->addr, buf, len, &v->done))
		v->done = bounce(page) ? read_shadowed(mm, v->addr, buf, len, *page) : 0;
	return v->done == v->len ? 0 : EFAULT;
}

static int write_vector(struct mm_struct *mm, bool mode64, struct ntrace_memvec *v, char **page)
{
	v->done = write_shadowed(mm, mode64, v->addr, u64_to_user_ptr(v->buf),
				 bounded(v->addr, v->len), page);
	return v->done == v->len ? 0 : EFAULT;
}

static int vectors(struct nt_engine *e, struct ntrace_mem *r, bool write)
{
	struct nt_proc *p = nt_proc_find(e, r->pid);
	struct ntrace_memvec *vecs, *v;
	struct mm_struct *mm;
	char *page = NULL;
	int error = 0;
	bool mode64;

	if (!p)
		return -ESRCH;
	mm = nt_proc_mm(p); /* NULL: it is gone */
	mode64 = nt_proc_mode64(p);
	nt_proc_put(p);
	if (!mm)
		return -ESRCH;
	vecs = nt_batch_in(r->vecs, r->count, sizeof(*vecs));
	if (IS_ERR(vecs)) {
		error = PTR_ERR(vecs);
		goto out;
	}
	r->done = 0;
	for (v = vecs; v < vecs + r->count; v++) {
		v->done = 0;
		if (!v->buf && v->len)
			v->error = EFAULT;
		else if (write)
			v->error = write_vector(mm, mode64, v, &page);
		else
			v->error = read_vector(mm, v, r->flags & NTRACE_MEM_RAW, &page);
		r->done += !v->error;
	}
	free_page((unsigned long)page);
	error = nt_batch_out(r->vecs, vecs, r->count, sizeof(*vecs));
out:
	mmput(mm);
	return error;
}

int nt_readmem(struct nt_engine *e, void *record)
{
	struct ntrace_mem *r = record;

	return r->flags & ~NTRACE_MEM_RAW ? -EINVAL : vectors(e, r, false);
}

int nt_writemem(struct nt_engine *e, void *record)
{
	struct ntrace_mem *r = record;

	return r->flags ? -EINVAL : vectors(e, r, true);
}
