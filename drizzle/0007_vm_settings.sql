CREATE TABLE `vm_settings` (
	`vm_id` text PRIMARY KEY NOT NULL,
	`is_protected` integer DEFAULT false NOT NULL,
	`autostart` integer DEFAULT false NOT NULL,
	`start_order` integer DEFAULT 0 NOT NULL,
	`start_delay_seconds` integer DEFAULT 0 NOT NULL,
	`turn_boot_id` text,
	`turn_text` text,
	FOREIGN KEY (`vm_id`) REFERENCES `vms`(`id`) ON UPDATE no action ON DELETE cascade
);
