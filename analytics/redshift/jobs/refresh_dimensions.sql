-- The tables of the application as they are now, in one transaction: readers see all of it or nothing.
-- FILES holds one file per table, written just before; ROLE reads them. A value that does not fit fails the job, which then says so.
DELETE FROM staging.devices;

COPY staging.devices (device_id, name, site, latitude, longitude, time_zone, engine, similarity_threshold, created_at)
FROM '${FILES}devices.json.gz' IAM_ROLE '${ROLE}' FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto';

MERGE INTO devices USING staging.devices AS fresh ON devices.device_id = fresh.device_id
WHEN MATCHED THEN UPDATE SET
    name = fresh.name, site = fresh.site, latitude = fresh.latitude, longitude = fresh.longitude,
    time_zone = fresh.time_zone, engine = fresh.engine, similarity_threshold = fresh.similarity_threshold,
    created_at = fresh.created_at, removed_at = NULL
WHEN NOT MATCHED THEN INSERT (
    device_id, name, site, latitude, longitude, time_zone, engine, similarity_threshold, created_at
) VALUES (
    fresh.device_id, fresh.name, fresh.site, fresh.latitude, fresh.longitude, fresh.time_zone, fresh.engine,
    fresh.similarity_threshold, fresh.created_at
);

UPDATE devices SET removed_at = GETDATE()
WHERE removed_at IS NULL AND device_id NOT IN (SELECT device_id FROM staging.devices);

DELETE FROM people;

COPY people (person_id, name, faces, created_at, expires_at)
FROM '${FILES}people.json.gz' IAM_ROLE '${ROLE}' FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto';

DELETE FROM memberships;

COPY memberships (person_id, watchlist_id)
FROM '${FILES}memberships.json.gz' IAM_ROLE '${ROLE}' FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto';

DELETE FROM watchlists;

COPY watchlists (watchlist_id, name, kind, severity, owner, expires_at)
FROM '${FILES}watchlists.json.gz' IAM_ROLE '${ROLE}' FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto';

DELETE FROM staging.alerts;

COPY staging.alerts (
    alert_id, visit_id, device_id, person_id, watchlist_id, severity, similarity, seen_at, raised_at, sent_at,
    status, verdict
)
FROM '${FILES}alerts.json.gz' IAM_ROLE '${ROLE}' FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto';

MERGE INTO alerts USING staging.alerts AS fresh ON alerts.alert_id = fresh.alert_id
WHEN MATCHED THEN UPDATE SET sent_at = fresh.sent_at, status = fresh.status, verdict = fresh.verdict
WHEN NOT MATCHED THEN INSERT (
    alert_id, visit_id, device_id, person_id, watchlist_id, severity, similarity, seen_at, raised_at, sent_at,
    status, verdict
) VALUES (
    fresh.alert_id, fresh.visit_id, fresh.device_id, fresh.person_id, fresh.watchlist_id, fresh.severity, fresh.similarity,
    fresh.seen_at, fresh.raised_at, fresh.sent_at, fresh.status, fresh.verdict
);

DELETE FROM alerts WHERE seen_at < DATEADD(day, -${DAYS}, GETDATE());
