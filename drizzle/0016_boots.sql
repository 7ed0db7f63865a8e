CREATE TABLE `boots` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`started_at` integer NOT NULL,
	`report` text NOT NULL,
	`dismissed_at` integer
);
