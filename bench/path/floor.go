package path

import (
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"riposte/bench"
)

//go:embed cecho/cecho.c
var cechoSource []byte

// Floor is the echo in C, compiled into dir: the least that a program on this machine
// can take. Where it cannot be compiled, Skip says why.
func Floor(name, dir string, secure *bench.Authority, mark Mark) Subject {
	binary, err := compile(dir, secure != nil)
	if err != nil {
		return Subject{Name: name, Skip: err.Error()}
	}
	return Command(name, true, func(s *Server) ([]string, error) {
		order, ca := filepath.Join(dir, "order"), filepath.Join(dir, "floor-ca.pem")
		if err := os.WriteFile(order, []byte(echoOrder), 0o600); err != nil {
			return nil, err
		}
		rest, stream, _ := s.URLs()
		var ports [2]string
		for i, text := range []string{stream, rest} {
			u, err := url.Parse(text)
			if err != nil {
				return nil, err
			}
			ports[i] = u.Port()
		}
		list := []string{binary, ports[0], ports[1], s.Target(), order, mark.Prefix, strconv.Itoa(mark.At)}
		if secure != nil {
			if err := os.WriteFile(ca, secure.PEM(), 0o600); err != nil {
				return nil, err
			}
			list = append(list, ca)
		}
		return list, nil
	})
}

// compile builds the echo with the machine's C compiler.
func compile(dir string, secure bool) (string, error) {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		if cc, err = exec.LookPath("cc"); err != nil {
			return "", errors.New("no C compiler here")
		}
	}
	source, binary := filepath.Join(dir, "cecho.c"), filepath.Join(dir, "cecho")
	args := []string{"-O2", "-o", binary, source}
	if secure {
		binary += "-tls"
		args = []string{"-O2", "-DSECURE", "-o", binary, source, "-lssl", "-lcrypto"}
	}
	if err := os.WriteFile(source, cechoSource, 0o600); err != nil {
		return "", err
	}
	if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("the C echo cannot be compiled (TLS %t needs OpenSSL's headers): %.300s", secure, out)
	}
	return binary, nil
}
