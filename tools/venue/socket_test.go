package venue

import (
	"net"
	"testing"
)

// setBuffers makes a client's receive buffer small, so that it stops the sender soon.
func setBuffers(t *testing.T, s *socket) {
	t.Helper()
	tcp, ok := s.c.(*net.TCPConn)
	if !ok {
		t.Fatalf("got a %T, want a TCP connection", s.c)
	}
	if err := tcp.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
}
