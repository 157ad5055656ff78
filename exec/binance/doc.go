// Package binance speaks Binance Spot for exec: it holds the keys, lays out and
// signs requests, and reads answers. Nothing else in riposte sees a secret.
//
//	vault*.go    locked memory outside the heap, for all that is secret
//	secret.go    values that print only a mark
//	keyfile*.go  keys from credentials, 0600 files or, on request, the environment
//	keygen.go    new key pairs
//	diagnose.go  why the venue refuses a key, in one line
//	rights.go    what a key may do, and whether it may do too much
//	sign.go      keys, and signers over the bytes that are sent
//	ed25519.go   Ed25519, without copies on the heap; rsa.go RSA, with them
//	hmac.go      HMAC-SHA256 from states kept half way; sha256_*: the hash itself
//	template.go  the constant part of order requests
//	sheet.go     one order's request: drafted before it is wanted, then finished
//	ladder.go    likely next orders, signed ahead
//	digits.go    numbers as text, eight digits at a time
//	longhand.go  orders that are not plain: stops, icebergs, a life of their own
//	codec.go     exec.Codec: the hot requests
//	amend.go     amends and replaces, halves.go the answers to those
//	answer.go    answers to the others
//	classify.go  what a status and an error code say about the outcome
//	rest.go      the cold client; calls.go the engine's calls, parse.go their bodies
//	market.go, history.go, cancel.go, orderlist.go, orderstate.go: all others
//	trader.go    calls that create orders, orderrequest.go what they say;
//	             replace.go what a cancel-replace can end in, raw.go any call
//	frames.go    exec.FrameCodec: the hot requests of the WebSocket API, frameorder.go
//	             the orders among them, frameanswer.go their answers
//	wsapi.go     requests of the WebSocket API
//
// Facts are from the Binance Spot API documentation as of 2026-07-21.
package binance
