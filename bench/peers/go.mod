module riposte/bench/peers

go 1.26.0

require (
	github.com/adshao/go-binance/v2 v2.8.7
	github.com/bitly/go-simplejson v0.5.0
	github.com/cespare/xxhash/v2 v2.3.0
	github.com/gobwas/ws v1.5.0
	github.com/google/btree v1.1.3
	github.com/gorilla/websocket v1.5.3
	github.com/tidwall/btree v1.8.2
	github.com/valyala/fastjson v1.6.10
	riposte v0.0.0
)

require (
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jpillora/backoff v1.0.0 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/shopspring/decimal v1.4.0 // indirect
)

replace riposte => ../..
