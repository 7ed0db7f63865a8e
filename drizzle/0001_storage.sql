CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`severity` text NOT NULL,
	`subject_type` text NOT NULL,
	`subject_id` text NOT NULL,
	`subject_label` text NOT NULL,
	`title` text NOT NULL,
	`text` text NOT NULL,
	`remedy` text,
	`raised_at` integer NOT NULL,
	`changed_at` integer NOT NULL,
	`resolved_at` integer,
	`acknowledged_at` integer,
	`acknowledged_by` text
);
--> statement-breakpoint
CREATE INDEX `alerts_resolved` ON `alerts` (`resolved_at`);--> statement-breakpoint
CREATE TABLE `drive_health` (
	`drive_id` text PRIMARY KEY NOT NULL,
	`read_at` integer NOT NULL,
	`reading` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `drive_samples` (
	`drive_id` text NOT NULL,
	`at` integer NOT NULL,
	`temperature_celsius` integer,
	`counters` text NOT NULL,
	PRIMARY KEY(`drive_id`, `at`)
);
--> statement-breakpoint
CREATE TABLE `pool_events` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`pool_guid` text NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`text` text NOT NULL,
	`operation_id` text
);
--> statement-breakpoint
CREATE INDEX `pool_events_pool` ON `pool_events` (`pool_guid`,`id`);--> statement-breakpoint
CREATE TABLE `pool_samples` (
	`pool_guid` text NOT NULL,
	`at` integer NOT NULL,
	`size_bytes` integer NOT NULL,
	`used_bytes` integer NOT NULL,
	PRIMARY KEY(`pool_guid`, `at`)
);
--> statement-breakpoint
CREATE TABLE `schedules` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`subject_id` text NOT NULL,
	`cron` text NOT NULL,
	`enabled` integer NOT NULL,
	`settings` text NOT NULL,
	`last_run_at` integer,
	`last_error` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `wipe_backups` (
	`id` text PRIMARY KEY NOT NULL,
	`drive_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`description` text NOT NULL,
	`path` text NOT NULL,
	`content_hash` text NOT NULL,
	`taken_back_at` integer
);
--> statement-breakpoint
ALTER TABLE `pool_drives` ADD `role` text DEFAULT 'data' NOT NULL;--> statement-breakpoint
ALTER TABLE `pools` ADD `facts` text;