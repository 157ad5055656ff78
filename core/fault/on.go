//go:build faultpoints

package fault

// On says whether this program has the places.
const On = true

// Hit is called at each place, from whatever goroutine comes to it. It is set before
// any of them starts.
var Hit = func(Point) {}

// At is a place.
func At(p Point) { Hit(p) }
