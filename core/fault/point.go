// Package fault names the places at which the death of the process is tried: before
// and after everything that leaves a mark outside it. In a program built with the tag
// faultpoints, At calls Hit; in any other it is nothing, not even a call.
package fault

// Point is a named place.
type Point uint8

// The places, in the order in which a life comes to them.
const (
	FolderLocked Point = iota
	SegmentRead
	TailCut
	FolderRead
	EpochTaken
	ClockKnown
	RulesKnown
	SegmentMade
	SegmentNamed
	SessionNoted
	ChainNoted
	NamesNoted
	CheckpointHalf
	CheckpointNoted
	JournalSynced
	OrderRestored
	PastRestored
	ThreadsStarted
	UserUp
	AuditBegun
	SnapshotTaken
	AuditTold
	AuditDone
	LedgerOpened
	ExternalBooked
	OrderTaken
	OrderEncoded
	OrderAdded
	IntentBefore
	IntentNoted
	PlaceBefore
	PlaceWritten
	CancelBefore
	CancelNoted
	CancelSend
	CancelWritten
	AnswerRead
	AnswerApplied
	ReportBefore
	ReportNoted
	StreamEvent
	StreamApplied
	Asked
	AskTold
	RotateBefore
	RotateSwitched
	RotateTruncated
	RotateSummed
	RotateChained
	WindowAllotted
	WindowMapped
	Drained
	EndNoted
	EndTruncated

	points
)

var names = [points]string{
	"folder locked", "segment read", "tail cut", "folder read", "epoch taken", "clock known", "rules known",
	"segment made", "segment named", "session noted", "chain noted", "names noted", "checkpoint half noted", "checkpoint noted", "journal synced",
	"order restored", "past restored", "threads started", "user stream up",
	"audit begun", "snapshot taken", "audit told", "audit done", "ledger opened", "external booked",
	"order taken", "order encoded", "order added", "before intent", "intent noted", "before the order's bytes", "order's bytes written",
	"before cancel", "cancel noted", "before the cancel's bytes", "cancel's bytes written",
	"answer read", "answer applied", "before report", "report noted", "stream event", "stream event applied", "asked", "answer to question",
	"before rotation", "rotated", "finished file cut", "finished file summed", "chain noted after rotation",
	"window allotted", "window mapped",
	"drained", "end noted", "end cut",
}

func (p Point) String() string { return names[p] }

// Count is how many places there are.
const Count = int(points)
