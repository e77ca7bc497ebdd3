/* SPDX-License-Identifier: GPL-2.0 */
/* Every difference between kernel versions. */
#ifndef _NT_COMPAT_H
#define _NT_COMPAT_H

#include <linux/version.h>

#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/signal.h>

/* ---- ftrace, hook.c ------------------------------------------------------- */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define nt_ftrace_direct(ops, address) register_ftrace_direct(ops, address)
#define nt_ftrace_undirect(ops, address) unregister_ftrace_direct(ops, address, false)
#else
#define nt_ftrace_direct(ops, address) register_ftrace_direct_multi(ops, address)
#define nt_ftrace_undirect(ops, address) unregister_ftrace_direct_multi(ops, address)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define nt_ftrace_redirect(regs, address) ftrace_regs_set_instruction_pointer(regs, address)
#else
#define nt_ftrace_redirect(regs, address) ftrace_instruction_pointer_set(regs, address)
#endif

/* what walks the symbols passes a module before 6.4 */
struct module;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define NT_SYMBOL_MODULE
#else
#define NT_SYMBOL_MODULE struct module *nt_module,
#endif
typedef int nt_each_symbol_fn(int (*fn)(void *, const char *, NT_SYMBOL_MODULE unsigned long),
			      void *data);
typedef int nt_symbol_size_fn(unsigned long address, unsigned long *size, unsigned long *offset);

/* ---- signals ---------------------------------------------------------------- */
/* dequeue_signal() lost its first argument, the task, which was always current */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define NT_DEQUEUE_MASK 0 /* argument numbers */
#define NT_DEQUEUE_INFO 1
#define NT_DEQUEUE_TYPE 2
#define nt_dequeue_signal(mask, info, type) dequeue_signal(mask, info, type)
#else
#define NT_DEQUEUE_MASK 1
#define NT_DEQUEUE_INFO 2
#define NT_DEQUEUE_TYPE 3
#define nt_dequeue_signal(mask, info, type) dequeue_signal(current, mask, info, type)
#endif

/* ---- threads ---------------------------------------------------------------- */
/* of a program's, as far as the kernel counts, that never execute it */
#ifdef PF_USER_WORKER
#define NT_PF_WORKER (PF_IO_WORKER | PF_USER_WORKER)
#else
#define NT_PF_WORKER PF_IO_WORKER
#endif

/* ---- memory ----------------------------------------------------------------- */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define nt_get_user_pages_remote(mm, start, count, flags, pages)                                   \
	get_user_pages_remote(mm, start, count, flags, pages, NULL)
#else
#define nt_get_user_pages_remote(mm, start, count, flags, pages)                                   \
	get_user_pages_remote(mm, start, count, flags, pages, NULL, NULL)
#endif

#endif /* _NT_COMPAT_H */
