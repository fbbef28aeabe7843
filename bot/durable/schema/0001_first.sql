-- The rollbacks, by ID. body is bot.Rollback, view bot.View, ended bot.End, as
-- JSON. The columns beside them are what is searched by. Moments are Unix
-- nanoseconds.
CREATE TABLE backout_rollbacks (
	id          TEXT PRIMARY KEY,
	culprit_key TEXT NOT NULL,
	attempt     BIGINT NOT NULL,
	repo        TEXT NOT NULL,
	culprit_pr  BIGINT NOT NULL,
	report_to   BIGINT NOT NULL,
	revert_pr   BIGINT NOT NULL,
	begun_at    BIGINT NOT NULL,
	ended_at    BIGINT,
	body        TEXT NOT NULL,
	view        TEXT,
	ended       TEXT
);

-- One unfinished Rollback per culprit: this index is the lock.
CREATE UNIQUE INDEX backout_unfinished ON backout_rollbacks (culprit_key) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX backout_attempts ON backout_rollbacks (culprit_key, attempt);
CREATE INDEX backout_by_repo ON backout_rollbacks (repo, begun_at);
CREATE INDEX backout_by_begin ON backout_rollbacks (begun_at);

CREATE TABLE backout_rollback_commits (
	rollback TEXT NOT NULL,
	sha      TEXT NOT NULL,
	PRIMARY KEY (sha, rollback)
);

-- The targets. active is 1 until the Rollback ends.
CREATE TABLE backout_rollback_apps (
	rollback TEXT NOT NULL,
	app      TEXT NOT NULL,
	active   BIGINT NOT NULL,
	PRIMARY KEY (rollback, app)
);

-- One active Rollback per App: this index is the lock.
CREATE UNIQUE INDEX backout_active ON backout_rollback_apps (app) WHERE active = 1;
CREATE INDEX backout_by_app ON backout_rollback_apps (app);

-- What was answered to Begin, so that the same answer is given again.
CREATE TABLE backout_begun (
	incident    TEXT NOT NULL,
	culprit_key TEXT NOT NULL,
	rollback    TEXT NOT NULL,
	joined      BIGINT NOT NULL,
	PRIMARY KEY (incident, culprit_key)
);

-- People's words: kind is cancel or approve.
CREATE TABLE backout_words (
	rollback TEXT NOT NULL,
	kind     TEXT NOT NULL,
	person   TEXT NOT NULL,
	said_at  BIGINT NOT NULL,
	PRIMARY KEY (rollback, kind)
);

CREATE TABLE backout_alert_resolutions (
	fingerprint TEXT PRIMARY KEY,
	resolved_at BIGINT NOT NULL
);

CREATE TABLE backout_deployments (
	app         TEXT NOT NULL,
	observed_at BIGINT NOT NULL,
	revision    TEXT NOT NULL,
	health      TEXT NOT NULL,
	PRIMARY KEY (app, observed_at, revision, health)
);
