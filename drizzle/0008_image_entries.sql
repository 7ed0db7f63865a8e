CREATE TABLE `catalog_entries` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`arch` text,
	`url` text NOT NULL,
	`checksum` text,
	`default_user` text,
	`min_disk_bytes` integer,
	`min_memory_bytes` integer,
	`allow_private` integer NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `catalog_entries_name_unique` ON `catalog_entries` (`name`);