CREATE TABLE `vms` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`plugin` text NOT NULL,
	`state` text NOT NULL,
	`cpus` integer NOT NULL,
	`memory_bytes` integer NOT NULL,
	`disk_bytes` integer NOT NULL,
	`disk` text NOT NULL,
	`virt_type` text NOT NULL,
	`pool_guid` text NOT NULL,
	`image_id` text NOT NULL,
	`image_name` text NOT NULL,
	`spec` text NOT NULL,
	`user` text,
	`failed_operation_id` text,
	`failed_text` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `vms_name_unique` ON `vms` (`name`);