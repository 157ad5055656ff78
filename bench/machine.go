package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Machine is what a number must carry with it to mean anything.
type Machine struct {
	CPU        string `json:"cpu"`
	CPUs       int    `json:"cpus"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	GOMAXPROCS int    `json:"gomaxprocs"`
	Commit     string `json:"commit"`
	Date       string `json:"date"`
}

// ThisMachine looks around. What cannot be found out is "unknown".
func ThisMachine() Machine {
	return Machine{
		CPU: cpuModel(), CPUs: runtime.NumCPU(), Kernel: kernel(), Go: runtime.Version(),
		GOMAXPROCS: runtime.GOMAXPROCS(0), Commit: commit(), Date: time.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
}

// String is the machine line.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d CPUs, %s, %s, GOMAXPROCS %d, commit %s, %s", m.CPU, m.CPUs, m.Kernel, m.Go, m.GOMAXPROCS, m.Commit, m.Date)
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown " + runtime.GOARCH
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if name, value, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown " + runtime.GOARCH
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return runtime.GOOS + " " + string(bytes.TrimSpace(text))
}

// commit is the short hash of the checkout, with a mark if it has been changed.
func commit() string {
	root, err := Root()
	if err != nil {
		return "unknown"
	}
	git := func(args ...string) string {
		out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
		if err != nil {
			return ""
		}
		return string(bytes.TrimSpace(out))
	}
	hash := git("rev-parse", "--short=10", "HEAD")
	if hash == "" {
		return "unknown"
	}
	if git("status", "--porcelain", "--untracked-files=no") != "" {
		hash += "-changed"
	}
	return hash
}
