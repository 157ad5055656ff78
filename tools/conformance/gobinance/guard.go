package main

import (
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	_ "unsafe" // for linkname
)

// connect is what package net calls for every socket that it connects, TCP and UDP, whatever dialer was used: go-binance
// makes dialers of its own, so that no Dialer.Control reaches them. Builds need -ldflags=-checklinkname=0.
//
//go:linkname connect net.connectFunc
var connect func(fd int, sa syscall.Sockaddr) error

// blocked counts refused attempts to leave loopback.
var blocked atomic.Int64

// guard keeps the process on loopback. It must run before any client does.
func guard() {
	real := connect
	connect = func(fd int, sa syscall.Sockaddr) error {
		var ip net.IP
		switch a := sa.(type) {
		case *syscall.SockaddrInet4:
			ip = a.Addr[:]
		case *syscall.SockaddrInet6:
			ip = a.Addr[:]
		case *syscall.SockaddrUnix:
			return real(fd, sa)
		}
		if ip == nil || !ip.IsLoopback() {
			blocked.Add(1)
			return fmt.Errorf("guard: %v is not loopback: %w", ip, syscall.EPERM)
		}
		return real(fd, sa)
	}
}
