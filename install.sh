#!/bin/sh
# Installs Cairn on Debian 12 or 13, or repairs, updates or removes an installation. A second run changes nothing.
#   ./install.sh                                    from an unpacked release, or a checkout (with node and npm)
#   ./install.sh --from cairn-1.0.0-linux-x64.tar.gz
#   curl -fsSL https://example.org/install.sh | sh -s -- --from https://example.org/cairn-1.0.0-linux-x64.tar.gz
# Nothing runs before the last line: a download that was cut does nothing.
set -eu

HOME_DIR=/opt/cairn
VERSIONS=$HOME_DIR/versions
CURRENT=$HOME_DIR/current
DATA_DIR=/var/lib/cairn
SETTINGS_DIR=/etc/cairn
SETTINGS=$SETTINGS_DIR/cairn.env
UNIT_DIR=/etc/systemd/system
UNITS='cairn.service cairn-machines.service'
COMMAND=/usr/local/bin/cairn
LEAST_KIB=716800

from=
port=8420
verb=install
purge=no
dry=no
start=yes
work=
unfinished=
changed=no

say() { printf '%s\n' "cairn: $*"; }
# What went wrong, and what to do about it.
fail() {
  printf '%s\n' "cairn: $1" >&2
  [ $# -lt 2 ] || printf '%s\n' "       $2" >&2
  exit 1
}
# Does it, or says what it would do.
run() {
  changed=yes
  if [ "$dry" = yes ]; then printf '%s\n' "would run: $*"; else "$@"; fi
}
# Whatever happens: nothing half made stays.
clean_up() {
  [ -z "$work" ] || rm -rf -- "$work"
  [ -z "$unfinished" ] || rm -rf -- "$unfinished"
}

usage() {
  cat <<'TEXT'
Usage: install.sh [--from FILE|URL] [--port N] [--no-start] [--dry-run]
       install.sh --uninstall [--purge] [--dry-run]
       install.sh --version
  --from FILE|URL  a release; FILE.sha256 or URL.sha256 has to lie beside it
  --port N         where to listen, 8420 unless told; only for a first installation
  --no-start       only files, as for the image of a system that does not run
  --dry-run        says what it would do, and changes nothing
  --uninstall      removes the program; settings, data and pools stay
  --purge          with --uninstall: settings and data go too; pools stay as they are
  --version        the version that is installed
TEXT
}

read_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --from) [ $# -gt 1 ] || fail '--from needs a file or an address.'; from=$2; shift ;;
      --port) [ $# -gt 1 ] || fail '--port needs a number.'; port=$2; shift ;;
      --no-start) start=no ;;
      --dry-run) dry=yes ;;
      --uninstall) verb=uninstall ;;
      --purge) purge=yes ;;
      --version) verb=version ;;
      --help | -h) usage; exit 0 ;;
      *) usage >&2; fail "There is no option $1." ;;
    esac
    shift
  done
  case $port in
    '' | *[!0-9]*) fail "The port $port is no number." ;;
  esac
  if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then fail "The port $port is none: 1 to 65535."; fi
  if [ "$purge" = yes ] && [ "$verb" != uninstall ]; then fail '--purge goes with --uninstall only.'; fi
}

installed_version() {
  if [ -L "$CURRENT" ]; then basename "$(readlink "$CURRENT")"; fi
}

