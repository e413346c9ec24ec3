#!/bin/sh
# Records the histories that TestReplay replays: `plain`, one run of tiny, and `steered`, a run from an imported model in which people pause,
# set, stop, approve and reset. It needs the XLA plugin, and takes a few minutes. Give the folder to work in.
set -eu
dir=${1:?the folder to work in}
temper=$dir/temper
to="--set dir=$dir/data"
port=${PORT:-17233}
go build -o "$temper" ./cmd/temper
"$temper" up $to --set temporal.port="$port" --set temporal.ui_port=0 --set s3.port=0 >"$dir/up.log" 2>&1 &
up=$!
trap 'kill $up; wait $up' EXIT
until "$temper" runs $to >/dev/null 2>&1 && [ -e "$dir/data" ] && grep -q '^data' "$dir/up.log"; do sleep 1; done

# again COMMAND… gives a command until it succeeds: the run must first come to where it can be told so.
again() { until "$@" >"$dir/again.log" 2>&1; do sleep 0.2; done; cat "$dir/again.log"; }
newest() { "$temper" runs $to -n 1 | sed -n '2s/ .*//p'; }
record() { go test ./workflows -count=1 -run TestRecordHistories -record "127.0.0.1:$port" -run-id "$1" -into "$2"; }

"$temper" run tiny $to
run=$(newest)
record "$run" plain

"$temper" artifacts get "$("$temper" show "$run" $to | sed -n 's/^base\.model *\([^ ]*\).*/\1/p')" "$dir/model" $to
"$temper" run tiny $to --detach --team recorders --priority 2 --set base.import="$dir/model" --set seed=8 --set stages.probe.rounds=60 --set stages.probe.epochs=0 \
  --set stages.relift.rounds=60 --set 'stages.sft.gate={approve: true, within: 24h}' --set 'stages.relift.gate={metric: last_reward, at_least: -1}'
until run=$(newest) && [ "$run" != "" ] && "$temper" show "$run" $to | grep -q '^base  *import'; do sleep 0.5; done
again "$temper" runs approve "$run/sft" $to
again "$temper" runs set "$run" lr=2e-4 temperature=0.9 $to
again "$temper" runs pause "$run/probe" $to
again "$temper" runs set "$run/probe" entropy_coef=0.01 $to
again "$temper" runs resume "$run/probe" $to
again "$temper" runs stop "$run" $to
again "$temper" runs pause "$run" $to
again "$temper" runs resume "$run" $to
again "$temper" runs set "$run/relift" lr=3e-4 $to
again "$temper" runs stop "$run/relift" $to
until "$temper" show "$run" $to | grep -q '^report '; do sleep 1; done
"$temper" runs reset "$run/probe" --to 2 lr=1e-5 $to
again "$temper" runs stop "$run/probe" $to
again "$temper" runs stop "$run/relift" $to
until "$temper" show "$run" $to | grep -q '^report '; do sleep 1; done
record "$run" steered
