-- From staging to `sightings`, in one transaction. What has been merged is taken out of staging by its id, so that rows
-- which are copied meanwhile wait for the next run, whatever the isolation level of the database.
-- Of rows with the same id, which differ in nothing but when they were recorded, the last one stays: MERGE refuses two.
DELETE FROM staging.batch;

INSERT INTO staging.batch (
    sighting_id, device_id, site, seen_at, person_id, person_name, watchlist_id, similarity, face_id,
    external_image_id, face_confidence, box_left, box_top, box_width, box_height, pose_pitch,
    pose_roll, pose_yaw, brightness, sharpness, video_stream_arn, fragment_number,
    frame_offset_seconds, server_timestamp, producer_timestamp, engine, visit_id, recorded_at,
    schema_version
)
SELECT
    sighting_id, device_id, site, seen_at, person_id, person_name, watchlist_id, similarity, face_id,
    external_image_id, face_confidence, box_left, box_top, box_width, box_height, pose_pitch,
    pose_roll, pose_yaw, brightness, sharpness, video_stream_arn, fragment_number,
    frame_offset_seconds, server_timestamp, producer_timestamp, engine, visit_id, recorded_at,
    schema_version
FROM staging.sightings AS waiting
QUALIFY ROW_NUMBER() OVER (PARTITION BY sighting_id ORDER BY recorded_at DESC) = 1;

MERGE INTO sightings USING staging.batch AS arrived ON sightings.sighting_id = arrived.sighting_id
WHEN MATCHED THEN UPDATE SET
    device_id = arrived.device_id, site = arrived.site, seen_at = arrived.seen_at,
    person_id = arrived.person_id, person_name = arrived.person_name,
    watchlist_id = arrived.watchlist_id, similarity = arrived.similarity, face_id = arrived.face_id,
    external_image_id = arrived.external_image_id, face_confidence = arrived.face_confidence,
    box_left = arrived.box_left, box_top = arrived.box_top, box_width = arrived.box_width,
    box_height = arrived.box_height, pose_pitch = arrived.pose_pitch, pose_roll = arrived.pose_roll,
    pose_yaw = arrived.pose_yaw, brightness = arrived.brightness, sharpness = arrived.sharpness,
    video_stream_arn = arrived.video_stream_arn, fragment_number = arrived.fragment_number,
    frame_offset_seconds = arrived.frame_offset_seconds, server_timestamp = arrived.server_timestamp,
    producer_timestamp = arrived.producer_timestamp, engine = arrived.engine,
    visit_id = arrived.visit_id, recorded_at = arrived.recorded_at,
    schema_version = arrived.schema_version
WHEN NOT MATCHED THEN INSERT (
    sighting_id, device_id, site, seen_at, person_id, person_name, watchlist_id, similarity, face_id,
    external_image_id, face_confidence, box_left, box_top, box_width, box_height, pose_pitch,
    pose_roll, pose_yaw, brightness, sharpness, video_stream_arn, fragment_number,
    frame_offset_seconds, server_timestamp, producer_timestamp, engine, visit_id, recorded_at,
    schema_version
) VALUES (
    arrived.sighting_id, arrived.device_id, arrived.site, arrived.seen_at, arrived.person_id,
    arrived.person_name, arrived.watchlist_id, arrived.similarity, arrived.face_id,
    arrived.external_image_id, arrived.face_confidence, arrived.box_left, arrived.box_top,
    arrived.box_width, arrived.box_height, arrived.pose_pitch, arrived.pose_roll, arrived.pose_yaw,
    arrived.brightness, arrived.sharpness, arrived.video_stream_arn, arrived.fragment_number,
    arrived.frame_offset_seconds, arrived.server_timestamp, arrived.producer_timestamp, arrived.engine,
    arrived.visit_id, arrived.recorded_at, arrived.schema_version
);

DELETE FROM staging.sightings WHERE sighting_id IN (SELECT sighting_id FROM staging.batch);

DELETE FROM sightings WHERE seen_at < DATEADD(day, -${DAYS}, GETDATE());
