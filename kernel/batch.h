/* SPDX-License-Identifier: GPL-2.0 */
/* Arrays of records that calls carry. */
#ifndef _NT_BATCH_H
#define _NT_BATCH_H

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "uapi/ntrace.h"

/* A copy of "count" entries, to be kvfree()d; NULL for none. */
static inline void *nt_batch_in(u64 from, u32 count, size_t size)
{
	void *entries;

	if (count > NTRACE_MAX_BATCH)
		return ERR_PTR(-EINVAL);
	if (!count)
		return NULL;
	if (!from)
		return ERR_PTR(-EFAULT);
	entries = kvmalloc_array(count, size, GFP_KERNEL_ACCOUNT);
	if (!entries)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(entries, u64_to_user_ptr(from), count * size)) {
		kvfree(entries);
		return ERR_PTR(-EFAULT);
	}
	return entries;
}

static inline int nt_batch_out(u64 to, void *entries, u32 count, size_t size)
{
	int error = 0;

	if (count && copy_to_user(u64_to_user_ptr(to), entries, count * size))
		error = -EFAULT;
	kvfree(entries);
	return error;
}

#endif /* _NT_BATCH_H */
