-- What a run's numbers of strategies mean. Runs that were stored before have none.
CREATE TABLE strategies (
  run    INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- The journal's record of the last refusal of a row; 0 where it was stored before.
ALTER TABLE refusals ADD COLUMN record INTEGER NOT NULL DEFAULT 0;
