//go:build !unix

package binance

import (
	"errors"
	"os"
)

type ownership uint8

const (
	ours ownership = iota
	managers
)

func openKeyFile(string, ownership) (*os.File, error) {
	return nil, errors.New("owner and mode of files cannot be checked on this system")
}
