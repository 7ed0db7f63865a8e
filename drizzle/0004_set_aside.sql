CREATE TABLE `replace_guides` (
	`pool_guid` text PRIMARY KEY NOT NULL,
	`slot` integer NOT NULL,
	`drive_id` text NOT NULL,
	`way` text NOT NULL,
	`here` text NOT NULL,
	`pulled_at` integer,
	`fresh_id` text,
	`operation_id` text,
	`started_by` text NOT NULL,
	`started_at` integer NOT NULL,
	FOREIGN KEY (`pool_guid`) REFERENCES `pools`(`guid`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `drives` ADD `set_aside_at` integer;--> statement-breakpoint
ALTER TABLE `drives` ADD `set_aside_why` text;--> statement-breakpoint
ALTER TABLE `wipe_backups` ADD `expired_at` integer;