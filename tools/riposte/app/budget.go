package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/exec"
	"riposte/feed"
	"riposte/tools/store"
)

// BudgetConfig is [budget].
type BudgetConfig struct {
	Dir     string `toml:"dir"`
	Account string `toml:"account"`
}

func (c *BudgetConfig) check() error {
	if strings.ContainsAny(c.Account, "/\\\x00") {
		return want("budget.account", fmt.Sprintf("%q", c.Account), "a plain name: it becomes part of a file's name")
	}
	return nil
}

// allowance is what the venue lets this process do, and whom it shares that with.
type allowance struct {
	budget   *exec.Budget
	connects *feed.ConnectBudget
	close    func() error
}

// addressUse is what the venue counts by address.
type addressUse struct {
	calls    exec.HostUse
	connects feed.ConnectUse
}

// addressSharers is how many processes may share an address's allowance.
const addressSharers = 64

// openAllowance makes the budgets. The venue counts requests and connections by
// address and orders by account, whichever process they come from; so all riposte
// processes of a user on this host count in the same memory. The embedded venue is
// nobody else's, and its budget is our own.
func openAllowance(cfg *BudgetConfig, s *sites, embedded bool, account string, clock core.Clock) (a *allowance, err error) {
	a = &allowance{close: func() error { return nil }}
	if a.budget, err = exec.NewBudget(cancelReservePercent); err != nil {
		return nil, err
	}
	if a.connects, err = feed.NewConnectBudget(feed.ConnectsPerWindow, feed.ConnectWindow); err != nil {
		return nil, err
	}
	if embedded || cfg.Dir == "none" {
		return a, nil
	}
	dir := cfg.Dir
	if dir == "" {
		dir = sharedDir()
	}
	origin, err := commonTime(clock)
	if err != nil {
		return nil, err
	}
	address, err := store.OpenShared[addressUse](filepath.Join(dir, "address-"+placeName(s)), addressSharers)
	if err != nil {
		return nil, usageError{fmt.Errorf("budget.dir: %w", err)}
	}
	if cfg.Account != "" {
		account = cfg.Account
	}
	orders, err := store.OpenShared[exec.AccountUse](filepath.Join(dir, "account-"+placeName(s)+"-"+account), exec.AccountSharers)
	if err != nil {
		return nil, errors.Join(usageError{fmt.Errorf("budget.dir: %w", err)}, address.Close())
	}
	for _, gone := range orders.Left {
		orders.Value.Forget(gone)
	}
	a.budget.Share(&address.Value.calls, orders.Value, orders.Slot, origin)
	a.connects.Share(&address.Value.connects, origin)
	a.close = func() error {
		orders.Value.Forget(orders.Slot)
		return errors.Join(orders.Close(), address.Close())
	}
	return a, nil
}

// placeName is an environment's part of a file name: its own name, or for addresses of
// the user's the REST host, since that is where the venue counts.
func placeName(s *sites) string {
	if _, named := known[s.name]; named {
		return s.name
	}
	_, host, _ := strings.Cut(s.rest, "://")
	host, _, _ = strings.Cut(host, "/")
	return strings.NewReplacer(":", "_", "[", "", "]", "").Replace(host)
}

// sharedDir is where this user's processes meet: memory that does not outlive the boot.
func sharedDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "riposte")
	}
	return fmt.Sprintf("/dev/shm/riposte-%d", os.Geteuid())
}

// commonTime is what to add to clock's monotonic time to get the kernel's, which all
// processes share.
func commonTime(clock core.Clock) (int64, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0, fmt.Errorf("cannot read the kernel's clock: %w", err)
	}
	return ts.Nano() - int64(clock.Mono()), nil
}
