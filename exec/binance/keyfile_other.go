//go:build !unix

package binance

import (
	"errors"
	"os"
)

func openKeyFile(string) (*os.File, error) {
	return nil, errors.New("owner and mode of files cannot be checked on this system")
}
