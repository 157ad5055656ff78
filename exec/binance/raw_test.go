package binance

import (
	"errors"
	"testing"

	"riposte/exec"
)

func TestRawCallsAreNamedByWhatTheyMayDo(t *testing.T) {
	for _, tc := range []struct {
		method, path string
		changes      bool
		id           string
	}{
		{"GET", "/api/v3/order", false, ""},
		{"POST", "/api/v3/order", true, "newClientOrderId"},
		{"POST", "/api/v3/order/test", false, "newClientOrderId"},
		{"POST", "/api/v3/sor/order", true, "newClientOrderId"},
		{"POST", "/api/v3/order/cancelReplace", true, "newClientOrderId"},
		{"POST", "/api/v3/order/oco", true, "listClientOrderId"},
		{"POST", "/api/v3/orderList/opoco", true, "listClientOrderId"},
		{"PUT", "/api/v3/order/amend/keepPriority", true, ""},
		{"DELETE", "/api/v3/orderList", false, ""},
		{"POST", "/sapi/v1/capital/withdraw/apply", true, ""},
		{"POST", "/fapi/v1/order", true, ""},
		{"POST", "/fapi/v1/countdownCancelAll", false, ""},
	} {
		q := RawCall{Method: tc.method, Path: tc.path}
		if err := q.Check(); err != nil || q.Changes() != tc.changes || q.ClientIDParam() != tc.id {
			t.Errorf("%s %s: changes %v, id %q, %v, want %v, %q", tc.method, tc.path, q.Changes(), q.ClientIDParam(), err, tc.changes, tc.id)
		}
	}
}

func TestRawCallsAreSentAsTheyWereWritten(t *testing.T) {
	v, r := newRESTVenue(t, false)
	tr := NewTrader(r)
	v.body(400, `{"code":-1121,"msg":"Invalid symbol."}`, "X-MBX-USED-WEIGHT-1M", "7")
	a, err := tr.Raw(t.Context(), &RawCall{Method: "POST", Path: "/api/v3/order", Params: []RawParam{{"symbol", "１ &="}, {"recvWindow", "60001"}, {"empty", ""}, {"b", "1"}}})
	var ce *exec.CallError
	if !errors.As(err, &ce) || ce.Class != exec.ClassRefused || a.Status != 400 || string(a.Body) != `{"code":-1121,"msg":"Invalid symbol."}` || a.Header.Get("X-MBX-USED-WEIGHT-1M") != "7" {
		t.Errorf("got %+v, %v", a, err)
	}
	if got, want := v.asked(), "POST /api/v3/order symbol=%EF%BC%91%20%26%3D&empty=&b=1"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	v.body(200, `{}`)
	if a, err := tr.Raw(t.Context(), &RawCall{Method: "GET", Path: "/api/v3/ping", Public: true}); err != nil || a.Status != 200 {
		t.Errorf("got %+v, %v", a, err)
	}
	v.srv.Close()
	if a, err := tr.Raw(t.Context(), &RawCall{Method: "POST", Path: "/api/v3/order"}); !errors.As(err, &ce) || ce.Class != exec.ClassRefused || a.Status != 0 {
		t.Errorf("got %+v, %v, want refused: nothing was sent", a, err)
	}
}

func TestRawCallsThatCannotBeSentAreNamed(t *testing.T) {
	v, r := newRESTVenue(t, false)
	for _, q := range []RawCall{
		{Method: "PATCH", Path: "/api/v3/order"},
		{Method: "GET", Path: "api/v3/order"},
		{Method: "GET", Path: "/api/v3/order?x=1"},
		{Method: "GET", Path: "//evil/x"},
		{Method: "GET", Path: "/api/../x"},
		{Method: "GET", Path: "/a", Params: []RawParam{{"", "x"}}},
		{Method: "GET", Path: "/a", Params: []RawParam{{"a&b", "x"}}},
		{Method: "GET", Path: "/a", Params: []RawParam{{"signature", "x"}}},
		{Method: "GET", Path: "/a", Params: []RawParam{{"timestamp", "1"}}},
	} {
		if _, err := NewTrader(r).Raw(t.Context(), &q); err == nil {
			t.Errorf("%+v was sent", q)
		}
	}
	if len(v.calls) != 0 {
		t.Errorf("%v were sent", v.calls)
	}
}
