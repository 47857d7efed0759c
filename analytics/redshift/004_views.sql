-- Where analysts begin; docs/analytics.md shows each with an answer. All times are UTC.

-- One row per visit: who was how long at which device.
CREATE VIEW visits AS
SELECT
    s.visit_id,
    s.device_id,
    MAX(s.site) AS site,
    s.person_id,
    COALESCE(MAX(p.name), MAX(s.person_name)) AS person_name,
    MIN(s.seen_at) AS began_at,
    MAX(s.seen_at) AS ended_at,
    DATEDIFF(second, MIN(s.seen_at), MAX(s.seen_at)) AS seconds,
    COUNT(*) AS sightings,
    MAX(s.similarity) AS best_similarity
FROM sightings AS s
LEFT JOIN people AS p ON p.person_id = s.person_id
WHERE s.visit_id IS NOT NULL
GROUP BY s.visit_id, s.device_id, s.person_id;

-- One row per way: a person who ended a visit at one device and was next seen at another.
CREATE VIEW journeys AS
SELECT
    person_id,
    person_name,
    from_device_id,
    device_id AS to_device_id,
    left_at,
    began_at AS arrived_at,
    DATEDIFF(second, left_at, began_at) AS seconds
FROM (
    SELECT
        person_id,
        person_name,
        device_id,
        began_at,
        LAG(device_id) OVER (PARTITION BY person_id ORDER BY began_at, visit_id) AS from_device_id,
        LAG(ended_at) OVER (PARTITION BY person_id ORDER BY began_at, visit_id) AS left_at
    FROM visits
    WHERE person_id IS NOT NULL
) AS steps
WHERE from_device_id <> device_id;

-- How often alerts were right, per device and list. Alerts without a verdict count as neither.
CREATE VIEW alert_precision AS
SELECT
    a.device_id,
    a.watchlist_id,
    COUNT(*) AS alerts,
    COUNT(a.verdict) AS judged,
    SUM(CASE WHEN a.verdict THEN 1 ELSE 0 END) AS were_right,
    SUM(CASE WHEN a.verdict THEN 1 ELSE 0 END)::DOUBLE PRECISION / NULLIF(COUNT(a.verdict), 0) AS precision_ratio
FROM alerts AS a
GROUP BY a.device_id, a.watchlist_id;

-- How much was seen, per hour and site; devices without a site are together.
CREATE VIEW traffic_by_hour AS
SELECT
    DATE_TRUNC('hour', seen_at) AS hour,
    COALESCE(site, 'none') AS site,
    COUNT(*) AS sightings,
    COUNT(DISTINCT person_id) AS people,
    COUNT(DISTINCT visit_id) AS visits,
    SUM(CASE WHEN person_id IS NULL THEN 1 ELSE 0 END) AS unknown_faces
FROM sightings
GROUP BY 1, 2;
