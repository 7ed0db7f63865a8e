CREATE TABLE `removed_vms` (
	`id` text PRIMARY KEY NOT NULL,
	`pool_guid` text NOT NULL,
	`pool_label` text NOT NULL,
	`record` text NOT NULL,
	`settings` text NOT NULL,
	`facts` text,
	`folder` text NOT NULL,
	`taken_bytes` integer NOT NULL,
	`removed_at` integer NOT NULL,
	`kept_until` integer NOT NULL
);
