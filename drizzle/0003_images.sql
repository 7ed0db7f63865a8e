CREATE TABLE `images` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`format` text NOT NULL,
	`os` text,
	`arch` text,
	`origin` text NOT NULL,
	`catalog_id` text,
	`url` text,
	`checksum` text,
	`default_user` text,
	`min_disk_bytes` integer,
	`min_memory_bytes` integer,
	`pool_guid` text NOT NULL,
	`file` text NOT NULL,
	`size_bytes` integer,
	`state` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `images_file` ON `images` (`pool_guid`,`file`);