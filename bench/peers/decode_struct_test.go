package peers

import (
	"encoding/json"
	"unsafe"

	"github.com/bytedance/sonic"
	jsonv2 "github.com/go-json-experiment/json"
	gojson "github.com/goccy/go-json"

	"riposte/core"
)

// The shapes of those who decode into structs. Fields that differ from others in
// case only are named so that none is filled by the wrong key.
type (
	touchFrame struct {
		Data struct {
			U      int64  `json:"u"`
			S      string `json:"s"`
			Bid    string `json:"b"`
			BidQty string `json:"B"`
			Ask    string `json:"a"`
			AskQty string `json:"A"`
		} `json:"data"`
	}
	tradeFrame struct {
		Data struct {
			Event string `json:"e"`
			Time  int64  `json:"E"`
			S     string `json:"s"`
			ID    int64  `json:"t"`
			Price string `json:"p"`
			Qty   string `json:"q"`
			Trade int64  `json:"T"`
			Maker bool   `json:"m"`
			Best  bool   `json:"M"`
		} `json:"data"`
	}
	depthFrame struct {
		Data struct {
			Event string      `json:"e"`
			Time  int64       `json:"E"`
			S     string      `json:"s"`
			First int64       `json:"U"`
			Last  int64       `json:"u"`
			Prev  int64       `json:"pu"`
			Bids  [][2]string `json:"b"`
			Asks  [][2]string `json:"a"`
		} `json:"data"`
	}
)

func (v *touchFrame) sum() uint64 {
	d := &v.Data
	return touchSum(d.U, num(d.Bid), num(d.BidQty), num(d.Ask), num(d.AskQty))
}

func (v *tradeFrame) sum() uint64 {
	d := &v.Data
	return tradeSum(d.ID, num(d.Price), num(d.Qty), d.Trade, d.Maker)
}

// structDecode decodes into one of the shapes, whose memory is used again.
func structDecode(kind core.EventKind, unmarshal func([]byte, any) error) func([]byte) uint64 {
	switch kind {
	case core.Touch:
		v := new(touchFrame)
		return func(f []byte) uint64 {
			must(unmarshal(f, v))
			return v.sum()
		}
	case core.Trade:
		v := new(tradeFrame)
		return func(f []byte) uint64 {
			must(unmarshal(f, v))
			return v.sum()
		}
	}
	v := new(depthFrame)
	return func(f []byte) uint64 {
		v.Data.Bids, v.Data.Asks = v.Data.Bids[:0], v.Data.Asks[:0]
		must(unmarshal(f, v))
		sum := depthSum(v.Data.First, v.Data.Last)
		for _, side := range [2][][2]string{v.Data.Bids, v.Data.Asks} {
			for i := range side {
				sum = levelSum(sum, num(side[i][0]), num(side[i][1]))
			}
		}
		return sum
	}
}

func stdDecode(kind core.EventKind) func([]byte) uint64 { return structDecode(kind, json.Unmarshal) }

// v2Decode is encoding/json/v2, in the module that it is developed in.
func v2Decode(kind core.EventKind) func([]byte) uint64 {
	return structDecode(kind, func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) })
}

func goccyDecode(kind core.EventKind) func([]byte) uint64 {
	return structDecode(kind, func(b []byte, v any) error { return gojson.Unmarshal(b, v) })
}

// sonicDecode lets sonic's strings lie in the frame: its fastest way.
func sonicDecode(kind core.EventKind) func([]byte) uint64 {
	return structDecode(kind, func(b []byte, v any) error {
		return sonic.ConfigFastest.UnmarshalFromString(unsafe.String(unsafe.SliceData(b), len(b)), v)
	})
}
