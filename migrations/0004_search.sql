ALTER TABLE `calendar` ADD `next_available_at` integer;--> statement-breakpoint
ALTER TABLE `calendar` ADD `next_check_at` integer;--> statement-breakpoint
CREATE INDEX `calendar_next_available` ON `calendar` (CASE WHEN "next_available_at" IS NULL THEN 9007199254740991 ELSE "next_available_at" END,`doctor_id`);--> statement-breakpoint
CREATE INDEX `calendar_next_check` ON `calendar` (`next_check_at`) WHERE "calendar"."next_check_at" is not null;--> statement-breakpoint
CREATE INDEX `doctor_fee` ON `doctor` (CASE WHEN "fee_minor" IS NULL THEN 9007199254740991 ELSE "fee_minor" END,`user_id`) WHERE "doctor"."verified_at" is not null;--> statement-breakpoint
CREATE INDEX `doctor_experience` ON `doctor` (CASE WHEN "experience_years" IS NULL THEN 1 ELSE -"experience_years" END,`user_id`) WHERE "doctor"."verified_at" is not null;--> statement-breakpoint
-- Of the calendars that are there already nothing is known: the cron has their objects tell.
UPDATE calendar SET next_check_at = 0;
