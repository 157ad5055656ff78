package book

import (
	"encoding/binary"
	"testing"

	"riposte/core"
)

// FuzzBook reads its input as changes to a book and compares with the twin:
// three bytes per step near the touch, nine for a price from anywhere.
func FuzzBook(f *testing.F) {
	f.Add([]byte{}, uint32(1), uint16(0))
	f.Add([]byte{0, 10, 1, 1, 20, 1, 0, 10, 0, 64, 1, 0, 128, 1, 2, 3}, uint32(100), uint16(512))
	f.Add([]byte("\x02\x01\x00\x00\x00\x00\x00\x00\x00\x09\x03\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x04\x80\x02\x05\x01\x01"), uint32(1_000_000), uint16(2048))
	f.Add([]byte{6, 1, 1, 6, 0, 0, 7, 3, 3, 7, 9, 0, 8, 200, 1, 8, 1, 1, 9, 9, 9}, uint32(0), uint16(1))
	f.Fuzz(func(t *testing.T, in []byte, tick uint32, window uint16) {
		b, w := New(core.Price(tick), int(window)), newTwin()
		grid := core.Price(max(tick, 1))
		mid := 100_000 * grid
		for len(in) >= 3 {
			side := core.Side(in[0] & 1)
			what, a, c := in[0]>>1&7, in[1], in[2]
			in = in[3:]
			price, qty := core.Price(0), core.Qty(c)
			switch what {
			case 0, 1:
				price = mid + grid*core.Price(int8(a))
			case 2:
				price = mid + grid*core.Price(int8(a))*64
			case 3:
				price = mid + core.Price(a) // off the grid
			case 4:
				mid = max(grid, mid+grid*core.Price(int8(a))*core.Price(c))
				continue
			case 5:
				if best := b.Best(side); best.Price != 0 {
					price, qty = best.Price, 0
				}
			case 6:
				if len(in) < 8 {
					return
				}
				price = core.Price(binary.LittleEndian.Uint64(in) >> (a & 63))
				in = in[8:]
			case 7:
				switch a & 3 {
				case 0:
					im := w.image()
					b.Load(im)
				case 1:
					b.SetTick(core.Price(c))
				case 2:
					b.sides[side].ops = tuneEvery
				case 3:
					equal(t, b, w)
				}
				continue
			}
			if !isPrice(price) {
				before := b.Refused()
				b.Set(side, price, qty)
				if b.Refused() != before+1 {
					t.Fatalf("price %d was taken", price)
				}
				continue
			}
			if got, want := b.Set(side, price, qty), w.set(side, price, qty); got != want {
				t.Fatalf("%v %d at %d: absent %v, want %v", side, qty, price, got, want)
			}
		}
		equal(t, b, w)
		b.sides[0].check(t)
		b.sides[1].check(t)
	})
}
