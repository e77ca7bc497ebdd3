/** ELF core notes that name regsets, as <linux/elf.h> has them. */
export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
/** fxsave format for i386, where NT_PRFPREG is the older fsave format. */
export const NT_PRXFPREG = 0x46e62b7f;
/** struct user_desc[3]: the thread's GDT entries. */
export const NT_386_TLS = 0x200;
export const NT_X86_XSTATE = 0x202;
