#!/bin/sh
# Run by the service before each start of Cairn: before-start.sh HOME DATA. While a version is on trial (see src/lib/server/updates/place.ts)
# it counts the starts; when it was started twice and never became ready, the version before comes back, with its database as it was
# saved. It lies beside the versions, not in one of them, and needs nothing of theirs. It may be cut off at any line: the next run goes on.
set -eu

MOST_STARTS=2

home=$1
data=$2
updates=$data/updates
trial=$updates/trial
failed=$updates/failed

say() { printf '%s\n' "cairn: $*"; }
# Complete or not there, also when the power goes in between.
put() {
  printf '%s' "$2" >"$1.new"
  sync "$1.new"
  mv -T -- "$1.new" "$1"
  sync "$updates"
}

[ -f "$trial" ] || exit 0
read -r id from to <"$trial" || exit 0
case $id:$from:$to in
  *[!0-9a-f.:]* | *..* | :* | *::* | *:) say "what $trial says is not understood."; exit 0 ;;
esac
saved=$updates/$from-$id.db

go_back() {
  say "going back to version $from"
  # What the newer version has written stays beside it, for whoever wants to know.
  if [ -f "$saved" ]; then
    cp -- "$saved" "$data/cairn.db.back"
    chmod 600 "$data/cairn.db.back"
    sync "$data/cairn.db.back"
    if [ ! -e "$updates/left-$id.db" ] && [ -f "$data/cairn.db" ]; then
      cp -- "$data/cairn.db" "$updates/left.part"
      if [ -f "$data/cairn.db-wal" ]; then cp -- "$data/cairn.db-wal" "$updates/left-$id.db-wal"; fi
      mv -T -- "$updates/left.part" "$updates/left-$id.db"
    fi
    # The journal of one database must never meet another.
    rm -f -- "$data/cairn.db-wal" "$data/cairn.db-shm"
    mv -T -- "$data/cairn.db.back" "$data/cairn.db"
    sync "$data"
  fi
  ln -sfn "versions/$from" "$home/current.new"
  mv -T -- "$home/current.new" "$home/current"
  sync "$home"
  rm -f -- "$updates/starts"
  rm -f -- "$trial"
  sync "$updates"
}

if cmp -s "$trial" "$failed"; then
  go_back
  exit 0
fi
# Not switched to yet, or somebody has switched by hand.
[ "$(readlink "$home/current")" = "versions/$to" ] || exit 0

starts=0
if [ -f "$updates/starts" ]; then read -r starts <"$updates/starts" || true; fi
case $starts in '' | *[!0-9]*) starts=0 ;; esac
if [ "$starts" -lt "$MOST_STARTS" ]; then
  put "$updates/starts" "$((starts + 1))
"
  exit 0
fi
if [ ! -f "$saved" ] || [ ! -d "$home/versions/$from" ]; then
  say "version $to does not become ready, and there is no way back to version $from."
  exit 0
fi
say "version $to was started $starts times and did not become ready."
put "$failed" "$(cat "$trial")
"
go_back
