#include "textflag.h"

// The bytes 0 to 63: where a block's bytes stand.
DATA ·iota+0(SB)/8, $0x0706050403020100
DATA ·iota+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA ·iota+16(SB)/8, $0x1716151413121110
DATA ·iota+24(SB)/8, $0x1f1e1d1c1b1a1918
DATA ·iota+32(SB)/8, $0x2726252423222120
DATA ·iota+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA ·iota+48(SB)/8, $0x3736353433323130
DATA ·iota+56(SB)/8, $0x3f3e3d3c3b3a3938
GLOBL ·iota(SB), RODATA|NOPTR, $64

// Lane k: the place of the k-th price's length among eight lengths of four bytes.
DATA ·spread+0(SB)/8, $0x0000000000000000
DATA ·spread+8(SB)/8, $0x0000000000000000
DATA ·spread+16(SB)/8, $0x0808080808080808
DATA ·spread+24(SB)/8, $0x0808080808080808
DATA ·spread+32(SB)/8, $0x1010101010101010
DATA ·spread+40(SB)/8, $0x1010101010101010
DATA ·spread+48(SB)/8, $0x1818181818181818
DATA ·spread+56(SB)/8, $0x1818181818181818
GLOBL ·spread(SB), RODATA|NOPTR, $64

// A lane's byte j belongs to a number if the number is longer than this.
DATA ·longer+0(SB)/8, $0x090a0b0c0d0e0f10
DATA ·longer+8(SB)/8, $0x0102030405060708
GLOBL ·longer(SB), RODATA|NOPTR, $16

// Numbers that fill a register.
DATA ·quotes4+0(SB)/4, $0x22222222
GLOBL ·quotes4(SB), RODATA|NOPTR, $4
DATA ·closers4+0(SB)/4, $0x5d5d5d5d
GLOBL ·closers4(SB), RODATA|NOPTR, $4
DATA ·fours4+0(SB)/4, $0x04040404
GLOBL ·fours4(SB), RODATA|NOPTR, $4
DATA ·pairs+0(SB)/4, $0x010a010a // 10, 1
GLOBL ·pairs(SB), RODATA|NOPTR, $4
DATA ·hundreds+0(SB)/4, $0x00010064 // 100, 1
GLOBL ·hundreds(SB), RODATA|NOPTR, $4
DATA ·myriads+0(SB)/4, $0x00012710 // 10000, 1
GLOBL ·myriads(SB), RODATA|NOPTR, $4
DATA ·unit+0(SB)/8, $100000000
GLOBL ·unit(SB), RODATA|NOPTR, $8
DATA ·minus+0(SB)/4, $0x0001ffff // -1, 1
GLOBL ·minus(SB), RODATA|NOPTR, $4
DATA ·gaps+0(SB)/8, $0x0000000400000002
GLOBL ·gaps(SB), RODATA|NOPTR, $8
DATA ·comma+0(SB)/4, $0x222c2200 // ","
GLOBL ·comma(SB), RODATA|NOPTR, $4
DATA ·further+0(SB)/4, $0x5b2c5d22 // "],[
GLOBL ·further(SB), RODATA|NOPTR, $4

// func levelsAVX512(base *byte, from, end int, out *core.Level, most int, f *levelForm, between *gap) (bids, n, next int)
//
// Up to a kilobyte at a time: first where its quotes are, as words; then four
// levels at once, whose numbers lie right-aligned in lanes of 16 bytes.
TEXT ·levelsAVX512(SB), 0, $1304-80
	MOVQ base+0(FP), R8
	MOVQ end+16(FP), R9
	ADDQ R8, R9
	ADDQ from+8(FP), R8
	MOVQ out+24(FP), DI
	MOVQ most+32(FP), SI
	MOVQ f+40(FP), AX
	XORQ BX, BX

	VBROADCASTI32X4 0(AX), Z25  // what a price's bytes begin at
	VBROADCASTI32X4 16(AX), Z23 // and may be at most above it
	VBROADCASTI32X4 32(AX), Z21 // digits to their places
	VBROADCASTI32X4 48(AX), Z24 // the same for quantities
	VBROADCASTI32X4 64(AX), Z22
	VBROADCASTI32X4 80(AX), Z20
	VPBROADCASTQ 96(AX), Y14    // shortest length, price and quantity
	VPBROADCASTQ 104(AX), Y13   // how much longer it may be
	VPBROADCASTD ·quotes4(SB), Z31
	VPBROADCASTD ·closers4(SB), Z30
	VMOVDQU64 ·iota(SB), Z29
	VMOVDQU64 ·spread(SB), Z28
	VPBROADCASTD ·fours4(SB), Z27
	VPADDB Z28, Z27, Z27
	VBROADCASTI32X4 ·longer(SB), Z26
	VPBROADCASTD ·pairs(SB), Z19
	VPBROADCASTD ·hundreds(SB), Z18
	VPBROADCASTD ·myriads(SB), Z17
	VPBROADCASTQ ·unit(SB), Z16
	VPBROADCASTD ·minus(SB), Y15
	VPBROADCASTQ ·gaps(SB), Y12 // from a price's end to the quantity, and on to the next price
	VPBROADCASTD ·comma(SB), X11
	VPBROADCASTD ·further(SB), X10
	VPXORQ Z9, Z9, Z9           // what is wrong in the numbers
	VPXORQ Z8, Z8, Z8           // in the lengths
	VPXORQ Z7, Z7, Z7           // between the numbers

	MOVQ $0, seen-16(SP)

