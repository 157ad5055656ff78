#include "textflag.h"

// SHA-256 (FIPS 180-4) with the SHA extensions. The hardware keeps the eight state
// words as two vectors, {A,B,E,F} and {C,D,G,H} from the high word down, and does two
// rounds at a time; that chain of 32 dependent steps is the cost of a block, and the
// message schedule runs in its shadow.

#define ABEF X1
#define CDGH X2
#define W0 X3
#define W1 X4
#define W2 X5
#define W3 X6
#define TMP X7
#define FLIP X8
#define ABEF0 X9
#define CDGH0 X10

// swaps the bytes of each word.
DATA flip<>+0(SB)/8, $0x0405060700010203
DATA flip<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL flip<>(SB), RODATA|NOPTR, $16

DATA hex<>+0(SB)/8, $"01234567"
DATA hex<>+8(SB)/8, $"89abcdef"
GLOBL hex<>(SB), RODATA|NOPTR, $16

DATA low<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA low<>+8(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL low<>(SB), RODATA|NOPTR, $16

// The end of the outer message: one bit, zeros, the length of a key block and a
// digest in bits.
DATA end<>+0(SB)/8, $0x0000000080000000
DATA end<>+8(SB)/8, $0x0000000000000000
DATA end<>+16(SB)/8, $0x0000000000000000
DATA end<>+24(SB)/8, $0x0000030000000000
GLOBL end<>(SB), RODATA|NOPTR, $32

DATA k<>+0(SB)/8, $0x71374491428a2f98
DATA k<>+8(SB)/8, $0xe9b5dba5b5c0fbcf
DATA k<>+16(SB)/8, $0x59f111f13956c25b
DATA k<>+24(SB)/8, $0xab1c5ed5923f82a4
DATA k<>+32(SB)/8, $0x12835b01d807aa98
DATA k<>+40(SB)/8, $0x550c7dc3243185be
DATA k<>+48(SB)/8, $0x80deb1fe72be5d74
DATA k<>+56(SB)/8, $0xc19bf1749bdc06a7
DATA k<>+64(SB)/8, $0xefbe4786e49b69c1
DATA k<>+72(SB)/8, $0x240ca1cc0fc19dc6
DATA k<>+80(SB)/8, $0x4a7484aa2de92c6f
DATA k<>+88(SB)/8, $0x76f988da5cb0a9dc
DATA k<>+96(SB)/8, $0xa831c66d983e5152
DATA k<>+104(SB)/8, $0xbf597fc7b00327c8
DATA k<>+112(SB)/8, $0xd5a79147c6e00bf3
DATA k<>+120(SB)/8, $0x1429296706ca6351
DATA k<>+128(SB)/8, $0x2e1b213827b70a85
DATA k<>+136(SB)/8, $0x53380d134d2c6dfc
DATA k<>+144(SB)/8, $0x766a0abb650a7354
DATA k<>+152(SB)/8, $0x92722c8581c2c92e
DATA k<>+160(SB)/8, $0xa81a664ba2bfe8a1
DATA k<>+168(SB)/8, $0xc76c51a3c24b8b70
DATA k<>+176(SB)/8, $0xd6990624d192e819
DATA k<>+184(SB)/8, $0x106aa070f40e3585
DATA k<>+192(SB)/8, $0x1e376c0819a4c116
DATA k<>+200(SB)/8, $0x34b0bcb52748774c
DATA k<>+208(SB)/8, $0x4ed8aa4a391c0cb3
DATA k<>+216(SB)/8, $0x682e6ff35b9cca4f
DATA k<>+224(SB)/8, $0x78a5636f748f82ee
DATA k<>+232(SB)/8, $0x8cc7020884c87814
DATA k<>+240(SB)/8, $0xa4506ceb90befffa
DATA k<>+248(SB)/8, $0xc67178f2bef9a3f7
GLOBL k<>(SB), RODATA|NOPTR, $256

// LOAD reads a state of eight words in order at p into the two vectors.
#define LOAD(p) \
	MOVOU   (p), ABEF           \ // DCBA
	MOVOU   16(p), CDGH         \ // HGFE
	PSHUFD  $0xb1, ABEF, ABEF   \ // CDAB
	PSHUFD  $0x1b, CDGH, CDGH   \ // EFGH
	MOVO    ABEF, TMP           \
	PALIGNR $8, CDGH, ABEF      \ // ABEF
	PBLENDW $0xf0, TMP, CDGH      // CDGH

// ORDER is the way back: ABEF becomes DCBA, CDGH becomes HGFE.
#define ORDER \
	PSHUFD  $0x1b, ABEF, ABEF   \ // FEBA
	PSHUFD  $0xb1, CDGH, CDGH   \ // DCHG
	MOVO    ABEF, TMP           \
	PBLENDW $0xf0, CDGH, ABEF   \ // DCBA
	PALIGNR $8, TMP, CDGH         // HGFE

// WORDS reads four words of the message.
#define WORDS(p, i, w) \
	MOVOU  i*16(p), w \
	PSHUFB FLIP, w

// FOUR does four rounds with the words w.
#define FOUR(i, w) \
	MOVO        w, X0           \
	PADDD       k<>+i*16(SB), X0 \
	SHA256RNDS2 X0, ABEF, CDGH  \
	PSHUFD      $0x0e, X0, X0   \
	SHA256RNDS2 X0, CDGH, ABEF

// NEXT ends the words that follow w in the schedule; before is what w followed.
#define NEXT(before, w, next) \
	MOVO       w, TMP          \
	PALIGNR    $4, before, TMP \
	PADDD      TMP, next       \
	SHA256MSG2 w, next

// SAVE keeps the state a block began with, SUM adds it.
#define SAVE \
	MOVO ABEF, ABEF0 \
	MOVO CDGH, CDGH0

#define SUM \
	PADDD ABEF0, ABEF \
	PADDD CDGH0, CDGH

// REST is all rounds but the first four, once all words are there.
#define REST \
	FOUR(1, W1)           \
	SHA256MSG1 W1, W0     \
	FOUR(2, W2)           \
	SHA256MSG1 W2, W1     \
	NEXT(W2, W3, W0)      \
	FOUR(3, W3)           \
	SHA256MSG1 W3, W2     \
	NEXT(W3, W0, W1)      \
	FOUR(4, W0)           \
	SHA256MSG1 W0, W3     \
	NEXT(W0, W1, W2)      \
	FOUR(5, W1)           \
	SHA256MSG1 W1, W0     \
	NEXT(W1, W2, W3)      \
	FOUR(6, W2)           \
	SHA256MSG1 W2, W1     \
	NEXT(W2, W3, W0)      \
	FOUR(7, W3)           \
	SHA256MSG1 W3, W2     \
	NEXT(W3, W0, W1)      \
	FOUR(8, W0)           \
	SHA256MSG1 W0, W3     \
	NEXT(W0, W1, W2)      \
	FOUR(9, W1)           \
	SHA256MSG1 W1, W0     \
	NEXT(W1, W2, W3)      \
	FOUR(10, W2)          \
	SHA256MSG1 W2, W1     \
	NEXT(W2, W3, W0)      \
	FOUR(11, W3)          \
	SHA256MSG1 W3, W2     \
	NEXT(W3, W0, W1)      \
	FOUR(12, W0)          \
	SHA256MSG1 W0, W3     \
	NEXT(W0, W1, W2)      \
	FOUR(13, W1)          \
	NEXT(W1, W2, W3)      \
	FOUR(14, W2)          \
	FOUR(15, W3)

// BLOCK takes the 64 bytes at SI into the state.
#define BLOCK \
	SAVE            \
	WORDS(SI, 0, W0) \
	WORDS(SI, 1, W1) \
	WORDS(SI, 2, W2) \
	WORDS(SI, 3, W3) \
	FOUR(0, W0)     \
	REST            \
	SUM             \
	ADDQ $64, SI

// HEX writes the 16 digest bytes of the words in w as 32 digits.
#define HEX(w, p, i) \
	PSHUFB    FLIP, w         \
	MOVO      w, TMP          \
	PSRLQ     $4, TMP         \
	PAND      W2, w           \
	PAND      W2, TMP         \
	MOVO      TMP, W0         \
	PUNPCKLBW w, TMP          \
	PUNPCKHBW w, W0           \
	MOVO      W3, X0          \
	PSHUFB    TMP, X0         \
	MOVOU     X0, i*32(p)     \
	MOVO      W3, X0          \
	PSHUFB    W0, X0          \
	MOVOU     X0, i*32+16(p)

// func blocksSHA(h *[8]uint32, p *byte, n int)
TEXT ·blocksSHA(SB), NOSPLIT, $0-24
	MOVQ  h+0(FP), DI
	MOVQ  p+8(FP), SI
	MOVQ  n+16(FP), CX
	TESTQ CX, CX
	JZ    done
	MOVOU flip<>(SB), FLIP
	LOAD(DI)

block:
	BLOCK
	DECQ CX
	JNZ  block
	ORDER
	MOVOU ABEF, (DI)
	MOVOU CDGH, 16(DI)

done:
	RET

// func signSHA(out *byte, mid, outer *[8]uint32, p *byte, n int, last *byte, m int)
TEXT ·signSHA(SB), NOSPLIT, $0-56
	MOVQ  out+0(FP), DI
	MOVQ  mid+8(FP), AX
	MOVQ  outer+16(FP), BX
	MOVQ  p+24(FP), SI
	MOVQ  n+32(FP), CX
	MOVQ  last+40(FP), DX
	MOVQ  m+48(FP), R8
	MOVOU flip<>(SB), FLIP
	LOAD(AX)
	TESTQ CX, CX
	JZ    padded

block:
	BLOCK
	DECQ CX
	JNZ  block

padded:
	MOVQ  DX, SI
	MOVQ  R8, CX
	XORQ  R8, R8
	TESTQ CX, CX
	JNZ   block

	// The inner digest is the first half of the outer block, never in memory.
	ORDER
	MOVO  ABEF, W0
	MOVO  CDGH, W1
	LOAD(BX)
	SAVE
	MOVOU end<>+0(SB), W2
	MOVOU end<>+16(SB), W3
	FOUR(0, W0)
	REST
	SUM
	ORDER
	MOVOU low<>(SB), W2
	MOVOU hex<>(SB), W3
	HEX(ABEF, DI, 0)
	HEX(CDGH, DI, 1)
	RET

// func cpuid(leaf, sub uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL sub+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET
