//go:build !faultpoints

package fault

// On says whether this program has the places.
const On = false

// Hit is not called in this program.
var Hit func(Point)

// At is a place that is not there.
func At(Point) {}
