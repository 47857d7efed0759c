-- Devices and minutes. Unknown faces cannot be told apart: there were at least as many people as in the fullest frame.
CREATE VIEW minutes AS
SELECT *, known_people + unknown_faces AS people
FROM (
  SELECT
    device_id,
    site,
    window_start,
    window_end,
    COUNT(person_id) AS known_people,
    COALESCE(MAX(CASE WHEN person_id IS NULL THEN sightings END), 0) AS unknown_faces,
    SUM(sightings) AS sightings
  FROM (
    SELECT device_id, site, window_start, window_end, person_id, frame, COUNT(*) AS sightings
    FROM (
      SELECT *, CASE WHEN person_id IS NULL THEN CAST(event_time AS TIMESTAMP(3)) END AS frame
      FROM TABLE(TUMBLE(TABLE on_time, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))
    )
    GROUP BY device_id, site, window_start, window_end, person_id, frame
  )
  GROUP BY device_id, site, window_start, window_end
)
