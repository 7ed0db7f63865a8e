CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`hash` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_hash_unique` ON `api_keys` (`hash`);--> statement-breakpoint
CREATE TABLE `commands` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`operation_id` text NOT NULL,
	`step_index` integer NOT NULL,
	`phase` text NOT NULL,
	`argv` text NOT NULL,
	`record_path` text NOT NULL,
	`pid` integer,
	`start_ticks` integer,
	`boot_id` text,
	`started_at` integer NOT NULL,
	`ended_at` integer,
	`exit_code` integer,
	`signal` text,
	FOREIGN KEY (`operation_id`) REFERENCES `operations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `commands_operation` ON `commands` (`operation_id`,`id`);--> statement-breakpoint
CREATE TABLE `drives` (
	`id` text PRIMARY KEY NOT NULL,
	`serial` text,
	`wwn` text,
	`model` text,
	`vendor` text,
	`size_bytes` integer NOT NULL,
	`bus` text NOT NULL,
	`rotational` integer,
	`sandbox` integer NOT NULL,
	`bay_label` text,
	`protected_by_user` integer DEFAULT false NOT NULL,
	`first_seen_at` integer NOT NULL,
	`last_seen_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `login_throttle` (
	`key` text PRIMARY KEY NOT NULL,
	`failures` integer NOT NULL,
	`blocked_until` integer NOT NULL,
	`last_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `operation_locks` (
	`lock` text PRIMARY KEY NOT NULL,
	`operation_id` text NOT NULL,
	FOREIGN KEY (`operation_id`) REFERENCES `operations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `operation_locks_operation` ON `operation_locks` (`operation_id`);--> statement-breakpoint
CREATE TABLE `operations` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`title` text NOT NULL,
	`subject_type` text NOT NULL,
	`subject_id` text NOT NULL,
	`subject_label` text NOT NULL,
	`state` text NOT NULL,
	`verdict` text,
	`evidence` text NOT NULL,
	`request` text NOT NULL,
	`prepared` text NOT NULL,
	`plan_hash` text NOT NULL,
	`on_interrupt` text NOT NULL,
	`requested_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`deadline_at` integer NOT NULL,
	`lease_until` integer NOT NULL,
	`cancel_requested_at` integer,
	`error` text,
	`retry_of` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `operations_id_unique` ON `operations` (`id`);--> statement-breakpoint
CREATE INDEX `operations_state` ON `operations` (`state`);--> statement-breakpoint
CREATE INDEX `operations_subject` ON `operations` (`subject_id`,`kind`,`seq`);--> statement-breakpoint
CREATE INDEX `operations_ended` ON `operations` (`ended_at`);--> statement-breakpoint
CREATE TABLE `outputs` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`command_id` integer NOT NULL,
	`operation_id` text NOT NULL,
	`stream` text NOT NULL,
	`text` text NOT NULL,
	`at` integer NOT NULL,
	FOREIGN KEY (`command_id`) REFERENCES `commands`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`operation_id`) REFERENCES `operations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `outputs_operation` ON `outputs` (`operation_id`,`id`);--> statement-breakpoint
CREATE INDEX `outputs_command` ON `outputs` (`command_id`,`id`);--> statement-breakpoint
CREATE TABLE `pool_drives` (
	`pool_guid` text NOT NULL,
	`slot` integer NOT NULL,
	`drive_id` text NOT NULL,
	`serial` text,
	`label` text NOT NULL,
	`size_bytes` integer NOT NULL,
	PRIMARY KEY(`pool_guid`, `slot`),
	FOREIGN KEY (`pool_guid`) REFERENCES `pools`(`guid`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pool_drives_drive` ON `pool_drives` (`drive_id`);--> statement-breakpoint
CREATE TABLE `pools` (
	`guid` text PRIMARY KEY NOT NULL,
	`label` text NOT NULL,
	`label_key` text NOT NULL,
	`plugin` text NOT NULL,
	`layout` text NOT NULL,
	`options` text NOT NULL,
	`mount_path` text NOT NULL,
	`mount_path_existed` integer NOT NULL,
	`state` text NOT NULL,
	`want_mounted` integer NOT NULL,
	`error_message` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pools_label` ON `pools` (`label_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `pools_mount_path` ON `pools` (`mount_path`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`user_agent` text DEFAULT '' NOT NULL,
	`address` text DEFAULT '' NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`user_id`);--> statement-breakpoint
CREATE TABLE `steps` (
	`operation_id` text NOT NULL,
	`step_index` integer NOT NULL,
	`name` text NOT NULL,
	`title` text NOT NULL,
	`run` text NOT NULL,
	`undo` text NOT NULL,
	`look` text NOT NULL,
	`destroys` text NOT NULL,
	`command` text NOT NULL,
	`undo_text` text NOT NULL,
	`state` text NOT NULL,
	`began_at` integer,
	`ended_at` integer,
	`error` text,
	PRIMARY KEY(`operation_id`, `step_index`),
	FOREIGN KEY (`operation_id`) REFERENCES `operations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `users` (
	`id` text PRIMARY KEY NOT NULL,
	`username` text NOT NULL,
	`password_hash` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `users_username_unique` ON `users` (`username`);