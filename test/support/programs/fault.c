// SPDX-License-Identifier: GPL-2.0
// Stores through a pointer to nothing: address 0x10.
__asm__(".globl bad\n"
	".text\n"
	"store:	mov $0x10, %eax\n"
	"bad:	movb $1, (%rax)\n"
	"	ret\n");

extern void store(void);

int main(void)
{
	store();
	return 0;
}
