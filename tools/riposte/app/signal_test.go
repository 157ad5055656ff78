package app

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// signalled runs a command in this process, sends itself sig once the first line
// of output is there and use has been called with it, and returns the exit code
// and the last line.
func signalled(t *testing.T, sig syscall.Signal, use func(line string), args ...string) (int, string) {
	t.Helper()
	t.Chdir(t.TempDir())
	out, in := io.Pipe()
	code := make(chan int, 1)
	var errs strings.Builder
	go func() {
		code <- run(args, in, &errs)
		in.Close()
	}()
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	last := ""
	for n := 0; sc.Scan(); n++ {
		last = sc.Text()
		if n == 0 {
			use(last)
			if err := syscall.Kill(os.Getpid(), sig); err != nil {
				t.Error(err)
			}
		}
	}
	c := <-code
	if errs.Len() > 0 {
		t.Logf("stderr: %s", errs.String())
	}
	return c, last
}

func TestSignalsEndARunInOrder(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		code, last := signalled(t, sig, func(string) {}, "run", "--json")
		var r report
		if err := json.Unmarshal([]byte(last), &r); err != nil {
			t.Fatal(err)
		}
		if code != exitOK || !r.Final || !r.Clean || r.OpenAtVenue != 0 {
			t.Errorf("%v: exit %d, final %v, clean %v, %d orders left; want an orderly end", sig, code, r.Final, r.Clean, r.OpenAtVenue)
		}
	}
}

func TestVenueSaysWhereItIsServesAndEndsOnSIGTERM(t *testing.T) {
	code, _ := signalled(t, syscall.SIGTERM, func(line string) {
		var e endpoints
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Error(err)
			return
		}
		resp, err := http.Get(e.REST + "/api/v3/time")
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(body), "serverTime") {
			t.Errorf("time: got %s, %v", body, err)
		}
		http.DefaultClient.CloseIdleConnections()
		if st, err := os.Stat(e.KeyFile); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("key file: %v, %v; want one of mode 0600", st, err)
		}
	}, "venue", "--seed", "7")
	if code != exitOK {
		t.Errorf("exit %d, want %d", code, exitOK)
	}
}
