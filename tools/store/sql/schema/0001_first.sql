-- How far the journal has been read, and what has to be known to read on. One row.
CREATE TABLE progress (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  file    INTEGER NOT NULL,
  offset  INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  run     INTEGER NOT NULL, -- epoch of the run being read
  era     INTEGER NOT NULL, -- of it
  draft   INTEGER NOT NULL, -- its checkpoint: 0 is over, 1 has nothing so far, 2 has something
  account TEXT NOT NULL
);
INSERT INTO progress VALUES (1, 0, 0, 0, 0, 0, 0, '');

-- What the numbers of the run being read mean.
CREATE TABLE instruments (id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, base INTEGER NOT NULL, quote INTEGER NOT NULL);
CREATE TABLE assets (id INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- A run. An era is runs that went on from each other: it is named by its first one, and a
-- new one begins where nothing was carried over, as on an embedded venue each time.
CREATE TABLE sessions (
  run     INTEGER PRIMARY KEY,
  era     INTEGER NOT NULL,
  started INTEGER NOT NULL,
  ended   INTEGER NOT NULL DEFAULT 0, -- 0: it goes on, or it died
  clean   INTEGER NOT NULL DEFAULT 0,
  version TEXT NOT NULL,
  config  TEXT NOT NULL,
  account TEXT NOT NULL,
  prefix  TEXT NOT NULL,
  text    TEXT NOT NULL DEFAULT ''
);

CREATE TABLE orders (
  id       INTEGER PRIMARY KEY,
  era      INTEGER NOT NULL,
  run      INTEGER NOT NULL, -- in which it was made
  holder   INTEGER NOT NULL, -- run that knows it by number
  number   INTEGER NOT NULL,
  client   TEXT NOT NULL UNIQUE,
  venue    INTEGER NOT NULL DEFAULT 0,
  symbol   TEXT NOT NULL,
  strategy INTEGER NOT NULL,
  side     INTEGER NOT NULL,
  type     INTEGER NOT NULL,
  tif      INTEGER NOT NULL,
  price    INTEGER NOT NULL,
  qty      INTEGER NOT NULL,
  stop     INTEGER NOT NULL DEFAULT 0,
  iceberg  INTEGER NOT NULL DEFAULT 0,
  trail    INTEGER NOT NULL DEFAULT 0,
  stp      INTEGER NOT NULL DEFAULT 0,
  route    INTEGER NOT NULL DEFAULT 0,
  input    INTEGER NOT NULL DEFAULT 0,
  replaces INTEGER NOT NULL DEFAULT 0, -- number of the order that ended for it
  status   INTEGER NOT NULL,
  cum      INTEGER NOT NULL DEFAULT 0,
  code     INTEGER NOT NULL DEFAULT 0,
  signed   INTEGER NOT NULL,           -- the venue time signed into the request
  sent     INTEGER NOT NULL DEFAULT 0,
  acked    INTEGER NOT NULL DEFAULT 0,
  cancel   INTEGER NOT NULL DEFAULT 0, -- last asked for
  doubted  INTEGER NOT NULL DEFAULT 0,
  ended    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX orders_by_number ON orders (holder, number);

CREATE TABLE fills (
  seq       INTEGER PRIMARY KEY, -- of the journal's record
  era       INTEGER NOT NULL,
  run       INTEGER NOT NULL,
  symbol    TEXT NOT NULL,
  trade     INTEGER NOT NULL,
  client    TEXT NOT NULL,
  venue     INTEGER NOT NULL,
  side      INTEGER NOT NULL,
  price     INTEGER NOT NULL,
  qty       INTEGER NOT NULL,
  quote     INTEGER NOT NULL,
  fee       INTEGER NOT NULL,
  fee_asset TEXT NOT NULL,
  maker     INTEGER NOT NULL,
  time      INTEGER NOT NULL, -- the venue's
  heard     INTEGER NOT NULL,
  UNIQUE (era, symbol, trade)
);

CREATE TABLE positions (
  era        INTEGER NOT NULL,
  symbol     TEXT NOT NULL,
  base       TEXT NOT NULL,
  quote      TEXT NOT NULL,
  net        INTEGER NOT NULL,
  cash       INTEGER NOT NULL,
  base_fees  INTEGER NOT NULL,
  quote_fees INTEGER NOT NULL,
  base_worth INTEGER NOT NULL,
  cost       INTEGER NOT NULL,
  realised   INTEGER NOT NULL,
  fills      INTEGER NOT NULL,
  mark       INTEGER NOT NULL,
  PRIMARY KEY (era, symbol)
) WITHOUT ROWID;

CREATE TABLE fees (
  era    INTEGER NOT NULL,
  symbol TEXT NOT NULL,
  asset  TEXT NOT NULL,
  paid   INTEGER NOT NULL,
  PRIMARY KEY (era, symbol, asset)
) WITHOUT ROWID;

CREATE TABLE balances (
  era        INTEGER NOT NULL,
  asset      TEXT NOT NULL,
  opening    INTEGER NOT NULL,
  unsure     INTEGER NOT NULL, -- an opening that no audit has confirmed yet
  traded     INTEGER NOT NULL,
  fees       INTEGER NOT NULL,
  moved      INTEGER NOT NULL,
  told       INTEGER NOT NULL,
  difference INTEGER NOT NULL, -- told less computed at that time
  time       INTEGER NOT NULL, -- when the venue told
  PRIMARY KEY (era, asset)
) WITHOUT ROWID;

CREATE TABLE refusals (
  run      INTEGER NOT NULL,
  reason   INTEGER NOT NULL,
  symbol   TEXT NOT NULL,
  strategy INTEGER NOT NULL,
  side     INTEGER NOT NULL,
  text     TEXT NOT NULL,
  count    INTEGER NOT NULL,
  first    INTEGER NOT NULL,
  last     INTEGER NOT NULL,
  number   INTEGER NOT NULL, -- of the last one, as its price and quantity
  price    INTEGER NOT NULL,
  qty      INTEGER NOT NULL,
  PRIMARY KEY (run, reason, symbol, strategy, side, text)
) WITHOUT ROWID;

CREATE TABLE halts (
  seq    INTEGER PRIMARY KEY,
  run    INTEGER NOT NULL,
  time   INTEGER NOT NULL,
  raised INTEGER NOT NULL,
  causes TEXT NOT NULL,
  who    TEXT NOT NULL,
  text   TEXT NOT NULL
);

CREATE TABLE reconciliations (
  seq     INTEGER PRIMARY KEY,
  run     INTEGER NOT NULL,
  time    INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  found   INTEGER NOT NULL,
  halting INTEGER NOT NULL,
  text    TEXT NOT NULL
);

CREATE TABLE limits (
  run   INTEGER NOT NULL,
  scope TEXT NOT NULL,
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, scope, name)
) WITHOUT ROWID;
