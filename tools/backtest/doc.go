// Package backtest is an exchange made of a recording, and the loop that runs the very
// same shard, gate and strategies as a live session against it.
//
// # Time
//
// There are two places, here and the venue, and one clock. A market event happened at
// the venue at its receive time less the feed's latency, and is shown to the shard at
// its receive time. An order leaves when it is decided and is at the venue one order
// latency later; what becomes of it is heard of one report latency after it has
// happened. The loop takes whatever comes first at either place; of what is at the same
// instant the venue's comes first. So an order meets the book as it then was, which is
// newer than the book it was decided on, and a fill is not known before its report.
//
//	events ──► venue's cursor (receive time - feed latency) ──► market: book, queues, own orders
//	   │                                          ▲ orders            │ reports
//	   └─────► shard's cursor (receive time) ──► shard ◄──────────────┘
//
// # The venue
//
// Its book is the recorded one: depth events, and for the touch whatever of depth and
// bookTicker has the higher update id. Own orders are not in it: nobody in the recording
// has seen them. What takes walks the recorded depth; with impact Consumed a level that
// was taken from has that much less until the recording sets it anew. What rests stands
// in the queue of its price behind what is shown there (queue.go says how it moves up),
// and trades when
//
//   - recorded trades at its price have used up what is ahead,
//   - a recorded trade goes through its price: up to that trade's quantity,
//   - the other side's touch reaches its price: up to what is shown there.
//
// Own orders of one price stand behind each other in the order of their arrival. Filters,
// funds, commissions, order counts and the codes of rejects are the venue's (rules.go).
//
// # What it cannot know
//
// Whether others would have acted otherwise had they seen our orders, and which of the
// quantity that left a level without a trade had stood ahead of us: that is what the
// queue models guess, each in its own way, and Calibrate measures on own fills. Where a
// recording has trades alone the touch is made up (synth.go), and so are its queues.
//
// # Sameness
//
// One goroutine; no clock but the tape's, chance only from a seed, no map is walked: two
// runs of one configuration make the same decisions, and Result.Hash, which is over all
// of them, is the same.
package backtest
