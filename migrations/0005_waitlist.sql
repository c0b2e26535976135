CREATE TABLE `waitlist` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`visit_type_id` text,
	`from_ms` integer NOT NULL,
	`to_ms` integer NOT NULL,
	`created_at` integer NOT NULL,
	`passed_at` integer,
	`offer_id` text,
	`freed_at` integer,
	`ended_at` integer,
	`outcome` text,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patient`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`visit_type_id`) REFERENCES `visit_type`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "waitlist_range" CHECK("waitlist"."from_ms" < "waitlist"."to_ms" AND "waitlist"."to_ms" - "waitlist"."from_ms" <= 5356800000),
	CONSTRAINT "waitlist_offer" CHECK(("waitlist"."offer_id" IS NULL) = ("waitlist"."freed_at" IS NULL)),
	CONSTRAINT "waitlist_outcome" CHECK(("waitlist"."ended_at" IS NULL) = ("waitlist"."outcome" IS NULL)
        AND "waitlist"."outcome" IN ('booked', 'left', 'expired', 'withdrawn'))
) STRICT;
--> statement-breakpoint
CREATE INDEX `waitlist_doctor_live` ON `waitlist` (`doctor_id`,`created_at`,`id`) WHERE "waitlist"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `waitlist_patient_live` ON `waitlist` (`patient_id`,`created_at`,`id`) WHERE "waitlist"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `waitlist_expiry` ON `waitlist` (`to_ms`) WHERE "waitlist"."ended_at" is null;--> statement-breakpoint
-- What D1 refuses of waiting, whoever writes. The patient's limit spans all doctors, whose objects know nothing of
-- each other.
CREATE TRIGGER waitlist_limits BEFORE INSERT ON waitlist BEGIN
  SELECT RAISE(ABORT, 'too-many-waiting') WHERE 20 <= (
    SELECT count(*) FROM waitlist
    WHERE patient_id = NEW.patient_id AND ended_at IS NULL AND to_ms > NEW.created_at);
  SELECT RAISE(ABORT, 'waitlist-full') WHERE 500 <= (
    SELECT count(*) FROM waitlist
    WHERE doctor_id = NEW.doctor_id AND ended_at IS NULL AND to_ms > NEW.created_at);
END;
--> statement-breakpoint
-- An entry ends once, and neither whose it is nor what it waits for ever changes.
CREATE TRIGGER waitlist_once BEFORE UPDATE ON waitlist
WHEN OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.doctor_id <> OLD.doctor_id
  OR NEW.patient_id <> OLD.patient_id OR NEW.from_ms <> OLD.from_ms OR NEW.to_ms <> OLD.to_ms
  OR NEW.created_at <> OLD.created_at BEGIN
  SELECT RAISE(ABORT, 'stale-version');
END;
