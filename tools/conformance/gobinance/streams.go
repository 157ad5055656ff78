package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/adshao/go-binance/v2"
)

// serves are the client's stream functions by name. Each takes its arguments, a handler of one event and a handler of
// errors, and gives a channel that closes when the stream has ended and one that ends it.
var serves = map[string]any{
	"WsPartialDepthServe": binance.WsPartialDepthServe, "WsPartialDepthServe100Ms": binance.WsPartialDepthServe100Ms,
	"WsCombinedPartialDepthServe": binance.WsCombinedPartialDepthServe, "WsDepthServe": binance.WsDepthServe,
	"WsDepthServe100Ms": binance.WsDepthServe100Ms, "WsCombinedDepthServe100Ms": binance.WsCombinedDepthServe100Ms,
	"WsKlineServe": binance.WsKlineServe, "WsCombinedKlineServe": binance.WsCombinedKlineServe,
	"WsAggTradeServe": binance.WsAggTradeServe, "WsCombinedAggTradeServe": binance.WsCombinedAggTradeServe,
	"WsTradeServe": binance.WsTradeServe, "WsCombinedTradeServe": binance.WsCombinedTradeServe,
	"WsMarketStatServe": binance.WsMarketStatServe, "WsCombinedMarketStatServe": binance.WsCombinedMarketStatServe,
	"WsAllMiniMarketsStatServe": binance.WsAllMiniMarketsStatServe, "WsAllMarketsStatServe": binance.WsAllMarketsStatServe,
	"WsBookTickerServe": binance.WsBookTickerServe, "WsCombinedBookTickerServe": binance.WsCombinedBookTickerServe,
	"WsAllBookTickerServe": binance.WsAllBookTickerServe, "WsUserDataServe": binance.WsUserDataServe,
}

// stream begins one stream function and passes its events on under the request's id.
func (d *driver) stream(r *request) (any, error) {
	serve := reflect.ValueOf(serves[r.Name])
	if !serve.IsValid() {
		return nil, fmt.Errorf("cannot stream %s: the client has no such function", r.Name)
	}
	t := serve.Type()
	var args []reflect.Value
	for i, raw := range r.Args {
		v := reflect.New(t.In(i))
		if err := json.Unmarshal(raw, v.Interface()); err != nil {
			return nil, err
		}
		args = append(args, v.Elem())
	}
	handler := reflect.MakeFunc(t.In(t.NumIn()-2), func(in []reflect.Value) []reflect.Value {
		d.send(map[string]any{"stream": r.ID, "event": in[0].Interface()})
		return nil
	})
	out := serve.Call(append(args, handler, reflect.ValueOf(d.failed(r.ID)).Convert(t.In(t.NumIn()-1))))
	if err, _ := out[2].Interface().(error); err != nil {
		return nil, err
	}
	d.began(r.ID, out[0].Interface().(chan struct{}), out[1].Interface().(chan struct{}))
	return r.ID, nil
}

// user begins the signed user data stream of the WS API.
func (d *driver) user(id int, s *session) (any, error) {
	done, stop, err := binance.WsUserDataServeSignature(s.APIKey, s.SecretKey, s.KeyType, s.TimeOffset,
		func(e *binance.WsUserDataEvent) { d.send(map[string]any{"stream": id, "event": e}) }, d.failed(id))
	if err != nil {
		return nil, err
	}
	d.began(id, done, stop)
	return id, nil
}

func (d *driver) failed(id int) func(error) {
	return func(err error) { d.send(map[string]any{"stream": id, "failed": err.Error()}) }
}

func (d *driver) began(id int, done, stop chan struct{}) {
	d.mu.Lock()
	d.running[id] = stop
	d.mu.Unlock()
	go func() {
		<-done
		d.send(map[string]any{"stream": id, "ended": true})
	}()
}
