/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that libraries rarely contain, for execution in place and out of line; assembled
 * as 64-bit or as 32-bit code. Nothing here runs as a program.
 */
	.text
	pushf
	popf
	pushfw
	popfw
	lahf
	sahf
	cld
	std
	enter $16, $0
	enter $8, $2
	leave
	ret
	ret $24
	repz ret
	xlat
	ud2
	int $0x80
	fwait
	fnstcw (%eax)
	fnstenv 16(%ebx)
	fldl (%esi)
	fadd %st(1), %st
	fnsave (%edi)
	frstor (%edi)
	fxsave (%ecx)
	emms
	cmpxchg8b (%edx)
	lock cmpxchg8b (%edx)
	rep movsb
	rep movsl
	rep stosl
	rep lodsw
	repz cmpsb
	repnz scasb
	movsw
	outsb
	in %dx, %al
	out %eax, $0x80
	hlt
	cli
	mov %eax, %ds
	mov %eax, %ss
	div %ecx
	idivb %bl
	rcll %cl, (%ebx)
	shldl $3, %eax, (%edx)
	btsl %eax, 8(%ecx)
	bswap %ebx
	loop .+20
	loope .+30
	loopne .-5
	.byte 0xf2, 0xe1, 20 /* repne loope: to some processors a loopne */
	.byte 0xf3, 0xe0, 20 /* rep loopne */
	jmp .+100
	jmp .+0x1000
	jo .+10
	jbe .+0x300
	call .+0x200
	pushw $5
	pushw %ax
	popw %cx
	pause
	nopw 16(%eax)
	xchg %ax, %ax
	data16 nop
#ifdef __x86_64__
	jrcxz .+40
	jecxz .+40
	addr32 loop .+10
	push %rsp
	pop %rsp
	push %r12
	pop %r13
	pushq $-5
	pushq 8(%rbx)
	popq 8(%rbx)
	pushq 8(%rsp)
	popq 8(%rsp)
	popq %fs:8(%rax)
	call *%rax
	call *%rsp
	call *%r12
	call *%r15
	call *8(%rsp)
	call *(%rsp)
	call *-8(%rsp)
	call *16(%rbx,%rcx,8)
	call *16(%rip)
	call *%fs:(%rdx)
	jmp *%rcx
	jmp *%rsp
	jmp *%r9
	jmp *24(%rsp)
	jmp *(%rbp)
	jmp *(%r11,%r12,4)
	jmp *64(%rip)
	notrack jmp *%rax
	lea 16(%rip), %rax
	lea 16(%rip), %r11d
	lea (%rsp,%r12,8), %rsp
	lea 0x1000(,%rax,4), %ebx
	lea (%eax,%ebx), %rcx
	lea 4(%eip), %rcx
	mov 8(%eip), %rcx
	mov 8(%rip), %rcx
	movl $5, 8(%rip)
	addq $5, 8(%rip)
	imul $1000, 16(%rip), %eax
	movups 32(%rip), %xmm3
	vmovups 32(%rip), %ymm9
	vpshufd $7, 16(%rip), %ymm2
	vmovups 32(%rip), %zmm17
	vpternlogq $3, 64(%rip){1to8}, %zmm4, %zmm5{%k2}
	pcmpistri $3, 16(%rip), %xmm1
	crc32q 8(%rip), %rax
	cmpxchg16b (%r8)
	lock cmpxchg16b 16(%rip)
	movabs $0x1122334455667788, %r10
	movabs 0x30012000, %rax
	movabs %eax, 0x30012010
	movslq %eax, %rbx
	xchg %r8, %rax
	add $0x7fffffff, %rax
	sub %rsp, %rbp
	cmp %esp, %eax
	add %rsp, %rsp
	sub $0x80, %rsp
	and $-16, %rsp
	mov %ebx, %ebx
	mov $-1, %rax
	syscall
	wrfsbase %rax
	rdgsbase %rcx
	vgatherdps %ymm2, (%rax,%ymm1,4), %ymm3
	vpgatherqq (%rax,%zmm1,8), %zmm3{%k1}
	vpscatterdd %zmm3, (%rax,%zmm1,4){%k1}
	kmovq (%rax), %k3
	vzeroupper
	vzeroall
	maskmovdqu %xmm1, %xmm2
	movntdq %xmm1, (%rdi)
	pextrq $1, %xmm1, 8(%rip)
	vcmpps $3, 4(%rip), %xmm1, %xmm2
	fldt 16(%rip)
	ldmxcsr 16(%rip)
	rdpkru
	.byte 0x48, 0x66, 0x89, 0xd8 /* a REX that counts for nothing */
	.byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 2, 0, 0
	.byte 0xf0, 0x90
	.byte 0x40, 0x90
	.byte 0x0f, 0x0f, 0xc1, 0x9e
	.byte 0x8f, 0xe9, 0x78, 0x81, 0xc1
#else
	jecxz .+40
	push %esp
	pop %esp
	push %ebp
	pushl $-5
	pushl 8(%ebx)
	popl 8(%ebx)
	popl 8(%esp)
	push %ds
	pop %ds
	push %es
	pop %es
	pop %ss
	pusha
	popa
	aaa
	aam
	daa
	inc %eax
	dec %edi
	call *%eax
	call *%esp
	call *(%esp)
	call *-4(%esp)
	call *16(%ebx,%ecx,4)
	jmp *%ecx
	jmp *%esp
	jmp *(%ebp)
	jmp *24(%esp)
	lea 8(%esp,%eax,2), %esp
	lea 4(%bx,%si), %eax
	mov 4(%bx,%si), %eax
	mov 0x30012000, %eax
	bound %eax, (%ecx)
	arpl %ax, %bx
	les (%eax), %ebx
	sub $0x80, %esp
	add %esp, %esp
	cmp %eax, %ebx
	mov %esp, %ebp
	.byte 0x82, 0xc0, 0x05
#endif
