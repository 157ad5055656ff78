package breakout

import (
	"testing"

	"riposte/core"
)

func TestAPartOfAPriceIsThatOfLowAndHighOnesToo(t *testing.T) {
	for _, c := range []struct {
		price core.Price
		bps   int64
		want  core.Price
	}{
		{836100, 20, 1672}, {4346000, 3, 1303}, {1, 1000, 0}, {6_182_502_000_000, 3, 1_854_750_600}, {1<<63 - 1, 1000, 922_337_203_685_477_580},
	} {
		if got := part(c.price, c.bps*100); got != c.want {
			t.Errorf("%d bps of %d are %d, want %d", c.bps, c.price, got, c.want)
		}
	}
}
