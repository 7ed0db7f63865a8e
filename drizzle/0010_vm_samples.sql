CREATE TABLE `vm_samples` (
	`vm_id` text NOT NULL,
	`at` integer NOT NULL,
	`cpu_percent` real NOT NULL,
	`memory_bytes` real,
	`read_rate` real NOT NULL,
	`write_rate` real NOT NULL,
	`receive_rate` real NOT NULL,
	`send_rate` real NOT NULL,
	PRIMARY KEY(`vm_id`, `at`),
	FOREIGN KEY (`vm_id`) REFERENCES `vms`(`id`) ON UPDATE no action ON DELETE cascade
);
