-- Where Firehose copies the rows of the sightings stream to, as they come: twice, late, in any order.
-- Redshift enforces no keys: duplicates are taken out on the way to `sightings` (jobs/merge_sightings.sql).
CREATE SCHEMA IF NOT EXISTS staging;

CREATE TABLE staging.sightings (
    sighting_id VARCHAR(64) NOT NULL,
    device_id VARCHAR(64) NOT NULL,
    site VARCHAR(1024),
    seen_at TIMESTAMP NOT NULL,
    person_id VARCHAR(256),
    person_name VARCHAR(1024),
    watchlist_id VARCHAR(256),
    similarity DOUBLE PRECISION,
    face_id VARCHAR(64),
    external_image_id VARCHAR(256),
    face_confidence DOUBLE PRECISION,
    box_left DOUBLE PRECISION,
    box_top DOUBLE PRECISION,
    box_width DOUBLE PRECISION,
    box_height DOUBLE PRECISION,
    pose_pitch DOUBLE PRECISION,
    pose_roll DOUBLE PRECISION,
    pose_yaw DOUBLE PRECISION,
    brightness DOUBLE PRECISION,
    sharpness DOUBLE PRECISION,
    video_stream_arn VARCHAR(512),
    fragment_number VARCHAR(128),
    frame_offset_seconds DOUBLE PRECISION,
    server_timestamp TIMESTAMP,
    producer_timestamp TIMESTAMP,
    engine VARCHAR(64),
    visit_id VARCHAR(64),
    recorded_at TIMESTAMP,
    schema_version INTEGER
) DISTSTYLE EVEN;

-- What one run of the job takes: each sighting once.
CREATE TABLE staging.batch (LIKE staging.sightings);
