package journal

// Payload is what a record holds, by kind. Append returns dst longer by the whole
// record, in the newest layout, and allocates only if dst has no room. Decode reads
// every layout there has been, copies, and lets nothing point into the record
// afterwards; a layout newer than this program's is an error that names it.
type Payload interface {
	Append(dst []byte, seq uint64) []byte
	Decode(rec *Record) error
}

// New is an empty payload for a record of that kind, nil if there is no such kind.
func New(k Kind) Payload {
	switch k {
	case KindSessionStart:
		return new(SessionStart)
	case KindIntent:
		return new(Intent)
	case KindSent:
		return new(Sent)
	case KindReport:
		return new(Report)
	case KindRefusal:
		return new(Refusal)
	case KindMarket:
		return new(Market)
	case KindSnapshot:
		return new(Snapshot)
	case KindHalt:
		return new(Halt)
	case KindSessionEnd:
		return new(SessionEnd)
	case KindSegment:
		return new(Segment)
	case KindChain:
		return new(Chain)
	case KindNames:
		return new(Names)
	case KindPosition:
		return new(Position)
	case KindHolding:
		return new(Holding)
	case KindOrder:
		return new(Order)
	case KindCheckpoint:
		return new(Checkpoint)
	case KindAudit:
		return new(Audit)
	case KindLimit:
		return new(Limit)
	case KindSignal:
		return new(Signal)
	case KindMarkOut:
		return new(MarkOut)
	case KindScore:
		return new(Score)
	case KindStrategies:
		return new(Strategies)
	case KindShare:
		return new(Share)
	case KindParam:
		return new(Param)
	case KindChoice:
		return new(Choice)
	case KindRules:
		return new(Rules)
	case KindAhead:
		return new(Ahead)
	}
	return nil
}

// newest is the version in which each kind is written.
var newest = [kinds]uint8{
	KindSessionStart: 2, KindIntent: 2, KindSent: 2, KindReport: 3, KindRefusal: 3, KindMarket: 1, KindSnapshot: 1, KindHalt: 3, KindSessionEnd: 1,
	KindSegment: 1, KindChain: 1, KindNames: 1, KindPosition: 1, KindHolding: 1, KindOrder: 2, KindCheckpoint: 2, KindAudit: 1, KindLimit: 1,
	KindSignal: 1, KindMarkOut: 1, KindScore: 1, KindStrategies: 1, KindShare: 1, KindParam: 1, KindChoice: 1, KindRules: 1, KindAhead: 1,
}

// Newest is the version in which this program writes that kind, 0 if it has none.
func Newest(k Kind) uint8 {
	if k >= kinds {
		return 0
	}
	return newest[k]
}
