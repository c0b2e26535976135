-- What D1 itself refuses, whoever writes: rights, overlaps, stale versions, changes of history.
-- The messages are codes that the program knows; any other failure is an unknown outcome to it.

CREATE VIEW session_right AS
  SELECT session.id AS session_id, session.role AS role, session.last_seen_at AS seen_at
  FROM session JOIN user ON user.id = session.user_id
  WHERE session.ended_at IS NULL AND user.status = 'active' AND user.role = session.role;
--> statement-breakpoint
-- Using a right to write. A session without a row is no right either. Last seen is kept to the minute.
CREATE TRIGGER session_right_use INSTEAD OF INSERT ON session_right BEGIN
  SELECT RAISE(ABORT, 'session-ended') WHERE NOT EXISTS (
    SELECT 1 FROM session_right WHERE session_id = NEW.session_id AND role = NEW.role);
  UPDATE session SET last_seen_at = NEW.seen_at
    WHERE id = NEW.session_id AND last_seen_at <= NEW.seen_at - 60000;
END;
--> statement-breakpoint
CREATE TRIGGER refresh_token_once BEFORE UPDATE OF used_at ON refresh_token
WHEN OLD.used_at IS NOT NULL BEGIN
  SELECT RAISE(ABORT, 'refresh-token-reused');
END;
--> statement-breakpoint
CREATE TRIGGER appointment_insert_free BEFORE INSERT ON appointment
WHEN NEW.status IN ('pending', 'confirmed', 'in-progress') BEGIN
  SELECT RAISE(ABORT, 'patient-not-found') WHERE NOT EXISTS (
    SELECT 1 FROM patient WHERE user_id = NEW.patient_id);
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE doctor_id = NEW.doctor_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms AND id <> NEW.id);
  SELECT RAISE(ABORT, 'patient-busy') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE patient_id = NEW.patient_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND start_ms >= NEW.start_ms - 43200000 AND start_ms < NEW.end_ms
      AND end_ms > NEW.start_ms AND id <> NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER appointment_update_free
BEFORE UPDATE OF doctor_id, patient_id, start_ms, end_ms, blocked_start_ms, blocked_end_ms, status ON appointment
WHEN NEW.status IN ('pending', 'confirmed', 'in-progress') BEGIN
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE doctor_id = NEW.doctor_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms AND id <> NEW.id);
  SELECT RAISE(ABORT, 'patient-busy') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE patient_id = NEW.patient_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND start_ms >= NEW.start_ms - 43200000 AND start_ms < NEW.end_ms
      AND end_ms > NEW.start_ms AND id <> NEW.id);
END;
--> statement-breakpoint
CREATE TRIGGER appointment_version BEFORE UPDATE ON appointment WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
CREATE TRIGGER schedule_version BEFORE UPDATE ON schedule WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
CREATE TRIGGER user_version BEFORE UPDATE ON user WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
CREATE TRIGGER doctor_version BEFORE UPDATE ON doctor WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
-- By value, not by UPDATE OF: a column list would not see the sequence under its other name, rowid.
CREATE TRIGGER event_facts BEFORE UPDATE ON event
WHEN NEW.sequence <> OLD.sequence OR NEW.id <> OLD.id OR NEW.type <> OLD.type
  OR NEW.actor_id IS NOT OLD.actor_id OR NEW.subject_id <> OLD.subject_id OR NEW.at <> OLD.at
  OR NEW.data <> OLD.data BEGIN
  SELECT RAISE(ABORT, 'event-append-only');
END;
--> statement-breakpoint
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN
  SELECT RAISE(ABORT, 'event-append-only');
END;
--> statement-breakpoint
-- INSERT OR REPLACE would otherwise delete without asking the trigger above.
CREATE TRIGGER event_insert BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM event WHERE sequence = NEW.sequence) BEGIN
  SELECT RAISE(ABORT, 'event-append-only');
END;
--> statement-breakpoint
-- A key holds for 24 hours; after that INSERT OR REPLACE may take it again.
CREATE TRIGGER idempotency_insert BEFORE INSERT ON idempotency
WHEN EXISTS (SELECT 1 FROM idempotency WHERE user_id = NEW.user_id AND key = NEW.key
  AND created_at > NEW.created_at - 86400000) BEGIN
  SELECT RAISE(ABORT, 'idempotency-key-used');
END;
--> statement-breakpoint
-- The directory's search by name.
CREATE VIRTUAL TABLE doctor_search USING fts5(name, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
--> statement-breakpoint
CREATE TRIGGER doctor_search_insert AFTER INSERT ON doctor BEGIN
  INSERT INTO doctor_search (rowid, name)
    SELECT NEW.rowid, full_name FROM user WHERE id = NEW.user_id;
END;
--> statement-breakpoint
CREATE TRIGGER doctor_search_rename AFTER UPDATE OF full_name ON user WHEN NEW.role = 'doctor' BEGIN
  UPDATE doctor SET sort_name = lower(NEW.full_name), version = version + 1 WHERE user_id = NEW.id;
  UPDATE doctor_search SET name = NEW.full_name
    WHERE rowid = (SELECT rowid FROM doctor WHERE user_id = NEW.id);
END;