side:
	MOVQ R8, AX
	INCQ AX
	CMPB (R8), $']'
	JEQ  sided
	CMPB (R8), $'['
	JNE  wrong
	MOVQ $1, lead-8(SP)

chunk:
	XORQ CX, CX                 // quotes
	XORQ DX, DX                 // the block's place
	XORQ R12, R12               // 1: the last byte was ]
	LEAQ pos-1304(SP), R13

block:
	LEAQ (R8)(DX*1), AX
	MOVQ R9, R15
	SUBQ AX, R15
	CMPQ R15, $64
	JLT  part
	VMOVDQU8 (AX), Z0

marks:
	VPCMPEQB Z31, Z0, K1
	VPCMPEQB Z30, Z0, K2
	KMOVQ K1, AX
	KMOVQ K2, R15
	LEAQ (R12)(R15*2), R14
	MOVQ R15, R12
	SHRQ $63, R12
	ANDQ R15, R14
	JNZ  last
	VPCOMPRESSB.Z Z29, K1, Z1
	VPMOVZXBW Y1, Z1
	VPBROADCASTW DX, Z2
	VPADDW Z2, Z1, Z1
	VMOVDQU64 Z1, (R13)(CX*2)
	POPCNTQ AX, AX
	CMPQ AX, $32
	JGT  wrong
	ADDQ AX, CX
	ADDQ $64, DX
	CMPQ DX, $1024
	JLT  block

	// More than a kilobyte: all levels whose next one has begun.
	VPXORQ Z1, Z1, Z1
	VMOVDQU64 Z1, (R13)(CX*2)
	XORQ R11, R11
	DECQ CX
	SARQ $2, CX
	JMP  decode

part:
	TESTQ R15, R15
	JLE  wrong
	MOVQ $-1, R14
	BZHIQ R15, R14, R14
	KMOVQ R14, K3
	VMOVDQU8.Z (AX), K3, Z0
	JMP  marks

last:
	// The side ends with the second of two brackets.
	BLSMSKQ R14, R15
	ANDQ R15, AX
	KMOVQ AX, K1
	VPCOMPRESSB.Z Z29, K1, Z1
	VPMOVZXBW Y1, Z1
	VPBROADCASTW DX, Z2
	VPADDW Z2, Z1, Z1
	VMOVDQU64 Z1, (R13)(CX*2)
	POPCNTQ AX, AX
	CMPQ AX, $32
	JGT  wrong
	ADDQ AX, CX
	VPXORQ Z1, Z1, Z1
	VMOVDQU64 Z1, (R13)(CX*2)
	TZCNTQ R14, R11
	ADDQ DX, R11                // where the side ends
	TESTQ $3, CX
	JNZ  wrong
	MOVWLZX -2(R13)(CX*2), AX
	ADDQ $2, AX
	CMPQ AX, R11
	JNE  wrong
	SHRQ $2, CX

decode:
	// CX levels. The side's first begins with its bracket, in a later chunk the
	// first begins with its quote.
	TESTQ CX, CX
	JLE  wrong
	MOVWLZX (R13), AX
	CMPQ AX, lead-8(SP)
	JNE  wrong
	MOVQ $0, lead-8(SP)
	ADDQ CX, BX
	CMPQ BX, SI
	JGT  wrong
	MOVQ CX, R12
	KXNORQ K4, K4, K4           // bytes of levels that are there
	MOVL $0xff, AX
	KMOVD AX, K5                // numbers
	KMOVD AX, K6                // distances
	MOVL $0xf, AX
	KMOVD AX, K3                // levels
	KMOVD AX, K7                // levels that another one follows

four:
	CMPQ R12, $4
	JGT  full
	MOVQ $-1, AX
	MOVQ R12, DX
	BZHIQ DX, AX, R14
	KMOVQ R14, K3
	SHLQ $1, DX
	BZHIQ DX, AX, R15
	KMOVQ R15, K5
	SHLQ $3, DX
	BZHIQ DX, AX, R10
	KMOVQ R10, K4
	XORL DX, DX
	TESTQ R11, R11
	SETNE DX
	SHRXQ DX, R14, R14             // the side's last level has none behind it
	KMOVQ R14, K7
	SHRXQ DX, R15, R15
	KMOVQ R15, K6

