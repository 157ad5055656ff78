#include "textflag.h"

// func layoutAVX512(frame *byte, n int, l *layout, out *[8]int64) bool
//
// The frame's last 128 bytes, which hold all its numbers, and its first 64, which
// overlap with them.
TEXT ·layoutAVX512(SB), NOSPLIT, $0-33
	MOVQ frame+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ l+16(FP), DX
	MOVQ out+24(FP), DI

	// The frame, less what it is expected to be.
	VMOVDQU64 (SI), Z0
	VMOVDQU64 -128(SI)(CX*1), Z1
	VMOVDQU64 -64(SI)(CX*1), Z2
	VMOVDQU64 0(DX), Z5
	VPTERNLOGD $0x28, 64(DX), Z5, Z0 // where they differ and are not in the tail
	VPSUBB 128(DX), Z1, Z1
	VPSUBB 192(DX), Z2, Z2
	VPSUBUSB 256(DX), Z1, Z3
	VPSUBUSB 320(DX), Z2, Z4
	VPTERNLOGD $0xfe, Z3, Z4, Z0
	VPTESTMQ Z0, Z0, K1
	KORTESTB K1, K1
	JNE  other

	// Digits to fixed places: eight and eight of each number.
	VMOVDQU64 384(DX), Z3
	VMOVDQU64 448(DX), Z4
	VPERMI2B Z2, Z1, Z3
	VPERMI2B Z2, Z1, Z4
	VPBROADCASTD ·pairs(SB), Z7
	VPBROADCASTD ·hundreds(SB), Z8
	VPBROADCASTD ·myriads(SB), Z9
	VPBROADCASTQ ·unit(SB), Z10
	VPMADDUBSW Z7, Z3, Z3
	VPMADDUBSW Z7, Z4, Z4
	VPMADDWD Z8, Z3, Z3
	VPMADDWD Z8, Z4, Z4
	VPACKUSDW Z4, Z3, Z3
	VPMADDWD Z9, Z3, Z3
	VPMULUDQ Z10, Z3, Z4
	VPSRLQ $32, Z3, Z3
	VPADDQ Z3, Z4, Z3
	VPADDQ 512(DX), Z3, Z3
	VMOVDQU64 Z3, (DI)
	VZEROUPPER
	MOVB $1, ret+32(FP)
	RET

other:
	VZEROUPPER
	MOVB $0, ret+32(FP)
	RET
