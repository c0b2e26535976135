CREATE TABLE `appointment` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`patient_id` text NOT NULL,
	`visit_type_id` text NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer NOT NULL,
	`blocked_start_ms` integer NOT NULL,
	`blocked_end_ms` integer NOT NULL,
	`status` text NOT NULL,
	`mode` text NOT NULL,
	`fee_minor` integer,
	`fee_currency` text,
	`notes` text,
	`remarks` text,
	`cancellation_reason` text,
	`cancellable_until_ms` integer NOT NULL,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`patient_id`) REFERENCES `patient`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`visit_type_id`) REFERENCES `visit_type`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "appointment_interval" CHECK("appointment"."blocked_start_ms" <= "appointment"."start_ms" AND "appointment"."start_ms" < "appointment"."end_ms" AND "appointment"."end_ms" <= "appointment"."blocked_end_ms"),
	CONSTRAINT "appointment_length" CHECK("appointment"."blocked_end_ms" - "appointment"."blocked_start_ms" <= 43200000),
	CONSTRAINT "appointment_status" CHECK("appointment"."status" IN ('pending', 'confirmed', 'in-progress', 'completed', 'rejected', 'cancelled', 'no-show'))
) STRICT;
--> statement-breakpoint
CREATE INDEX `appointment_doctor` ON `appointment` (`doctor_id`,`start_ms`,`id`);--> statement-breakpoint
CREATE INDEX `appointment_patient` ON `appointment` (`patient_id`,`start_ms`,`id`);--> statement-breakpoint
CREATE INDEX `appointment_start` ON `appointment` (`start_ms`,`id`);--> statement-breakpoint
CREATE INDEX `appointment_doctor_active` ON `appointment` (`doctor_id`,`blocked_start_ms`) WHERE "appointment"."status" IN ('pending', 'confirmed', 'in-progress');--> statement-breakpoint
CREATE INDEX `appointment_patient_active` ON `appointment` (`patient_id`,`start_ms`) WHERE "appointment"."status" IN ('pending', 'confirmed', 'in-progress');--> statement-breakpoint
CREATE INDEX `appointment_status` ON `appointment` (`status`,`start_ms`,`id`);--> statement-breakpoint
CREATE TABLE `calendar` (
	`doctor_id` text PRIMARY KEY NOT NULL,
	`epoch` integer NOT NULL,
	`writer_epoch` integer NOT NULL,
	`version` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "stale-calendar" CHECK("calendar"."writer_epoch" = "calendar"."epoch")
) STRICT;
--> statement-breakpoint
CREATE TABLE `doctor` (
	`user_id` text PRIMARY KEY NOT NULL,
	`sort_name` text NOT NULL,
	`license_number` text,
	`experience_years` integer,
	`fee_minor` integer,
	`fee_currency` text,
	`bio` text,
	`languages` text NOT NULL,
	`division` text,
	`district` text,
	`thana` text,
	`street` text,
	`verified_at` integer,
	`verified_by` text,
	`verification_note` text,
	`version` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`verified_by`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `doctor_listed` ON `doctor` (`sort_name`,`user_id`) WHERE "doctor"."verified_at" is not null;--> statement-breakpoint
CREATE TABLE `doctor_specialty` (
	`doctor_id` text NOT NULL,
	`specialty_id` text NOT NULL,
	PRIMARY KEY(`doctor_id`, `specialty_id`),
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`specialty_id`) REFERENCES `specialty`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `doctor_specialty_specialty` ON `doctor_specialty` (`specialty_id`,`doctor_id`);--> statement-breakpoint
CREATE TABLE `event` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`type` text NOT NULL,
	`actor_id` text,
	`subject_id` text NOT NULL,
	`at` integer NOT NULL,
	`data` text NOT NULL,
	`published_at` integer,
	CONSTRAINT "event_data" CHECK(json_valid("event"."data"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `event_id` ON `event` (`id`);--> statement-breakpoint
CREATE INDEX `event_subject` ON `event` (`subject_id`,`sequence`);--> statement-breakpoint
CREATE INDEX `event_unpublished` ON `event` (`sequence`) WHERE "event"."published_at" is null;--> statement-breakpoint
CREATE TABLE `idempotency` (
	`user_id` text NOT NULL,
	`key` text NOT NULL,
	`route` text NOT NULL,
	`body_hash` text NOT NULL,
	`answer` text NOT NULL,
	`doctor_id` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`user_id`, `key`),
	FOREIGN KEY (`user_id`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `idempotency_doctor` ON `idempotency` (`doctor_id`,`created_at`) WHERE "idempotency"."doctor_id" is not null;--> statement-breakpoint
CREATE INDEX `idempotency_created` ON `idempotency` (`created_at`);--> statement-breakpoint
CREATE TABLE `opening` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`start_ms` integer NOT NULL,
	`end_ms` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "opening_interval" CHECK("opening"."start_ms" < "opening"."end_ms")
) STRICT;
--> statement-breakpoint
CREATE INDEX `opening_doctor` ON `opening` (`doctor_id`,`start_ms`,`id`);--> statement-breakpoint
CREATE TABLE `patient` (
	`user_id` text PRIMARY KEY NOT NULL,
	`date_of_birth` text,
	`sex` text,
	`address` text,
	`insurance_provider` text,
	`insurance_number` text,
	FOREIGN KEY (`user_id`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `refresh_token` (
	`hash` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`session_id`) REFERENCES `session`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `refresh_token_session` ON `refresh_token` (`session_id`);--> statement-breakpoint
CREATE TABLE `schedule` (
	`doctor_id` text PRIMARY KEY NOT NULL,
	`time_zone` text NOT NULL,
	`rules` text NOT NULL,
	`slot_minutes` integer NOT NULL,
	`min_notice_minutes` integer NOT NULL,
	`horizon_days` integer NOT NULL,
	`approval` text NOT NULL,
	`cancellation_notice_minutes` integer NOT NULL,
	`daily_limit` integer,
	`version` integer NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "schedule_rules" CHECK(json_valid("schedule"."rules")),
	CONSTRAINT "schedule_approval" CHECK("schedule"."approval" IN ('auto', 'manual'))
) STRICT;
--> statement-breakpoint
CREATE TABLE `session` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`ended_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `session_user` ON `session` (`user_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `setting` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL,
	`updated_at` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `specialty` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`sort_name` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `specialty_sort_name` ON `specialty` (`sort_name`);--> statement-breakpoint
CREATE TABLE `user` (
	`id` text PRIMARY KEY NOT NULL,
	`email` text NOT NULL,
	`password_hash` text NOT NULL,
	`full_name` text NOT NULL,
	`role` text NOT NULL,
	`status` text NOT NULL,
	`mobile` text,
	`time_zone` text NOT NULL,
	`email_verified_at` integer,
	`version` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	CONSTRAINT "user_role" CHECK("user"."role" IN ('patient', 'doctor', 'admin')),
	CONSTRAINT "user_status" CHECK("user"."status" IN ('active', 'suspended'))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `user_email` ON `user` (`email`);--> statement-breakpoint
CREATE UNIQUE INDEX `user_mobile` ON `user` (`mobile`) WHERE "user"."mobile" is not null;--> statement-breakpoint
CREATE TABLE `visit_type` (
	`id` text PRIMARY KEY NOT NULL,
	`doctor_id` text NOT NULL,
	`name` text NOT NULL,
	`duration_minutes` integer NOT NULL,
	`buffer_before_minutes` integer NOT NULL,
	`buffer_after_minutes` integer NOT NULL,
	`mode` text NOT NULL,
	`fee_minor` integer,
	`fee_currency` text,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`doctor_id`) REFERENCES `doctor`(`user_id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `visit_type_doctor` ON `visit_type` (`doctor_id`,`created_at`,`id`);