// Package link breaks connections under their protocol: it wraps what a listener accepts, below TLS, and cuts, holds
// back, slows or thins out the bytes on purpose. It knows nothing of what they mean.
//
// A Listener numbers its connections in the order in which they came and keeps those that are open, so that a fault can
// be meant for the third one. Until a fault is put on a Conn its bytes take no detour; from then on what it sends goes
// through a queue and a goroutine of its own, so that a sender never feels what its peer is spared.
//
// Chance (jitter) is drawn from the seed and the connection's number.
package link
