CREATE TABLE `channels` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`target` text NOT NULL,
	`min_severity` text NOT NULL,
	`quiet_hours` text,
	`digest_at` text,
	`critical_at_once` integer NOT NULL,
	`settings` text NOT NULL,
	`secrets_ref` text NOT NULL,
	`secrets_set` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `channels_name_unique` ON `channels` (`name`);--> statement-breakpoint
CREATE TABLE `outbox` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`channel_id` text NOT NULL,
	`alert_id` text,
	`alert_raised_at` integer,
	`message` text NOT NULL,
	`state` text NOT NULL,
	`due_at` integer NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`first_tried_at` integer,
	`last_error` text,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	FOREIGN KEY (`channel_id`) REFERENCES `channels`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `outbox_id_unique` ON `outbox` (`id`);--> statement-breakpoint
CREATE INDEX `outbox_state` ON `outbox` (`state`,`due_at`);--> statement-breakpoint
CREATE INDEX `outbox_channel` ON `outbox` (`channel_id`,`seq`);--> statement-breakpoint
CREATE INDEX `outbox_alert` ON `outbox` (`alert_id`);