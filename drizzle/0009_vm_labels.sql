ALTER TABLE `vm_settings` ADD `tags` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `vm_settings` ADD `notes` text DEFAULT '' NOT NULL;