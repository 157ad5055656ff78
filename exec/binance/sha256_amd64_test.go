package binance

func setHardware(on bool) { hardware = on }