full:
	VMOVDQU (R13), Y0
	VMOVDQU 2(R13), Y1
	VPMADDWD Y15, Y0, Y0        // lengths
	VPMADDWD Y15, Y1, Y1        // distances
	VPSUBD.Z Y14, Y0, K5, Y2
	VPSUBUSW Y13, Y2, Y2
	VPXORD.Z Y12, Y1, K6, Y1
	VPTERNLOGD $0xfe, Y1, Y2, Y8

	MOVWLZX 2(R13), AX
	MOVWLZX 10(R13), CX
	MOVWLZX 18(R13), DX
	MOVWLZX 26(R13), R15
	VMOVDQU -16(R8)(AX*1), X3
	VINSERTI128 $1, -16(R8)(CX*1), Y3, Y3
	VINSERTI32X4 $2, -16(R8)(DX*1), Z3, Z3
	VINSERTI32X4 $3, -16(R8)(R15*1), Z3, Z3
	VMOVD (R8)(AX*1), X5
	VPINSRD $1, (R8)(CX*1), X5, X5
	VPINSRD $2, (R8)(DX*1), X5, X5
	VPINSRD $3, (R8)(R15*1), X5, X5
	MOVWLZX 6(R13), AX
	MOVWLZX 14(R13), CX
	MOVWLZX 22(R13), DX
	MOVWLZX 30(R13), R15
	VMOVDQU -16(R8)(AX*1), X4
	VINSERTI128 $1, -16(R8)(CX*1), Y4, Y4
	VINSERTI32X4 $2, -16(R8)(DX*1), Z4, Z4
	VINSERTI32X4 $3, -16(R8)(R15*1), Z4, Z4
	VMOVD (R8)(AX*1), X6
	VPINSRD $1, (R8)(CX*1), X6, X6
	VPINSRD $2, (R8)(DX*1), X6, X6
	VPINSRD $3, (R8)(R15*1), X6, X6
	VPSLLD $8, X5, X5
	VPXORD.Z X11, X5, K3, X5
	VPXORD.Z X10, X6, K7, X6
	VPTERNLOGD $0xfe, X5, X6, X7

	VPERMB Z0, Z28, Z1
	VPERMB Z0, Z27, Z2
	VPCMPUB $6, Z26, Z1, K4, K1
	VPCMPUB $6, Z26, Z2, K4, K2
	VPSUBB.Z Z25, Z3, K1, Z3
	VPSUBB.Z Z24, Z4, K2, Z4
	VPSUBUSB Z23, Z3, Z5
	VPSUBUSB Z22, Z4, Z6
	VPTERNLOGD $0xfe, Z5, Z6, Z9
	VPSHUFB Z21, Z3, Z3
	VPSHUFB Z20, Z4, Z4
	VPMADDUBSW Z19, Z3, Z3
	VPMADDUBSW Z19, Z4, Z4
	VPMADDWD Z18, Z3, Z3
	VPMADDWD Z18, Z4, Z4
	VPACKUSDW Z4, Z3, Z3
	VPMADDWD Z17, Z3, Z3        // of each number, whole and fraction
	VPMULUDQ Z16, Z3, Z4
	VPSRLQ $32, Z3, Z3
	VPADDQ Z3, Z4, Z3
	CMPQ R12, $4
	JLT  some
	VMOVDQU64 Z3, (DI)
	ADDQ $64, DI
	ADDQ $32, R13
	SUBQ $4, R12
	JNZ  four
	JMP  done

some:
	VMOVDQU64 Z3, K5, (DI)
	SHLQ $3, R12
	ADDQ R12, R13
	SHLQ $1, R12
	ADDQ R12, DI

done:
	TESTQ R11, R11
	JNZ  closed
	MOVWLZX (R13), AX           // the quote of the first level that was left
	ADDQ AX, R8
	JMP  chunk

closed:
	LEAQ 1(R8)(R11*1), AX

sided:
	// AX is behind the side's bracket.
	CMPQ seen-16(SP), $0
	JNE  both
	MOVQ $1, seen-16(SP)
	MOVQ BX, bids+56(FP)
	MOVQ between+48(FP), DX
	TESTQ DX, DX
	JEQ  both
	MOVQ 16(DX), CX
	LEAQ 2(AX)(CX*1), R15
	CMPQ R15, R9
	JGT  wrong
	MOVQ (AX), R14
	XORQ (DX), R14
	ANDQ 8(DX), R14
	JNE  wrong
	LEAQ (AX)(CX*1), R8
	CMPB -1(R8), $'['
	JEQ  side
	JMP  wrong

both:
	MOVQ AX, R8
	VPORQ Z8, Z9, Z9
	VPORQ Z7, Z9, Z9
	VPTESTMQ Z9, Z9, K1
	KMOVD K1, AX
	TESTL AX, AX
	JNZ  wrong
	SUBQ base+0(FP), R8
	VZEROUPPER
	MOVQ BX, n+64(FP)
	MOVQ R8, next+72(FP)
	RET

wrong:
	VZEROUPPER
	MOVQ $0, bids+56(FP)
	MOVQ $0, n+64(FP)
	MOVQ $-1, next+72(FP)
	RET
