#include "textflag.h"

// func request(args *[6]uint64) uint64
//
// Four rotations that add up to a whole turn, and an exchange of a register with
// itself: valgrind knows the sequence, and a processor does nothing by it.
TEXT ·request(SB), NOSPLIT, $0-16
	MOVQ args+0(FP), AX
	XORL DX, DX
	BYTE $0x48; BYTE $0xC1; BYTE $0xC7; BYTE $0x03 // rolq $3, %rdi
	BYTE $0x48; BYTE $0xC1; BYTE $0xC7; BYTE $0x0D // rolq $13, %rdi
	BYTE $0x48; BYTE $0xC1; BYTE $0xC7; BYTE $0x3D // rolq $61, %rdi
	BYTE $0x48; BYTE $0xC1; BYTE $0xC7; BYTE $0x33 // rolq $51, %rdi
	BYTE $0x48; BYTE $0x87; BYTE $0xDB             // xchgq %rbx, %rbx
	MOVQ DX, ret+8(FP)
	RET
