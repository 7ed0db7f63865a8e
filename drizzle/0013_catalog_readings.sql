CREATE TABLE `catalog_readings` (
	`entry_id` text PRIMARY KEY NOT NULL,
	`size_bytes` integer,
	`checksum` text,
	`problem` text,
	`asked_at` integer NOT NULL
);
