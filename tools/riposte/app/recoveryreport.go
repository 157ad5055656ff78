package app

import (
	"fmt"
	"io"
	"time"

	"riposte/core/book"
	"riposte/core/engine"
	execbinance "riposte/exec/binance"
)

// recoveryReport is how books got and get Live, and what comparisons found.
type recoveryReport struct {
	Start     outageReport            `json:"start"`
	Outage    *outageReport           `json:"last_outage,omitempty"` // of several books at once or in turn, until all were Live
	Resync    *quantiles              `json:"resync,omitempty"`      // of each book: out of Live to Live
	Bridge    *quantiles              `json:"bridge,omitempty"`      // of it from when its stream was there
	Snapshots map[string]snapshotUse  `json:"snapshots"`             // by purpose
	Renewals  uint64                  `json:"renewals"`              // snapshots taken over by a Live book
	TooOld    uint64                  `json:"too_old"`               // snapshots that the waiting events did not join
	Lockouts  uint64                  `json:"lockouts"`              // times the venue refused for the weight or the order count
	Audits    auditReport             `json:"audits"`
	Aside     []string                `json:"aside,omitempty"`
	Books     map[string]bookRecovery `json:"books,omitempty"` // with Final only
}

// outageReport is one time until all books were Live.
type outageReport struct {
	Books   int     `json:"books"`
	Seconds float64 `json:"seconds"`        // until the last of them was Live
	Bridge  float64 `json:"bridge_seconds"` // of it from when the first stream was there
	Least   float64 `json:"least_seconds"`  // what the weight alone allows
	Weight  int     `json:"least_weight"`   // of the smallest snapshots for them
	Room    int     `json:"weight_room"`    // a minute's, for snapshots
}

type snapshotUse struct {
	Count  uint64 `json:"count"`
	Weight uint64 `json:"weight"`
}

// auditReport is what comparisons of Live books with snapshots found.
type auditReport struct {
	Books     uint64  `json:"books"`  // compared
	Levels    uint64  `json:"levels"` // compared
	Different uint64  `json:"different"`
	First     string  `json:"first_difference,omitempty"`
	Lost      uint64  `json:"lost"`          // comparisons that were not possible
	Cycle     float64 `json:"cycle_seconds"` // the longest between two of one book
	Unaudited int     `json:"unaudited"`     // books not compared yet
}

// bookRecovery is one book's record.
type bookRecovery struct {
	Live      float64 `json:"live_seconds"` // from the start, 0: never
	Resyncs   uint64  `json:"resyncs,omitempty"`
	Slowest   float64 `json:"slowest_seconds,omitempty"`
	Audits    uint64  `json:"audits"`
	AuditAge  float64 `json:"audit_age_seconds"` // of the last
	Compared  int     `json:"audit_levels"`
	Different uint64  `json:"audits_different,omitempty"`
	Worst     string  `json:"difference,omitempty"`
}

// report adds what the keeper knows.
func (k *bookKeeper) report(r *report, s *engine.Stats) {
	k.look()
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.d.snapshots.Status()
	room := k.d.budget.Use(k.d.vclock.Now(), k.d.clock.Mono()).WeightMax * (100 - snapshotKeep) / 100
	first := execbinance.DepthWeight(min(k.d.cfg.Recovery.FirstLevels, k.d.cfg.Market.SnapshotLimit))
	told := func(o *outage) outageReport {
		weight := o.books * first
		return outageReport{Books: o.books, Seconds: max(0, time.Duration(o.to-o.from).Seconds()), Bridge: max(0, time.Duration(o.to-o.back).Seconds()),
			Least: least(weight, room, o.used, o.wall).Seconds(), Weight: weight, Room: room}
	}
	out := &recoveryReport{Start: told(&k.began), Snapshots: map[string]snapshotUse{}, Renewals: s.Renewals, TooOld: s.Refetches, Aside: f.Aside,
		Lockouts: k.d.budget.Use(k.d.vclock.Now(), k.d.clock.Mono()).Lockouts,
		Audits:   auditReport{Books: k.audits, Levels: k.levels, Different: k.differ, First: k.first, Lost: s.AuditsLost, Cycle: k.longest.Seconds()}}
	if k.last.books > 0 {
		o := told(&k.last)
		out.Outage = &o
	}
	if k.resync.h != nil {
		q := k.resync.quantiles()
		out.Resync = &q
	}
	if k.bridge.h != nil {
		q := k.bridge.quantiles()
		out.Bridge = &q
	}
	for p := range book.Purposes {
		if f.Got[p] > 0 {
			out.Snapshots[p.String()] = snapshotUse{f.Got[p], f.Spent[p]}
		}
	}
	if r.Final {
		out.Books = map[string]bookRecovery{}
	}
	now := k.d.clock.Mono()
	for i := range k.books {
		b := &k.books[i]
		if b.auditAt == 0 {
			out.Audits.Unaudited++
		}
		if !r.Final {
			continue
		}
		line := bookRecovery{Resyncs: b.resyncs, Slowest: b.slowest.Seconds(), Audits: b.audits, Compared: b.compared, Different: b.differ, Worst: b.worst}
		if b.live > 0 {
			line.Live = time.Duration(b.live - k.began.from).Seconds()
		}
		if b.auditAt > 0 {
			line.AuditAge = time.Duration(now - b.auditAt).Seconds()
		}
		out.Books[k.d.table.List[i].Symbol] = line
	}
	r.Recovery = out
	if k.differ > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d books were found to differ from the venue's and made anew, first %s", k.differ, k.first))
	}
	for _, why := range f.Aside {
		r.Problems = append(r.Problems, "set aside: "+why)
	}
}

// screen is the report on one line.
func (v *recoveryReport) screen(w io.Writer) {
	if v == nil {
		return
	}
	if n := v.Start.Books; n > 0 {
		fmt.Fprintf(w, "%d books live after %.1f s (weight alone: %.1f s)   ", n, v.Start.Seconds, v.Start.Least)
	}
	if q := v.Resync; q != nil {
		fmt.Fprintf(w, "resyncs %d, p50 %s, p99 %s   ", q.Count, short(q.P50), short(q.P99))
	}
	fmt.Fprintf(w, "renewed %d   audits by snapshot %d, different %d\n", v.Renewals, v.Audits.Books, v.Audits.Different)
}

func (v *recoveryReport) metrics(counter func(string, uint64), gauge func(string, float64)) {
	if v == nil {
		return
	}
	counter("book_renewals", v.Renewals)
	counter("snapshots_too_old", v.TooOld)
	counter("book_audits", v.Audits.Books)
	counter("book_audit_levels", v.Audits.Levels)
	counter("book_audit_differences", v.Audits.Different)
	gauge("symbols_set_aside", float64(len(v.Aside)))
}
