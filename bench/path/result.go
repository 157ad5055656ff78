package path

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what came of a plan, or of several of the same kind.
type Result struct {
	Intended  *hdrhistogram.Histogram // ns, from when the frame should have left
	Actual    *hdrhistogram.Histogram // ns, from when the kernel was given it
	Samples   int
	Orders    int // matched to frames, warm-up and all
	Lost      int // frames without an order
	Stray     int // orders without a frame
	Late      int
	LagMost   time.Duration
	Seconds   float64
	Waited    time.Duration // the harness's thread was ready and something else ran
	Foreign   float64       // share that other programs took of its CPU, or of the subject's
	Aside     int           // samples set aside because another program ran on a CPU of ours; not among Samples
	Disturbed int           // samples of slices in which that was more than wanted
	Said      string        // the subject's last line of output
}

// histogramMost is the longest time told apart; what is longer counts as this.
const histogramMost = 10_000_000_000

// NewResult is a result of so many samples that nothing has been recorded in yet.
func NewResult(samples int) *Result {
	return &Result{Samples: samples, Intended: hdrhistogram.New(1, histogramMost, 3), Actual: hdrhistogram.New(1, histogramMost, 3)}
}

func (r *Result) record(intended, actual Ns) {
	// Within the bounds there is no error.
	_ = r.Intended.RecordValue(min(max(int64(intended), 1), histogramMost))
	_ = r.Actual.RecordValue(min(max(int64(actual), 1), histogramMost))
}

// Add takes another result of the same plan in.
func (r *Result) Add(o *Result) {
	r.Intended.Merge(o.Intended)
	r.Actual.Merge(o.Actual)
	r.Samples += o.Samples
	r.Orders += o.Orders
	r.Lost += o.Lost
	r.Stray += o.Stray
	r.Late += o.Late
	r.LagMost = max(r.LagMost, o.LagMost)
	if all := r.Seconds + o.Seconds; all > 0 {
		r.Foreign = (r.Foreign*r.Seconds + o.Foreign*o.Seconds) / all
	}
	r.Seconds += o.Seconds
	r.Waited += o.Waited
	r.Aside += o.Aside
	r.Disturbed += o.Disturbed
	r.Said = o.Said
}

// Quantiles are a histogram in microseconds.
type Quantiles struct {
	P10   float64 `json:"p10_us"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p999_us"`
	P9999 float64 `json:"p9999_us"`
	Max   float64 `json:"max_us"`
}

func quantiles(h *hdrhistogram.Histogram) Quantiles {
	us := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1e3 }
	return Quantiles{P10: us(10), P50: us(50), P90: us(90), P99: us(99), P999: us(99.9), P9999: us(99.99), Max: float64(h.Max()) / 1e3}
}

// Figures is a result in numbers.
type Figures struct {
	Name      string    `json:"name"`
	Samples   int       `json:"samples"`
	Intended  Quantiles `json:"from_intended"`
	Actual    Quantiles `json:"from_actual"`
	Lost      int       `json:"lost"`
	Stray     int       `json:"stray"`
	Late      int       `json:"late"`
	LagMost   float64   `json:"lag_most_us"`
	Waited    float64   `json:"harness_waited_us"`
	Foreign   float64   `json:"foreign_share"`
	Aside     int       `json:"set_aside"`
	Disturbed int       `json:"disturbed"`
}

// Figures sums up.
func (r *Result) Figures(name string) Figures {
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	return Figures{Name: name, Samples: r.Samples, Intended: quantiles(r.Intended), Actual: quantiles(r.Actual),
		Lost: r.Lost, Stray: r.Stray, Late: r.Late, LagMost: us(r.LagMost), Waited: us(r.Waited), Foreign: r.Foreign, Aside: r.Aside, Disturbed: r.Disturbed}
}

// Histograms are both distributions in the compressed form of HdrHistogram, version 2,
// as any reader of that format takes it.
type Histograms struct {
	Intended string `json:"from_intended"`
	Actual   string `json:"from_actual"`
}

// Histograms encodes them.
func (r *Result) Histograms() (h Histograms, err error) {
	if h.Intended, err = histogramText(r.Intended); err == nil {
		h.Actual, err = histogramText(r.Actual)
	}
	return h, err
}

func histogramText(h *hdrhistogram.Histogram) (string, error) {
	b, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return "", fmt.Errorf("cannot encode a histogram: %w", err)
	}
	return string(b), nil
}