check_root() {
  [ "$(id -u)" = 0 ] || fail 'This needs root.' 'Run it again with sudo, or as root.'
}
check_system() {
  [ -r /etc/os-release ] || fail 'This is no Debian: there is no /etc/os-release.'
  # shellcheck disable=SC1091
  system=$(. /etc/os-release && printf '%s %s' "${ID:-}" "${VERSION_ID:-}")
  case $system in
    'debian 12' | 'debian 13') ;;
    *) fail "Cairn is made for Debian 12 and 13; this is $system." 'Install it on one of these.' ;;
  esac
}
check_architecture() {
  case $(dpkg --print-architecture) in
    amd64) node_arch=x64 ;;
    arm64) node_arch=arm64 ;;
    *) fail "There is no Cairn for the architecture $(dpkg --print-architecture): amd64 and arm64 only." ;;
  esac
}
check_systemd() {
  if [ "$start" = no ] || [ -d /run/systemd/system ]; then return 0; fi
  fail 'systemd does not run here.' 'In a container or an image use --no-start: it starts at the next boot.'
}
check_existing() {
  if [ -e "$HOME_DIR" ] && [ ! -L "$CURRENT" ] && [ -n "$(ls -A "$HOME_DIR")" ] && [ ! -d "$VERSIONS" ]; then
    fail "$HOME_DIR is there, and was not made by this script." 'Move it away and run this again.'
  fi
}
check_space() {
  for folder in /opt /var/tmp /var/lib; do
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$LEAST_KIB" ] || fail "$folder has $((free / 1024)) MiB free; $((LEAST_KIB / 1024)) are needed." 'Make room there and run this again.'
  done
}
# In /proc/net/tcp a port is hexadecimal, and 0A means that somebody listens.
check_port() {
  if [ -r "$SETTINGS" ] || [ "$start" = no ]; then return 0; fi
  hex=$(printf ':%04X' "$port")
  if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port="$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'; then
    fail "Somebody listens at port $port already." 'Stop it, or choose another one with --port.'
  fi
}

fetch() {
  case $1 in
    https://* | http://*)
      if command -v curl >/dev/null; then curl -fsSL --retry 3 -o "$2" "$1"
      elif command -v wget >/dev/null; then wget -q -O "$2" "$1"
      else fail 'Neither curl nor wget is here.' 'Run: apt-get install curl'; fi ;;
    *) cp -- "$1" "$2" ;;
  esac
}

here() {
  case $0 in
    */install.sh | install.sh) (cd "$(dirname "$0")" && pwd) ;;
  esac
}

# Puts the files of the release into $work/cairn, and looks whether they are what was released.
get_release() {
  work=$(mktemp -d /var/tmp/cairn-install.XXXXXX)
  folder=$(here)
  if [ -z "$from" ] && [ -n "$folder" ] && [ -f "$folder/SHA256SUMS" ]; then
    release=$folder
  else
    if [ -z "$from" ]; then
      if [ -z "$folder" ] || [ ! -f "$folder/src/release.mjs" ]; then fail 'There is nothing to install.' 'Say where the release lies: --from FILE or --from URL'; fi
      command -v npm >/dev/null || fail 'A checkout is made into a release by npm, which is not here.' 'Take a release instead: --from FILE or --from URL'
      say 'making a release of the checkout'
      (cd "$folder" && npm run --silent release -- --out "$work") || fail 'The checkout could not be made into a release.'
      from=$(echo "$work"/cairn-*.tar.gz)
    fi
    say "getting $from"
    [ "$from" = "$work/${from##*/}" ] || fetch "$from" "$work/${from##*/}" || fail "$from could not be had."
    [ -f "$work/${from##*/}.sha256" ] || fetch "$from.sha256" "$work/${from##*/}.sha256" || fail "There is no checksum at $from.sha256." 'Get both files of the release.'
    (cd "$work" && sha256sum --check --status --strict "${from##*/}.sha256") || fail "$from is not what was released: its checksum differs." 'Get it again.'
    mkdir "$work/files"
    tar -xzf "$work/${from##*/}" -C "$work/files" --no-same-owner || fail "$from could not be unpacked."
    release=$(echo "$work"/files/cairn-*)
  fi
  [ -f "$release/SHA256SUMS" ] || fail "$release is no release of Cairn."
  is_whole "$release" || fail 'Files of the release are damaged or missing.' 'Get it again.'
  version=$(sed -n 's/^  "version": "\([0-9A-Za-z.+-]*\)",$/\1/p' "$release/package.json")
  [ -n "$version" ] || fail 'The release does not say which version it is.'
  "$release/node_modules/.bin/node" --version >/dev/null 2>&1 || fail "The release is not for this architecture ($node_arch)." 'Get the one for it.'
}
is_whole() { (cd "$1" && sha256sum --check --status --strict SHA256SUMS); }

