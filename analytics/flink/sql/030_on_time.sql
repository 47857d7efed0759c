-- What comes in time; the rest is in late_sightings. The two are each other's complement.
CREATE VIEW on_time AS
SELECT *
FROM sightings
WHERE CURRENT_WATERMARK(event_time) IS NULL OR event_time > CURRENT_WATERMARK(event_time)
