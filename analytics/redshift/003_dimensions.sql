-- What the sightings refer to, as the tables of the application say (jobs/refresh_dimensions.sql).
-- A device that was removed stays, because its sightings stay; a person who was removed is forgotten.
CREATE TABLE devices (
    device_id VARCHAR(64) NOT NULL,
    name VARCHAR(1024),
    site VARCHAR(1024),
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    time_zone VARCHAR(64),
    engine VARCHAR(64),
    similarity_threshold DOUBLE PRECISION,
    created_at TIMESTAMP,
    removed_at TIMESTAMP,
    PRIMARY KEY (device_id)
) DISTSTYLE ALL SORTKEY (device_id);

CREATE TABLE staging.devices (LIKE devices);

CREATE TABLE people (
    person_id VARCHAR(256) NOT NULL,
    name VARCHAR(1024),
    faces INTEGER,
    created_at TIMESTAMP,
    expires_at TIMESTAMP,
    PRIMARY KEY (person_id)
) DISTSTYLE ALL SORTKEY (person_id);

CREATE TABLE watchlists (
    watchlist_id VARCHAR(256) NOT NULL,
    name VARCHAR(1024),
    kind VARCHAR(64),
    severity VARCHAR(64),
    owner VARCHAR(1024),
    expires_at TIMESTAMP,
    PRIMARY KEY (watchlist_id)
) DISTSTYLE ALL SORTKEY (watchlist_id);

-- Who is on which list; a person may be on several.
CREATE TABLE memberships (
    person_id VARCHAR(256) NOT NULL,
    watchlist_id VARCHAR(256) NOT NULL
) DISTSTYLE ALL SORTKEY (watchlist_id, person_id);

-- `verdict` is whether the alert was right, as whoever resolved it said; null until then.
CREATE TABLE alerts (
    alert_id VARCHAR(64) NOT NULL,
    visit_id VARCHAR(64),
    device_id VARCHAR(64),
    person_id VARCHAR(256),
    watchlist_id VARCHAR(256),
    severity VARCHAR(64),
    similarity DOUBLE PRECISION,
    seen_at TIMESTAMP NOT NULL,
    raised_at TIMESTAMP,
    sent_at TIMESTAMP,
    status VARCHAR(64),
    verdict BOOLEAN,
    PRIMARY KEY (alert_id)
) DISTSTYLE AUTO SORTKEY (seen_at);

CREATE TABLE staging.alerts (LIKE alerts);