is_there() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *) for path in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do [ ! -e "$path/$1" ] || return 0; done; return 1 ;;
  esac
}
missing_packages() {
  while read -r need program package; do
    if [ "$need" = "$1" ] && ! is_there "$program"; then printf '%s\n' "$package"; fi
  done <"$release/host-packages.txt" | sort -u | tr '\n' ' '
}
apt_install() {
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get install -y -q --no-install-recommends $1 >"$work/apt.log" 2>&1
}
install_packages() {
  packages=$(missing_packages "$1")
  [ -n "$packages" ] || return 0
  say "installing $packages"
  if [ "$dry" = yes ]; then printf '%s\n' "would install: $packages"; return 0; fi
  changed=yes
  if apt_install "$packages"; then return 0; fi
  # The lists may be older than what the mirrors hold, or not there at all.
  apt-get update -q >"$work/update.log" 2>&1 || true
  if apt_install "$packages"; then return 0; fi
  tail -n 15 "$work/apt.log" >&2
  [ "$1" = optional ] || fail "apt-get could not install $packages" 'Mend what it says above, and run this again.'
  say 'these could not be installed: some kinds of pools, or machines, cannot be made until they are.'
}

# A file with this content and mode; written only where it is not so already.
put_file() {
  if [ -f "$2" ] && cmp -s "$1" "$2" && [ "$(stat -c %a:%u "$2")" = "$3:0" ]; then return 0; fi
  say "writing $2"
  run install -o root -g root -m "$3" "$1" "$2"
}
put_folder() {
  if [ -d "$1" ] && [ "$(stat -c %a:%u "$1")" = "$2:0" ]; then return 0; fi
  say "making $1"
  run install -d -o root -g root -m "$2" "$1"
}

put_files() {
  put_folder "$HOME_DIR" 755
  put_folder "$VERSIONS" 755
  put_folder "$SETTINGS_DIR" 755
  put_folder "$DATA_DIR" 700
  target=$VERSIONS/$version
  if [ -d "$target" ] && is_whole "$target" && cmp -s "$target/SHA256SUMS" "$release/SHA256SUMS"; then return 0; fi
  say "putting version $version into $target"
  [ "$dry" = no ] || { run cp -a "$release" "$target"; return 0; }
  changed=yes
  unfinished=$VERSIONS/.new-$version
  rm -rf -- "$unfinished"
  if ! { cp -a -- "$release" "$unfinished" && chown -R 0:0 "$unfinished" && is_whole "$unfinished"; }; then
    fail "Version $version could not be written to $VERSIONS." 'Look whether the disk is full.'
  fi
  sync -f "$unfinished"
  if [ -d "$target" ]; then
    mv -T -- "$target" "$VERSIONS/.old-$version"
    mv -T -- "$unfinished" "$target"
    rm -rf -- "$VERSIONS/.old-$version"
  else
    mv -T -- "$unfinished" "$target"
  fi
  # Until it has been seen to run.
  unfinished=
  [ "$(installed_version)" = "$version" ] || unfinished=$target
}

put_settings() {
  if [ -e "$SETTINGS" ]; then return 0; fi
  printf '%s\n' '# Settings of Cairn; see README.md. Taken up by: systemctl restart cairn' "CAIRN_HOST=::" "CAIRN_PORT=$port" >"$work/cairn.env"
  put_file "$work/cairn.env" "$SETTINGS" 600
}
put_units() {
  # Beside the versions: it brings the one before back when a new one does not start.
  put_file "$release/src/before-start.sh" "$HOME_DIR/before-start.sh" 755
  for unit in $UNITS; do
    sed 's#/opt/cairn/#/opt/cairn/current/#g; s#^WorkingDirectory=/opt/cairn$#WorkingDirectory=/opt/cairn/current#; /^ExecStart=.*main.ts/i ExecStartPre=-/bin/sh /opt/cairn/before-start.sh /opt/cairn ${CAIRN_DATA_DIR}' "$release/systemd/$unit" >"$work/$unit"
    put_file "$work/$unit" "$UNIT_DIR/$unit" 644
  done
}
put_command() {
  printf '%s\n' '#!/bin/sh' "exec $CURRENT/src/cli/cairn \"\$@\"" >"$work/cairn"
  put_file "$work/cairn" "$COMMAND" 755
}
# rename(2) replaces the link at once: there is never none.
switch_to() {
  if [ "$(readlink "$CURRENT" 2>/dev/null)" = "versions/$1" ]; then return 0; fi
  say "switching to version $1"
  run ln -sfn "versions/$1" "$CURRENT.new"
  run mv -T -- "$CURRENT.new" "$CURRENT"
}

