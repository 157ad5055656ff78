package sock

import (
	"crypto/tls"
	"encoding/binary"
	"os"
)

// A loop that spins asks each connection a million times a second whether there is
// anything. crypto/tls answers that by taking its locks, growing its buffer and
// allocating a reader, every time. Therefore it is asked only when a record has come:
// records lies between it and the socket, takes bytes in as they come, and hands out one
// record at a time, so that none is left lying unseen in the buffers of crypto/tls.

const (
	recordHead = 5       // type, version, length (RFC 8446 section 5.1)
	recordRoom = 1 << 16 // more than three records of the greatest length
)

// records is the transport under a TLS session. One goroutine reads.
type records struct {
	*Conn
	buf  []byte
	r, w int   // buf[r:w] has come and has not been handed out
	left int   // bytes of the record under way that have not been handed out; 0: none is
	err  error // the end, kept because the kernel tells of a reset only once
}

func newRecords(c *Conn) *records { return &records{Conn: c, buf: make([]byte, recordRoom)} }

// due is how many bytes the record at buf[r:] has, of which some may be still to come;
// 0 while its head is not whole.
func (c *records) due() int {
	if c.left == 0 && c.w-c.r >= recordHead {
		c.left = recordHead + int(binary.BigEndian.Uint16(c.buf[c.r+3:]))
	}
	return c.left
}

// Read hands out bytes of one record, as transport for crypto/tls.
func (c *records) Read(p []byte) (int, error) {
	for {
		if n := c.due(); n > 0 && c.w > c.r {
			n = copy(p, c.buf[c.r:min(c.w, c.r+n)])
			c.r += n
			c.left -= n
			return n, nil
		}
		if err := c.fill(); err != nil {
			if c.w > c.r && !timedOut(err) {
				// Cut in the middle of a head: what there is, then the end.
				n := copy(p, c.buf[c.r:c.w])
				c.r += n
				return n, nil
			}
			return 0, err
		}
	}
}

// fill reads from the socket once.
func (c *records) fill() error {
	switch {
	case c.err != nil:
		return c.err
	case c.r == c.w:
		c.r, c.w = 0, 0
	case len(c.buf)-c.w < recordRoom/4:
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	n, err := c.Conn.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	if !timedOut(err) {
		c.err = err
	}
	return err
}

// ready reports whether there is something for crypto/tls to do: a record to decrypt,
// or the connection's end. It does not wait, on a connection that does not.
func (c *records) ready() bool {
	for read := false; ; read = true {
		if n := c.due(); n > 0 && c.w-c.r >= n {
			return true
		}
		if read {
			return false
		}
		if err := c.fill(); err != nil {
			return !timedOut(err)
		}
	}
}

// tlsConn is a TLS session that can be asked in vain at the cost of one system call.
type tlsConn struct {
	*tls.Conn
	records *records
	more    bool // the last record may have held more than was asked for
}

// Read is tls.Conn's, but on a connection that does not wait it is called only when
// there is something for it.
func (c *tlsConn) Read(p []byte) (int, error) {
	if c.records.rdead.Load() == pastMark && !c.more && !c.records.ready() {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := c.Conn.Read(p)
	c.more = n > 0 && n == len(p)
	return n, err
}

// timedOut does without errors.As, which would allocate on the polling path.
func timedOut(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
