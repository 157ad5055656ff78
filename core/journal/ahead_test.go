package journal

import "testing"

// TestAnOrderOfVersion1HasNoCum: what had traded by the venue's word came with version 2.
func TestAnOrderOfVersion1HasNoCum(t *testing.T) {
	b := (&Order{ID: 1, Filled: 5, Trades: []int64{7}, Cum: 9}).Append(nil, 1)
	rec := Record{Kind: KindOrder, Version: 1, Payload: b[headerLen : len(b)-8]}
	o := Order{Cum: 3}
	if err := o.Decode(&rec); err != nil || o.Cum != 0 || o.Filled != 5 || len(o.Trades) != 1 {
		t.Errorf("got %+v and %v", o, err)
	}
}