start_service() {
  for unit in $UNITS; do
    if [ "$start" = no ]; then
      [ -L "$UNIT_DIR/multi-user.target.wants/$unit" ] || run systemctl enable --quiet "$unit"
    else
      systemctl is-enabled --quiet "$unit" 2>/dev/null || run systemctl enable --quiet "$unit"
    fi
  done
  if [ "$start" = no ]; then return 0; fi
  if [ "$changed" = no ] && systemctl is-active --quiet cairn.service; then return 0; fi
  say 'starting'
  run systemctl daemon-reload
  # Ready when it answers requests: systemd waits for its word.
  if run systemctl restart cairn.service && run systemctl start cairn-machines.service; then return 0; fi
  journalctl -u cairn.service -n 20 --no-pager -o cat >&2 || true
  if [ -n "$before" ] && [ "$before" != "$version" ]; then
    switch_to "$before"
    systemctl restart cairn.service || true
    fail "Version $version does not start; version $before is back in its place." 'Its last words are above.'
  fi
  # What is there may be needed to find out why.
  unfinished=
  fail 'Cairn does not start.' 'Its last words are above; all of them: journalctl -u cairn'
}

tell() {
  if [ "$changed" = no ]; then say "version $version is installed; nothing was to be done."; else say "version $version is installed."; fi
  if [ "$start" = no ] || [ "$dry" = yes ]; then return 0; fi
  journalctl -u cairn.service -b --no-pager -o cat 2>/dev/null >"$work/journal" || true
  for words in 'Cairn .* is ready at ' 'Certificate: ' 'First-run code: '; do
    grep "^$words" "$work/journal" | tail -n 1 | sed 's/^/  /' || true
  done
  say 'The certificate is its own: compare its fingerprint with what the browser shows, once.'
  if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
    say "A firewall is on. Let your network in: ufw allow $port/tcp"
  elif command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    say "A firewall is on. Let your network in: firewall-cmd --permanent --add-port=$port/tcp && firewall-cmd --reload"
  fi
}

install_all() {
  check_root
  check_system
  check_architecture
  check_systemd
  check_existing
  check_space
  check_port
  before=$(installed_version)
  get_release
  install_packages required
  install_packages optional
  put_files
  put_settings
  put_units
  put_command
  switch_to "$version"
  start_service
  unfinished=
  tell
}

uninstall() {
  check_root
  if [ "$purge" = yes ] && awk -v dir="$DATA_DIR/" 'index($2, dir) == 1 { found = 1 } END { exit !found }' /proc/mounts; then
    fail "Something is mounted below $DATA_DIR, so nothing was removed." 'Unmount it first; --uninstall without --purge keeps the data.'
  fi
  for unit in $UNITS; do
    [ -e "$UNIT_DIR/$unit" ] || continue
    if [ -d /run/systemd/system ]; then run systemctl disable --now --quiet "$unit"; else run systemctl disable --quiet "$unit"; fi
    run rm -f -- "$UNIT_DIR/$unit"
  done
  [ ! -d /run/systemd/system ] || run systemctl daemon-reload
  if [ -d "$VERSIONS" ]; then run rm -rf --one-file-system -- "$HOME_DIR"; fi
  if [ -f "$COMMAND" ] && grep -q "$CURRENT" "$COMMAND"; then run rm -f -- "$COMMAND"; fi
  if [ "$purge" = yes ]; then
    run rm -rf --one-file-system -- "$SETTINGS_DIR" "$DATA_DIR"
    say 'removed, with settings and data. Pools and what is on them are as they were.'
  else
    say "removed. Settings ($SETTINGS_DIR), data ($DATA_DIR) and pools are as they were."
  fi
}

main() {
  umask 022
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  read_arguments "$@"
  case $verb in
    version) printf '%s\n' "$(installed_version)" | grep . || fail 'Cairn is not installed.' ;;
    uninstall) uninstall ;;
    install) install_all ;;
  esac
}

main "$@"
