CREATE TABLE `pool_snapshots` (
	`pool_guid` text NOT NULL,
	`name` text NOT NULL,
	`made_at` integer NOT NULL,
	`made_by` text NOT NULL,
	`origin` text NOT NULL,
	`protected` integer DEFAULT false NOT NULL,
	PRIMARY KEY(`pool_guid`, `name`)
);
