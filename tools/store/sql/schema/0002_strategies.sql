-- What the numbers of strategies mean in a run. Stores made before this know them by number.
CREATE TABLE strategies (
  run    INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;
