package venue

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"riposte/tools/venue/exchange"
)

// apiError is one refusal on the wire: HTTP status, Binance code and text. data, if set, is the JSON of an extra
// "data" member (cancelReplace). retryAt is the venue time (unix µs) at which calls pass again, 0 if not a limit.
type apiError struct {
	status  int
	code    int
	msg     string
	data    []byte
	retryAt int64
	// reset closes the transport without an answer, for faults that lose a response.
	reset bool
	// page, if set, is sent in its place.
	page *page
}

func (e *apiError) Error() string { return strconv.Itoa(e.code) + " " + e.msg }

// appendBody appends the REST error body {"code":..,"msg":..}.
func (e *apiError) appendBody(b []byte) []byte {
	w := enc{b: b}
	w.open('{')
	w.int("code", int64(e.code))
	w.str("msg", e.msg)
	if e.data != nil {
		w.raw("data", e.data)
	}
	w.close('}')
	return w.b
}

func bad(code int, format string, args ...any) *apiError {
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	return &apiError{status: http.StatusBadRequest, code: code, msg: msg}
}

func errMandatory(name string) *apiError {
	return bad(-1102, "Mandatory parameter '%s' was not sent, was empty/null, or malformed.", name)
}

func errEither(a, b string) *apiError {
	return bad(-1102, "Param '%s' or '%s' must be sent, but both were empty/null!", a, b)
}

func errIllegal(name, legal string) *apiError {
	return bad(-1100, "Illegal characters found in parameter '%s'; legal range is '%s'.", name, legal)
}

func errDuplicate() *apiError { return bad(-1101, "Duplicate values for a parameter detected.") }

func errSymbol() *apiError { return bad(-1121, "Invalid symbol.") }

func errSignature() *apiError { return bad(-1022, "Signature for this request is not valid.") }

func errKey() *apiError {
	return &apiError{status: http.StatusUnauthorized, code: -2015, msg: "Invalid API-key, IP, or permissions for action."}
}

func errKeyFormat() *apiError {
	return &apiError{status: http.StatusUnauthorized, code: -2014, msg: "API-key format invalid."}
}

func errTimeout() *apiError {
	return &apiError{status: http.StatusGatewayTimeout, code: -1007,
		msg: "Timeout waiting for response from backend server. Send status unknown; execution status unknown."}
}

func errBusy() *apiError {
	return &apiError{status: http.StatusServiceUnavailable, code: -1008,
		msg: "Server is currently overloaded with other requests. Please try again in a few minutes."}
}

func errUnavailable() *apiError {
	return &apiError{status: http.StatusServiceUnavailable, code: -1000,
		msg: "An unknown error occurred while processing the request."}
}

func errClosed() *apiError {
	return &apiError{status: http.StatusServiceUnavailable, code: -1016, msg: "This service is no longer available."}
}

var errVenueClosed = errors.New("cannot ask the venue: it is closed")

// fromReject turns the exchange's refusal into its wire form.
func fromReject(r *exchange.Reject) *apiError {
	if r == nil {
		return nil
	}
	return &apiError{status: http.StatusBadRequest, code: r.Code, msg: r.Msg}
}
