package floor

// #include "recv.h"
import "C"

import "fmt"

// Recv reads n bytes from a blocking socket and looks at none of them.
func Recv(fd, n int) error {
	if got := int(C.floor_recv(C.int(fd), C.uint64_t(n))); got != n {
		return fmt.Errorf("got %d bytes from the socket, want %d", got, n)
	}
	return nil
}
