package book

import "riposte/core"

// link says how a depth event joins on to what is known.
type link uint8

const (
	linkOld      link = iota // all of it is known already
	linkFits                 // it is the next
	linkOverlaps             // it starts within the known and goes beyond
	linkBreaks               // something between is missing
)

// A market's rule is a type with two methods: first joins an event on to a
// snapshot that stands at id, next joins it on to the event applied before it,
// which ended at id.

// spotRule: the ids of a symbol are dense, each event says the first and the
// last it holds (U, u). Events with u <= lastUpdateId are older than the
// snapshot; the first to apply has U <= lastUpdateId+1 <= u; from then on
// U == previous u + 1, where U <= id < u is legal and applied, because
// quantities are absolute. (Binance Spot documentation as corrected 2025-11-12,
// and recordings: in most the first event has U == lastUpdateId+1.)
type spotRule struct{}

func (spotRule) first(ev *core.Event, id uint64) link {
	switch {
	case ev.ID <= id:
		return linkOld
	case ev.FirstID() <= id+1:
		return linkFits
	}
	return linkBreaks
}

func (spotRule) next(ev *core.Event, id uint64) link {
	switch {
	case ev.FirstID() == id+1 && ev.ID > id:
		return linkFits
	case ev.ID <= id:
		return linkOld
	case ev.FirstID() <= id:
		return linkOverlaps
	}
	return linkBreaks
}

// futuresRule: ids are shared by all symbols, so each event says which id it
// follows (pu). Events with u < lastUpdateId are older than the snapshot; the
// first to apply has U <= lastUpdateId <= u, or follows exactly at it
// (pu == lastUpdateId); from then on pu == previous u. (Binance USD-M and COIN-M
// documentation, 2026-07-21; in 9 of 20 recorded books the first event to apply
// has u == lastUpdateId.)
type futuresRule struct{}

func (futuresRule) first(ev *core.Event, id uint64) link {
	switch {
	case ev.ID < id:
		return linkOld
	case ev.FirstID() <= id || ev.PrevID() == id:
		return linkFits
	}
	return linkBreaks
}

func (futuresRule) next(ev *core.Event, id uint64) link {
	switch {
	case ev.PrevID() == id && ev.ID >= id:
		return linkFits
	case ev.ID <= id:
		return linkOld
	}
	return linkBreaks
}

// join applies the market's rule. It is a branch and not an interface because an
// event passed through one would have to live on the heap.
func join(futures, first bool, ev *core.Event, id uint64) link {
	switch {
	case futures && first:
		return futuresRule{}.first(ev, id)
	case futures:
		return futuresRule{}.next(ev, id)
	case first:
		return spotRule{}.first(ev, id)
	}
	return spotRule{}.next(ev, id)
}
