CREATE TABLE `event_note` (
	`event_id` text PRIMARY KEY NOT NULL,
	`note` text NOT NULL,
	FOREIGN KEY (`event_id`) REFERENCES `event`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `hold` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`visit_type_id` text NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer NOT NULL,
	`blocked_start_ms` integer NOT NULL,
	`blocked_end_ms` integer NOT NULL,
	`origin` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ended_at` integer,
	`outcome` text,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patient`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`visit_type_id`) REFERENCES `visit_type`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "hold_interval" CHECK("hold"."blocked_start_ms" <= "hold"."start_ms" AND "hold"."start_ms" < "hold"."end_ms" AND "hold"."end_ms" <= "hold"."blocked_end_ms"),
	CONSTRAINT "hold_length" CHECK("hold"."blocked_end_ms" - "hold"."blocked_start_ms" <= 43200000),
	CONSTRAINT "hold_origin" CHECK("hold"."origin" IN ('patient', 'waitlist', 'time-off')),
	CONSTRAINT "hold_outcome" CHECK(("hold"."ended_at" IS NULL) = ("hold"."outcome" IS NULL)
        AND "hold"."outcome" IN ('booked', 'released', 'lapsed', 'superseded', 'time-off'))
) STRICT;
--> statement-breakpoint
CREATE INDEX `hold_doctor_live` ON `hold` (`doctor_id`,`blocked_start_ms`) WHERE "hold"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `hold_patient_live` ON `hold` (`patient_id`,`expires_at`,`id`) WHERE "hold"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `hold_expiry` ON `hold` (`expires_at`) WHERE "hold"."ended_at" is null;--> statement-breakpoint
CREATE TABLE `time_off` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer NOT NULL,
	`reason` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "time_off_interval" CHECK("time_off"."start_ms" < "time_off"."end_ms")
) STRICT;
--> statement-breakpoint
CREATE INDEX `time_off_doctor` ON `time_off` (`doctor_id`,`start_ms`,`id`);--> statement-breakpoint
ALTER TABLE `appointment` ADD `meeting_room` text;--> statement-breakpoint
ALTER TABLE `opening` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `visit_type` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE `visit_type` ADD `archived_at` integer;--> statement-breakpoint
-- What D1 refuses of holds, whoever writes: a live hold keeps everybody but its owner from its interval, and its
-- owner ends it in the batch that books.
CREATE TRIGGER hold_insert_free BEFORE INSERT ON hold BEGIN
  SELECT RAISE(ABORT, 'patient-not-found') WHERE NOT EXISTS (
    SELECT 1 FROM patient WHERE user_id = NEW.patient_id);
  SELECT RAISE(ABORT, 'too-many-holds') WHERE NEW.origin = 'patient' AND 2 <= (
    SELECT count(*) FROM hold
    WHERE patient_id = NEW.patient_id AND ended_at IS NULL AND expires_at > NEW.created_at AND origin = 'patient');
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM hold
    WHERE doctor_id = NEW.doctor_id AND ended_at IS NULL AND expires_at > NEW.created_at
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms AND id <> NEW.id);
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE doctor_id = NEW.doctor_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms);
  SELECT RAISE(ABORT, 'patient-busy') WHERE EXISTS (
    SELECT 1 FROM appointment
    WHERE patient_id = NEW.patient_id AND status IN ('pending', 'confirmed', 'in-progress')
      AND start_ms >= NEW.start_ms - 43200000 AND start_ms < NEW.end_ms AND end_ms > NEW.start_ms);
END;
--> statement-breakpoint
-- A hold ends once, and neither whose it is nor its time ever changes.
CREATE TRIGGER hold_once BEFORE UPDATE ON hold
WHEN OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.doctor_id <> OLD.doctor_id
  OR NEW.patient_id <> OLD.patient_id OR NEW.start_ms <> OLD.start_ms OR NEW.end_ms <> OLD.end_ms
  OR NEW.blocked_start_ms <> OLD.blocked_start_ms OR NEW.blocked_end_ms <> OLD.blocked_end_ms
  OR NEW.expires_at <> OLD.expires_at BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
CREATE TRIGGER appointment_insert_not_held BEFORE INSERT ON appointment
WHEN NEW.status IN ('pending', 'confirmed', 'in-progress') BEGIN
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM hold
    WHERE doctor_id = NEW.doctor_id AND ended_at IS NULL AND expires_at > NEW.updated_at
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms);
END;
--> statement-breakpoint
CREATE TRIGGER appointment_move_not_held BEFORE UPDATE OF start_ms, end_ms, blocked_start_ms, blocked_end_ms ON appointment
WHEN NEW.status IN ('pending', 'confirmed', 'in-progress') BEGIN
  SELECT RAISE(ABORT, 'slot-taken') WHERE EXISTS (
    SELECT 1 FROM hold
    WHERE doctor_id = NEW.doctor_id AND ended_at IS NULL AND expires_at > NEW.updated_at
      AND blocked_start_ms >= NEW.blocked_start_ms - 43200000 AND blocked_start_ms < NEW.blocked_end_ms
      AND blocked_end_ms > NEW.blocked_start_ms);
END;
--> statement-breakpoint
CREATE TRIGGER visit_type_version BEFORE UPDATE ON visit_type WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
--> statement-breakpoint
CREATE TRIGGER opening_version BEFORE UPDATE ON opening WHEN NEW.version <> OLD.version + 1 BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
