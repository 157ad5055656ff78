package binance

import "riposte/exec"

// What an answer says about the outcome depends on the HTTP status and the venue's
// code together (sections 1, 3, 7.12 and 12 of the facts): any 5xx leaves it open
// whatever the body says; a known code below that is definite; a body that cannot be
// read says nothing. Codes that mean "something inside broke" are open always.
func classify(status, code int) exec.Class {
	switch {
	case status >= 500:
		return exec.ClassUnknown
	case code == 0 && status == 200:
		return exec.ClassAccepted
	case openCode(code):
		return exec.ClassUnknown
	case code == -1003 || code == -1015:
		return exec.ClassLimited
	case code < 0 && status >= 400:
		return exec.ClassRefused
	}
	return exec.ClassUnknown
}

// openCode: internal errors and timeouts, after which the request may have been
// executed.
func openCode(code int) bool {
	switch code {
	case -1000, -1001, -1006, -1007, -1008, -1016:
		return true
	}
	return false
}

// limited reports whether a status or code demands silence.
func limited(status, code int) bool {
	return status == 429 || status == 418 || code == -1003 || code == -1015
}

// keyRefused: unauthorized, bad signature, bad or unknown key. No retry can help.
func keyRefused(code int) bool {
	return code == -1002 || code == -1022 || code == -2008 || code == -2014 || code == -2015
}
