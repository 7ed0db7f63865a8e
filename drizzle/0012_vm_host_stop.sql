ALTER TABLE `vm_settings` ADD `host_stop_seconds` integer DEFAULT 60 NOT NULL;--> statement-breakpoint
ALTER TABLE `vm_settings` ADD `host_stop_then` text DEFAULT 'switch-off' NOT NULL;--> statement-breakpoint
ALTER TABLE `vm_settings` ADD `starts_again` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `vm_settings` ADD `ran_at_host_stop` integer DEFAULT false NOT NULL;