// SPDX-License-Identifier: GPL-2.0
/* What is not there yet does nothing. */
#include "hook.h"
#include "ntrace.h"
int __weak nt_trap_init(void) { return 0; }
void __weak nt_trap_exit(void) {}
int __weak nt_break(struct nt_engine *e, void *r) { return -EOPNOTSUPP; }
int __weak nt_unbreak(struct nt_engine *e, void *r) { return -EOPNOTSUPP; }
int __weak nt_break_stats(struct nt_engine *e, void *r) { return -EOPNOTSUPP; }
bool __weak nt_trap_work(struct nt_task *t) { return true; }
void __weak nt_step_arm(struct nt_task *t, struct nt_att *a) {}
void __weak nt_trap_leave(struct nt_task *t) {}
void __weak nt_trap_enter(struct nt_task *t) {}
unsigned long __weak nt_trap_pc(struct mm_struct *mm, unsigned long pc) { return pc; }
void __weak nt_step_cancel(struct nt_task *t, struct nt_att *a) {}
void __weak nt_break_detach(struct nt_proc *p) {}
bool __weak nt_mm_needs(struct mm_struct *mm) { return false; }
void __weak nt_mm_fork(struct nt_task *t) {}
void __weak nt_mm_exec(struct nt_task *t) {}
void __weak nt_trap_task_gone(struct nt_task *t) {}
void __weak nt_trap_task_new(struct nt_task *t) {}
void __weak nt_break_shadow_read(struct mm_struct *mm, unsigned long a, void *b, size_t l) {}
size_t __weak nt_break_shadow_write(struct mm_struct *mm, unsigned long a, const void *b, size_t l)
{ return nt_mem_write(mm, a, b, l); }
int __weak nt_hook_init(void) { return 0; }
void __weak nt_hook_exit(void) {}
void __weak nt_hooks_get(void) {}
void __weak nt_hooks_put(void) {}
bool __weak nt_syscall_exit_work(struct nt_task *t) { return true; }
void __weak nt_syscall_engage(struct nt_task *t) {}
void __weak nt_call_task_gone(struct nt_task *t) {}
