/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Executing one instruction away from its place, so that a breakpoint on it can stay.
 *
 * A plan offers up to two ways. Emulation changes the registers (and memory, through callbacks)
 * as the instruction would. The slot holds code that runs in the thread itself:
 *
 *	BOOST	resume at the slot; the code ends by jumping to where the program goes on
 *	STEP	resume at the slot with the trap flag, then nt_ool_fixup
 *	REFUSE	step it in place with the other threads stopped; reason says why
 *
 * A BOOST slot may be stepped too (nt_ool_fixup then says when the instruction is complete).
 * A thread whose program has set TF itself must be stepped. Before a signal frame is built, and
 * before a thread is shown or let go elsewhere, nt_ool_rewind takes it out of the slot. A child
 * that a system call in a slot has made starts in the slot too, before its int3.
 *
 * What the program can notice: with NT_OOL_FIP the x87 unit remembers the slot's address as
 * that of its last instruction. Nothing else.
 */
#ifndef NT_CORE_OOL_H
#define NT_CORE_OOL_H

#include "insn.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NT_OOL_SLOT 32 /* bytes of a slot */
#define NT_OOL_MARKS 3

enum nt_ool_class {
	NT_OOL_REFUSE,
	NT_OOL_STEP,
	NT_OOL_BOOST,
	NT_OOL_EMULATE,
};

/* Why the slot is refused. */
enum nt_ool_reason {
	NT_OOL_OK,
	NT_OOL_INVALID,	    /* no instruction, or cut off */
	NT_OOL_NO_SLOT,	    /* planned with slot 0, or one that is not a multiple of 8 */
	NT_OOL_REACH,	    /* the slot is too far from a rip-relative operand */
	NT_OOL_VENDOR,	    /* a near branch with prefix 66 */
	NT_OOL_TRAP,	    /* int3, int1, into, int n: a trap of the program's own */
	NT_OOL_FAR,	    /* loads a code segment, iret among them */
	NT_OOL_SYSTEM,	    /* sysenter, enclaves, uiret: leaves without the next pc */
	NT_OOL_TRANSACTION, /* xbegin: any detour aborts it */
};

enum nt_ool_flag {
	NT_OOL_TRAPS = 1 << 0,	  /* the slot has an int3 after the instruction: step without TF */
	NT_OOL_LEAVES = 1 << 1,	  /* the copied instruction itself leaves the slot: jmp, ret */
	NT_OOL_CALLS = 1 << 2,	  /* the return address it pushed must be put right */
	NT_OOL_PUSHES_F = 1 << 3, /* stepped, it pushes TF, which must be cleared */
	NT_OOL_POPS_F = 1 << 4,	  /* afterwards TF is the program's: do not clear it */
	NT_OOL_SYSCALL = 1 << 5,  /* rcx and r11 tell of the slot and of TF */
	NT_OOL_FIP = 1 << 6,	  /* see above */
	/* on a thread with a shadow stack: do not emulate; do not use the slot either */
	NT_OOL_SHSTK_EMULATE = 1 << 7,
	NT_OOL_SHSTK_SLOT = 1 << 8,
};

/* A place in the slot where the thread may be seen. */
struct nt_ool_mark {
	u64 pc;	   /* where that is in the program */
	u8 offset; /* from the slot */
	u8 sp;	   /* bytes to give back to the stack pointer */
	u8 done;   /* the instruction is complete */
};

/* Operands of an emulated instruction: ool_emulate.h. */
struct nt_ool_emulation {
	u8 op;	  /* enum nt_ool_op */
	u8 size;  /* bytes of the operation: 4 or 8 */
	u8 dst;	  /* register numbers, or NT_OOL_NO_REG */
	u8 src;	  /* NT_OOL_NO_REG: imm */
	u8 index; /* base is src */
	u8 scale; /* shift */
	u8 cond;  /* low nibble of jcc, opcode of loop */
	u64 imm;  /* immediate, displacement or target */
};

struct nt_ool_plan {
	u64 addr;
	u64 slot;
	u64 next;    /* addr + length */
	u8 cls;	     /* enum nt_ool_class: the best way */
	u8 slot_cls; /* the way for who cannot emulate: STEP, BOOST or REFUSE */
	u8 reason;   /* enum nt_ool_reason, when slot_cls is REFUSE */
	u8 mode64;
	u8 length;	/* of the instruction */
	u8 code_length; /* what to write to the slot */
	u8 literals;	/* bytes of them at the end of the code */
	u8 mark_count;
	u16 flags; /* enum nt_ool_flag */
	u8 code[NT_OOL_SLOT];
	struct nt_ool_mark marks[NT_OOL_MARKS];
	struct nt_ool_emulation emulation;
};

/* In the order of their numbers: rax rcx rdx rbx rsp rbp rsi rdi r8 ... r15. */
struct nt_ool_regs {
	u64 gpr[16];
	u64 ip;
	u64 flags;
};

/* User memory; 0 or a negative error, and then nothing has been written. */
struct nt_ool_ops {
	int (*read)(void *context, u64 addr, void *to, u32 size);
	int (*write)(void *context, u64 addr, const void *from, u32 size);
	void *context;
};

enum nt_ool_result {
	NT_OOL_ELSEWHERE, /* not in this slot, or left it by a branch: nothing to change */
	NT_OOL_BEFORE, /* it stands before the instruction: faulted, rep not finished, restarted */
	NT_OOL_AGAIN,  /* in the middle: step once more; nothing changed */
	NT_OOL_DONE,
	NT_OOL_FAULT, /* the stack could not be put right: nothing changed */
};

/*
 * Plan the instruction at bytes (len readable, no breakpoint among them), which lives at addr, for
 * a slot; slot 0 asks only for emulation. Returns out->cls. A slot is a multiple of 8 and may be
 * anywhere; only operands relative to rip need it within 2 GiB.
 */
u8 nt_ool_plan(const u8 *bytes, u32 len, u64 addr, u64 slot, bool mode64, struct nt_ool_plan *out);

/*
 * A thread has to be shown, or gets a signal, and may be in the slot: move its pc (and stack
 * pointer) to where the program is. Never AGAIN: what is not complete starts over.
 */
u8 nt_ool_rewind(const struct nt_ool_plan *plan, struct nt_ool_regs *regs);

/* The program's address for a pc in the slot (for siginfo); any other is returned as it is. */
u64 nt_ool_address(const struct nt_ool_plan *plan, u64 pc);

enum nt_ool_how {
	NT_OOL_OWN_TF = 1 << 0,	 /* the program itself had TF set */
	NT_OOL_FAULTED = 1 << 1, /* the step ended in a fault: what is not complete starts over */
};

/*
 * After a trap or fault of a stepped slot, before anything else happens to the thread: undoes
 * what the slot has left in registers and on the stack. how: enum nt_ool_how.
 */
u8 nt_ool_fixup(const struct nt_ool_plan *plan, struct nt_ool_regs *regs,
		const struct nt_ool_ops *ops, u32 how);

/*
 * Execute a plan of class EMULATE. False when memory cannot be reached, an address is none of
 * the user's or TF or AC is set: nothing changed, use the slot.
 */
bool nt_ool_emulate(const struct nt_ool_plan *plan, struct nt_ool_regs *regs,
		    const struct nt_ool_ops *ops);

#ifdef __cplusplus
}
#endif

#endif
