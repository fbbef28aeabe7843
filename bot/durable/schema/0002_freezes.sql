-- By what right a person said a word: empty for write permission.
ALTER TABLE backout_words ADD COLUMN via TEXT NOT NULL DEFAULT '';

-- The last word on a repository's freeze, by its name in lower case. said is
-- the number of the comment, which grows. body is bot.Frozen as JSON.
CREATE TABLE backout_freezes (
	repo TEXT PRIMARY KEY,
	said BIGINT NOT NULL,
	body TEXT NOT NULL
);
