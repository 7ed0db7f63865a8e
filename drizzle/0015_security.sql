CREATE TABLE `audit_entries` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`kind` text NOT NULL,
	`at` integer NOT NULL,
	`ended_at` integer,
	`actor_kind` text NOT NULL,
	`actor_id` text,
	`actor_name` text NOT NULL,
	`address` text NOT NULL,
	`user_agent` text NOT NULL,
	`what` text NOT NULL,
	`input` text,
	`outcome` text NOT NULL,
	`code` text,
	`operation_id` text,
	`times` integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_kind` ON `audit_entries` (`kind`,`id`);--> statement-breakpoint
CREATE INDEX `audit_outcome` ON `audit_entries` (`outcome`);--> statement-breakpoint
CREATE TABLE `proposals` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`request` text NOT NULL,
	`title` text NOT NULL,
	`note` text NOT NULL,
	`proposed_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`state` text NOT NULL,
	`decided_by` text,
	`decided_at` integer,
	`operation_id` text
);
--> statement-breakpoint
CREATE INDEX `proposals_state` ON `proposals` (`state`,`created_at`);--> statement-breakpoint
CREATE TABLE `recovery_codes` (
	`hash` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `recovery_codes_user` ON `recovery_codes` (`user_id`);--> statement-breakpoint
CREATE TABLE `user_totp` (
	`user_id` text PRIMARY KEY NOT NULL,
	`secret_ref` text NOT NULL,
	`last_step` integer NOT NULL,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `api_keys` ADD `scopes` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `expires_at` integer;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `last_address` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `last_seen_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `last_address` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `confirmed_at` integer;--> statement-breakpoint
CREATE TRIGGER `audit_ends_once` BEFORE UPDATE ON `audit_entries`
WHEN OLD.`outcome` <> 'begun' OR NEW.`id` <> OLD.`id` OR NEW.`at` <> OLD.`at` OR NEW.`actor_name` <> OLD.`actor_name`
	OR NEW.`what` <> OLD.`what` OR NEW.`input` IS NOT OLD.`input`
BEGIN SELECT RAISE(ABORT, 'an audit entry that has ended is not changed'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_oldest_first` BEFORE DELETE ON `audit_entries`
WHEN EXISTS (SELECT 1 FROM `audit_entries` WHERE `kind` = OLD.`kind` AND `id` < OLD.`id`)
BEGIN SELECT RAISE(ABORT, 'only the oldest audit entries are removed'); END;
