package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/adshao/go-binance/v2"
	"github.com/adshao/go-binance/v2/common"
)

// errNoSetter is a parameter that the client's service cannot send: the case is not offered.
var errNoSetter = errors.New("no setter")

// setters of other names than their parameters.
var otherNames = map[string]string{"icebergqty": "icebergquantity"}

// call runs one REST service: the constructor's name, with ":Test" for the method Test instead of Do.
func (s *session) call(name string, params map[string]any) (any, error) {
	name, do, _ := strings.Cut(name, ":")
	if do == "" {
		do = "Do"
	}
	make := reflect.ValueOf(s.Client).MethodByName(name)
	if !make.IsValid() {
		return nil, fmt.Errorf("cannot call %s: the client has no such service", name)
	}
	svc := make.Call(nil)[0]
	if err := setAll(svc, params); err != nil {
		return nil, err
	}
	return results(svc.MethodByName(do).Call([]reflect.Value{reflect.ValueOf(context.Background())}))
}

func results(out []reflect.Value) (any, error) {
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return nil, err
	}
	if len(out) == 1 {
		return map[string]any{}, nil
	}
	return out[0].Interface(), nil
}

// setAll calls the setter of every parameter.
func setAll(svc reflect.Value, params map[string]any) error {
	for name, v := range params {
		if err := set(svc, name, v); err != nil {
			return err
		}
	}
	return nil
}

func set(svc reflect.Value, name string, v any) error {
	want := strings.ToLower(name)
	for i := range svc.NumMethod() {
		m := svc.Type().Method(i)
		if has := strings.ToLower(m.Name); has != want && has != otherNames[want] || m.Type.NumIn() != 2 {
			continue
		}
		if m.Type.IsVariadic() {
			list, _ := v.([]any)
			var args []reflect.Value
			for _, x := range list {
				args = append(args, reflect.ValueOf(x))
			}
			svc.Method(i).Call(args)
			return nil
		}
		arg, err := value(m.Type.In(1), v)
		if err != nil {
			return fmt.Errorf("cannot set %s: %w", name, err)
		}
		svc.Method(i).Call([]reflect.Value{arg})
		return nil
	}
	return fmt.Errorf("%w for %s in %s", errNoSetter, name, svc.Type())
}

// value makes v, a JSON value, an argument of type t.
func value(t reflect.Type, v any) (reflect.Value, error) {
	out := reflect.New(t).Elem()
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	switch t.Kind() {
	case reflect.String:
		out.SetString(text)
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return out, err
		}
		out.SetInt(n)
	case reflect.Uint, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return out, err
		}
		out.SetUint(n)
	case reflect.Bool:
		out.SetBool(text == "true")
	case reflect.Slice:
		list, _ := v.([]any)
		for _, x := range list {
			out = reflect.Append(out, reflect.ValueOf(x))
		}
	default:
		return out, fmt.Errorf("got a parameter of type %s", t)
	}
	return out, nil
}

// wsService is how a WS API method is reached: the service's constructor and its request's.
type wsService struct{ service, request any }

var wsServices = map[string]wsService{
	"order.place":           {(*binance.Client).NewOrderCreateWsService, binance.NewOrderCreateWsRequest},
	"orderList.place.oco":   {(*binance.Client).NewOrderListCreateWsService, binance.NewOrderListCreateWsRequest},
	"orderList.place":       {(*binance.Client).NewOrderListPlaceWsService, binance.NewOrderListPlaceWsRequest},
	"orderList.place.oto":   {(*binance.Client).NewOrderListPlaceOtoWsService, binance.NewOrderListPlaceOtoWsRequest},
	"orderList.place.otoco": {(*binance.Client).NewOrderListPlaceOtocoWsService, binance.NewOrderListPlaceOtocoWsRequest},
	"orderList.cancel":      {(*binance.Client).NewOrderListCancelWsService, binance.NewOrderListCancelWsRequest},
	"sor.order.place":       {(*binance.Client).NewSorOrderPlaceWsService, binance.NewSorOrderPlaceWsRequest},
	"sor.order.test":        {(*binance.Client).NewSorOrderTestWsService, binance.NewSorOrderTestWsRequest},
}

var wsIDs int

// callWS runs one WS API method and waits for its answer.
func (s *session) callWS(method string, params map[string]any) (any, error) {
	w, ok := wsServices[method]
	if !ok {
		return nil, fmt.Errorf("cannot call %s: the client has no such service", method)
	}
	svc := s.ws[method]
	if svc == nil {
		out := reflect.ValueOf(w.service).Call([]reflect.Value{reflect.ValueOf(s.Client)})
		if err, _ := out[1].Interface().(error); err != nil {
			return nil, err
		}
		svc = out[0].Interface()
		s.ws[method] = svc
		v := reflect.ValueOf(svc).Elem()
		v.FieldByName("KeyType").SetString(s.KeyType)
		v.FieldByName("TimeOffset").SetInt(s.TimeOffset)
	}
	req := reflect.ValueOf(w.request).Call(nil)[0]
	if err := setAll(req, params); err != nil {
		return nil, err
	}
	wsIDs++
	res, err := results(reflect.ValueOf(svc).MethodByName("SyncDo").Call([]reflect.Value{reflect.ValueOf("conformance-" + strconv.Itoa(wsIDs)), req}))
	if err != nil {
		return nil, err
	}
	answer := reflect.ValueOf(res).Elem()
	if e, _ := answer.FieldByName("Error").Interface().(*common.APIError); e != nil {
		return nil, e
	}
	return answer.FieldByName("Result").Interface(), nil
}
