package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// endpoints is what `riposte venue` prints.
type endpoints struct {
	REST    string `json:"rest"`
	Stream  string `json:"stream"`
	WSAPI   string `json:"ws_api"`
	KeyFile string `json:"key_file"`
}

type venue struct {
	cmd *exec.Cmd
	at  endpoints
}

func startVenue(ctx context.Context, binary string, args ...string) (*venue, error) {
	v := &venue{cmd: exec.CommandContext(ctx, binary, append([]string{"venue"}, args...)...)}
	v.cmd.Cancel = func() error { return nil } // stop ends it, after the engine
	v.cmd.Stderr = os.Stderr
	// Ctrl-C is for us alone: the engine must find its venue when it ends.
	v.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start the venue: %w", err)
	}
	if err := v.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the venue: %w (make build makes the binary)", err)
	}
	if err := json.NewDecoder(out).Decode(&v.at); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read where the venue is: %w", err), v.stop())
	}
	return v, nil
}

func (v *venue) stop() error {
	_ = v.cmd.Process.Signal(syscall.SIGTERM)
	if err := v.cmd.Wait(); err != nil {
		return fmt.Errorf("venue: %w", err)
	}
	return nil
}

// report is what we read of the engine's own.
type report struct {
	Final   bool    `json:"final"`
	Seconds float64 `json:"seconds"`
	Admin   string  `json:"admin"`

	Frames     uint64 `json:"frames"`
	Connects   uint64 `json:"connects"`
	Demotions  uint64 `json:"demotions"`
	Gaps       uint64 `json:"gaps"`
	Orders     uint64 `json:"orders"`
	Fills      uint64 `json:"fills"`
	Unknown    int    `json:"unknown"`
	Mismatches int    `json:"mismatches"`
	Clean      bool   `json:"clean"`
}

type engine struct {
	cmd     *exec.Cmd
	journal string
	began   time.Time
	latest  atomic.Pointer[report]
	read    chan struct{} // closed when its output has ended
	done    chan error
}

func startEngine(ctx context.Context, binary, dir string, at endpoints, set []string) (*engine, error) {
	e := &engine{journal: filepath.Join(dir, "journal"), began: time.Now(), read: make(chan struct{}), done: make(chan error, 1)}
	args := []string{"run", "--json"}
	for _, kv := range append([]string{
		"venue.rest=" + at.REST, "venue.stream=" + at.Stream, "venue.ws_api=" + at.WSAPI, "venue.key_file=" + at.KeyFile,
		"admin.address=127.0.0.1:0", "journal.dir=" + e.journal, `market.symbols=["BTCUSDT"]`, "budget.dir=none",
		// It trades at a loss, as it must against a recording, and is to go on with it.
		"account.losses_max=0", `account.loss_max="1000000"`, `account.drawdown_max="1000000"`,
	}, set...) {
		args = append(args, "--set", kv)
	}
	e.cmd = exec.CommandContext(ctx, binary, args...)
	e.cmd.Cancel = func() error { return nil } // stop ends it
	e.cmd.Stderr = os.Stderr
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot start the engine: %w", err)
	}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the engine: %w", err)
	}
	go e.follow(out)
	go func() {
		<-e.read // Wait closes the pipe
		e.done <- e.cmd.Wait()
	}()
	return e, nil
}

func (e *engine) follow(out io.Reader) {
	defer close(e.read)
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var r report
		if json.Unmarshal(sc.Bytes(), &r) == nil {
			e.latest.Store(&r)
		}
	}
	_, _ = io.Copy(io.Discard, out) // after a line that is too long
}

// stop ends the engine as a person would and returns its last report.
func (e *engine) stop() (*report, error) {
	if err := e.cmd.Process.Signal(os.Interrupt); err != nil {
		return nil, fmt.Errorf("cannot stop the engine: %w", err)
	}
	err := <-e.done
	r := e.latest.Load()
	if r == nil || !r.Final {
		return nil, fmt.Errorf("the engine ended without a summary: %w", err)
	}
	return r, nil
}

func (e *engine) kill() error {
	_ = e.cmd.Process.Kill()
	<-e.read
	return nil
}

// What is sampled.
const (
	resident = iota
	heap     // live objects after a collection
	objects
	goroutines
	descriptors
	journal // bytes on disk
	orders
	sampled
)

var names = [sampled]string{"resident bytes", "heap bytes", "heap objects", "goroutines", "descriptors", "journal bytes", "orders"}

type sample struct {
	at     time.Duration
	values [sampled]float64
}

func (e *engine) sample() (s sample, err error) {
	s.at = time.Since(e.began)
	r := e.latest.Load()
	if r == nil || r.Admin == "" {
		return s, errors.New("cannot sample: the engine has not reported its admin address yet")
	}
	proc := fmt.Sprintf("/proc/%d", e.cmd.Process.Pid)
	fds, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return s, fmt.Errorf("cannot sample: %w", err)
	}
	s.values[descriptors], s.values[orders] = float64(len(fds)), float64(r.Orders)
	if s.values[goroutines], err = e.page(r.Admin+"/debug/pprof/goroutine?debug=1", "goroutine profile: total "); err != nil {
		return s, err
	}
	mem := r.Admin + "/debug/pprof/heap?gc=1&debug=1"
	if s.values[heap], err = e.page(mem, "# HeapAlloc = "); err != nil {
		return s, err
	}
	if s.values[objects], err = e.page(mem, "# HeapObjects = "); err != nil {
		return s, err
	}
	status, err := os.ReadFile(proc + "/status")
	if err != nil {
		return s, fmt.Errorf("cannot sample: %w", err)
	}
	kb, err := after(string(status), "VmRSS:")
	if err != nil {
		return s, fmt.Errorf("cannot sample %s/status: %w", proc, err)
	}
	s.values[resident] = kb * 1024
	s.values[journal], err = diskUse(e.journal)
	return s, err
}

func (e *engine) page(url, mark string) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("cannot sample: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("cannot sample: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("cannot sample: %w", err)
	}
	v, err := after(string(body), mark)
	if err != nil {
		return 0, fmt.Errorf("cannot sample %s: %w", url, err)
	}
	return v, nil
}

// after is the number that follows mark.
func after(text, mark string) (float64, error) {
	_, rest, ok := strings.Cut(text, mark)
	word := strings.Fields(rest)
	if !ok || len(word) == 0 {
		return 0, fmt.Errorf("found no %q", mark)
	}
	v, err := strconv.ParseFloat(word[0], 64)
	if err != nil {
		return 0, fmt.Errorf("found %q after %q, want a number", word[0], mark)
	}
	return v, nil
}

// diskUse is what a folder's files hold, by blocks: a journal file is made longer than
// it is.
func diskUse(dir string) (n float64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			n += float64(st.Blocks) * 512
		}
		return err
	})
	return n, err
}
