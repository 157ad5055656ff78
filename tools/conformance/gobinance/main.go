// Command gobinance lets the conformance cases, which are JavaScript, drive go-binance: requests are JSON lines on stdin,
// answers and stream events JSON lines on stdout. It knows the client's services by name and sets their parameters by
// reflection; what a service parsed goes back as the client's own struct prints it.
//
//	{"id":1,"do":"open","rest":..,"stream":..,"ws_api":..,"key":..,"secret":..,"kind":..}
//	{"id":2,"do":"call","name":"NewDepthService","params":{"symbol":"BTCUSDT"}}
//	{"id":3,"do":"ws","name":"order.place","params":{..}}
//	{"id":4,"do":"stream","name":"WsDepthServe","args":["BTCUSDT"]}    events: {"stream":4,"event":{..}}
//	{"id":5,"do":"user"}                                              events as above
//	{"id":6,"do":"stop","stream":4}
//	{"id":7,"do":"usage"}                                             used weight and order count as last told
//	{"id":8,"do":"blocked"}                                           attempts to leave loopback
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	"github.com/adshao/go-binance/v2"
	"github.com/adshao/go-binance/v2/common"
)

type request struct {
	ID     int               `json:"id"`
	Do     string            `json:"do"`
	Name   string            `json:"name"`
	Params map[string]any    `json:"params"`
	Args   []json.RawMessage `json:"args"`
	Stream int               `json:"stream"`

	REST    string `json:"rest"`
	Streams string `json:"streams"`
	WSAPI   string `json:"ws_api"`
	Key     string `json:"key"`
	Secret  string `json:"secret"`
	Kind    string `json:"kind"`
	Skew    int64  `json:"skew"`
	Session int    `json:"session"`
}

// driver is the state of the process. mu guards out and running; sessions belong to the reading goroutine until a call
// starts.
type driver struct {
	mu       sync.Mutex
	out      *json.Encoder
	running  map[int]chan struct{} // streams by the id of the request that began them
	sessions map[int]*session
}

// session is one account's client.
type session struct {
	*binance.Client
	ws map[string]any // WS API services that are connected
}

func main() {
	guard()
	log.SetOutput(io.Discard)
	// By default it asks every ten seconds and gives up on an answer older than ten seconds: a ticker that is a few
	// milliseconds late then closes a sound connection.
	binance.WebsocketTimeoutReadWriteConnection = time.Minute
	d := &driver{out: json.NewEncoder(os.Stdout), running: map[int]chan struct{}{}, sessions: map[int]*session{}}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			fmt.Fprintf(os.Stderr, "cannot read a request: %v\n", err)
			os.Exit(1)
		}
		res, err := d.serve(&r)
		d.answer(r.ID, res, err)
	}
}

func (d *driver) send(v any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out.Encode(v) != nil {
		os.Exit(1) // nobody listens any more
	}
}

func (d *driver) answer(id int, res any, err error) {
	if err == nil {
		d.send(map[string]any{"id": id, "result": res})
		return
	}
	var api *common.APIError
	if errors.As(err, &api) {
		d.send(map[string]any{"id": id, "error": map[string]any{"code": api.Code, "msg": api.Message, "body": string(api.Response)}})
		return
	}
	d.send(map[string]any{"id": id, "error": map[string]any{"code": nil, "msg": err.Error()}})
}

func (d *driver) serve(r *request) (any, error) {
	switch r.Do {
	case "open":
		c := binance.NewClient(r.Key, r.Secret)
		if r.REST != "" { // without, the client keeps the addresses it has, which the guard refuses
			c.SetApiEndpoint(r.REST)
			// Those of its sockets are variables of the package: one venue per process.
			binance.BaseWsMainURL, binance.BaseCombinedMainURL, binance.BaseWsApiMainURL = r.Streams+"/ws", r.Streams+"/stream?streams=", r.WSAPI
		}
		c.KeyType, c.TimeOffset = r.Kind, r.Skew
		c.Logger = log.New(io.Discard, "", 0)
		d.sessions[r.ID] = &session{c, map[string]any{}}
		return r.ID, nil
	case "stop":
		d.mu.Lock()
		stop := d.running[r.Stream]
		delete(d.running, r.Stream)
		d.mu.Unlock()
		if stop != nil {
			close(stop)
		}
		return nil, nil
	case "blocked":
		return blocked.Load(), nil
	}
	s := d.sessions[r.Session]
	if s == nil {
		return nil, fmt.Errorf("cannot %s: got session %d, want one that is open", r.Do, r.Session)
	}
	switch r.Do {
	case "call":
		return s.call(r.Name, r.Params)
	case "ws":
		return s.callWS(r.Name, r.Params)
	case "usage":
		return map[string]any{"weight": s.UsedWeight.Used1M, "orders": s.OrderCount.Count1d}, nil
	case "user":
		return d.user(r.ID, s)
	case "stream":
		return d.stream(r)
	}
	return nil, fmt.Errorf("cannot do %q", r.Do)
}
