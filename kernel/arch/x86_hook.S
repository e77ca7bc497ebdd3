/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ways in to a hooked function, one pair for each row of hook.c's table.
 *
 * nt_hook_direct_N is called from the function's fentry: the address of its
 * body is on the stack. nt_hook_redirect_N is jumped to in its place, where
 * direct calls are not to be had: it puts that address there itself. From then
 * on both are the same: the argument registers are saved in a struct nt_frame
 * (hook.h), nt_hook_enter() runs, may sleep, and says whether the body runs.
 *
 * The body is entered by a return, never by a pointer: it has no ENDBR there.
 * Entries are aligned: kernels that jump to direct calls use bit 0 of them.
 *
 * Every system call of a thread whose switch is on comes here, and most are nobody's
 * business: those go into the body at once.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include <asm/asm.h>
#include <asm/ibt.h>

#include "../hook.h"

#define NT_FRAME_ORIG_AX 120 /* of struct pt_regs, the first argument; x86.c checks it */

	.text

/* What follows in both ways in. One branch: most calls take none. */
	.macro nt_hook_continue n
	.if \n == NT_HOOK_SYSCALL_ENTER
	movl	NT_FRAME_ORIG_AX(%rdi), %eax
	movl	$NT_HOOK_SYSCALL_LAST, %r11d
	cmpl	%r11d, %eax
	cmoval	%r11d, %eax	/* the negative ones, too */
	btq	%rax, nt_wanted_calls(%rip)
	sbbl	%eax, %eax
	orl	nt_wanted_ends(%rip), %eax
	jnz	1f
	RET			/* into the body */
1:
	.endif
	movl	$\n, %r11d
	jmp	nt_hook_common
	.endm

	.macro nt_hook_entry n
	.balign 64
	.globl nt_hook_direct_\n
	.type nt_hook_direct_\n, @function
nt_hook_direct_\n:
	ENDBR
	nt_hook_continue \n
	.size nt_hook_direct_\n, . - nt_hook_direct_\n

	.balign 64
	.globl nt_hook_redirect_\n
	.type nt_hook_redirect_\n, @function
nt_hook_redirect_\n:
	ENDBR
	pushq	nt_hook_bodies + 8 * \n(%rip)
	UNWIND_HINT_FUNC
	nt_hook_continue \n
	.size nt_hook_redirect_\n, . - nt_hook_redirect_\n
	.endm

	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
	.if \n < NT_HOOK_SLOTS
	nt_hook_entry \n
	.endif
	.endr

	.balign 32
	.type nt_hook_common, @function
nt_hook_common:
	pushq	%rbp
	movq	%rsp, %rbp
	subq	$56, %rsp
	movq	%rdi, 0(%rsp)
	movq	%rsi, 8(%rsp)
	movq	%rdx, 16(%rsp)
	movq	%rcx, 24(%rsp)
	movq	%r8, 32(%rsp)
	movq	%r9, 40(%rsp)
	movq	$0, 48(%rsp)
	movq	%rsp, %rdi
	movl	%r11d, %esi
	call	nt_hook_enter
	testb	%al, %al
	movq	0(%rsp), %rdi
	movq	8(%rsp), %rsi
	movq	16(%rsp), %rdx
	movq	24(%rsp), %rcx
	movq	32(%rsp), %r8
	movq	40(%rsp), %r9
	movq	48(%rsp), %rax
	leave
	jnz	1f
	RET			/* into the body */
1:	addq	$8, %rsp
	UNWIND_HINT_FUNC
	RET			/* to the caller */
	.size nt_hook_common, . - nt_hook_common

/* unsigned long nt_hook_original(struct nt_frame *frame): runs the body now */
	.balign 32
	.globl nt_hook_original
	.type nt_hook_original, @function
nt_hook_original:
	pushq	64(%rdi)
	movq	8(%rdi), %rsi
	movq	16(%rdi), %rdx
	movq	24(%rdi), %rcx
	movq	32(%rdi), %r8
	movq	40(%rdi), %r9
	movq	0(%rdi), %rdi
	UNWIND_HINT_FUNC
	RET
	.size nt_hook_original, . - nt_hook_original
