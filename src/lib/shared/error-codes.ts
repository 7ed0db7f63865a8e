/**
 * Every error the product can answer with. `status` is the HTTP status of REST and tRPC answers, `title` heads the
 * message in the UI, `remedy` is the default advice when the thrower knows nothing more exact.
 */
export interface ErrorCodeEntry {
  kind: 'input' | 'auth' | 'not-found' | 'precondition' | 'busy' | 'host' | 'operation' | 'bug';
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  title: string;
  remedy?: string;
}

export const ERROR_CODES = {
  // What was sent
  invalid_input: {
    kind: 'input',
    status: 400,
    title: 'Some fields need another value',
    remedy: 'Correct the fields that are marked and send again.',
  },
  mac_invalid: {
    kind: 'input',
    status: 400,
    title: 'The address of the network card cannot be used',
    remedy: 'Give six pairs of hexadecimal digits, such as 52:54:00:12:34:56, or leave it out.',
  },
  ip_address_invalid: {
    kind: 'input',
    status: 400,
    title: 'The machine cannot have this address',
    remedy: 'Give a free address of the network with its length, such as 192.168.1.20/24.',
  },
  ip_address_taken: {
    kind: 'input',
    status: 400,
    title: 'Somebody has this address already',
    remedy: 'Give another one, or leave it to DHCP.',
  },
  ip_gateway_invalid: {
    kind: 'input',
    status: 400,
    title: 'The gateway cannot be used',
    remedy: 'Give the address of the router, in the network of the machine.',
  },
  ip_dns_invalid: {
    kind: 'input',
    status: 400,
    title: 'The DNS server cannot be used',
    remedy: 'Give addresses of DNS servers, such as 192.168.1.1.',
  },
  ip_search_invalid: {
    kind: 'input',
    status: 400,
    title: 'The search domain cannot be used',
    remedy: 'Give names of domains, such as home.arpa.',
  },
  malformed_json: {
    kind: 'input',
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send a JSON object with Content-Type application/json.',
  },
  body_too_large: {
    kind: 'input',
    status: 413,
    title: 'The body is too large',
    remedy: 'Send at most 256 KiB.',
  },
  unsupported_media_type: {
    kind: 'input',
    status: 415,
    title: 'The body has the wrong type',
    remedy: 'Send Content-Type: application/json.',
  },
  method_not_allowed: {
    kind: 'input',
    status: 405,
    title: 'The address does not take this method',
    remedy: 'Use one of the methods that the answer lists in its Allow header.',
  },
  unknown_field: {
    kind: 'input',
    status: 400,
    title: 'A field is not known',
    remedy: 'Remove the field, or check its spelling.',
  },
  label_empty: {
    kind: 'input',
    status: 400,
    title: 'The label is empty',
    remedy: 'Give the pool a name of 1 to 32 characters.',
  },
  label_too_long: {
    kind: 'input',
    status: 400,
    title: 'The label is too long',
    remedy: 'Use at most 32 characters.',
  },
  label_invalid: {
    kind: 'input',
    status: 400,
    title: 'The label has characters that are not allowed',
    remedy: 'Use letters, digits, spaces, dots, underscores and dashes.',
  },
  label_leading_dash: {
    kind: 'input',
    status: 400,
    title: 'The label starts with a dash',
    remedy: 'Start it with a letter or a digit.',
  },
  label_duplicate: {
    kind: 'precondition',
    status: 409,
    title: 'Another pool has this label',
    remedy: 'Choose another label.',
  },
  vm_name_empty: {
    kind: 'input',
    status: 400,
    title: 'The name is empty',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_too_short: {
    kind: 'input',
    status: 400,
    title: 'The name is too short',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_too_long: {
    kind: 'input',
    status: 400,
    title: 'The name is too long',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_leading_dash: {
    kind: 'input',
    status: 400,
    title: 'The name starts with a dash',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_trailing_dash: {
    kind: 'input',
    status: 400,
    title: 'The name ends with a dash',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_leading_digit: {
    kind: 'input',
    status: 400,
    title: 'The name starts with a digit',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  vm_name_underscore: {
    kind: 'input',
    status: 400,
    title: 'The name has an underscore',
    remedy: 'Use a dash: the name becomes the host name of the machine, which can have no underscore.',
  },
  vm_name_invalid: {
    kind: 'input',
    status: 400,
    title: 'The name has characters that are not allowed',
    remedy:
      'Use 3 to 63 lower-case letters, digits and dashes; begin with a letter and do not end with a dash.',
  },
  cpus_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no number of CPUs',
    remedy: 'Give the machine at least one CPU.',
  },
  tag_invalid: {
    kind: 'input',
    status: 400,
    title: 'That cannot be a tag',
    remedy:
      'A tag is one word of at most 32 letters, digits, dots, dashes and underscores, and begins with a letter or digit.',
  },
  tags_too_many: {
    kind: 'input',
    status: 400,
    title: 'Too many tags',
    remedy: 'Remove some of them.',
  },
  cpus_too_many: {
    kind: 'input',
    status: 400,
    title: 'The host has fewer CPUs than that',
    remedy: 'Give the machine at most as many CPUs as the host has.',
  },
  firmware_unavailable: {
    kind: 'input',
    status: 409,
    title: 'This host has no such firmware for machines',
    remedy: 'Install the package ovmf, or choose BIOS.',
  },
  tpm_unavailable: {
    kind: 'input',
    status: 409,
    title: 'This host cannot give machines a TPM',
    remedy: 'Install the packages swtpm and swtpm-tools, or leave the TPM out.',
  },
  tpm_left: {
    kind: 'input',
    status: 409,
    title: 'There is a TPM of another machine with this id',
    remedy: 'Leave the id out, so that the machine gets one of its own.',
  },
  boot_order_empty: {
    kind: 'input',
    status: 400,
    title: 'The machine needs something to start from',
    remedy: 'Name one of its disks, its CD drive, or a network card at least.',
  },
  boot_device_unknown: {
    kind: 'input',
    status: 400,
    title: 'The machine has no such device to start from',
    remedy: 'Name what it has: disk-1, cd, card-1, by their slots.',
  },
  boot_device_twice: {
    kind: 'input',
    status: 400,
    title: 'A device is named twice in the order',
    remedy: 'Name each device once.',
  },
  topology_invalid: {
    kind: 'input',
    status: 400,
    title: 'CPUs cannot be arranged like that',
    remedy: 'Give at least one socket, one core of each socket, and one thread of each core.',
  },
  topology_mismatch: {
    kind: 'input',
    status: 400,
    title: 'Sockets, cores and threads do not multiply to the CPUs',
    remedy: 'Choose sockets × cores × threads so that they are as many as the CPUs.',
  },
  memory_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is too little memory',
    remedy: 'Give the machine more memory.',
  },
  memory_too_much: {
    kind: 'input',
    status: 400,
    title: 'The host has less memory than that',
    remedy: 'Give the machine less memory.',
  },
  disk_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no size of a disk',
    remedy: 'Give the disk at least 1 MiB, in whole sectors of 512 bytes.',
  },
  volume_too_small: {
    kind: 'input',
    status: 400,
    title: 'The disk is too small for its filesystem',
    remedy: 'Make the disk larger, or choose another filesystem.',
  },
  volume_label_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no label for this disk',
    remedy: 'Give letters, digits, dots and dashes: up to 16 for ext4, up to 12 for xfs; each disk its own.',
  },
  volume_mount_invalid: {
    kind: 'input',
    status: 400,
    title: 'The disk cannot be mounted there',
    remedy: 'Give a path such as /srv/data that no other disk has, or none.',
  },
  disk_too_small: {
    kind: 'input',
    status: 400,
    title: 'The disk is too small for the image',
    remedy: 'Make the disk at least as large as the image.',
  },
  disk_shrink: {
    kind: 'input',
    status: 400,
    title: 'A disk cannot be made smaller',
    remedy:
      'Give it more than it has. To have less, give the machine a smaller disk and copy what is needed to it from inside.',
  },
  ssh_key_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no public SSH key',
    remedy: 'Paste one line of ~/.ssh/id_ed25519.pub, or of another file that ends with .pub.',
  },
  user_name_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no name of a user',
    remedy: 'Use lower-case letters, digits, dashes and underscores, and begin with a letter.',
  },
  package_name_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no name of a package',
    remedy:
      'Give names as the package manager of the system knows them: letters, digits, dots, dashes, plus signs.',
  },
  cloud_config_invalid: {
    kind: 'input',
    status: 400,
    title: 'That is no cloud-config',
    remedy:
      'Write YAML as for cloud-init: a name, a colon and a value on each line, lists and more below them.',
  },
  cloud_config_taken: {
    kind: 'input',
    status: 400,
    title: 'That is set by the form',
    remedy: 'Take it out here, and fill in the field.',
  },
  guest_password_invalid: {
    kind: 'input',
    status: 400,
    title: 'The password cannot be used',
    remedy: 'Use 8 to 200 characters, none of them a control character.',
  },
  no_login: {
    kind: 'input',
    status: 400,
    title: 'Nobody could log in',
    remedy: 'Give a public SSH key or a password.',
  },
  no_drives: {
    kind: 'input',
    status: 400,
    title: 'No drive is chosen',
    remedy: 'Choose at least one drive.',
  },
  drive_duplicate: {
    kind: 'input',
    status: 400,
    title: 'A drive is named twice',
    remedy: 'Name each drive once.',
  },
  too_few_drives: {
    kind: 'input',
    status: 400,
    title: 'The layout needs more drives',
    remedy: 'Choose more drives or another layout.',
  },
  too_many_drives: {
    kind: 'input',
    status: 400,
    title: 'The layout takes fewer drives',
    remedy: 'Choose fewer drives or another layout.',
  },
  unknown_layout: {
    kind: 'input',
    status: 400,
    title: 'The plugin has no such layout',
    remedy: 'Choose one of the layouts that the plugin lists.',
  },
  drive_too_small: {
    kind: 'input',
    status: 400,
    title: 'A drive is too small',
    remedy: 'Choose a larger drive.',
  },
  replacement_too_small: {
    kind: 'input',
    status: 400,
    title: 'The new drive is smaller than the one it replaces',
    remedy: 'Choose a drive of at least the size that is named.',
  },
  not_a_member: {
    kind: 'input',
    status: 400,
    title: 'The drive is not a member of this pool',
    remedy: 'Name one of the members that the pool lists.',
  },
  mount_path_relative: {
    kind: 'input',
    status: 400,
    title: 'The mount path is not absolute',
    remedy: 'Start it with a slash, for example /mnt/tank.',
  },
  mount_path_invalid: {
    kind: 'input',
    status: 400,
    title: 'The mount path cannot be used',
    remedy: 'Use a path such as /mnt/tank, outside of system folders.',
  },
  mount_path_in_use: {
    kind: 'precondition',
    status: 409,
    title: 'The mount path is in use',
    remedy: 'Choose another mount path.',
  },
  url_invalid: {
    kind: 'input',
    status: 400,
    title: 'The address cannot be used',
    remedy: 'Give the whole address of the file, beginning with https://.',
  },
  file_name_invalid: {
    kind: 'input',
    status: 400,
    title: 'The file name cannot be used',
    remedy: 'Use letters, digits, dots, dashes and underscores, and an ending such as .qcow2 or .iso.',
  },
  checksum_invalid: {
    kind: 'input',
    status: 400,
    title: 'The checksum cannot be used',
    remedy: 'Give a SHA-256 or SHA-512 sum in hexadecimal, or the address of a list of them.',
  },
  // Who asks
  unauthenticated: {
    kind: 'auth',
    status: 401,
    title: 'You are not signed in',
    remedy: 'Sign in, or send a valid X-Api-Key.',
  },
  forbidden: {
    kind: 'auth',
    status: 403,
    title: 'Your role does not allow this',
    remedy: 'Ask an administrator to do it or to raise your role.',
  },
  bad_credentials: {
    kind: 'auth',
    status: 401,
    title: 'User name or password is wrong',
    remedy: 'Check both and try again.',
  },
  throttled: {
    kind: 'auth',
    status: 429,
    title: 'Too many attempts',
    remedy: 'Wait for the time shown, then try again.',
  },
  setup_code_wrong: {
    kind: 'auth',
    status: 403,
    title: 'The first-run code is wrong',
    remedy: 'Take the code from the console or the log of the server.',
  },
  setup_done: {
    kind: 'auth',
    status: 409,
    title: 'Set-up has been done already',
    remedy: 'Sign in with the account that was made.',
  },
  password_weak: {
    kind: 'input',
    status: 400,
    title: 'The password is too weak',
    remedy: 'Use at least 10 characters.',
  },
  username_invalid: {
    kind: 'input',
    status: 400,
    title: 'The user name cannot be used',
    remedy: 'Use 2 to 32 lower-case letters, digits, dashes, starting with a letter.',
  },
  username_taken: {
    kind: 'precondition',
    status: 409,
    title: 'The user name is taken',
    remedy: 'Choose another user name.',
  },
  last_admin: {
    kind: 'precondition',
    status: 409,
    title: 'This is the last administrator',
    remedy: 'Make another user administrator first.',
  },
  bad_origin: {
    kind: 'auth',
    status: 403,
    title: 'The request comes from another site',
    remedy: 'Open Cairn at its own address.',
  },
  bad_host: {
    kind: 'auth',
    status: 403,
    title: 'The host name is not one of ours',
    remedy: 'Use the address that the server printed, or add the name to CAIRN_ALLOWED_HOSTS.',
  },
  console_ticket_invalid: {
    kind: 'auth',
    status: 403,
    title: 'The ticket does not open this console',
    remedy: 'Ask for a new one: each opens a console once, within half a minute, for whoever asked for it.',
  },
  // What is not there
  not_found: { kind: 'not-found', status: 404, title: 'There is no such page or thing' },
  bridge_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such bridge',
    remedy: 'Look at the networks of the host: its bridges are there. Make it, or choose another network.',
  },
  card_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such network card',
    remedy: 'Look at the machine’s page: its network cards are there.',
  },
  disk_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such disk',
    remedy: 'Look at the machine’s page: its disks are there.',
  },
  removed_vm_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'No such machine among those that were removed',
    remedy: 'It may have been brought back, or emptied: the history of operations tells.',
  },
  keep_days_invalid: {
    kind: 'input',
    status: 422,
    title: 'Machines cannot be kept for so long',
    remedy: 'Give whole days, from 1 to 365.',
  },
  vm_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such machine',
    remedy: 'Look at the list of machines.',
  },
  image_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such image',
    remedy: 'Look at the list of images.',
  },
  pool_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such pool',
    remedy: 'Check the GUID in the list of pools.',
  },
  found_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such pool on the drives',
    remedy: 'Look at what is found now: it may have been adopted, erased or unplugged.',
  },
  drive_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such drive',
    remedy: 'Check that the drive is plugged in, and its serial.',
  },
  guide_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'No replacement is under way',
    remedy: 'Begin one on the page of the pool.',
  },
  alert_not_found: { kind: 'not-found', status: 404, title: 'There is no such alert' },
  operation_not_found: { kind: 'not-found', status: 404, title: 'There is no such operation' },
  plugin_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such plugin',
    remedy: 'Choose one of the plugins that are listed.',
  },
  user_not_found: { kind: 'not-found', status: 404, title: 'There is no such user' },
  // What does not hold now
  plugin_unavailable: {
    kind: 'precondition',
    status: 409,
    title: 'The plugin cannot be used on this machine',
  },
  not_supported: { kind: 'precondition', status: 409, title: 'The plugin cannot do this' },
  drive_protected: {
    kind: 'precondition',
    status: 409,
    title: 'The drive is protected',
    remedy: 'Remove its protection on the Drives page first.',
  },
  drive_system: {
    kind: 'precondition',
    status: 409,
    title: 'The drive holds this system',
    remedy: 'Choose another drive; this one can never be used.',
  },
  drive_sandbox_mode: {
    kind: 'precondition',
    status: 409,
    title: 'Real drives are locked in sandbox mode',
    remedy: 'Choose a sandbox drive, or install Cairn to use real drives.',
  },
  drive_in_use: {
    kind: 'precondition',
    status: 409,
    title: 'The drive is in use',
    remedy: 'Free the drive, or choose another one.',
  },
  drive_in_pool: {
    kind: 'precondition',
    status: 409,
    title: 'The drive belongs to a pool',
    remedy: 'Remove that pool first, or choose another drive.',
  },
  drive_set_aside: {
    kind: 'precondition',
    status: 409,
    title: 'The drive was set aside',
    remedy: 'Release it on the Drives page when you trust it, or choose another drive.',
  },
  drive_ambiguous: {
    kind: 'precondition',
    status: 409,
    title: 'The drive cannot be told from another one',
    remedy: 'Its serial number is missing or doubled; use it alone, or choose another drive.',
  },
  drive_read_only: { kind: 'precondition', status: 409, title: 'The drive is read-only' },
  drive_unreadable: {
    kind: 'precondition',
    status: 409,
    title: 'What is on the drive could not be read',
    remedy: 'Wait a moment; if it stays so, check the cable and the health of the drive.',
  },
  drive_blank: { kind: 'precondition', status: 409, title: 'Nothing is on the drive' },
  wipe_not_restorable: {
    kind: 'precondition',
    status: 409,
    title: 'The wipe cannot be taken back any more',
    remedy: 'Look at what is on the drive now.',
  },
  drive_gone: {
    kind: 'precondition',
    status: 409,
    title: 'The drive is not there any more',
    remedy: 'Plug it in again, or choose another drive.',
  },
  drive_changed: {
    kind: 'precondition',
    status: 409,
    title: 'The drive is not as it was when the plan was made',
    remedy: 'Look at the plan again and confirm the new one.',
  },
  confirm_required: {
    kind: 'precondition',
    status: 409,
    title: 'This plan loses data and needs your confirmation',
    remedy: 'Read the plan and send its confirm code.',
  },
  confirm_stale: {
    kind: 'precondition',
    status: 409,
    title: 'The plan has changed since you confirmed it',
    remedy: 'Read the new plan and confirm it.',
  },
  pool_wrong_state: {
    kind: 'precondition',
    status: 409,
    title: 'The pool is not in a state that allows this',
  },
  pool_not_ready: {
    kind: 'precondition',
    status: 409,
    title: 'The pool is not mounted yet',
    remedy: 'Look at the pool: it says what it waits for.',
  },
  snapshot_name_invalid: {
    kind: 'input',
    status: 400,
    title: 'The snapshot needs another name',
    remedy: 'Use at most 48 letters, digits, dots and dashes, beginning with a letter or digit.',
  },
  snapshot_name_taken: {
    kind: 'precondition',
    status: 409,
    title: 'There is a snapshot with this name',
    remedy: 'Choose another name.',
  },
  snapshot_not_found: {
    kind: 'not-found',
    status: 404,
    title: 'There is no such snapshot',
    remedy: 'Look at the list of snapshots; it may have been removed meanwhile.',
  },
  snapshot_protected: {
    kind: 'precondition',
    status: 409,
    title: 'The snapshot is protected',
    remedy: 'Take its protection away first, if it is to go.',
  },
  snapshot_folder_unreadable: {
    kind: 'precondition',
    status: 409,
    title: 'The folder cannot be read',
  },
  pool_in_use: {
    kind: 'precondition',
    status: 409,
    title: 'Programs use files of the pool',
    remedy: 'End the programs that are named, then try again.',
  },
  pool_needed: {
    kind: 'precondition',
    status: 409,
    title: 'Machines need the pool',
    remedy: 'Remove the machines first, or release the pool: that keeps what is on its drives.',
  },
  pool_sleepers: {
    kind: 'precondition',
    status: 409,
    title: 'Machines are saved with their memory',
    remedy: 'Start each and shut it down, or discard its saved memory; then try again.',
  },
  vm_wrong_state: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is not in a state that allows this',
  },
  vm_transient: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is gone when it goes off',
    remedy: 'Have its engine keep it: virsh dumpxml it into a file, and virsh define that file.',
  },
  vm_disk_gone: {
    kind: 'precondition',
    status: 409,
    title: 'A disk of the machine is not there',
    remedy: 'Mount the pool that it is on, or put the file back where it was.',
  },
  vm_disk_taken: {
    kind: 'precondition',
    status: 409,
    title: 'Another machine has this disk',
    remedy: 'Take the disk from one of them with virsh detach-disk.',
  },
  vm_is_template: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is a template',
    remedy: 'Clone it, or make it a machine again first.',
  },
  vm_not_template: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is no template',
    remedy: 'Make it a template first, or take a full copy.',
  },
  vm_has_linked: {
    kind: 'precondition',
    status: 409,
    title: 'Others need the disk of the machine',
    remedy: 'Remove those first; a full copy of one can be made before.',
  },
  vm_is_linked: {
    kind: 'precondition',
    status: 409,
    title: 'The machine needs the disk of a template',
    remedy: 'Clone it as a full copy: that one needs nothing.',
  },
  vm_adopted: {
    kind: 'precondition',
    status: 409,
    title: 'Cairn did not make the machine',
    remedy: 'Change it where it was made, with virsh or virt-manager.',
  },
  vm_not_running: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is off',
    remedy: 'Start it first.',
  },
  vm_gone: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is gone',
    remedy: 'Look at the machine’s page: what became of it is there.',
  },
  console_unavailable: {
    kind: 'precondition',
    status: 409,
    title: 'The machine has no such console',
    remedy: 'Take the other one: its screen, or its serial line.',
  },
  vm_protected: {
    kind: 'precondition',
    status: 409,
    title: 'The machine is protected',
    remedy: 'Have an administrator take its protection away first, if it is to go.',
  },
  cards_too_many: {
    kind: 'precondition',
    status: 409,
    title: 'The machine has as many network cards as it can have',
    remedy: 'Remove one that it does not need.',
  },
  image_no_cd: {
    kind: 'precondition',
    status: 409,
    title: 'The image is no CD',
    remedy: 'Choose an ISO image.',
  },
  cd_drive_missing: {
    kind: 'precondition',
    status: 409,
    title: 'The machine has no drive for CDs',
    remedy: 'Shut it down, then put the CD in: it gets its drive with it.',
  },
  disk_needed: {
    kind: 'precondition',
    status: 409,
    title: 'The machine was made with this disk',
    remedy: 'Remove the machine, if the disk is to go.',
  },
  disks_too_many: {
    kind: 'precondition',
    status: 409,
    title: 'The machine has as many disks as it can have',
    remedy: 'Remove one that it does not need, or make one larger.',
  },
  vm_save_no_room: {
    kind: 'precondition',
    status: 409,
    title: 'There is no room for the memory of the machine',
    remedy: 'Make room on that disk, or shut the machine down instead.',
  },
  vm_snapshot_no_room: {
    kind: 'precondition',
    status: 409,
    title: 'There is no room for the snapshot on the pool',
    remedy: 'Make room on the pool, or shut the machine down first: then its memory is not in it.',
  },
  mac_taken: {
    kind: 'precondition',
    status: 409,
    title: 'Another network card has this address',
    remedy: 'Give another one, or leave it out: then one is made for it.',
  },
  vm_name_taken: {
    kind: 'precondition',
    status: 409,
    title: 'Another machine has this name',
    remedy: 'Choose another name.',
  },
  cpus_taken: {
    kind: 'precondition',
    status: 409,
    title: 'The machines that are on have too many CPUs already',
    remedy: 'Stop another machine, or give this one fewer CPUs.',
  },
  memory_taken: {
    kind: 'precondition',
    status: 409,
    title: 'Too little memory is free on the host',
    remedy: 'Stop another machine, or give this one less memory.',
  },
  image_not_ready: {
    kind: 'precondition',
    status: 409,
    title: 'The image is not on a pool yet',
    remedy: 'Download it first, or choose another image.',
  },
  image_unsupported: {
    kind: 'precondition',
    status: 409,
    title: 'A machine cannot be made from this image',
    remedy: 'Choose another image.',
  },
  image_in_use: {
    kind: 'precondition',
    status: 409,
    title: 'Machines need the image',
    remedy: 'Remove these machines first: their disks hold only what differs from the image.',
  },
  folder_not_reachable: {
    kind: 'precondition',
    status: 409,
    title: 'The machine could not reach its disk',
    remedy: 'Let others pass through the folder that is named (chmod o+x), or choose another pool.',
  },
  password_gone: {
    kind: 'precondition',
    status: 409,
    title: 'The password is not kept any more',
    remedy: 'Remove the machine and create it again, with the password.',
  },
  entry_name_taken: {
    kind: 'precondition',
    status: 409,
    title: 'The catalog has an entry of this name',
    remedy: 'Choose another name, or change the entry that is there.',
  },
  upload_offset: {
    kind: 'precondition',
    status: 409,
    title: 'The piece does not follow what has come',
    remedy: 'Go on at the offset that the answer names.',
  },
  upload_too_long: {
    kind: 'input',
    status: 400,
    title: 'More was sent than announced',
    remedy: 'Send exactly as many bytes as were announced.',
  },
  upload_incomplete: {
    kind: 'precondition',
    status: 409,
    title: 'Not all of the file has come',
    remedy: 'Send the rest first.',
  },
  upload_not_ready: {
    kind: 'busy',
    status: 409,
    title: 'The upload takes no bytes at the moment',
    remedy: 'Ask again in a moment, and go on at the offset that is told then.',
  },
  image_exists: {
    kind: 'precondition',
    status: 409,
    title: 'The image is there already',
    remedy: 'Use the one that is there, or delete it first.',
  },
  made_way: {
    kind: 'busy',
    status: 409,
    title: 'Something is about to be done to the pool',
    remedy: 'Try again in a moment.',
  },
  image_wrong_state: {
    kind: 'precondition',
    status: 409,
    title: 'The image is not in a state that allows this',
  },
  file_exists: {
    kind: 'precondition',
    status: 409,
    title: 'A file of this name is there already',
    remedy: 'Give the file another name, or move the one that is there away.',
  },
  address_not_public: {
    kind: 'precondition',
    status: 409,
    title: 'The address lies in a private network',
    remedy: 'An administrator can allow it for this download: "Also from my own network".',
  },
  checksum_unknown: {
    kind: 'precondition',
    status: 409,
    title: 'The checksum of the file could not be found out',
    remedy:
      'Try again later, or choose another source: without its checksum, a damaged file would not be noticed.',
  },
  pool_full: {
    kind: 'precondition',
    status: 409,
    title: 'The pool has too little room',
    remedy: 'Choose another pool, or make room first.',
  },
  not_enough_space: {
    kind: 'precondition',
    status: 409,
    title: 'The other drives have too little room',
    remedy: 'Delete files, or add a drive first.',
  },
  process_not_using: {
    kind: 'precondition',
    status: 409,
    title: 'The program does not use the pool',
    remedy: 'Look again at the programs that use it.',
  },
  process_protected: {
    kind: 'precondition',
    status: 409,
    title: 'The program cannot be ended',
    remedy: 'Close what it has open on the pool by its own means.',
  },
  operation_wrong_state: {
    kind: 'precondition',
    status: 409,
    title: 'The operation is not in a state that allows this',
  },
  found_obstacle: {
    kind: 'precondition',
    status: 409,
    title: 'This cannot be done with what was found',
  },
  found_unseen: {
    kind: 'precondition',
    status: 409,
    title: 'Nobody has looked inside yet',
    remedy: 'Look inside first: it is mounted read-only for a moment, and nothing is written.',
  },
  guid_conflict: {
    kind: 'precondition',
    status: 409,
    title: 'This GUID belongs to another pool',
    remedy: 'Leave the GUID out, or use a new one.',
  },
  locked: {
    kind: 'busy',
    status: 409,
    title: 'Another operation works on this',
    remedy: 'Wait until it has ended, or cancel it.',
  },
  stopping: { kind: 'busy', status: 503, title: 'Cairn is stopping', remedy: 'Try again in a moment.' },
  // What the machine did
  upload_failed: {
    kind: 'host',
    status: 500,
    title: 'The upload failed',
    remedy: 'Upload the file again.',
  },
  download_failed: {
    kind: 'host',
    status: 500,
    title: 'The download failed',
    remedy: 'Look whether the address can be reached, then retry.',
  },
  command_failed: { kind: 'host', status: 500, title: 'A command failed' },
  command_timeout: { kind: 'host', status: 500, title: 'A command did not end in time' },
  command_not_allowed: {
    kind: 'host',
    status: 500,
    title: 'A plugin asked for a program it did not declare',
  },
  program_missing: { kind: 'host', status: 500, title: 'A program is not installed' },
  parse_failed: { kind: 'host', status: 500, title: 'A tool said something that is not understood' },
  // What became of an operation
  postcondition: { kind: 'operation', status: 500, title: 'A step ended without the effect it should have' },
  foreign_state: { kind: 'operation', status: 409, title: 'Something else is where this step works' },
  undo_failed: { kind: 'operation', status: 500, title: 'A step could not be taken back' },
  cancelled: { kind: 'operation', status: 409, title: 'Cancelled' },
  deadline_passed: { kind: 'operation', status: 500, title: 'The operation took longer than its deadline' },
  interrupted: {
    kind: 'operation',
    status: 500,
    title: 'Interrupted by a stop of Cairn or of the machine',
    remedy: 'Retry it with one click.',
  },
  // Ours
  database_unwritable: {
    kind: 'host',
    status: 503,
    title: 'The database cannot be written',
    remedy: 'Free space on the disk that holds the data directory, then try again.',
  },
  newer_database: {
    kind: 'bug',
    status: 500,
    title: 'The database was written by a newer Cairn',
    remedy: 'Install that version again, or restore the database snapshot made before the update.',
  },
  already_running: {
    kind: 'busy',
    status: 409,
    title: 'Cairn already runs on this data directory',
    remedy: 'Stop the other process first.',
  },
  bug: {
    kind: 'bug',
    status: 500,
    title: 'Something went wrong inside Cairn',
    remedy: 'Look for the reference in the log and report it.',
  },
} as const satisfies Record<string, ErrorCodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;
export const isErrorCode = (value: string): value is ErrorCode => Object.hasOwn(ERROR_CODES, value);
export const errorEntry = (code: ErrorCode): ErrorCodeEntry => ERROR_CODES[code];

/** One thing that is wrong with a request, or one reason why something cannot be done. */
export interface Issue {
  /** Path of the field, dots between names: `drives.0.serial`. */
  field?: string;
  code: ErrorCode;
  message: string;
  remedy?: string;
}
